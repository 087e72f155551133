"""Read-outs: from the statistics of some layers to one distance. Nothing here needs the network.

With s = ``squared_error``, u = ``unit_squared_error``, e = ``gram_error``, m, v the mean and the
variance of the reference's activations, n, z those of the distorted image's, N the positions, C the
number of channels and w the channel relevance of a layer (1 if none is given), over layers l and
channels c:

* ``l2``: sqrt(sum_l N_l sum_c w_c s_c), the Euclidean distance of the concatenated activations;
* ``rmse``: sqrt(sum_l N_l sum_c w_c s_c / sum_l N_l C_l);
* ``balanced``: sqrt(sum_l d_l^2 / b_l) with d_l the layer's ``l2`` and b_l the mean of d_l^2 over
  the training pairs of a dataset, so that no layer dominates by its size;
* ``normalized``: sqrt(sum_l sum_c w_c s_c / b_c / sum_l C_l) with b_c the mean of s_c over the
  training pairs: a channel counts by how much more than usual it changes;
* ``unit``: sum_l sum_c w_c u_c, which with the published weights is LPIPS;
* ``unit_root``: its square root;
* ``cosine``: ``1 - <r, d> / (|r| |d|)`` of the concatenated activations r and d, where w weights
  each product; 1 if one of them is all zero, 0 if both are;
* ``mean``: sqrt(sum_l sum_c w_c (m_c - n_c)^2), the Euclidean distance of the spatial means;
* ``std``: sqrt(sum_l sum_c w_c (sqrt(v_c) - sqrt(z_c))^2), that of the standard deviations;
* ``mean_std``: sqrt(mean^2 + std^2), that of both;
* ``gram``: sum_l e_l, the distance of texture descriptors (Gatys et al. 2015, arXiv 1505.07376); it
  takes no relevance;
* ``structure_texture``: the mean over the channels of all layers of two terms in equal parts,
  texture 1 - (2 m n + k) / (m^2 + n^2 + k) and structure 1 - (2 q + k) / (v + z + k) with q the
  covariance and k = 1e-6. A relevance has two weights per channel, texture first, and is scaled to
  a sum of 1 over all layers: with the published weights this is DISTS (Ding et al. 2020, arXiv
  2004.07728);
* ``wasserstein``: the mean over layers of the sum over windows of 16 samples of T + e a with T the
  squared 2-Wasserstein distance of the samples' masses, e the squared error of the samples and
  a = exp(1 / (2 T + 20)) / (T + 10)^2: DeepWSD (Liao et al. 2022, arXiv 2208.03323) before its
  logarithm; it takes no relevance and grows with the size of the image;
* ``wasserstein_16``: the same for windows of 256 samples;
* ``distance_correlation``: the mean over layers of one minus the distance correlation of the
  channels, each a vector over positions: DeepDC (Zhu et al. 2022, arXiv 2211.04927); it takes no
  relevance.

All are 0 for identical images and grow with the difference. ``balanced`` and ``normalized`` compare
with a dataset, so they are computed from stored statistics and are not functions of one pair.
"""

from iqa_jax.readouts.formulas import READOUTS, readout_formulas
from iqa_jax.readouts.layer import NEEDS_A_DATASET, LayerStatistics, Readout, Summands, sum_over
from iqa_jax.readouts.names import (
    ReadoutName,
    has_relevance,
    needed_arrays,
    parse_layers,
    parse_readout,
)

__all__ = [
    "NEEDS_A_DATASET",
    "READOUTS",
    "LayerStatistics",
    "Readout",
    "ReadoutName",
    "Summands",
    "has_relevance",
    "needed_arrays",
    "parse_layers",
    "parse_readout",
    "readout_formulas",
    "sum_over",
]

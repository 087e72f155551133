"""Scores pairs of images with perceptual metrics.

Example:
  iqa score --metrics=lpips-alex,ssim --reference=a.png --distorted=b.png
  iqa score --metrics=lpips-vgg --reference_dir=clean --distorted_dir=coded
  iqa score --metrics=psnr,lpips-alex --pairs=pairs.csv --output=scores.csv --resume
  iqa score --metrics=ssim --pairs=pairs.csv --fail_beyond=ssim:0.95 --html=worst.html
  iqa score --metrics=psnr --dataset=tid2013 --tfds_dir=tfds --output=scores.csv
  iqa score --metrics=psnr --pairs=pairs.csv --output=scores --process_index=0 --process_count=2

Metrics: psnr, ssim, ms-ssim, gmsd, ms-gmsd, haarpsi, mdsi, nlpd, vif, fsim, fsimc, vsi, iw-ssim,
flip, ssimulacra2, lpips-alex, lpips-vgg, lpips-squeeze, dists, deepwsd, deepdc, perceptnet, any
read-out MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE], and a learned relevance FILE.safetensors. If a
pair cannot be scored, the column 'error' says why, the others are scored, and the exit status is 2.
A file .json beside --output records what the scores depend on, image by image: --resume keeps
existing scores and scores the pairs that are new, that were not reached, or whose images could not
be read or were too large for the memory. If --output is a folder, several processes with the same
command line share the work, and the last one writes scores.csv and the reports; iqa merge does so
too, or says what is missing.
"""

from dataclasses import replace

from iqa_jax.programs.score import findings
from iqa_jax.programs.score.settings import ScoreSettings

STATUSES = findings.STATUSES
"""Exit statuses of this program, in addition to the common ones."""


def main(settings: ScoreSettings) -> int:
    """Scores pairs, and writes or prints the table.

    Returns:
      The exit status, which says whether every pair was scored and within the limits.
    """
    from iqa_jax.programs.score.output import score  # noqa: PLC0415  loads JAX

    found = score(replace(settings, metrics=tuple(dict.fromkeys(settings.metrics))))
    return found.ended("score", settings.fail_beyond)

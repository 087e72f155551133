import numpy as np
import pytest

from iqa_jax import zoo
from iqa_jax.errors import CheckpointError
from iqa_jax.weights.conversion import convert
from iqa_jax.zoo import RELEVANCES

CHANNELS = {
    "input": 3,
    "relu1_2": 64,
    "relu2_2": 128,
    "relu3_3": 256,
    "relu4_3": 512,
    "relu5_3": 512,
}


def convert_dists(arrays):
    (conversion,) = RELEVANCES["dists"].conversions
    shapes = {layer: np.empty((2, channels)) for layer, channels in CHANNELS.items()}
    return convert(conversion.rearrange(arrays), shapes, conversion.renames, conversion.ignored)


def test_dists_has_two_weights_per_channel(rng):
    alpha, beta = (rng.uniform(size=(1, 1475, 1, 1)).astype(np.float32) for _ in range(2))
    found = convert_dists({"alpha": alpha, "beta": beta})
    assert {layer: weights.shape for layer, weights in found.items()} == {
        layer: (2, channels) for layer, channels in CHANNELS.items()
    }
    joined = np.concatenate([found[layer] for layer in CHANNELS], axis=1)
    np.testing.assert_array_equal(joined, [alpha.ravel(), beta.ravel()])


def test_dists_accounts_for_everything():
    weights = np.ones((1, 1475, 1, 1), np.float32)
    with pytest.raises(CheckpointError, match="gamma: is not part of the network"):
        convert_dists({"alpha": weights, "beta": weights, "gamma": weights})
    with pytest.raises(CheckpointError, match=r"alpha: is not part of(.|\n)*input: is not in the"):
        convert_dists({"alpha": weights})
    with pytest.raises(CheckpointError, match=r"relu5_3: has the shape \(2, 511\)"):
        convert_dists({"alpha": weights[:, 1:], "beta": weights[:, 1:]})


def test_official_dists(test_data, tmp_path):
    path = test_data / "weights" / "dists" / "weights.pt"
    (made,) = zoo.fetch(RELEVANCES["dists"].model, source=str(path), checkpoints_dir=tmp_path)
    assert (made.name, made.is_new) == ("dists", True)
    relevance = zoo.load_relevance("dists", checkpoints_dir=tmp_path)
    assert relevance.terms == 2
    assert relevance.model == "vgg16-supervised-imagenet1k-l2pool"
    weights = np.concatenate([relevance.weights[layer] for layer in CHANNELS], axis=1)
    np.testing.assert_allclose(weights.sum(axis=1), [0.87605, 0.12395], atol=1e-5)

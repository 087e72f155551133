"""The descriptors as metrics of real networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from metrics import computed

import iqa_jax
from iqa_jax.errors import InputError
from iqa_jax.metrics import outline_group, parse_metrics
from iqa_jax.readouts import READOUTS

DESCRIPTORS = ("cosine", "mean", "std", "mean_std", "gram", "structure_texture")
OF_A_DATASET = ("balanced", "normalized")
LAYERS = ("input", "pool5", "relu2+relu5")


@pytest.fixture(scope="module")
def function(checkpoints):
    names = [f"alexnet/{layer}/{name}" for layer in LAYERS for name in DESCRIPTORS]
    return computed.load(*names, checkpoints_dir=checkpoints)


@pytest.fixture
def images(rng):
    reference = rng.integers(0, 256, (3, 65, 97, 3)).astype(np.uint8)
    noisy = np.clip(reference + rng.normal(0, 25, reference.shape), 0, 255)
    return reference, noisy.astype(np.uint8)


def test_distances_are_finite_and_positive(function, images):
    for name, values in computed.pairs(function, *images).items():
        assert values.shape == (3,), name
        assert values.dtype == jnp.float32, name
        assert np.isfinite(values).all(), name
        assert (values > 0).all(), name


def test_identical_images_are_at_no_distance(function, images):
    """However a compiler orders the sums of each: as a pair, and as a version among others."""
    (reference, _), versions = images, np.zeros((3, *images[0].shape[1:]), np.uint8)
    versions[0] = reference[0]
    for step, first in ((computed.pairs, reference), (computed.versions, reference[0])):
        second = reference if step is computed.pairs else versions
        found = step(function, first, second)
        assert {name: float(values[0]) for name, values in found.items() if values[0] != 0} == {}


def test_no_distance_depends_on_its_neighbours(function, images):
    together = computed.pairs(function, *images)
    alone = computed.pairs(function, *(x[:1] for x in images))
    for name, values in together.items():
        np.testing.assert_allclose(values[0], alone[name][0], rtol=1e-4, err_msg=name)


def test_compiled_is_eager(function, images):
    joined = function.only([name for name in function.names if "+" in name])
    eager = computed.named(joined, joined.pairs(*(jnp.asarray(x[:1]) for x in images)))
    for name, values in computed.pairs(joined, *(x[:1] for x in images)).items():
        np.testing.assert_allclose(values, eager[name], rtol=1e-4, err_msg=name)


def test_gradients_are_finite_at_identical_and_black_images(function, images):
    @jax.jit
    def gradients(function, image):
        """Of each distance by both images."""

        def distances(reference, distorted):
            found = function.pairs(reference, distorted)
            return jnp.stack([values[0] for values in found])

        return jax.jacrev(distances, (0, 1))(image, image)

    noise = jnp.asarray(images[0][:1], jnp.float32) / jnp.float32(255)
    for image in (noise, jnp.zeros_like(noise)):
        for found in gradients(function, image):
            finite = np.isfinite(found).all(axis=(1, 2, 3, 4))
            assert finite.all(), np.array(function.names)[~finite]


def test_gram_takes_no_relevance(checkpoints):
    name = "alexnet/relu1/gram@lpips-alex"
    with pytest.raises(InputError, match=r"gram takes 0 weight\(s\) per channel, .* has 1"):
        iqa_jax.load_metric(name, checkpoints_dir=checkpoints)


@pytest.mark.parametrize("readout", OF_A_DATASET)
def test_what_compares_with_a_dataset_is_no_metric(readout, checkpoints):
    assert READOUTS[readout].normalised_by
    name = f"alexnet/relu1/{readout}"
    complaint = f"{name}: this read-out compares with the mean over a dataset.*with statistics_dir"
    with pytest.raises(InputError, match=complaint):
        iqa_jax.load_metric(name, checkpoints_dir=checkpoints)
    with pytest.raises(InputError, match=complaint):
        outline_group(parse_metrics([name]), checkpoints_dir=checkpoints)

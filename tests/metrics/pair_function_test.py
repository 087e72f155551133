"""What the pixels of a pair tell: identical images, and images that are not finite."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden import draws
from metrics import computed

from iqa_jax.backbones import PRECISIONS
from iqa_jax.metrics import list_metrics, parse_metric
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.metrics.layer_statistics import FeatureStatistics
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.metrics.pixels import PIXEL_METRICS, PixelScores
from iqa_jax.readouts import READOUTS, ReadoutName
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.zoo import Relevance, find_model, load_backbone

SIZES = ((1, 1), (2, 3), (17, 33), (65, 97))
OF_A_PAIR = [name for name, readout in READOUTS.items() if not readout.normalised_by]
NOT_FINITE = (np.nan, np.inf, -np.inf)


@functools.cache
def untrained(architecture, precision="highest"):
    return load_backbone(f"{architecture}-random-none-seed0", precision=precision)


def readouts_of(backbone, layers, readouts=OF_A_PAIR):
    names = [ReadoutName(backbone.name, (layer,), name) for layer in layers for name in readouts]
    return FeatureScores.of(backbone, names)


def unit_image(height, width, seed):
    return jnp.asarray(draws.image(height, width, seed) / np.float32(255))


def everything(scores, statistics, reference, distorted):
    """Versions, pairs, maps and the statistics of stores, by name."""
    versions, pairs, maps, stored = all_values(scores, statistics, reference, distorted)
    return {
        "versions": computed.named(scores, versions),
        "pairs": computed.named(scores, pairs),
        "maps": dict(zip(scores.mapped, maps, strict=True)),
        "stored": computed.named(statistics, stored) if statistics else {},
    }


@jax.jit
def all_values(scores, statistics, reference, distorted):
    references = jnp.broadcast_to(reference, distorted.shape)
    return (
        scores.versions(reference, distorted),
        scores.pairs(references, distorted),
        scores.maps(references, distorted),
        statistics.versions(reference, distorted) if statistics else (),
    )


def with_itself(size):
    """An image, and versions of which the second is the image itself."""
    reference = draws.image(*size, seed=1)
    return reference, np.stack([draws.image(*size, seed=2), reference])


def by_place(found, version):
    """``KIND/NAME`` -> the values of one version."""
    return {
        f"{kind}/{name}": np.asarray(values[version])
        for kind, of_kind in found.items()
        for name, values in of_kind.items()
    }


def check_networks(architecture, precision, size, *, every=1):
    backbone = untrained(architecture, precision)
    too_deep = backbone.without_positions(*size)
    layers = [name for name in backbone.layers if name not in too_deep][::every]
    reduction = FeatureStatistics(
        backbone, tuple((layer, name) for layer in layers for name in STATISTICS)
    )
    found = everything(readouts_of(backbone, layers, ("l2", "unit")), reduction, *with_itself(size))
    itself, other = (by_place(found, version) for version in (1, 0))
    for layer in layers:
        for moment in ("mean", "variance"):
            of_image, of_itself = (
                itself.pop(f"stored/{layer}/{moment}_{kind}") for kind in ("reference", "distorted")
            )
            np.testing.assert_array_equal(of_image, of_itself)
    assert [name for name, values in itself.items() if values.any()] == []
    assert any(values.any() for values in other.values())


def test_identical_images_are_at_no_distance():
    check_networks("alexnet", "bf16", (17, 33), every=4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("precision", "size"),
    [*((PRECISIONS[0], size) for size in SIZES), *((other, SIZES[2]) for other in PRECISIONS[1:])],
)
@pytest.mark.parametrize("architecture", ["alexnet", "vgg16_l2pool", "resnet18"])
def test_identical_images_are_at_no_distance_however_computed(architecture, precision, size):
    check_networks(architecture, precision, size)


@pytest.mark.parametrize(
    ("size", "names"),
    [
        ((1, 1), ("psnr",)),
        ((2, 3), ("psnr",)),
        ((17, 33), ("psnr", "ssim:wang2004", "ssim:rgb")),
        ((65, 97), ("psnr", "ssim:matlab")),
        ((178, 161), ("ms-ssim:wang2003",)),
    ],
)
def test_identical_images_have_the_best_score(size, names):
    found = everything(PixelScores(names), None, *with_itself(size))
    itself = by_place(found, 1)
    assert {name for name, values in itself.items() if (values != best(name)).any()} == set()
    assert len(itself) >= 2 * len(names)


def best(place):
    return PIXEL_METRICS[place.partition("/")[2]].best


def test_it_does_not_matter_how_a_compiler_rounds():
    """As if the two images had come from two pieces of a program."""
    function = PixelScores(("psnr", "ssim:rgb"))
    reference = unit_image(17, 33, seed=1)
    prepared, rounded = (function.prepare(x) for x in (reference, reference + 1e-3))
    for compare, names in (
        (function.compare, function.names),
        (function.compare_maps, function.mapped),
    ):
        for identical in (True, False):
            found = compare(prepared, rounded, jnp.asarray(identical))
            for name, values in zip(names, found, strict=True):
                is_best = values == PIXEL_METRICS[name].best
                assert is_best.all() if identical else not is_best.all()


def test_bytes_and_unit_range_are_compared_as_the_same_image():
    reference = draws.image(17, 33, seed=1)[None]
    function = PixelScores(("psnr", "ssim:rgb"))
    scores = computed.named(function, function.pairs(reference, reference / np.float32(255)))
    assert {name: float(values[0]) for name, values in scores.items()} == {
        "psnr": 100,
        "ssim:rgb": 1,
    }


def test_derivatives_at_identical_images_are_those_of_what_is_computed():
    """Both of them: the score is a constant only where it stands."""
    function = readouts_of(load_backbone(lambda x: {"sums": x + jnp.roll(x, 1, 1)}), ["sums"])
    reference, direction = (unit_image(5, 7, seed) for seed in (1, 2))

    def distances(identical):
        def of_pair(distorted):
            prepared = (function.prepare(image) for image in (reference, distorted))
            return jnp.stack(function.compare(*prepared, jnp.asarray(identical)))

        def slopes(distorted):
            return jax.jvp(of_pair, (distorted,), (direction,))[1]

        return jax.jvp(slopes, (reference,), (direction,))

    known_and_computed = (jax.jit(distances, static_argnums=0)(each) for each in (True, False))
    for known, found in zip(*known_and_computed, strict=True):
        np.testing.assert_array_equal(known, found)
    curved = [name for name, value in zip(function.names, known, strict=True) if value > 0]
    assert {name.rpartition("/")[2] for name in curved} == {
        *("unit", "cosine", "structure_texture"),
        *("wasserstein", "wasserstein_16", "distance_correlation"),
    }


def drawn_metric(name):
    """A metric of :func:`list_metrics` with untrained weights and a drawn relevance."""
    metric = parse_metric(name)
    if metric.readout is None:
        return PixelScores((metric.computed,))
    architecture = find_model(metric.readout.model).trunk
    backbone, readout = untrained(architecture), metric.readout
    terms = READOUTS[readout.readout].terms
    shape = () if terms == 1 else (terms,)
    rng = np.random.default_rng(0)
    weights = {
        layer: jnp.asarray(rng.uniform(size=(*shape, backbone.channels[layer])), jnp.float32)
        for layer in readout.layers
    }
    relevance = Relevance(weights, str(readout.relevance), readout.model, "")
    relevances = {relevance.name: relevance}
    return FeatureScores.of(backbone, [readout], relevances=relevances, protocol=metric.protocol)


@pytest.fixture(params=list_metrics())
def metric(request):
    return drawn_metric(request.param)


def test_a_pixel_that_is_not_finite_leaves_no_score(metric):
    """In either image, at any place, of any kind; its neighbours in the batch keep theirs."""
    side = 161 if metric.names[0].startswith(("ms-ssim", "iw-ssim")) else 33
    reference, distorted = (jnp.stack([unit_image(side, side + 1, seed)] * 6) for seed in (1, 2))
    last = (side - 1, side, 2)
    spoiled = distorted.at[(0, *last)].set(np.nan).at[1, 16, 5, 0].set(np.inf)
    spoiled = spoiled.at[2, 0, 0, 1].set(-np.inf).at[5].set(np.nan)
    spoiled_reference = reference.at[(3, *last)].set(np.nan).at[5].set(np.nan)
    for compute in (PairFunction.pairs, PairFunction.maps):
        step = jax.jit(lambda metric, r, d, compute=compute: compute(metric, r, d))
        whole, found = step(metric, reference, distorted), step(metric, spoiled_reference, spoiled)
        for values, expected in zip(found, whole, strict=True):
            assert np.isnan(values[jnp.asarray([0, 1, 2, 3, 5])]).all()
            np.testing.assert_array_equal(values[4], expected[4])
            assert np.isfinite(values[4]).all()


def test_statistics_of_an_image_that_is_not_finite_are_nan():
    reduction = FeatureStatistics(
        untrained("alexnet"), tuple(("relu1", name) for name in STATISTICS)
    )
    reference = unit_image(33, 34, seed=1)
    distorted = jnp.stack([reference, reference.at[32, 33, 2].set(np.nan), reference * 0.5])
    for name, values in computed.versions(reduction, reference, distorted).items():
        assert np.isnan(values[1]).all(), name
        assert np.isfinite(values[jnp.asarray([0, 2])]).all(), name


@pytest.mark.parametrize("value", NOT_FINITE)
def test_what_is_not_finite_inside_a_network_comes_out(value):
    """Of a user's own function, and of images that are identical, too."""

    def broken(x):
        is_bright = jnp.mean(x, (1, 2, 3), keepdims=True) > 0.5
        place = jnp.zeros(x.shape, bool).at[:, 2, 3, 1].set(True)
        return {"broken": jnp.where(is_bright & place, value, x)}

    function = readouts_of(load_backbone(broken), ["broken"])
    dark = 0.25 * unit_image(5, 7, seed=1)
    distorted = jnp.stack([dark + 0.6, dark * 0.5])
    found = everything(function, None, dark, distorted)
    assert [name for name, value in by_place(found, 0).items() if np.isfinite(value).all()] == []
    assert [
        name for name, value in by_place(found, 1).items() if not np.isfinite(value).all()
    ] == []
    itself = computed.pairs(function, distorted, distorted)
    assert [name for name, values in itself.items() if not np.isnan(values[0])] == []
    assert [name for name, values in itself.items() if values[1] != 0] == []


def test_gradients_of_neighbours_stay_finite(rng):
    function = readouts_of(untrained("alexnet"), ["relu1"])
    reference = jnp.asarray(rng.uniform(size=(2, 17, 19, 3)), jnp.float32)
    distorted = (reference * 0.5).at[0, 3, 4, 1].set(np.nan)

    @jax.jit
    def slopes(distorted):
        def total(distorted):
            return sum(values[1] for values in function.pairs(reference, distorted))

        return jax.grad(total)(distorted)

    assert np.isfinite(slopes(distorted)[1]).all()
    np.testing.assert_array_equal(slopes(distorted)[1], slopes(reference * 0.5)[1])

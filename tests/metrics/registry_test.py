import jax
import jax.numpy as jnp
import numpy as np
import pytest

import iqa_jax
from iqa_jax.errors import CheckpointError, InputError
from iqa_jax.metrics import groups, list_metrics, networks_of, parse_metric, parse_metrics
from iqa_jax.programs.evaluate.evaluation import evaluate
from iqa_jax.programs.evaluate.settings import EvaluateSettings


def test_published_metrics_are_listed():
    names = iqa_jax.list_metrics()
    assert {"psnr", "ssim", "ms-ssim", "ssim:matlab", "ssim:rgb"} <= set(names)
    assert {"lpips-alex", "lpips-vgg", "lpips-squeeze", "dists", "dists:resize256"} <= set(names)


@pytest.mark.parametrize("name", list_metrics())
def test_names_stay_and_directions_are_known(name):
    metric = parse_metric(name)
    assert metric.name == name
    similarities = ("psnr", "ssim", "ms-ssim", "iw-ssim", "haarpsi", "vif", "fsim", "vsi")
    assert metric.higher_is_better == name.startswith(similarities)


def test_lpips_is_a_read_out():
    readout = parse_metric("lpips-alex").readout
    assert str(readout) == "alexnet/relu1+relu2+relu3+relu4+relu5/unit@lpips-alex"
    assert parse_metric("lpips-alex").computed == str(readout)


def test_metrics_that_share_a_network_are_one_group():
    names = ["lpips-vgg", "psnr", "vgg16/relu3_3/l2", "ssim", "dists", "dists:resize256"]
    found = [[metric.name for metric in group] for group in groups(parse_metrics(names))]
    assert found == [
        ["lpips-vgg", "vgg16/relu3_3/l2"],
        ["psnr", "ssim"],
        ["dists"],
        ["dists:resize256"],
    ]


def test_networks_of_metrics():
    names = ["psnr", "dists", "lpips-vgg", "dists:resize256", "vgg16/relu1_1/l2", "own.py:f/a/l2"]
    assert networks_of(names) == ["vgg16-supervised-imagenet1k-l2pool", "vgg16"]


@pytest.mark.parametrize(
    "name", ["dists", "dists:resize256", "deepwsd", "deepdc", "perceptnet", "lpips-squeeze"]
)
def test_a_metric_without_weights_says_how_to_fetch_them(name, tmp_path):
    with pytest.raises(CheckpointError, match=f"^{name}: .* iqa fetch --metrics={name}, or name"):
        iqa_jax.load_metric(name, checkpoints_dir=tmp_path)


def test_unknown_names():
    with pytest.raises(InputError, match="'lpips'; do you mean lpips-.* psnr, ssim.* any read-out"):
        parse_metric("lpips")
    with pytest.raises(InputError, match="no read-out 'l3'"):
        parse_metric("vgg16/relu3_3/l3")
    misspelt = "vgg16/relu3_3/unitt@a/b@c/mine.safetensors"
    with pytest.raises(InputError, match=r"no relevance file .*, and no read-out 'unitt'; do you"):
        parse_metric(misspelt)


@pytest.mark.parametrize("name", ["psnr", "ssim", "lpips-alex"])
def test_loaded_by_name(name, checkpoints, rng):
    metric = iqa_jax.load_metric(name, checkpoints_dir=checkpoints)
    reference = rng.integers(0, 256, (2, 64, 72, 3)).astype(np.uint8)
    distorted = np.clip(reference + rng.normal(0, 9, reference.shape), 0, 255).astype(np.uint8)
    scores = metric(reference, distorted)
    assert scores.shape == (2,)
    best = metric(reference, reference)
    assert ((best > scores) == metric.higher_is_better).all()
    np.testing.assert_allclose(metric(reference[1:], distorted[1:]), scores[1:], rtol=1e-5)


@pytest.mark.parametrize("name", ["ssim", "ssim:rgb", "lpips-alex", "alexnet/relu2/unit"])
def test_maps_have_the_size_of_the_image_and_the_mean_of_the_score(name, checkpoints, rng):
    metric = iqa_jax.load_metric(name, checkpoints_dir=checkpoints)
    reference = rng.integers(0, 256, (2, 79, 95, 3)).astype(np.uint8)
    distorted = np.clip(reference + rng.normal(0, 9, reference.shape), 0, 255).astype(np.uint8)
    maps = metric.map(reference, distorted)
    assert maps.shape == (2, 79, 95)
    same = metric.map(reference, reference)
    assert (same == (1 if metric.higher_is_better else 0)).all()
    # Enlarging weighs the margin a little differently: the exact mean is that before it.
    np.testing.assert_allclose(maps.mean((1, 2)), metric(reference, distorted), rtol=0.02)


def test_a_map_shows_where_the_images_differ(checkpoints, rng):
    metric = iqa_jax.load_metric("lpips-alex", checkpoints_dir=checkpoints)
    reference = rng.integers(0, 256, (1, 96, 128, 3)).astype(np.uint8)
    distorted = reference.copy()
    distorted[:, :32, :32] = 128
    values = np.asarray(metric.map(reference, distorted))[0]
    assert values[:24, :24].mean() > 5 * values[64:, 80:].mean()


@pytest.mark.parametrize("preset", ["wang2004", "matlab"])
def test_the_map_of_ssim_lies_where_the_images_differ(preset, rng):
    size = (64, 80) if preset == "wang2004" else (384, 400)  # shrunk by 2 in the second case
    reference = rng.integers(0, 256, (1, *size, 3)).astype(np.uint8)
    metric = iqa_jax.load_metric(f"ssim:{preset}")
    margin = 14 if preset == "wang2004" else 28
    for row, column in ((margin, margin), (size[0] // 2, size[1] - 1 - margin)):
        distorted = reference.copy()
        distorted[:, row - 2 : row + 3, column - 2 : column + 3] = 128
        weights = 1 - np.asarray(metric.map(reference, distorted), np.float64)[0]
        assert weights.shape == size
        found = [np.average(axis, weights=weights) for axis in np.indices(size)]
        np.testing.assert_allclose(found, [row, column], atol=1.5)


def test_the_map_of_ssim_is_the_one_of_its_windows(rng):
    images = rng.integers(0, 256, (2, 1, 40, 50, 3)).astype(np.uint8)
    metric = iqa_jax.load_metric("ssim")
    found = np.asarray(metric.map(*images))[0]
    np.testing.assert_allclose(found[5:-5, 5:-5].mean(), metric(*images)[0], rtol=1e-5)
    np.testing.assert_array_equal(found[:5, 20], found[5, 20])


def test_no_map(rng):
    image = rng.integers(0, 256, (1, 32, 32, 3)).astype(np.uint8)
    with pytest.raises(
        InputError, match="psnr has no maps; SSIM, FLIP, LPIPS and the read-outs unit have them"
    ):
        iqa_jax.load_metric("psnr").map(image, image)


def test_the_map_before_it_is_enlarged_has_the_mean_of_the_score(checkpoints, rng):
    metric = iqa_jax.load_metric("lpips-alex", checkpoints_dir=checkpoints)
    scores = metric.function
    images = rng.integers(0, 256, (2, 79, 95, 3)).astype(np.uint8)
    (distance,) = scores.distances

    @jax.jit
    def local(scores, *images):
        prepared = [scores.prepare(image) for image in images]
        return [scores._local(distance, x, *prepared, jnp.array(False)) for x in distance.layers]

    expected = metric(images[:1], images[1:])[0]
    np.testing.assert_allclose(sum(map(np.mean, local(scores, *images))), expected, rtol=1e-5)


def test_similarities_are_turned_round_for_correlations(checkpoints, pair_folder):
    settings = EvaluateSettings(
        dataset="csv",
        data_dir=str(pair_folder / "pairs.csv"),
        output_dir=str(pair_folder / "out"),
        metrics=("psnr", "lpips-alex", "ssim"),
        checkpoints_dir=str(checkpoints),
    )
    evaluation = evaluate(settings)
    assert list(evaluation.scores) == ["psnr", "lpips-alex", "ssim"]
    assert all(result.agreement.srcc > 0.5 for result in evaluation.analysis.results)
    assert (evaluation.scores["psnr"] > 10).all()  # raw, in its own direction


def test_a_reference_may_be_a_constant_of_a_compiled_loss(rng):
    reference, image = (jnp.asarray(rng.random((1, 32, 40, 3)), jnp.float32) for _ in range(2))
    metric = iqa_jax.load_metric("ssim")
    score, slope = jax.jit(jax.value_and_grad(lambda x: metric(reference, x).sum()))(image)
    np.testing.assert_allclose(score, metric(reference, image)[0], rtol=1e-5)
    assert np.isfinite(slope).all()
    levels = reference * 255
    with pytest.raises(InputError, match="found values from"):
        jax.jit(lambda x: metric(levels, x))(image)


MODEL = "resnet20-random-none-seed0"


def edges(images):
    return {"across": images[:, :, 1:] - images[:, :, :-1], "down": images[:, 1:] - images[:, :-1]}


def test_a_network_in_memory_or_by_name_is_read_out(rng):
    pair = rng.integers(0, 256, (2, 2, 32, 40, 3)).astype(np.uint8)
    backbone = iqa_jax.load_backbone(MODEL)
    for what in (MODEL, backbone):
        metric = iqa_jax.load_metric(what, layers=("conv1", "layer1"), readout="l2")
        assert metric.name == f"{MODEL}/conv1+layer1/l2"
        np.testing.assert_array_equal(metric(*pair), iqa_jax.load_metric(metric.name)(*pair))
    selected = iqa_jax.load_metric(backbone.with_layers(["conv1", "input"]))
    assert selected.name == f"{MODEL}/conv1/unit"


def test_a_function_is_read_out(rng, tmp_path):
    pair = rng.random((2, 2, 12, 14, 3))
    metric = iqa_jax.load_metric(edges)
    assert metric.name == "edges/across+down/unit"
    assert (metric(*pair) > 0).all()
    assert (metric(pair[0], pair[0]) == 0).all()
    path = tmp_path / "mine.py"
    path.write_text("def edges(x):\n    return {'across': x[:, :, 1:] - x[:, :, :-1]}\n")
    from_file = iqa_jax.load_metric(f"{path}:edges", layers="across", readout="l2")
    in_memory = iqa_jax.load_metric(edges, layers="across", readout="l2")
    np.testing.assert_array_equal(from_file(*pair), in_memory(*pair))


def test_a_relevance_by_name_weighs_the_channels(checkpoints, rng):
    pair = rng.integers(0, 256, (2, 1, 64, 70, 3)).astype(np.uint8)
    layers = "relu1+relu2+relu3+relu4+relu5"
    metric = iqa_jax.load_metric(
        "alexnet", layers=layers, readout="unit@lpips-alex", checkpoints_dir=checkpoints
    )
    lpips = iqa_jax.load_metric("lpips-alex", checkpoints_dir=checkpoints)
    np.testing.assert_array_equal(metric(*pair), lpips(*pair))


@pytest.mark.parametrize(
    ("what", "options", "complaint"),
    [
        ("ssim", {"readout": "l2"}, "ssim is a metric with its own layers and read-out; give the"),
        (f"{MODEL}/conv1/l2", {"layers": "conv1"}, "is a metric with its own layers and read-out"),
        (MODEL, {"layers": "conv9"}, "has no layer conv9; it has: conv1, input"),
        (MODEL, {"readout": "l3"}, "there is no read-out 'l3'"),
        (MODEL, {"readout": "unit@"}, "expected the name of a relevance"),
        ("resnet", {"layers": "conv1"}, "there is no model 'resnet'"),
        (edges, {"layers": "up"}, "edges has no layer up; it has: "),
        (42, {}, "expected the name of a model, FILE.py:NAME, or a function .* got int"),
        (lambda x: x, {}, "must return a dict from names to activations"),
    ],
)
def test_what_cannot_be_read_out_is_refused(what, options, complaint):
    with pytest.raises(InputError, match=complaint):
        iqa_jax.load_metric(what, **options)

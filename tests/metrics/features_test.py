import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from metrics import computed

import iqa_jax
from iqa_jax.errors import InputError
from iqa_jax.images.resize import Resize
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.metrics.protocols import Protocol
from iqa_jax.readouts import ReadoutName, needed_arrays
from iqa_jax.revisions import REVISIONS
from iqa_jax.zoo import Relevance, model_layers, outline_backbone

NAMES = (
    "alexnet/input/l2",
    "alexnet/relu2/l2",
    "alexnet/relu2/rmse",
    "alexnet/relu1+pool5/l2",
    "alexnet/relu5/unit",
    "alexnet/relu1+relu5/unit_root",
    "alexnet/relu1+relu2+relu3+relu4+relu5/unit@lpips-alex",
)


@pytest.fixture(scope="module")
def function(checkpoints):
    return computed.load(*NAMES, checkpoints_dir=checkpoints)


@pytest.fixture
def images(rng):
    reference = rng.integers(0, 256, (65, 97, 3)).astype(np.uint8)
    noise = rng.normal(0, 20, (5, *reference.shape))
    return reference, np.clip(reference + noise, 0, 255).astype(np.uint8)


def expected(name, function, reference, distorted):
    readout = ReadoutName.parse(name)
    r, d = (oracle.alexnet(x, function.backbone.parameters) for x in (reference, distorted))
    r, d = ([features[layer] for layer in readout.layers] for features in (r, d))
    if readout.readout in ("l2", "rmse"):
        scale = 1 if readout.readout == "l2" else sum(x.size for x in r) ** 0.5
        return oracle.l2(r, d) / scale
    weights = None
    if readout.relevance:
        (relevance,) = function.relevances
        weights = [relevance.weights[x] for x in readout.layers]
    distance = oracle.unit(r, d, weights)
    return distance**0.5 if readout.readout == "unit_root" else distance


def test_agrees_with_plain_numpy(function, images):
    reference, distorted = images
    found = computed.versions(function, reference, distorted)
    assert sorted(found) == sorted(NAMES) == sorted(function.names)
    for name in NAMES:
        for version in range(2):
            value = expected(name, function, reference, distorted[version])
            np.testing.assert_allclose(found[name][version], value, rtol=1e-5, err_msg=name)


def test_pairs_are_versions_with_their_own_reference(function, images):
    reference, distorted = images
    together = computed.versions(function, reference, distorted)
    references = np.broadcast_to(reference, distorted.shape)
    apart = computed.pairs(function, references, distorted)
    for name in NAMES:
        np.testing.assert_allclose(together[name], apart[name], rtol=1e-4, err_msg=name)


def test_scores_do_not_depend_on_neighbours(function, images):
    reference, distorted = images
    others = distorted.copy()
    others[1:] = 255
    together, beside_white = (
        computed.versions(function, reference, x) for x in (distorted, others)
    )
    for name in NAMES:
        assert together[name][0] == beside_white[name][0], name


@pytest.mark.parametrize("model", ["alexnet", "vgg16"])
@pytest.mark.parametrize("readouts", [("l2",), ("unit",), ("l2", "unit")], ids="+".join)
@pytest.mark.parametrize("versions", [1, 3])
def test_identical_images_are_at_no_distance(model, readouts, versions, checkpoints, images):
    reference, _ = images
    names = [f"{model}/{layer}/{readout}" for layer in model_layers(model) for readout in readouts]
    function = computed.load(*names, checkpoints_dir=checkpoints)
    distorted = np.zeros((versions, *reference.shape), np.uint8)
    distorted[0] = reference
    found = computed.versions(function, reference, distorted)
    assert {name: float(values[0]) for name, values in found.items() if values[0] != 0} == {}


def test_a_statistic_is_computed_once(function):
    needed = needed_arrays(function.readouts)
    assert len(needed) == len(set(needed))
    assert ("relu2", "squared_error") in needed
    assert ("relu2", "unit_squared_error") in needed  # LPIPS


@pytest.mark.parametrize("platform", ["cpu", "cuda", "tpu"])
@pytest.mark.parametrize("model", ["alexnet", "convnext_tiny-random-none-seed0"])
def test_every_product_has_the_precision_that_is_published(model, platform, checkpoints):
    """Accelerators would take fewer digits; CPUs, where this runs, cannot show it."""
    layers = model_layers(model)
    names = [f"{model}/{'+'.join(layers[1:])}/{readout}" for readout in ("unit", "gram")]
    function = computed.load(*names, checkpoints_dir=checkpoints)
    images = [jax.ShapeDtypeStruct((*versions, 65, 97, 3), jnp.uint8) for versions in ((), (2,))]
    lowered = jax.jit(PairFunction.versions).trace(function, *images)
    text = lowered.lower(lowering_platforms=(platform,)).as_text()
    products = re.findall(r"stablehlo\.(?:convolution|dot_general)[( ].*", text)
    assert len(products) > len(layers) - 5
    assert [each for each in products if each.count("HIGHEST") != 2] == []


def test_signature_tells_the_weights(function):
    signature = function.signature
    assert signature["model"] == function.label == "alexnet"
    assert len(signature["weights_sha256"]) == 64
    assert set(signature["relevances"]) == {"lpips-alex"}
    assert signature["precision"] == "highest"


def test_signature_tells_the_revisions_of_all_that_computes(function, monkeypatch):
    found = function.only(["alexnet/relu5/unit"]).signature["revisions"]
    assert set(found) == {
        *("images/decoding", "images/resizing", "images/preprocessing", "backbone/alexnet"),
        *("statistic/unit_squared_error", "readout/unit"),
    }
    shrunk = dataclasses.replace(function, protocol=Protocol(Resize("short:64"))).signature[
        "revisions"
    ]
    assert "images/resizing on the device" in shrunk
    monkeypatch.setitem(REVISIONS, "readout/unit", 7)
    assert function.signature["revisions"]["readout/unit"] == 7


def test_a_network_that_sees_luminance_depends_on_its_revision():
    outline = outline_backbone("alexnet_colorization-random-none-seed0")
    assert "images/luminance" in outline.formulas
    assert "backbone/alexnet" in outline.formulas


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        (
            "alexnet/relu9/l2",
            "alexnet has no layer relu9; it has: relu5, relu4, relu3, input, relu1",
        ),
        ("alexnet/pool1/unit@lpips-alex", "weighs the layers relu1, .*relu5 of alexnet"),
        ("vgg16/relu1_2/unit@lpips-alex", "weighs the layers .* of alexnet"),
    ],
)
def test_refuses_what_does_not_fit(name, complaint, checkpoints):
    with pytest.raises(InputError, match=complaint):
        computed.load(name, checkpoints_dir=checkpoints)


def test_size_is_checked_for_the_layers_asked_for(checkpoints, function):
    early = computed.load("alexnet/relu1/l2", checkpoints_dir=checkpoints)
    early.check_size(20, 20)
    refused = function.refusals(31, 31)
    assert function.only(refused).names == [name for name in NAMES if name in refused]
    assert "alexnet/relu5/unit" not in refused
    assert "for its layer pool5" in refused["alexnet/relu1+pool5/l2"]
    with pytest.raises(InputError, match="at least 63x63"):
        function.check_size(62, 70)


def test_activations_in_bfloat16_stay_near(function, checkpoints, images):
    half = computed.load(*NAMES, checkpoints_dir=checkpoints, precision="bf16")
    exact, rough = (computed.versions(c, *images) for c in (function, half))
    for name in NAMES:
        assert rough[name].dtype == jnp.float32
        np.testing.assert_allclose(rough[name], exact[name], rtol=0.05, err_msg=name)


@pytest.fixture
def traces(monkeypatch):
    """The models whose distances are traced."""
    compare, models = FeatureScores.compare, []

    def spy(scores, *images):
        models.append(scores.label)
        return compare(scores, *images)

    monkeypatch.setattr(FeatureScores, "compare", spy)
    return models


SEEDS = [f"resnet20-random-none-seed{seed}" for seed in (0, 1)]


def test_two_checkpoints_of_a_trunk_are_traced_once_as_metrics(traces, images):
    reference, distorted = images[0][None], images[1][:1]
    metrics = [iqa_jax.load_metric(f"{model}/layer1/l2") for model in SEEDS]
    found = [jax.jit(metric)(reference, distorted) for metric in metrics]
    assert traces == SEEDS[:1]
    assert found[0] != found[1]
    assert [metric.name for metric in jax.tree.map(jnp.asarray, metrics)] == [
        f"{model}/layer1/l2" for model in SEEDS
    ]


def test_what_a_relevance_is_called_is_not_compiled(alexnet, traces, images):
    readouts = [ReadoutName.parse(f"alexnet/relu1/unit@{name}") for name in ("one", "other")]
    found = []
    for weight, readout in enumerate(readouts, 1):
        weights = {"relu1": jnp.full(64, weight, jnp.float32)}
        relevance = Relevance(weights, str(readout.relevance), "alexnet", "")
        scores = FeatureScores.of(alexnet, [readout], relevances={relevance.name: relevance})
        found.append(computed.versions(scores, images[0], images[1][:1]))
    assert len(traces) == 1
    one, other = (values[str(name)] for name, values in zip(readouts, found, strict=True))
    np.testing.assert_allclose(other, 2 * one, rtol=1e-6)

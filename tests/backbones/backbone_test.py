import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest

import iqa_jax
from iqa_jax import zoo
from iqa_jax.backbones import Backbone, aliases, build
from iqa_jax.compilation import compiler_options
from iqa_jax.errors import InputError

LAYERS = {
    "alexnet": "input relu1 pool1 relu2 pool2 relu3 relu4 relu5 pool5",
    "vgg16": "input relu1_1 relu1_2 pool1 relu2_1 relu2_2 pool2 relu3_1 relu3_2 relu3_3 pool3 "
    "relu4_1 relu4_2 relu4_3 pool4 relu5_1 relu5_2 relu5_3 pool5",
}


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (2, 65, 97, 3)).astype(np.uint8)


@pytest.mark.parametrize("architecture", LAYERS)
def test_layers_are_in_forward_order(architecture):
    assert ("input", *build(architecture).layers) == tuple(LAYERS[architecture].split())


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("size", [(65, 97), (79, 64)])
def test_every_layer_agrees_with_plain_numpy_at_odd_sizes(name, size, checkpoints, rng):
    backbone = zoo.load_backbone(name, checkpoints_dir=checkpoints)
    image = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
    expected = getattr(oracle, name)(image, backbone.parameters)
    found = backbone(image[None])
    assert tuple(found) == tuple(expected) == backbone.layers
    for layer, values in expected.items():
        error = np.abs(found[layer][0] - values).max() / np.abs(values).max()
        assert error < 1e-5, layer  # float32 against float64


def test_bytes_and_unit_range_are_the_same_image(alexnet, images):
    from_bytes = alexnet(images)
    from_floats = alexnet(images.astype(np.float32) / np.float32(255))
    for layer in alexnet.layers:
        error = np.abs(from_bytes[layer] - from_floats[layer]).max() / from_bytes[layer].max()
        assert error < 2e-6, layer  # pixels differ in their last bit


def test_works_under_jit_vmap_and_grad(alexnet, images):
    eager = alexnet(images)["relu3"]
    options = compiler_options()  # those of the call outside
    compiled = jax.jit(lambda backbone, x: backbone(x)["relu3"], compiler_options=options)(
        alexnet, images
    )
    mapped = jax.vmap(lambda x: alexnet(x[None])["relu3"][0])(jnp.asarray(images))
    np.testing.assert_allclose(compiled, eager, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(mapped, eager, rtol=1e-4, atol=1e-4)
    pixels = jnp.asarray(images / np.float32(255), jnp.float32)
    gradient = jax.grad(lambda x: alexnet(x)["relu5"].sum())(pixels)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        ("photograph.png", "expected an array .* got str; .*PIL.Image.open"),
        (np.zeros((2, 64, 64, 3), np.int32), "int32"),
        (np.zeros((64, 64, 3), np.uint8), r"\[64, 64, 3\]"),
        (np.zeros((1, 3, 64, 64), np.uint8), r"\[1, 3, 64, 64\]"),
        (np.full((1, 64, 64, 3), 255, np.float32), "from 255 to 255"),
        (np.linspace(-1, 1, 64 * 64 * 3, dtype=np.float32).reshape(1, 64, 64, 3), "from -1 to 1"),
        (np.full((1, 64, 64, 3), np.nan, np.float32), "nan"),
        (np.zeros((1, 62, 64, 3), np.uint8), "at least 63x63 pixels .* got 64x62"),
    ],
)
def test_refuses_invalid_images(alexnet, images, complaint):
    with pytest.raises(InputError, match=complaint):
        alexnet(images)


def test_least_size_is_exact(alexnet):
    assert alexnet.refusal(63, 63) is None
    assert alexnet.refusal(31, 31, layers=["relu5"]) is None
    reason = alexnet.refusal(30, 31, layers=["relu5"])
    assert "at least 31x31 pixels for its layer relu5" in reason


def test_the_layers_without_positions_are_named(alexnet):
    """All of them are named, not only the last one requested."""
    reason = alexnet.refusal(40, 40, layers=["pool5", "relu1"])
    assert reason.endswith("at least 63x63 pixels for its layer pool5, got 40x40")
    reason = alexnet.refusal(20, 90, layers=["relu3", "input", "relu5"])
    assert reason.endswith("31x31 pixels for its layers relu3, relu5, got 90x20")
    assert alexnet.refusal(20, 90, layers=[]) is None


def test_bfloat16_is_close_and_said(checkpoints, alexnet, images):
    half = zoo.load_backbone("alexnet", checkpoints_dir=checkpoints, precision="bf16")
    assert half(images)["relu5"].dtype == jnp.bfloat16
    exact, rough = (b(images)["relu5"].astype(jnp.float32) for b in (alexnet, half))
    assert 1e-4 < jnp.linalg.norm(exact - rough) / jnp.linalg.norm(exact) < 0.05


def test_parameters_pass_through_jit_as_arguments(alexnet):
    leaves, structure = jax.tree.flatten(alexnet)
    assert len(leaves) == 10
    assert isinstance(jax.tree.unflatten(structure, leaves), Backbone)


def test_networks_of_one_trunk_share_a_program(rng):
    """Networks of two seeds, and an outline, are traced once."""
    names = [f"resnet20-random-none-seed{seed}" for seed in (0, 1)]
    networks = [zoo.load_backbone(name) for name in names]
    assert len({each.sha256 for each in networks}) == 2
    images = jnp.asarray(rng.uniform(size=(1, 8, 8, 3)), jnp.float32)
    traced = []

    @jax.jit
    def activations(backbone, images):
        traced.append(backbone.name)
        return Backbone.activations(backbone, images)["conv1"]

    for each in networks:
        expected = jax.jit(lambda images, own=each: own.activations(images)["conv1"])(images)
        np.testing.assert_allclose(activations(each, images), expected, rtol=1e-5, atol=1e-5)
    outline = zoo.outline_backbone(names[1])
    assert activations.eval_shape(outline, images).shape == expected.shape
    assert traced == names[:1]


def test_a_stage_is_called_by_its_last_block():
    layers = build("resnet18").layers
    assert aliases(layers) == {
        "layer1": "layer1.1",
        "layer2": "layer2.1",
        "layer3": "layer3.1",
        "layer4": "layer4.1",
    }
    assert aliases(build("vgg16").layers) == {}


def test_a_layer_keeps_its_name(rng):
    """A layer's own name takes precedence over the short name of others."""

    def stages(x):
        return {"stage.0": x, "stage": 2 * x, "other.0": 3 * x}

    backbone = zoo.load_backbone(stages)
    assert aliases(backbone.layers) == {"other": "other.0"}
    pixels = jnp.asarray(rng.uniform(size=(1, 4, 5, 3)), jnp.float32)
    for found in (backbone(pixels), backbone.activations(pixels)):
        np.testing.assert_array_equal(found["stage"], 2 * pixels)
        np.testing.assert_array_equal(found["stage.0"], pixels)


RESNET = "resnet20-random-none-seed0"


@pytest.fixture(scope="module")
def resnet():
    return zoo.load_backbone(RESNET)


def test_some_layers_in_the_order_asked_for(resnet, images):
    expected = resnet(images)
    layers = ["layer2", "input", "conv1"]
    for found in (
        resnet(images, layers=layers),
        resnet(images, "layer2+input+conv1"),
        zoo.load_backbone(RESNET, layers=layers)(images),
        zoo.load_backbone(resnet, layers=layers)(images),
        jax.jit(resnet.with_layers(layers))(images),
    ):
        assert set(found) == set(layers)
        for layer, values in found.items():
            whole = expected[{"layer2": "layer2.2"}.get(layer, layer)]
            np.testing.assert_allclose(values, whole, rtol=1e-4, atol=1e-4)
    assert list(resnet(images, layers=layers)) == layers
    assert resnet.with_layers(layers).layers == tuple(layers)
    assert resnet.with_layers(layers).channels == {"layer2": 32, "input": 3, "conv1": 16}
    assert resnet.with_layers(layers).with_layers(None).layers == resnet.layers


def test_what_the_layers_do_not_need_is_not_computed(resnet):
    image = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)

    def cost(layers):
        program = jax.jit(lambda backbone, x: backbone(x)).lower(resnet.with_layers(layers), image)
        return program.compile().cost_analysis()["flops"]

    assert cost("conv1") < cost("layer1.0") < cost("layer3") <= cost(None)
    assert cost("conv1") < 0.1 * cost(None)


@pytest.mark.parametrize("layers", ["layer9", ["conv1", "layer9"]])
def test_close_matches_of_an_unknown_layer_come_first(resnet, layers, images):
    complaint = f"{RESNET} has no layer layer9; it has: layer[0-9.]+, layer[0-9.]+, .*input, conv1"
    with pytest.raises(InputError, match=complaint):
        resnet(images, layers=layers)
    with pytest.raises(InputError, match=complaint):
        zoo.load_backbone(RESNET, layers=layers)


def test_the_least_size_is_that_of_the_layers_asked_for(alexnet):
    small = np.zeros((1, 20, 90, 3), np.uint8)
    assert list(alexnet(small, layers=["relu1"])) == ["relu1"]
    with pytest.raises(InputError, match="at least 31x31 pixels for its layer relu5, got 90x20"):
        alexnet(small, layers=["relu1", "relu5"])


def test_metrics_of_a_selection_share_the_program_of_the_network(resnet):
    metrics = [
        iqa_jax.load_metric(backbone, layers="conv1")
        for backbone in (resnet, resnet.with_layers("layer2"))
    ]
    assert len({jax.tree.structure(metric) for metric in metrics}) == 1


def test_is_shown_in_a_line(alexnet):
    assert len(repr(alexnet)) < 200
    assert "alexnet" in repr(alexnet)

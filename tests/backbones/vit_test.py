"""Small transformers against plain NumPy; ``zoo/parity_test.py`` compares those of the zoo."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import iqa_jax
from iqa_jax.backbones import Backbone
from iqa_jax.backbones.network import from_module
from iqa_jax.backbones.positions import cubic, linear
from iqa_jax.backbones.vit import TANH_GELU, Form, Size, VisionTransformer, quick_gelu
from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import IDENTITY

PLAIN = Form(Size(8, 2, 2), 4, 3, linear, TANH_GELU, has_class_token=False)
WHOLE = Form(
    *(Size(8, 2, 2), 4, 3, cubic, quick_gelu),
    epsilon=1e-5,
    registers=2,
    has_layer_scale=True,
    has_first_norm=True,
    has_patch_bias=False,
    normalises_map=False,
)
"""Everything that a family may have, but a bias of the patches and a norm of the map."""


def made(form):
    module = nnx.eval_shape(lambda: VisionTransformer(form, rngs=nnx.Rngs(0)))
    network = from_module(module, "vit")
    random = np.random.default_rng(1)
    parameters = {
        name: jnp.asarray(random.normal(size=each.shape) * 0.5, jnp.float32)
        for name, each in network.parameters.items()
    }
    return Backbone(parameters, network, IDENTITY, "small")


@pytest.fixture(scope="module")
def whole():
    return made(WHOLE)


@pytest.fixture(scope="module")
def plain():
    return made(PLAIN)


@pytest.fixture
def images(rng):
    return rng.uniform(size=(2, 8, 16, 3)).astype(np.float32)


def norm(x, parameters, name, epsilon):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
    return scaled * parameters[f"{name}.scale"] + parameters[f"{name}.bias"]


def gelu(x, form):
    if form is WHOLE:
        return x / (1 + np.exp(-1.702 * x))
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def attention(x, parameters, name, heads):
    projected = x @ parameters[f"{name}.qkv.kernel"] + parameters[f"{name}.qkv.bias"]
    query, key, value = np.split(projected, 3, axis=-1)
    mixed = []
    for head in range(heads):
        part = slice(head * x.shape[-1] // heads, (head + 1) * x.shape[-1] // heads)
        logits = query[:, part] @ key[:, part].T / math.sqrt(x.shape[-1] // heads)
        weights = np.exp(logits - logits.max(-1, keepdims=True))
        mixed.append(weights / weights.sum(-1, keepdims=True) @ value[:, part])
    mixed = np.concatenate(mixed, axis=-1)
    return mixed @ parameters[f"{name}.proj.kernel"] + parameters[f"{name}.proj.bias"]


def in_numpy(image, parameters, form):
    """All tokens after the embedding, after each part of each block, and after the last norm."""
    p, side = form.patch, form.side
    rows, columns = image.shape[0] // p, image.shape[1] // p
    kernel = parameters["patch_embed.proj.kernel"]
    blocks = image.reshape(rows, p, columns, p, 3).transpose(0, 2, 1, 3, 4)
    patches = np.einsum("yxijc,ijcd->yxd", blocks, kernel)
    patches = patches + parameters.get("patch_embed.proj.bias", 0)
    positions = parameters["pos_embed"][0]
    grid = positions[-(side**2) :].reshape(side, side, -1)
    grid = np.einsum("yi,xj,ijc->yxc", form.rule(side, rows), form.rule(side, columns), grid)
    x = (patches + grid).reshape(rows * columns, -1)
    if form is WHOLE:
        first = parameters["cls_token"][0] + positions[:1]
        x = np.concatenate([first, parameters["register_tokens"][0], x])
        x = norm(x, parameters, "norm_pre", form.epsilon)
    found = {"embedding": x}
    for number in range(form.size.depth):
        name, block = f"blocks.{number}", f"block{number + 1}"
        normed = norm(x, parameters, f"{name}.norm1", form.epsilon)
        added = attention(normed, parameters, f"{name}.attn", form.size.heads)
        found[f"{block}.attention"] = added = added * parameters.get(f"{name}.ls1.gamma", 1)
        x = x + added
        normed = norm(x, parameters, f"{name}.norm2", form.epsilon)
        up, down = (parameters[f"{name}.mlp.fc{layer}.kernel"] for layer in (1, 2))
        up_bias, down_bias = (parameters[f"{name}.mlp.fc{layer}.bias"] for layer in (1, 2))
        added = gelu(normed @ up + up_bias, form) @ down + down_bias
        found[f"{block}.mlp"] = added = added * parameters.get(f"{name}.ls2.gamma", 1)
        found[block] = x = x + added
    return {**found, "norm": norm(x, parameters, "norm", form.epsilon)}


@pytest.mark.parametrize("form", [PLAIN, WHOLE], ids=["plain", "whole"])
def test_every_layer_agrees_with_plain_numpy(form, images, plain, whole):
    backbone = plain if form is PLAIN else whole
    parameters = {name: np.asarray(each, np.float64) for name, each in backbone.parameters.items()}
    found = backbone(images, layers=backbone.known_layers)
    for number, image in enumerate(images):
        expected = in_numpy(image.astype(np.float64), parameters, form)
        for layer, activation in found.items():
            if layer == "input":
                continue
            name = layer.removesuffix(".class_token").replace("class_token", "norm")
            tokens = expected[name][:1] if "class" in layer else expected[name][-8:]
            values = np.asarray(activation[number]).reshape(-1, 8)
            np.testing.assert_allclose(values, tokens, rtol=2e-5, atol=2e-5, err_msg=layer)


def test_layers_are_maps_and_the_class_token_has_one_position(plain, whole, images):
    assert whole.layers == ("input", "embedding", "block1", "block2", "class_token")
    assert plain.layers == ("input", "embedding", "block1", "block2", "norm")
    assert plain.known_layers[5:] == (
        *("block1.attention", "block1.mlp", "block2.attention", "block2.mlp"),
    )
    shapes = {layer: values.shape for layer, values in whole(images).items()}
    assert shapes["block2"] == (2, 2, 4, 8)
    assert shapes["class_token"] == (2, 1, 1, 8)


def test_further_layers_are_given_on_request(whole, images):
    layers = ["block2.class_token", "block1.attention", "block1"]
    found = whole(images, layers=layers)
    assert list(found) == layers
    assert found["block2.class_token"].shape == (2, 1, 1, 8)
    assert whole.with_layers(layers).channels == dict.fromkeys(layers, 8)
    with pytest.raises(InputError, match=r"no layer block3\.mlp; it has: block[12]\.mlp"):
        whole(images, layers=["block3.mlp"])


def test_images_that_are_not_made_of_whole_patches_are_refused(whole, rng):
    reason = whole.refusal(30, 40)
    assert reason == (
        "small needs images whose sides are multiples of 4 pixels, got 40x30; the nearest sizes "
        "are 40x28 and 40x32; resize=multiple:4 takes the nearest"
    )
    assert whole.refusal(3, 5).endswith("are 4x4 and 8x4; resize=multiple:4 takes the nearest")
    assert whole.refusal(28, 40) is None
    assert whole.refusal(30, 40, layers=["input"]) is None
    cut = rng.uniform(size=(1, 30, 40, 3)).astype(np.float32)
    assert whole(cut, layers=["input"])["input"].shape == cut.shape
    for refused in (whole, iqa_jax.load_metric(whole)):
        arguments = (cut,) if refused is whole else (cut, cut)
        with pytest.raises(InputError, match="multiples of 4 pixels, got 40x30"):
            refused(*arguments)
    assert list(whole.activations(jnp.asarray(cut))) == ["input"]
    with pytest.raises(InputError, match="nearest sizes are 40x28 and 40x32"):
        whole.network.apply(whole.parameters, jnp.asarray(cut))


def test_no_image_depends_on_others(whole, images):
    together = whole(images)
    for number in range(2):
        alone = whole(images[number : number + 1])
        for layer, values in together.items():
            np.testing.assert_allclose(alone[layer][0], values[number], rtol=1e-5, atol=1e-5)


def test_distances_of_layers_and_their_gradients(plain, images):
    metric = iqa_jax.load_metric(plain, layers="block1.mlp+norm", readout="l2")
    reference, distorted = jnp.asarray(images[:1]), jnp.asarray(images[1:])
    slope = jax.jit(jax.value_and_grad(lambda x: metric(reference, x)[0]))
    same, of_same = slope(reference)
    other, of_other = slope(distorted)
    assert same == 0 < other
    assert np.isfinite(of_same).all()
    assert np.isfinite(of_other).all()
    assert np.abs(of_other).max() > 0


@jax.numpy_dtype_promotion("standard")  # which Flax needs
def test_bfloat16_keeps_the_type(images):
    backbone = made(WHOLE)
    parameters = {name: each.astype(jnp.bfloat16) for name, each in backbone.parameters.items()}
    half = dataclasses.replace(backbone, parameters=parameters, precision="bf16")
    exact, rough = (each(images, layers="block2")["block2"] for each in (backbone, half))
    assert rough.dtype == jnp.bfloat16
    error = jnp.linalg.norm(exact - rough.astype(jnp.float32))
    assert error < 0.05 * jnp.linalg.norm(exact)

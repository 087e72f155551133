"""Vision transformers: Dosovitskiy et al. 2021, arXiv 2010.11929, and what others trained.

Attribute names as in the PyTorch programs of DINO, DINOv2 and MAE; the other families' files are
renamed to these.

Layers are maps of the patches, ``[h, w, C]``: ``embedding`` (patches with their positions, the
input of the first block), ``block1``, ``block2``, ... and, where the original normalises all
patches at the end, ``norm``. ``class_token`` has one position: the normalised class token of the
last block. On request there are the class token after a block, ``block1.class_token``, and what
attention and the two linear layers add to its patches, ``block1.attention`` and ``block1.mlp``.
Register tokens (Darcet et al. 2024, arXiv 2309.16588) are in no layer.
"""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx

from iqa_jax.backbones.layers import Layer, conv
from iqa_jax.backbones.network import check_multiples
from iqa_jax.backbones.positions import (
    Rule,
    cubic,
    cubic_antialiased,
    cubic_with_offset,
    linear,
    resample,
)


def quick_gelu(x: jax.Array) -> jax.Array:
    """CLIP's approximation of GELU."""
    return x * jax.nn.sigmoid(1.702 * x)


EXACT_GELU: Layer = functools.partial(nnx.gelu, approximate=False)
TANH_GELU: Layer = functools.partial(nnx.gelu, approximate=True)


@dataclass(frozen=True)
class Size:
    """Size of a transformer.

    Attributes:
      width: Number of channels of a token.
      depth: Number of blocks.
      heads: Number of heads of the attention.
    """

    width: int
    depth: int
    heads: int


SMALL, BASE, LARGE = Size(384, 12, 6), Size(768, 12, 12), Size(1024, 24, 16)


@dataclass(frozen=True)
class Form:
    """Differences between the families.

    Attributes:
      size: Size of the transformer.
      patch: Height and width of a patch in pixels.
      side: Height and width of the stored grid of position embeddings, in patches.
      rule: Interpolation of the position embeddings.
      gelu: Nonlinearity between the two linear layers of a block.
      epsilon: Constant added to the variance in layer norms.
      has_class_token: Whether there is a class token.
      registers: Number of register tokens.
      has_layer_scale: Whether what a block adds is scaled channel by channel.
      has_first_norm: Whether tokens are normalised before the first block, as in CLIP.
      has_patch_bias: Whether the embedding of the patches has a bias.
      normalises_map: Whether the original normalises all patches after the last block.
    """

    size: Size
    patch: int
    side: int
    rule: Rule
    gelu: Layer = EXACT_GELU
    epsilon: float = 1e-6
    has_class_token: bool = True
    registers: int = 0
    has_layer_scale: bool = False
    has_first_norm: bool = False
    has_patch_bias: bool = True
    normalises_map: bool = True


class PatchEmbedding(nnx.Module):
    """Linear map of every patch to a token."""

    def __init__(self, form: Form, *, rngs: nnx.Rngs):
        self.proj = conv(
            *(3, form.size.width, form.patch),
            stride=form.patch,
            bias=form.has_patch_bias,
            rngs=rngs,
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, 3]`` to ``[B, h, w, C]``."""
        return self.proj(x)


class Attention(nnx.Module):
    """Attention of all tokens to all tokens, in several heads."""

    def __init__(self, size: Size, *, rngs: nnx.Rngs):
        self.qkv = _linear(size.width, 3 * size.width, rngs)
        self.proj = _linear(size.width, size.width, rngs)
        self.heads = size.heads

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, tokens, C]`` to the same shape; the softmax is computed in float32."""
        batch, tokens, width = x.shape
        parts = self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = (parts[:, :, part] for part in range(3))
        logits = jnp.einsum("bqhd,bkhd->bhqk", query, key).astype(jnp.float32)
        weights = jax.nn.softmax(logits * (width // self.heads) ** -0.5).astype(x.dtype)
        mixed = jnp.einsum("bhqk,bkhd->bqhd", weights, value)
        return self.proj(mixed.reshape(batch, tokens, width))


class Mlp(nnx.Module):
    """Two linear layers at every token, with four times as many channels between them."""

    def __init__(self, form: Form, *, rngs: nnx.Rngs):
        width = form.size.width
        self.fc1 = _linear(width, 4 * width, rngs)
        self.fc2 = _linear(4 * width, width, rngs)
        self.gelu = form.gelu

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, tokens, C]`` to the same shape."""
        return self.fc2(self.gelu(self.fc1(x)))


class LayerScale(nnx.Module):
    """Factors of the channels: Touvron et al. 2021, arXiv 2103.17239."""

    def __init__(self, width: int):
        self.gamma = nnx.Param(jnp.ones((width,)))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, tokens, C]`` to the same shape."""
        return x * self.gamma[...].reshape(1, 1, -1)


class Block(nnx.Module):
    """A residual block of attention and another of two linear layers."""

    def __init__(self, form: Form, *, rngs: nnx.Rngs):
        width = form.size.width
        self.norm1 = _norm(form, rngs)
        self.attn = Attention(form.size, rngs=rngs)
        self.norm2 = _norm(form, rngs)
        self.mlp = Mlp(form, rngs=rngs)
        self.ls1 = LayerScale(width) if form.has_layer_scale else _same
        self.ls2 = LayerScale(width) if form.has_layer_scale else _same

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Maps tokens ``[B, tokens, C]`` to themselves and what was added to them, twice."""
        attention = self.ls1(self.attn(self.norm1(x)))
        x = x + attention
        mlp = self.ls2(self.mlp(self.norm2(x)))
        return x + mlp, attention, mlp


class VisionTransformer(nnx.Module):
    """A vision transformer without its head.

    Attributes:
      multiple: Height and width of images must be multiples of this number of pixels.
      on_request: Names of the layers that do not belong to all layers.
    """

    def __init__(self, form: Form, *, rngs: nnx.Rngs):
        width, depth = form.size.width, form.size.depth
        first = int(form.has_class_token)
        self.form = form
        self.multiple = form.patch
        kinds = ("attention", "mlp", *(("class_token",) if first else ()))
        self.on_request = tuple(
            f"block{number}.{kind}" for number in range(1, depth + 1) for kind in kinds
        )
        self.patch_embed = PatchEmbedding(form, rngs=rngs)
        if form.has_class_token:
            self.cls_token = nnx.Param(jnp.zeros((1, 1, width)))
        self.pos_embed = nnx.Param(jnp.zeros((1, first + form.side**2, width)))
        if form.registers:
            self.register_tokens = nnx.Param(jnp.zeros((1, form.registers, width)))
        self.norm_pre = _norm(form, rngs) if form.has_first_norm else _same
        self.blocks = nnx.List([Block(form, rngs=rngs) for _ in range(depth)])
        self.norm = _norm(form, rngs)

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, 3]`` to its named activations.

        Raises:
          InputError: If the height or width is no multiple of the patch's.
        """
        check_multiples(x.shape[1], x.shape[2], self.form.patch)
        patches = self.patch_embed(x)
        batch, height, width, channels = patches.shape
        tokens = self.norm_pre(self._tokens(patches))

        def as_map(tokens: jax.Array) -> jax.Array:
            return tokens[:, -height * width :].reshape(batch, height, width, channels)

        def class_token(tokens: jax.Array) -> jax.Array:
            return tokens[:, :1, None]

        activations = {"embedding": as_map(tokens)}
        for number, block in enumerate(self.blocks, 1):
            name = f"block{number}"
            tokens, attention, mlp = block(tokens)
            activations[f"{name}.attention"] = as_map(attention)
            activations[f"{name}.mlp"] = as_map(mlp)
            activations[name] = as_map(tokens)
            if self.form.has_class_token:
                activations[f"{name}.class_token"] = class_token(tokens)
        tokens = self.norm(tokens)
        if self.form.normalises_map:
            activations["norm"] = as_map(tokens)
        if self.form.has_class_token:
            activations["class_token"] = class_token(tokens)
        return activations

    def _tokens(self, patches: jax.Array) -> jax.Array:
        """Class token, registers and patches, ``[B, tokens, C]``, with their positions."""
        batch, height, width, channels = patches.shape
        side = self.form.side
        positions = self.pos_embed[...]
        grid = positions[0, -(side**2) :].reshape(side, side, channels)
        patches = patches + resample(grid, height, width, self.form.rule)[None]
        first = []
        if self.form.has_class_token:
            first.append(self.cls_token[...] + positions[:, :1])
        if self.form.registers:
            first.append(self.register_tokens[...])
        repeated = [jnp.broadcast_to(each, (batch, *each.shape[1:])) for each in first]
        return jnp.concatenate([*repeated, patches.reshape(batch, -1, channels)], axis=1)


def _same(x: jax.Array) -> jax.Array:
    """Placeholder of a layer that a family does not have."""
    return x


def _linear(inputs: int, outputs: int, rngs: nnx.Rngs) -> nnx.Linear:
    # Zeros are fast; parameters are always replaced.
    return nnx.Linear(inputs, outputs, kernel_init=nnx.initializers.zeros_init(), rngs=rngs)


def _norm(form: Form, rngs: nnx.Rngs) -> nnx.LayerNorm:
    return nnx.LayerNorm(form.size.width, epsilon=form.epsilon, use_fast_variance=False, rngs=rngs)


def _augreg(size: Size) -> Form:
    return Form(size, 16, 14, linear, TANH_GELU)


def _siglip2(size: Size, patch: int) -> Form:
    return Form(size, patch, 256 // patch, linear, TANH_GELU, has_class_token=False)


def _dino(size: Size, patch: int) -> Form:
    return Form(size, patch, 224 // patch, cubic_with_offset)


def _dinov2(size: Size) -> Form:
    return Form(size, 14, 37, cubic_with_offset, has_layer_scale=True)


def _dinov2_reg4(size: Size) -> Form:
    return dataclasses.replace(_dinov2(size), rule=cubic_antialiased, registers=4)


def _mae(size: Size) -> Form:
    return Form(size, 16, 14, cubic)


def _clip(size: Size, patch: int) -> Form:
    """CLIP's vision transformers: Radford et al. 2021, arXiv 2103.00020.

    Their program takes images of 224 x 224 pixels alone. For other sizes the position embeddings
    are interpolated as OpenCLIP does it. It normalises the class token alone at the end, so there
    is no layer ``norm``.
    """
    return Form(
        *(size, patch, 224 // patch, cubic_antialiased, quick_gelu),
        epsilon=1e-5,
        has_first_norm=True,
        has_patch_bias=False,
        normalises_map=False,
    )


_FORMS = {
    "vits16_augreg": _augreg(SMALL),
    "vitb16_augreg": _augreg(BASE),
    "vitl16_augreg": _augreg(LARGE),
    "vitb32_siglip2": _siglip2(BASE, 32),
    "vitb16_siglip2": _siglip2(BASE, 16),
    "vitl16_siglip2": _siglip2(LARGE, 16),
    "vits16_dino": _dino(SMALL, 16),
    "vitb16_dino": _dino(BASE, 16),
    "vitb8_dino": _dino(BASE, 8),
    "vits14_dinov2": _dinov2(SMALL),
    "vitb14_dinov2": _dinov2(BASE),
    "vitl14_dinov2": _dinov2(LARGE),
    "vits14_dinov2_reg4": _dinov2_reg4(SMALL),
    "vitb14_dinov2_reg4": _dinov2_reg4(BASE),
    "vitl14_dinov2_reg4": _dinov2_reg4(LARGE),
    "vitb16_mae": _mae(BASE),
    "vitl16_mae": _mae(LARGE),
    "vitb32_clip": _clip(BASE, 32),
    "vitb16_clip": _clip(BASE, 16),
    "vitl14_clip": _clip(LARGE, 14),
}

VARIANTS: dict[str, Callable[..., VisionTransformer]] = {
    name: functools.partial(VisionTransformer, form) for name, form in _FORMS.items()
}
"""Builders by architecture; they take the keyword argument ``rngs``."""

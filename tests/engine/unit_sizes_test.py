from dataclasses import dataclass

import jax
import jax.numpy as jnp
import pytest

from iqa_jax.engine.unit_sizes import images_at_once, prepared_bytes
from iqa_jax.pytrees import register_pytree


@register_pytree
@dataclass(frozen=True)
class Layer:
    """A step that prepares some channels per pixel, and needs only shapes."""

    weights: object
    label, names = "layer", ("layer",)

    def prepare(self, image):
        return {"layer": image.astype(jnp.float32) @ self.weights}

    def versions(self, reference, distorted):
        raise NotImplementedError


def layer(channels):
    return Layer(jax.ShapeDtypeStruct((3, channels), jnp.float32))


def test_bytes_of_a_prepared_image():
    assert prepared_bytes(layer(64), (9, 18)) == 9 * 18 * 64 * 4


@pytest.mark.parametrize("size", [(384, 512), (2000, 3000)])
def test_one_image_fills_a_cpu(size):
    assert images_at_once(layer(1000), size, "cpu") == 1


def test_small_images_go_through_a_cpu_together():
    assert images_at_once(layer(1000), (64, 64), "cpu") == 32
    assert images_at_once(layer(1), (100, 100), "cpu") == 13


@pytest.mark.parametrize(
    ("size", "count"),
    [((64, 64), 128), ((288, 288), 32), ((384, 512), 16), ((1080, 1920), 16), ((9000, 9000), 4)],
)
def test_images_at_once_on_a_tpu(size, count):
    assert images_at_once(layer(3), size, "tpu") == count


@pytest.mark.parametrize(("channels", "count"), [(100, 16), (426, 16), (427, 8), (2000, 2)])
def test_large_prepared_values_are_fewer_at_once(channels, count):
    """426 channels: 16 x 384 x 512 x 426 x 4 bytes are 5 GiB."""
    assert images_at_once(layer(channels), (384, 512), "tpu") == count


def test_a_gpu_takes_fewer():
    assert images_at_once(layer(3), (384, 512), "gpu") == 8
    assert images_at_once(layer(3), (1080, 1920), "gpu") == 1


def test_values_larger_than_the_budget_leave_one():
    assert images_at_once(layer(10_000), (1080, 1920), "gpu") == 1

"""The step as it is lowered for GPUs, of which none is needed for that."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.engine.devices import mesh_of, trace
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.readouts import ReadoutName

CONVOLUTION = re.compile(r"stablehlo\.convolution\(.*")
CHANNELS_LAST = "dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]"
PRECISIONS = {"highest": "HIGHEST", "high": "HIGH", "default": "DEFAULT", "bf16": "DEFAULT"}


@functools.cache
def lowered(precision):
    """AlexNet's step for two units of three versions."""
    layers = tuple(f"relu{number}" for number in range(1, 6))
    name = ReadoutName("alexnet-random-none-seed0", layers, "unit")
    step = FeatureScores.outline([name], precision=precision)
    traced = trace(step, mesh_of(jax.devices()[:1]), 2, 3, (96, 128))
    return traced.lower(lowering_platforms=("cuda",)).as_text()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_convolutions_are_channels_last_and_of_the_precision_asked_for(precision):
    convolutions = CONVOLUTION.findall(lowered(precision))
    assert len(convolutions) == 2 * 5  # for the references and for the versions
    name = PRECISIONS[precision]
    for each in convolutions:
        assert CHANNELS_LAST in each
        found = re.findall(r"#stablehlo<precision (\w+)>", each) or ["DEFAULT"] * 2
        assert found == [name] * 2


@pytest.mark.parametrize("precision", ["highest", "bf16"])
def test_convolutions_have_the_type_asked_for(precision):
    kind = "bf16" if precision == "bf16" else "f32"
    for each in CONVOLUTION.findall(lowered(precision)):
        operands = re.findall(r"tensor<[\dx]*x(\w+)>", each)
        assert operands[:2] == [kind] * 2


def has_callback(text):
    return "callback" in text.lower()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_nothing_calls_the_host(precision):
    assert not has_callback(lowered(precision))


def test_a_call_of_the_host_would_be_seen():
    def function(x):
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct((), jnp.float32), x)

    assert has_callback(jax.jit(function).lower(jnp.float32(1)).as_text())

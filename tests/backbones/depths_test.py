"""The depths in the table are those of the programs."""

import jax
import jax.numpy as jnp
import pytest

from iqa_jax.backbones import ARCHITECTURES, build
from iqa_jax.backbones.depths import DEPTHS

WEIGHTED = ("conv_general_dilated", "dot_general")
CONSTANT, WEIGHTS = -2, -1
"""What a value is if it does not depend on the image."""

LARGE = ("densenet", "efficientnet_b", "convnext", "vitb", "vitl", "vits14")


def sub_programs(equation):
    """The programs inside an equation, and the operands that they take."""
    if "branches" in equation.params:
        return equation.params["branches"], equation.invars[1:]
    names = ("jaxpr", "call_jaxpr", "fun_jaxpr")
    inner = [equation.params[name] for name in names if name in equation.params]
    return [getattr(each, "jaxpr", each) for each in inner], equation.invars


def longest_paths(program, incoming):
    """Weighted layers before each result, or what else it is: a constant or weights."""
    program = getattr(program, "jaxpr", program)
    known = dict(zip(program.invars, incoming, strict=True))

    def paths(variables):
        return [
            CONSTANT if hasattr(each, "val") else known.get(each, CONSTANT) for each in variables
        ]

    for equation in program.eqns:
        before = paths(equation.invars)
        inner, operands = sub_programs(equation)
        if inner:
            each = [longest_paths(program, paths(operands)) for program in inner]
            after = list(map(max, zip(*each, strict=True)))
        else:
            is_weighted = equation.primitive.name in WEIGHTED and WEIGHTS in before
            layers = max(before, default=CONSTANT)
            after = [layers + (is_weighted and layers >= 0)] * len(equation.outvars)
        known.update(zip(equation.outvars, after, strict=True))
    return paths(program.outvars)


def traced_depth(trunk):
    network = build(trunk)
    side = 65 // network.multiple * network.multiple
    x = jax.ShapeDtypeStruct((1, side, side, network.in_channels), jnp.float32)
    program = jax.make_jaxpr(network.apply)(network.parameters, x).jaxpr
    return max(longest_paths(program, [WEIGHTS] * len(network.parameters) + [0]))


@pytest.mark.parametrize(
    "trunk",
    [
        pytest.param(trunk, marks=[pytest.mark.slow] if trunk.startswith(LARGE) else [])
        for trunk in ARCHITECTURES
    ],
)
def test_depths_are_those_of_the_programs(trunk):
    assert DEPTHS[trunk] == traced_depth(trunk)


def test_every_architecture_has_a_depth():
    assert set(DEPTHS) == set(ARCHITECTURES)

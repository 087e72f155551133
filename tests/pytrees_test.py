from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import pytest

from iqa_jax.pytrees import register_pytree


@register_pytree
@dataclass(frozen=True, eq=False)
class Scaled:
    weights: dict[str, jax.Array]
    name: str = field(metadata={"label": True})
    power: int = field(metadata={"static": True})
    bias: jax.Array | float = 0.0
    sha256: str = field(metadata={"label": True}, default="")


def scaled(name, power=1):
    return Scaled({"a": jnp.ones(3), "b": jnp.zeros(2)}, name, power, 1.0, sha256=f"of {name}")


@pytest.mark.parametrize(
    "through",
    [
        lambda value: jax.tree.map(lambda leaf: 2 * leaf, value),
        jax.device_put,
        lambda value: jax.tree.map(lambda one, _: one, value, scaled("another", power=3)),
        lambda value: jax.tree_util.tree_map_with_path(lambda _, leaf: leaf, value),
        lambda value: jax.eval_shape(lambda: value),
    ],
)
def test_labels_are_kept(through):
    for name in ("first", "second"):
        found = through(scaled(name, power=3))
        assert (found.name, found.sha256, found.power) == (name, f"of {name}", 3)
        assert [leaf.shape for leaf in jax.tree.leaves(found.weights)] == [(3,), (2,)]


def test_labels_distinguish_no_programs_but_static_fields_do():
    traced = []

    @jax.jit
    def apply(value):
        traced.append(value.name)
        return value.weights["a"] ** value.power + value.bias

    for name, power in (("first", 1), ("second", 1), ("second", 2), ("third", 2)):
        assert apply(scaled(name, power)).shape == (3,)
    assert traced == ["first", "second"]


def test_children_have_the_names_of_their_fields():
    paths = [
        jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(scaled("x"))
    ]
    assert paths == [".weights['a']", ".weights['b']", ".bias"]

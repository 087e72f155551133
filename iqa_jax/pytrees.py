"""Dataclasses as pytrees, with labels, which do not trigger recompilation.

JAX compiles a function once for each structure of its arguments, and static fields belong to the
structure: with a static name, two checkpoints of one architecture would be traced and compiled
twice. A label is carried by the structure too, but structures that differ only in their labels are
equal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import jax
from jax.tree_util import GetAttrKey

_Class = TypeVar("_Class", bound=type)


@dataclass(frozen=True)
class _Structure:
    static: tuple[Any, ...]
    labels: tuple[Any, ...] = field(compare=False)


def register_pytree(cls: _Class) -> _Class:
    """Registers a dataclass as ``jax.tree_util.register_dataclass`` does, with labels.

    A field with the metadata ``{"static": True}`` belongs to the structure, one with
    ``{"label": True}`` is a label, and any other field is a child. ``jax.tree.map``,
    ``jax.device_put`` and the arguments of ``jit`` keep labels. The results of a compiled function
    do not: they carry the labels of the call for which it was traced.

    Args:
      cls: The dataclass.

    Returns:
      The same class, so this function can be used as a decorator.
    """
    static, labels, children = (
        [each.name for each in fields(cls) if _kind(each.metadata) == kind]
        for kind in ("static", "label", "child")
    )

    def values(instance: Any, names: Iterable[str]) -> tuple[Any, ...]:
        return tuple(getattr(instance, name) for name in names)

    def flatten(instance: Any) -> tuple[tuple[Any, ...], _Structure]:
        structure = _Structure(values(instance, static), values(instance, labels))
        return values(instance, children), structure

    def flatten_with_keys(instance: Any) -> tuple[list[tuple[Any, Any]], _Structure]:
        found, structure = flatten(instance)
        return list(zip(map(GetAttrKey, children), found, strict=True)), structure

    def unflatten(structure: _Structure, found: Iterable[Any]) -> Any:
        names = (*children, *static, *labels)
        return cls(**dict(zip(names, (*found, *structure.static, *structure.labels), strict=True)))

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
    return cls


def _kind(metadata: Mapping[str, bool]) -> str:
    return next((kind for kind in ("static", "label") if metadata.get(kind)), "child")

"""Backbones that a user brings: a function from images to named activations."""

import hashlib
import importlib.util
import re
from collections.abc import Callable
from typing import cast

import jax
from etils import epath

from iqa_jax.backbones import Activations
from iqa_jax.errors import InputError

Function = Callable[[jax.Array], Activations]

_NAME = re.compile(r"(?P<file>.+\.py):(?P<function>\w+)")


def is_own(name: str) -> bool:
    """Whether ``name`` has the form ``FILE.py:NAME``."""
    return _NAME.fullmatch(name) is not None


def load_function(name: str) -> tuple[Function, str]:
    """Runs ``FILE.py`` and takes ``NAME`` out of it.

    Args:
      name: ``FILE.py:NAME``.

    Returns:
      The function, and the sha256 of the file.

    Raises:
      InputError: If there is no such file or no such function in it, or the file fails.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise InputError(f"expected FILE.py:NAME, got {name!r}")
    path = epath.Path(match["file"])
    if not path.is_file():
        raise InputError(f"{name}: there is no file {path}")
    source = path.read_bytes()
    spec = importlib.util.spec_from_loader(path.stem, loader=None, origin=str(path))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    try:
        exec(compile(source, str(path), "exec"), vars(module))
    except Exception as error:
        raise InputError(f"{path}: fails with {type(error).__name__}: {error}") from error
    function = getattr(module, match["function"], None)
    if not callable(function):
        raise InputError(f"{path}: has no function {match['function']}")
    return cast(Function, function), hashlib.sha256(source).hexdigest()

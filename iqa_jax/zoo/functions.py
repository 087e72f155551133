"""Backbones of the user: functions from images to named activations."""

import hashlib
import re
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import jax
from etils import epath

from iqa_jax.backbones import Activations
from iqa_jax.errors import InputError
from iqa_jax.zoo.fingerprint import program_fingerprint

Function = Callable[[jax.Array], Activations]

_NAME = re.compile(r"(?P<file>.+\.py):(?P<function>\w+)")


def is_own(name: str) -> bool:
    """Whether ``name`` has the form ``FILE.py:NAME``."""
    return _NAME.fullmatch(name) is not None


def load_function(name: str) -> Function:
    """Runs ``FILE.py`` and returns its function ``NAME``.

    The file is run as a module of its own. It can import installed modules but not the files beside
    it, because their names may be taken.

    Args:
      name: ``FILE.py:NAME``.

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
    # A name that is unique and the same in every process.
    module = types.ModuleType(f"{path.stem}_{hashlib.sha256(source).hexdigest()}")
    module.__file__ = str(path)
    try:
        with _known(module):
            exec(compile(source, str(path), "exec"), vars(module))
    except ModuleNotFoundError as error:
        raise InputError(f"{path}: fails with {error}{_advice(path, error.name)}") from error
    except Exception as error:
        raise InputError(f"{path}: fails with {type(error).__name__}: {error}") from error
    function = getattr(module, match["function"], None)
    if not callable(function):
        raise InputError(f"{path}: has no function {match['function']}")
    backbone = cast(Function, function)

    def call(images: jax.Array) -> Activations:
        with _known(module):
            return backbone(images)

    return call


def function_sha256(function: Function, name: str = "") -> str:
    """Hash of a backbone function: its program, and all arrays in it.

    Args:
      function: Function from images to activations.
      name: ``FILE.py:NAME`` if the function was loaded from a file, which is hashed too.

    Raises:
      InputError: If the function returns something else, or fails.
    """
    sha256 = hashlib.sha256(program_fingerprint(function))
    match = _NAME.fullmatch(name)
    if match:
        sha256.update(epath.Path(match["file"]).read_bytes())
    return sha256.hexdigest()


@contextmanager
def _known(module: types.ModuleType) -> Iterator[None]:
    """Registers a module while its code runs: dataclasses, for one, look up a class's module."""
    sys.modules[module.__name__] = module
    try:
        yield
    finally:
        sys.modules.pop(module.__name__, None)


def _advice(path: epath.Path, missing: str | None) -> str:
    beside = path.parent / f"{(missing or '').partition('.')[0]}"
    if not (beside.is_dir() or beside.with_name(f"{beside.name}.py").exists()):
        return ""
    return (
        f"; files beside it are found only through PYTHONPATH: set PYTHONPATH={path.parent}, or "
        "put everything into one file"
    )

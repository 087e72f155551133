"""Functions whose keywords are the documented fields of a settings class, as flags are."""

import functools
import inspect
import os
import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, Literal, TypeVar, get_args, get_origin

import numpy as np

from iqa_jax.errors import InputError
from iqa_jax.programs.flags import Setting, build, settings_of
from iqa_jax.programs.settings import ProgramSettings

Settings = TypeVar("Settings", bound=ProgramSettings)
Result = TypeVar("Result")

_PLACE = "**settings:"
"""Start of the line of a docstring that the documentation of the settings replaces."""

_WIDTH = 100


def takes_settings(
    kind: type[ProgramSettings], *, without: Collection[str]
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Gives a function the settings of a class as keywords.

    Args:
      kind: The class. Its fields become keywords of the signature, with their defaults, and their
        documentation replaces the line ``**settings: ...`` of the docstring.
      without: Fields to leave out.

    Returns:
      A decorator for functions with ``**settings``, which receive only the keywords given by the
      caller.
    """
    settings = {name: each for name, each in settings_of(kind).items() if name not in without}

    def decorate(function: Callable[..., Result]) -> Callable[..., Result]:
        own = inspect.signature(function)
        first = [each for each in own.parameters.values() if each.kind != each.VAR_KEYWORD]
        named = [each for each in first if each.kind != each.KEYWORD_ONLY]
        keywords = [_parameter(each) for each in settings.values()]
        last = [each for each in first if each.kind == each.KEYWORD_ONLY]
        signature = own.replace(parameters=[*named, *keywords, *last])

        @functools.wraps(function)
        def checked(*positional: Any, **given: Any) -> Result:
            try:
                bound = signature.bind(*positional, **given)
            except TypeError as error:
                raise TypeError(f"{function.__name__}(): {error}") from None
            return function(*bound.args, **bound.kwargs)

        checked.__signature__ = signature  # pyright: ignore[reportAttributeAccessIssue]
        checked.__doc__ = _documented(function.__doc__ or "", settings.values())
        return checked

    return decorate


def settings_from(
    kind: type[Settings],
    given: Mapping[str, Any],
    *,
    fixed: Mapping[str, Any] | None = None,
) -> Settings:
    """Settings from the keywords of a call.

    Args:
      kind: The class of settings.
      given: Values by name; the others have their defaults.
      fixed: Values of the settings that are not keywords.

    Raises:
      InputError: If a value has the wrong type or is out of range.
    """
    values = {
        name: _value(setting, given[name]) if name in given else setting.field.default
        for name, setting in settings_of(kind).items()
    }
    return build(kind, {**values, **(fixed or {})})


def refuse_idle(settings: ProgramSettings, given: Collection[str]) -> None:
    """Refuses settings without effect.

    Args:
      settings: The settings.
      given: Names of those that were given.

    Raises:
      InputError: If one of these has no effect alongside the others.
    """
    for names, reason in settings.idle():
        idle = ", ".join(name for name in names if name in given)
        if idle:
            advice = f"{reason}, or leave out {idle}".replace("--", "")
            raise InputError(f"{idle}: without effect {advice}")


def _parameter(setting: Setting) -> inspect.Parameter:
    default = inspect.Parameter.empty if setting.is_required else setting.field.default
    kind = setting.kind if default is not None else setting.kind | None
    return inspect.Parameter(
        setting.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind
    )


def _documented(text: str, settings: Iterable[Setting]) -> str:
    """A docstring with the documentation of settings."""
    lines = []
    for line in text.splitlines():
        if not line.strip().startswith(_PLACE):
            lines.append(line)
            continue
        indent = line[: len(line) - len(line.lstrip())]
        for setting in settings:
            lines += textwrap.wrap(
                f"{setting.name}: {setting.text}",
                _WIDTH,
                initial_indent=indent,
                subsequent_indent=f"{indent}  ",
                break_on_hyphens=False,
                break_long_words=False,
            )
    return "\n".join(lines)


def _value(setting: Setting, value: Any) -> Any:
    """The value of a setting, in the type that its field has."""
    none = setting.field.metadata.get("none")
    if value is None or (isinstance(value, str) and value == none):
        if setting.is_required or setting.field.default is not None:
            raise InputError(f"{setting.name}: expected {_expected(setting.kind)}, got {value!r}")
        return None
    if get_origin(setting.kind) is tuple:
        item, *_ = get_args(setting.kind)
        is_many = isinstance(value, Iterable) and not isinstance(value, str | os.PathLike | Real)
        return tuple(_one(setting, item, each) for each in (value if is_many else (value,)))
    return _one(setting, setting.kind, value)


def _one(setting: Setting, kind: Any, value: Any) -> Any:
    """A single value."""
    found = None
    if get_origin(kind) is Literal:
        found = value if isinstance(value, str) and value in get_args(kind) else None
    elif kind is bool:
        found = bool(value) if isinstance(value, bool | np.bool_) else None
    elif kind is str:
        found = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    elif isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool):
        number: Any = value
        found = kind(number)
    if found is None:
        raise InputError(f"{setting.name}: expected {_expected(kind)}, got {value!r}")
    least = setting.field.metadata.get("at_least")
    if least is not None and found < least:
        raise InputError(f"{setting.name}: expected at least {least}, got {value!r}")
    return found


def _expected(kind: Any) -> str:
    """A type in words."""
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if get_origin(kind) is tuple:
        return f"a sequence in which each item is {_expected(get_args(kind)[0])}"
    words = {bool: "True or False", str: "a string", int: "a whole number", float: "a number"}
    return words[kind]

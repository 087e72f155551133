"""absl flags made from the documented fields of settings, and settings made from the flags."""

import inspect
import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from absl import flags

from iqa_jax.errors import InputError

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class Setting:
    """A field of a settings class, which is a flag of the same name.

    Attributes:
      field: The field.
      kind: Type of the field, without None.
      owner: Class that documents the field.
      text: Documentation of the field.
    """

    field: Field
    kind: Any
    owner: type
    text: str

    @property
    def name(self) -> str:
        """Name of the field and of the flag."""
        return self.field.name

    @property
    def is_required(self) -> bool:
        """Whether there is no default."""
        return self.field.default is MISSING

    @property
    def default(self) -> Any:
        """Value of the flag if it is not given."""
        value = None if self.is_required else self.field.default
        return self.field.metadata.get("none") if value is None else value


def settings_of(kind: Any) -> Mapping[str, Setting]:
    """The fields of a settings class by name, followed by those of the settings inside it."""
    types = _types(kind)
    groups = [each for each in types.values() if is_dataclass(each)]
    found = {
        each.name: Setting(each, types[each.name], *_documentation(kind, each.name))
        for each in fields(kind)
        if types[each.name] not in groups
    }
    for group in groups:
        found |= {name: each for name, each in settings_of(group).items() if name not in found}
    return found


def define(*kinds: type) -> flags.FlagValues:
    """Defines a flag for each field of some settings classes, and for each flag that is gone."""
    defined = flags.FlagValues()
    for kind in kinds:
        for setting in settings_of(kind).values():
            _define(setting, defined)
        for name in getattr(kind, "former", ()):
            flags.DEFINE_string(name, None, "Gone; an error.", flag_values=defined)
    return defined


def read(kind: type[Settings], defined: flags.FlagValues) -> Settings:
    """Makes settings from the values of the flags.

    Raises:
      InputError: If a flag is missing or gone, a value is malformed, or a flag was given that has
        no effect.
    """
    for name, advice in getattr(kind, "former", {}).items():
        if defined[name].value is not None:
            value = str(defined[name].value)
            value = "NUMBER" if value.startswith("-") else value  # the next flag
            raise InputError(f"--{name} is gone; {advice.format(value=value)}")
    missing = [
        f"--{name}"
        for name, setting in settings_of(kind).items()
        if setting.is_required and defined[name].value is None
    ]
    if missing:
        raise InputError(f"expected {' and '.join(missing)}; see --help")
    values = {
        name: _value(setting, defined[name].value) for name, setting in settings_of(kind).items()
    }
    settings = build(kind, values)
    for names, reason in getattr(settings, "idle", tuple)():
        given = ", ".join(f"--{name}" for name in names if defined[name].present)
        if given:
            raise InputError(f"{given}: without effect {reason}, or leave out {given}")
    return settings


def _types(kind: Any) -> dict[str, Any]:
    """The types of the fields of a dataclass, without None."""
    hints = get_type_hints(kind)
    types = {}
    for each in fields(kind):
        parts = [part for part in get_args(hints[each.name]) if part is not NoneType]
        is_optional = NoneType in get_args(hints[each.name])
        types[each.name] = parts[0] if is_optional else hints[each.name]
    return types


def _documentation(kind: type, name: str) -> tuple[type, str]:
    """The class that documents a field under ``Attributes:``, and the text."""
    for owner in kind.__mro__:
        _, _, section = inspect.cleandoc(owner.__doc__ or "").partition("\nAttributes:\n")
        entry = re.search(rf"^  {name}: (.+(?:\n    .+)*)", section, re.MULTILINE)
        if entry:
            return owner, " ".join(entry[1].replace("``", "").split())
    raise TypeError(f"{kind.__name__}.{name} has no documentation")


def _define(setting: Setting, defined: flags.FlagValues) -> None:
    name, kind, default, text = setting.name, setting.kind, setting.default, setting.text
    metadata = setting.field.metadata
    if kind is bool:
        flags.DEFINE_bool(name, default, text, flag_values=defined)
    elif get_origin(kind) is Literal:
        flags.DEFINE_enum(name, default, get_args(kind), text, flag_values=defined)
    elif get_origin(kind) is tuple:
        values = default and [*map(as_text, default)]
        if "repeated" in metadata:
            flags.DEFINE_multi_string(name, values, text, flag_values=defined)
        else:  # a second one would silently replace the first
            flags.DEFINE_list(name, values, text, flag_values=defined, allow_overwrite=False)
    elif kind is str or "none" in metadata:
        flags.DEFINE_string(name, default, text, flag_values=defined)
    else:
        parser = _NumberParser(kind, metadata.get("at_least"))
        serializer = flags.ArgumentSerializer()
        flags.DEFINE(parser, name, default, text, defined, serializer)


class _NumberParser(flags.ArgumentParser):
    """Reads a number, with an error in the words of this package."""

    def __init__(self, kind: type[int] | type[float], least: float | None):
        super().__init__()
        self._kind, self._least = kind, least
        limit = "" if least is None else f" of at least {least:g}"
        self.syntactic_help = f"a {'whole ' if kind is int else ''}number{limit}"

    def parse(self, argument: str | float) -> float:
        try:
            value = self._kind(argument)
        except ValueError:
            value = math.nan
        if math.isnan(value) or (self._least is not None and value < self._least):
            raise ValueError(f"expected {self.syntactic_help}")
        return value


def as_text(value: object) -> str:
    """A value as written on the command line."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def build(kind: Any, values: Mapping[str, Any]) -> Any:
    """Settings of a class, and of the classes inside it.

    Args:
      kind: The class.
      values: The values of all its settings by name.
    """
    settings = settings_of(kind)
    found = {}
    for each in fields(kind):
        wanted = each.metadata.get("given_by")
        if each.name in settings:
            found[each.name] = values[each.name]
        elif wanted is None or any(values[name] is not None for name in wanted):
            found[each.name] = build(_types(kind)[each.name], values)
    return kind(**found)


def _value(setting: Setting, given: Any) -> Any:
    """Value of a field; lists and numbers that absl does not parse arrive as text."""
    none = setting.field.metadata.get("none")
    if given is None or given == none:
        return None
    try:
        if get_origin(setting.kind) is tuple:
            several = "repeated" in setting.field.metadata
            items = [item for text in given for item in text.split(",")] if several else given
            return tuple(map(get_args(setting.kind)[0], items))
        return int(given) if none else given
    except ValueError:
        found, expected = (given, f"a number or {none}") if none else (",".join(given), "numbers")
        raise InputError(f"--{setting.name}: expected {expected}, got {found}") from None

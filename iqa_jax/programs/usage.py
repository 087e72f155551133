"""The help of a program, made from its docstring and its settings."""

import textwrap
from collections.abc import Sequence
from typing import Literal, get_args, get_origin

from iqa_jax.programs.flags import Setting, as_text, settings_of

_WIDTH = 88
_OWN = "Flags"
_WORDS = {int: "NUMBER", float: "NUMBER", str: "TEXT"}


def groups_of(kinds: Sequence[type]) -> dict[str, list[Setting]]:
    """The settings of a program by the heading of their flags, in the order of the help.

    Args:
      kinds: Classes of its settings; see :func:`program_help`.
    """
    groups: dict[str, list[Setting]] = {_OWN: []}
    for each in _settings(kinds):
        is_own = each.owner.__module__ == kinds[0].__module__
        title = _OWN if is_own else (each.owner.__doc__ or "").splitlines()[0].rstrip(".")
        groups.setdefault(title, []).append(each)
    titles = sorted(groups, key=lambda title: _place(title, groups[title]))
    return {title: groups[title] for title in titles if groups[title]}


def usage_line(name: str, kinds: Sequence[type]) -> str:
    """The command line of a program, with its required flags.

    Args:
      name: The command.
      kinds: Classes of its settings; see :func:`program_help`.
    """
    required = "".join(f" {flag_text(each)}" for each in _settings(kinds) if each.is_required)
    return f"{name}{required} [--flag=value ...]"


def program_help(name: str, about: str, kinds: Sequence[type]) -> str:
    """Purpose, usage and grouped flags of a program.

    Args:
      name: The command.
      about: Docstring of the program.
      kinds: Classes of its settings. Fields documented in the module of the first class come first;
        others are listed under the first line of the class that documents them.
    """
    lines = [about.rstrip(), "", f"Usage: {usage_line(name, kinds)}"]
    for title, settings in groups_of(kinds).items():
        lines += ["", f"{title}:", *map(_entry, settings)]
    return "\n".join(lines)


def _settings(kinds: Sequence[type]) -> list[Setting]:
    return [each for kind in kinds for each in settings_of(kind).values()]


def _place(title: str, members: Sequence[Setting]) -> tuple[bool, bool]:
    return title != _OWN, not any(each.is_required for each in members)


def default_note(setting: Setting) -> str:
    """The default of a flag in words; empty if its documentation states it, or it is False."""
    default = setting.default
    if isinstance(default, tuple):
        default = ",".join(map(as_text, default))
    is_said = default is not None and default is not False and default != ""
    return "required" if setting.is_required else f"default: {default}" if is_said else ""


def _entry(setting: Setting) -> str:
    note = default_note(setting)
    head = f"  {flag_text(setting)}{f'  ({note})' if note else ''}"
    text = textwrap.fill(
        setting.text,
        _WIDTH,
        initial_indent=" " * 6,
        subsequent_indent=" " * 6,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{head}\n{text}"


def flag_text(setting: Setting) -> str:
    """A flag as written on the command line, with the form of its value."""
    kind = setting.kind
    if kind is bool:
        return f"--[no]{setting.name}"
    if get_origin(kind) is Literal:
        word = "|".join(get_args(kind))
    elif get_origin(kind) is tuple:
        word = f"{_WORDS[get_args(kind)[0]]},..."
    else:
        word = _WORDS[kind]
    none = setting.field.metadata.get("none")
    return f"--{setting.name}={word}{f'|{none}' if none else ''}"

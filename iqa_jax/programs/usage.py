"""The help of a program, made from its docstring and its settings."""

import textwrap
from collections.abc import Sequence
from typing import Literal, get_args, get_origin

from iqa_jax.programs.flags import Setting, as_text, settings_of

_WIDTH = 88
_OWN = "Flags"
_WORDS = {int: "NUMBER", float: "NUMBER", str: "TEXT"}


def program_help(name: str, about: str, kinds: Sequence[type]) -> str:
    """Purpose, usage and grouped flags of a program.

    Args:
      name: The command.
      about: Docstring of the program.
      kinds: Classes of its settings. Fields documented in the module of the first class come first;
        others are listed under the first line of the class that documents them.
    """
    settings = [each for kind in kinds for each in settings_of(kind).values()]
    required = "".join(f" {_call(each)}" for each in settings if each.is_required)
    groups: dict[str, list[Setting]] = {_OWN: []}
    for each in settings:
        is_own = each.owner.__module__ == kinds[0].__module__
        title = _OWN if is_own else (each.owner.__doc__ or "").splitlines()[0].rstrip(".")
        groups.setdefault(title, []).append(each)
    lines = [about.rstrip(), "", f"Usage: {name}{required} [--flag=value ...]"]
    for title in sorted(groups, key=lambda title: _place(title, groups[title])):
        if groups[title]:
            lines += ["", f"{title}:", *map(_entry, groups[title])]
    return "\n".join(lines)


def _place(title: str, members: Sequence[Setting]) -> tuple[bool, bool]:
    return title != _OWN, not any(each.is_required for each in members)


def _entry(setting: Setting) -> str:
    default = setting.default
    if isinstance(default, tuple):
        default = ",".join(map(as_text, default))
    is_said = default is not None and default is not False and default != ""
    note = "required" if setting.is_required else f"default: {default}" if is_said else ""
    head = f"  {_call(setting)}{f'  ({note})' if note else ''}"
    text = textwrap.fill(
        setting.text,
        _WIDTH,
        initial_indent=" " * 6,
        subsequent_indent=" " * 6,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{head}\n{text}"


def _call(setting: Setting) -> str:
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

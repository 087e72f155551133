"""Settings of an earlier run as the defaults of a new one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from absl import flags

from iqa_jax.errors import InputError
from iqa_jax.programs.flags import settings_of

_RECORD = "run.json"


def take_settings(path: str, kind: type, defined: flags.FlagValues) -> None:
    """Gives the flags that were not given the values they had in an earlier run.

    Args:
      path: The folder of the earlier run, or its ``run.json``.
      kind: Class of the settings.
      defined: The flags; those of ``kind`` change, except those given and the folder for results.

    Raises:
      InputError: If there is no record, or a setting of it is unknown or has another form now.
    """
    settings = _recorded(path)
    known = settings_of(kind)
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise InputError(
            f"--like: {path} has settings that this version does not know: {', '.join(unknown)}; "
            "leave out --like and give the flags"
        )
    for name, value in settings.items():
        if value is None or defined[name].present or name == "output_dir":
            continue
        try:
            defined[name].parse(value if isinstance(value, list | bool) else str(value))
        except flags.Error as error:
            raise InputError(f"--like: {path} has {name}={value}: {error}; give --{name}") from None
        defined[name].present = 0  # only a flag that is given can be without effect


def _recorded(path: str) -> Mapping[str, Any]:
    file = Path(path) / _RECORD if Path(path).is_dir() else Path(path)
    try:
        return json.loads(file.read_bytes())["settings"]
    except FileNotFoundError:
        raise InputError(
            f"--like: there is no {file}; expected the folder of an earlier run, or its {_RECORD}"
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"--like: {file} is not the record of a run ({error!r})") from error

"""Runs a program: flags become its settings, and user errors end without a traceback."""

import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from types import ModuleType
from typing import NoReturn, get_type_hints

from absl import app, flags, logging
from etils import epath

from iqa_jax.buckets import is_client_error
from iqa_jax.engine.unsaved import save_all
from iqa_jax.engine.waits import saying_what_limits
from iqa_jax.errors import InputError
from iqa_jax.files import is_local, user_cache
from iqa_jax.programs.earlier_run import take_settings
from iqa_jax.programs.flags import define, read
from iqa_jax.programs.independent_hosts import make_independent
from iqa_jax.programs.interruption import ending_on_signals
from iqa_jax.programs.settings import EarlierSettings, ModelSettings, ProcessSettings
from iqa_jax.programs.usage import program_help
from iqa_jax.progress import shown

_HELP = {"--help", "-help", "-h", "-?", "--helpshort"}
_FULL_HELP = "--helpfull"


class ExitStatus(IntEnum):
    """Exit status of a program."""

    DONE = 0
    INPUT = 1
    PAIRS_FAILED = 2
    BEYOND_LIMIT = 3
    INTERRUPTED = 75


MEANINGS: Mapping[ExitStatus, str] = {
    ExitStatus.DONE: "everything requested was done",
    ExitStatus.INPUT: "a flag or the input is wrong",
    ExitStatus.INTERRUPTED: "interrupted or preempted; what is done is kept, run again to continue",
}
"""The exit statuses of every program, as the help explains them; a program may add its own in a
mapping ``STATUSES``."""


def settings_kinds(program: ModuleType) -> list[type]:
    """The classes of settings that become the flags of a program, its own first."""
    wanted = get_type_hints(program.main)["settings"]
    return [
        wanted,
        *([EarlierSettings] if wanted.is_recorded else []),
        *([ProcessSettings] if issubclass(wanted, ModelSettings) else []),
    ]


def run(name: str, program: ModuleType, arguments: Sequence[str]) -> int:
    """Runs ``program.main`` with the settings given by the arguments.

    The flags of a program exist while it runs: several programs can run in one process.

    Args:
      name: Name of the program in error messages.
      program: A module with a docstring, which is its help, and a function ``main`` that takes
        ``settings`` of a class of documented fields and returns an exit status, or None for 0; and
        optionally ``STATUSES``, the meanings of its own exit statuses.
      arguments: Arguments after the verb on the command line.

    Returns:
      The exit status.
    """
    if program.__doc__ is None:  # flags are made from the documentation of settings
        return _failed(f"{name}: error: python -OO removes the documentation; run it without -OO")
    wanted, *_ = kinds = settings_kinds(program)
    if not {*_HELP, _FULL_HELP}.isdisjoint(arguments):
        print(program_help(name, program.__doc__, kinds))
        meanings = {**MEANINGS, **getattr(program, "STATUSES", {})}
        print(
            "\nExit status:",
            *(f"  {each:<2}  {meanings[each]}" for each in sorted(meanings)),
            sep="\n",
        )
        if _FULL_HELP in arguments:
            print(f"\nFlags of absl:\n{flags.FLAGS.get_help()}")
        return ExitStatus.DONE
    defined = define(*kinds)

    def main(arguments: list[str]) -> int:
        if len(arguments) > 1:
            raise InputError(f"expected flags only, got {' '.join(arguments[1:])}; see --help")
        process = read(ProcessSettings, defined) if ProcessSettings in kinds else None
        if process and process.independent_hosts:
            make_independent(os.environ)  # before JAX is imported
        if EarlierSettings in kinds and defined["like"].value:
            take_settings(defined["like"].value, wanted, defined)
        settings = read(wanted, defined)
        logging.set_verbosity(logging.WARNING)  # JAX and Orbax log a lot
        if process:
            _keep_compiled_programs(process)
        with shown(), saying_what_limits():
            return program.main(settings) or ExitStatus.DONE

    flags.FLAGS.append_flag_values(defined)
    try:
        with ending_on_signals(lambda: _end(name)):
            app.run(
                lambda arguments: _guarded(name, main, arguments),
                argv=[name, *arguments],
                flags_parser=lambda arguments: _parsed(name, arguments),
            )
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        flags.FLAGS.remove_flag_values(defined)


def _parsed(name: str, arguments: list[str]) -> list[str]:
    """The arguments that are not flags."""
    try:
        return flags.FLAGS(arguments)
    except flags.Error as error:
        sys.exit(_failed(f"{name}: error: {error}; see --help"))


def _guarded(name: str, main: Callable[[list[str]], int], arguments: list[str]) -> int:
    try:
        return main(arguments)
    except InputError as error:
        return _failed(f"{name}: error: {error}")
    except BrokenPipeError:
        raise
    except OSError as error:
        known = error.filename and error.strerror
        return _failed(
            f"{name}: error: {f'{error.filename}: {error.strerror}' if known else error}"
        )
    except KeyboardInterrupt:
        return _interrupted(name)
    except ImportError as error:
        if "gcsfs" not in str(error):
            raise
        return _failed(f"{name}: error: paths in buckets need gcsfs; pip install 'jax-iqa[gcs]'")
    except Exception as error:
        if not is_client_error(error):
            raise
        return _failed(f"{name}: error: the store answers: {error}")


def _failed(message: str) -> ExitStatus:
    print(message, file=sys.stderr)
    return ExitStatus.INPUT


def _interrupted(name: str) -> ExitStatus:
    print(f"\n{name}: interrupted; what is done is kept, run again to continue", file=sys.stderr)
    return ExitStatus.INTERRUPTED


def _end(name: str) -> NoReturn:
    """Ends the process, whatever its main thread is doing."""
    try:
        save_all()
        _interrupted(name)
    except OSError as error:
        _failed(f"{name}: error: not everything could be saved: {error}")
    finally:
        os._exit(ExitStatus.INTERRUPTED)


def _keep_compiled_programs(settings: ProcessSettings) -> None:
    import jax  # noqa: PLC0415  takes a second; the help does not need it

    folder = settings.compilation_cache_dir
    if folder is None:
        folder = os.environ.get("JAX_COMPILATION_CACHE_DIR") or _user_cache()
    jax.config.update("jax_compilation_cache_dir", folder or None)
    if folder and not is_local(epath.Path(folder)):  # XLA's own cache needs a file system
        jax.config.update("jax_persistent_cache_enable_xla_caches", "none")
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    # jaxlib cannot keep programs with convolutions of oneDNN, which compile quickly.
    warnings.filterwarnings(
        "ignore", "Error writing persistent compilation cache entry .*MemoryError"
    )


def _user_cache() -> str | None:
    """The package's folder in the user's cache; None if it cannot be created."""
    try:
        folder = user_cache() / "compiled"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home folder
        return None
    return str(folder) if os.access(folder, os.W_OK) else None

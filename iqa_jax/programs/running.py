"""How a program runs: its flags are parsed, and what the user can mend ends without a traceback."""

import os
import sys
from collections.abc import Sequence
from types import ModuleType

import jax
from absl import app, flags, logging

from iqa_jax.errors import InputError
from iqa_jax.files import user_cache
from iqa_jax.programs.flags import COMPILATION_CACHE_DIR

_HELP = {"--help", "-help", "-h", "-?", "--helpshort"}
_FULL_HELP = "--helpfull"


def run(name: str, program: ModuleType, arguments: Sequence[str]) -> None:
    """Runs ``program.main`` with the flags that ``arguments`` set.

    Args:
      name: What errors call the program.
      program: A module with flags, a function ``main`` and a docstring, which is its help.
      arguments: What stands after the verb on the command line.

    Raises:
      SystemExit: With the program's exit status.
    """
    if not _HELP.isdisjoint(arguments):
        print(_help(program))
        sys.exit(0)

    def guarded(argv: list[str]) -> None:
        if len(argv) > 1:
            sys.exit(f"{name}: error: expected flags only, got {' '.join(argv[1:])}; see --help")
        logging.set_verbosity(logging.WARNING)  # JAX and Orbax log a lot
        _keep_compiled_programs()
        try:
            program.main()
        except InputError as error:
            sys.exit(f"{name}: error: {error}")
        except OSError as error:
            known = error.filename and error.strerror
            sys.exit(f"{name}: error: {f'{error.filename}: {error.strerror}' if known else error}")
        except KeyboardInterrupt:
            sys.exit(f"\n{name}: interrupted; what is done is kept, run again to continue")

    try:
        app.run(guarded, [name, *arguments])
    except SystemExit as ended:
        if _FULL_HELP not in arguments:
            raise
        sys.exit(0 if ended.code == 1 else ended.code)  # absl ends with 1 after showing help


def _help(program: ModuleType) -> str:
    return f"{program.__doc__}\nFlags:\n{flags.FLAGS.module_help(program)}"


def _keep_compiled_programs() -> None:
    folder = COMPILATION_CACHE_DIR.value
    if folder is None:
        folder = os.environ.get("JAX_COMPILATION_CACHE_DIR") or _user_cache()
    jax.config.update("jax_compilation_cache_dir", folder or None)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def _user_cache() -> str | None:
    """The project's folder among the user's caches; None where it cannot be made."""
    try:
        folder = user_cache() / "compiled"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home
        return None
    return str(folder) if os.access(folder, os.W_OK) else None

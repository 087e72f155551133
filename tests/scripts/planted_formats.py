"""fuzz.py on a format whose reader has every fault; the byte decides which."""

import ctypes
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "benchmarks"))
import fuzz
from fuzzing.formats import Format

from iqa_jax.errors import CheckpointError
from iqa_jax.programs import running


def read(path):
    fault, first, _ = path.read_bytes()
    match fault:
        case 1:
            ctypes.string_at(0)
        case 2:
            os._exit(3)
        case 3:
            time.sleep(600)
        case 4:
            raise KeyError("no such key")
        case 5:
            raise SystemExit("as Rust's panics, this is no Exception")
        case 6:
            try:
                bytearray(1 << 40)
            except MemoryError as error:
                raise CheckpointError("is damaged") from error
        case value if value:
            raise CheckpointError("is damaged")
    return {"first": first}


def main(settings: fuzz.Settings):
    return fuzz.main(settings, {"planted": Format("file", {"file": bytes(3)}, read)})


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))

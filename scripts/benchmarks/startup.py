"""Times imports and the first score of a process, and importing only JAX and Pillow.

Example:
  python scripts/benchmarks/startup.py --runs=7

Every figure is the median of several processes, run in turn so that a slow minute affects all
equally. Cold means without compiled programs, warm with those of the previous run.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from iqa_jax.programs import running
from iqa_jax.programs.settings import ProgramSettings
from iqa_jax.text import aligned

BASE = "import jax, PIL"


@dataclass(frozen=True, kw_only=True)
class Settings(ProgramSettings):
    """Processes to time.

    Attributes:
      runs: Number of processes of each kind.
    """

    runs: int = field(default=7, metadata={"at_least": 1})


def main(settings: Settings) -> None:
    """Prints a line for each kind of process."""
    with tempfile.TemporaryDirectory() as folder:
        commands = _commands(Path(folder))
        seconds = {name: [] for name in commands}
        for _ in range(settings.runs):
            for name, command in commands.items():
                cache = Path(folder) / ("warm" if "warm" in name else f"cold {time.time_ns()}")
                seconds[name].append(_time(command, cache))
    base = statistics.median(seconds[BASE])
    rows = []
    for name, taken in seconds.items():
        median = statistics.median(taken)
        rows.append([name, f"{median:.2f}", f"{min(taken):.2f}", f"{median - base:+.2f}"])
    print("\n".join(aligned(["", "median s", "least s", f"beyond {BASE}"], rows, text_columns=1)))


def _commands(folder: Path) -> dict[str, list[str]]:
    noise = np.random.default_rng(0)
    for name in ("reference", "distorted"):
        Image.fromarray(noise.integers(0, 256, (384, 512, 3), np.uint8)).save(
            folder / f"{name}.png"
        )
    images = [f"--{name}={folder / name}.png" for name in ("reference", "distorted")]
    iqa = [sys.executable, "-m", "iqa_jax"]
    score = [*iqa, "score", "--metrics=psnr", *images]
    return {
        BASE: [sys.executable, "-c", BASE],
        "import iqa_jax": [sys.executable, "-c", "import iqa_jax"],
        "iqa --help": [*iqa, "--help"],
        "iqa score --help": [*iqa, "score", "--help"],
        "iqa score --metrics=psnr, cold": score,
        "iqa score --metrics=psnr, warm": score,
    }


def _time(command: list[str], cache: Path) -> float:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    started_at = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - started_at


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))

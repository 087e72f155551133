"""Cost of many image sizes: each needs a program of its own.

Example:
  iqa fetch --metrics=lpips-alex
  python scripts/benchmarks/many_sizes.py --sizes=300

Scores noise images with iqa score's engine, the same number of pairs of each size, in new processes
by turns: with programs compiled one by one when they are needed, with the next one compiled while
one is computed, and with programs that an earlier run compiled. Convolutions are those of Eigen,
whose programs jaxlib can keep. "One size" is the same number of pairs of a single size.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.compilation import LIBRARIES
from iqa_jax.engine.programs import Programs
from iqa_jax.programs import running
from iqa_jax.programs.score import command as score
from iqa_jax.programs.settings import CheckpointSettings
from iqa_jax.text import aligned

_ONE_BY_ONE = "IQA_JAX_ONE_BY_ONE"
_LEAST = 96


@dataclass(frozen=True, kw_only=True)
class Settings(CheckpointSettings):
    """Images to score.

    Attributes:
      metric: Metric to compute.
      sizes: Number of image sizes.
      pairs: Number of pairs of each size.
    """

    metric: str = "lpips-alex"
    sizes: int = field(default=300, metadata={"at_least": 2})
    pairs: int = field(default=8, metadata={"at_least": 1})


def main(settings: Settings) -> None:
    """Prints the table."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many = _make_pairs(folder, "many", settings.sizes, settings.pairs)
        one = _make_pairs(folder, "one", 1, settings.sizes * settings.pairs)
        for label, pairs, cache, one_by_one in (
            ("one size", one, "", False),
            ("compiled one by one", many, "", True),
            ("compiled ahead", many, str(folder / "cache"), False),
            ("compiled by an earlier run", many, str(folder / "cache"), False),
        ):
            start = time.perf_counter()
            _score(settings, pairs, cache, one_by_one=one_by_one)
            seconds = time.perf_counter() - start
            count = settings.sizes * settings.pairs
            rows.append((label, f"{seconds:.1f}", f"{count / seconds:.1f}"))
    print("\n".join(aligned(("programs", "seconds", "pairs/s"), rows, text_columns=1)))


def _make_pairs(folder: Path, label: str, sizes: int, pairs: int) -> Path:
    """Writes noise images and a list of their pairs."""
    rng = np.random.default_rng(0)
    path = folder / f"{label}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("reference", "distorted"))
        for size in range(sizes):
            for pair in range(pairs):
                names = [f"{label}_{size}_{pair}_{role}.bmp" for role in "rd"]
                for name in names:
                    pixels = rng.integers(0, 256, (_LEAST, _LEAST + size, 3)).astype(np.uint8)
                    Image.fromarray(pixels).save(folder / name)
                writer.writerow(names)
    return path


def _score(settings: Settings, pairs: Path, cache: str, *, one_by_one: bool) -> None:
    flags = [f"--metrics={settings.metric}", f"--pairs={pairs}", f"--compilation_cache_dir={cache}"]
    if settings.checkpoints_dir:
        flags.append(f"--checkpoints_dir={settings.checkpoints_dir}")
    options = " ".join(f"--{name}={value}" for name, value in LIBRARIES["Eigen"].items())
    environment = {**os.environ, "XLA_FLAGS": options, _ONE_BY_ONE: str(int(one_by_one))}
    command = [sys.executable, __file__, "worker", *flags]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def _work(arguments: list[str]) -> int:
    if os.environ[_ONE_BY_ONE] == "1":
        Programs.compile_ahead = lambda self, shapes, compile_for: None
    return running.run("iqa score", score, arguments)


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        sys.exit(_work(sys.argv[2:]))
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))

"""Measures how time to the first scores and memory depend on the length of a list of pairs.

Example:
  python scripts/benchmarks/many_pairs.py --rows=10000,1000000,10000000

The list repeats a few small images. Each run is that of the last of eight processes, and is ended
some seconds after its first shard.
"""

import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from iqa_jax.programs import running
from iqa_jax.programs.settings import ProgramSettings
from iqa_jax.text import aligned

_IMAGES, _PATIENCE, _ROWS_AT_ONCE = 20, 600.0, 100_000


@dataclass(frozen=True, kw_only=True)
class Settings(ProgramSettings):
    """Lists to measure.

    Attributes:
      rows: Numbers of pairs.
      seconds: Seconds of work after the first shard.
    """

    rows: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    seconds: float = 20.0


def main(settings: Settings) -> None:
    """Prints a line for each length."""
    lines = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _draw_images(folder)
        for rows in settings.rows:
            path = folder / f"{rows}.csv"
            _write_list(path, rows)
            lines.append([f"{rows:,}", *_measure(path, folder / f"{rows}", settings.seconds)])
            path.unlink()
    names = ["pairs", "bytes", "shards", "s to the first shard", "MiB then", "MiB later"]
    print("\n".join(aligned(names, lines, text_columns=0)))


def _draw_images(folder: Path) -> None:
    noise = np.random.default_rng(0)
    for number in range(_IMAGES):
        pixels = noise.integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")


def _write_list(path: Path, rows: int) -> None:
    with path.open("w") as file:
        file.write("reference,distorted\n")
        for start in range(0, rows, _ROWS_AT_ONCE):
            numbers = range(start, min(rows, start + _ROWS_AT_ONCE))
            file.writelines(
                f"{row // 5 % _IMAGES:02d}.png,{row % _IMAGES:02d}.png\n" for row in numbers
            )


def _measure(path: Path, output: Path, seconds: float) -> list[str]:
    command = [sys.executable, "-m", "iqa_jax", "score", "--metrics=psnr", f"--pairs={path}"]
    command += [f"--output={output}", "--process_index=7", "--process_count=8"]
    started_at = time.monotonic()
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while not list(output.glob("shards/*.csv")):
            if process.poll() is not None or time.monotonic() - started_at > _PATIENCE:
                raise RuntimeError("the program has not finished a shard")
            time.sleep(0.01)
        first = time.monotonic() - started_at
        memory = _resident(process.pid)
        time.sleep(seconds)
        later = _resident(process.pid) if process.poll() is None else float("nan")
        process.send_signal(signal.SIGTERM)
    count = re.search(r'"shards": (\d+)', (output / "run.json").read_text())
    return [
        *(f"{path.stat().st_size:,}", f"{int(count[1] if count else 0):,}", f"{first:.1f}"),
        *(f"{memory:.0f}", f"{later:.0f}"),
    ]


def _resident(process: int) -> float:
    """Highest resident memory of a process so far, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else float("nan")


if __name__ == "__main__":
    sys.exit(running.run("many_pairs", sys.modules[__name__], sys.argv[1:]))

"""Images a second that are decoded and fed to a device, without a network.

Example:
  python scripts/benchmarks/feed.py
  python scripts/benchmarks/feed.py --formats=jpeg --readers=1,2,4 --images_per_second=10000

The images are photographs of the demo, cut to one size. "One thread" decodes file after file with
Pillow alone, without the checks of iqa_jax. "Fed" is the rate of a run whose step does nothing:
files are read, their checksums compared, decoded by the readers, put together into batches and
sent to the device. Both alternate, and the medians of the rounds and of their ratios are shown.
With the rate of a device, such as tpu_cost.py prints it, the share of the time in which the device
would wait for images is shown as well.
"""

import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jax
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.engine.feed import read_batches
from iqa_jax.engine.plan import Plan, make_plan
from iqa_jax.engine.processors import processor_count
from iqa_jax.errors import InputError
from iqa_jax.programs import running
from iqa_jax.programs.settings import ProgramSettings
from iqa_jax.text import aligned

_SAVED = {
    "png": {"format": "PNG"},
    "jpeg": {"format": "JPEG", "quality": 90},
    "bmp": {"format": "BMP"},
}


@dataclass(frozen=True, kw_only=True)
class Settings(ProgramSettings):
    """Images to feed.

    Attributes:
      formats: Formats of the files: png, jpeg, bmp.
      readers: Numbers of reading threads. Default: one on each processor.
      size: Width x height of the images.
      references: Number of references, each with seven versions.
      units: Number of units in a batch.
      rounds: Number of timed rounds.
      images_per_second: Rate at which a device computes, for the share of its time that it waits.
    """

    formats: tuple[str, ...] = ("png", "jpeg", "bmp")
    readers: tuple[str, ...] = ()
    size: str = "512x384"
    references: int = field(default=20, metadata={"at_least": 1})
    units: int = field(default=4, metadata={"at_least": 1})
    rounds: int = field(default=5, metadata={"at_least": 1})
    images_per_second: float | None = None


_VERSIONS = 7


def main(settings: Settings) -> None:
    """Prints the table."""
    unknown = [each for each in settings.formats if each not in _SAVED]
    if unknown:
        raise InputError(f"formats: expected {', '.join(_SAVED)}, got {', '.join(unknown)}")
    width, height = (int(side) for side in settings.size.split("x"))
    rows = []
    for name in settings.formats:
        with tempfile.TemporaryDirectory() as folder:
            plan = _make_files(Path(folder), name, settings.references, (height, width))
            for readers in [int(each) for each in settings.readers] or [processor_count()]:
                rows.append((name, *_row(plan, Path(folder), readers, settings)))
    heads = ["format", "readers", "one thread/s", "fed/s", "fed / (processors x one thread)"]
    if settings.images_per_second:
        heads.append("device waits")
    print("\n".join(aligned(heads, rows, text_columns=1)))


def _make_files(folder: Path, name: str, references: int, size: tuple[int, int]) -> Plan:
    """Writes a dataset of photographs and returns the plan of a run over it."""
    from skimage import data  # noqa: PLC0415  of the extra demo

    photographs = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    rng, rows = np.random.default_rng(0), ["reference,distorted,score"]
    height, width = size
    for reference in range(references):
        photograph = Image.fromarray(photographs[reference % len(photographs)])
        pixels = np.asarray(photograph.resize((width, height)), np.int16)
        for version in range(1 + _VERSIONS):
            noisy = pixels + np.rint(rng.normal(0, version, pixels.shape)).astype(np.int16)
            image = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
            image.save(folder / f"{reference}_{version}.{name}", **_SAVED[name])
            if version:
                rows.append(f"{reference}_0.{name},{reference}_{version}.{name},{version}")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    table, headers = inspect(load_dataset("csv", data_dir=folder / "pairs.csv"))
    return make_plan(table, headers, versions=_VERSIONS)


def _row(plan: Plan, folder: Path, readers: int, settings: Settings) -> Sequence[str]:
    names = list(plan.table.image_names)
    encoded = [(folder / name).read_bytes() for name in names]
    alone: list[float] = []
    fed: list[float] = []
    for _ in range(settings.rounds):
        alone.append(len(names) / _seconds(lambda: _decode_all(encoded)))
        fed.append(len(names) / _seconds(lambda: _feed(plan, readers, settings.units)))
    shares = [b / a / min(readers, processor_count()) for a, b in zip(alone, fed, strict=True)]
    rate = statistics.median(fed)
    row = [str(readers), f"{statistics.median(alone):,.0f}", f"{rate:,.0f}"]
    row.append(f"{statistics.median(shares):.2f}")
    if settings.images_per_second:
        row.append(f"{max(0.0, 1 - rate / settings.images_per_second):.0%}")
    return row


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _decode_all(encoded: Sequence[bytes]) -> None:
    for data in encoded:
        with Image.open(io.BytesIO(data)) as image:
            np.asarray(image.convert("RGB"))


def _feed(plan: Plan, readers: int, units: int) -> None:
    """Feeds all batches to the device, at most two of them under way."""
    under_way: list[jax.Array] = []
    for batch in read_batches(plan, plan.units, places=lambda *_: units, readers=readers):
        under_way += jax.device_put((batch.reference, batch.distorted))
        jax.block_until_ready(under_way[:-4])
        del under_way[:-4]
    jax.block_until_ready(under_way)


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))

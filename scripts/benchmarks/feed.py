"""Images a second that are decoded and fed to a device, without a network.

Example:
  python scripts/benchmarks/feed.py
  python scripts/benchmarks/feed.py --formats=jpeg --readers=1,2,4 --images_per_second=10000
  python scripts/benchmarks/feed.py --processes

The images are photographs of the demo, cut to one size and with noise; the bytes are the mean of
their files, or of the records of stored. "One thread" decodes file after file with Pillow alone,
without the checks of iqa_jax; for stored (the decoded pixels of iqa build --decoded) it reads
record after record; its rate is for a second of processor time, which other work does not shorten.
"Fed" is the rate of a run whose step does nothing: files are read, their checksums compared,
decoded by the readers, put together into batches and sent to the device. A round goes through the
images several times, because batches use the memory of earlier ones, of which a long run has many.
Both alternate, and the medians of the rounds and of their ratios are shown. "Of processor time" is
the ratio of their processor times for an image: 1 if feeding took no more than decoding.

With --processes as many processes as readers read and decode the same images, a thread each, and
keep the pixels to themselves; the last column is their rate over that of the readers. It is the
most that processes could gain where threads wait for the interpreter's lock. With the rate of a
device, such as tpu_cost.py prints it, the share of the time in which the device would wait for
images is shown as well.
"""

import contextlib
import io
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.datasets.tfds.builder import build
from iqa_jax.datasets.tfds.stored_pixels import StoredPixels
from iqa_jax.engine.feed import read_batches
from iqa_jax.engine.plan import Plan, make_plan
from iqa_jax.engine.processors import processor_count
from iqa_jax.errors import InputError
from iqa_jax.images.checked import CheckedImages
from iqa_jax.programs import running
from iqa_jax.programs.settings import ProgramSettings
from iqa_jax.text import aligned

_SAVED = {
    "png": {"format": "PNG"},
    "jpeg": {"format": "JPEG", "quality": 90},
    "bmp": {"format": "BMP"},
    "stored": {"format": "PNG"},
}


@dataclass(frozen=True, kw_only=True)
class Settings(ProgramSettings):
    """Images to feed.

    Attributes:
      formats: Formats of the images: png, jpeg, bmp, and stored for decoded pixels.
      readers: Numbers of reading threads. Default: one on each processor.
      size: Width x height of the images.
      references: Number of references, each with seven versions.
      units: Number of units in a batch.
      passes: Number of times that a round goes through the images.
      rounds: Number of timed rounds.
      processes: Compare the readers with as many processes.
      images_per_second: Rate at which a device computes, for the share of its time that it waits.
    """

    formats: tuple[str, ...] = ("png", "jpeg", "bmp", "stored")
    readers: tuple[str, ...] = ()
    size: str = "512x384"
    references: int = field(default=20, metadata={"at_least": 1})
    units: int = field(default=4, metadata={"at_least": 1})
    passes: int = field(default=4, metadata={"at_least": 1})
    rounds: int = field(default=5, metadata={"at_least": 1})
    processes: bool = False
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
                rows.append((name, *_row(plan, readers, settings)))
    heads = ["format", "bytes", "readers", "one thread/s", "fed/s"]
    heads += ["fed / (processors x one thread)", "of processor time"]
    if settings.processes:
        heads.append("processes / readers")
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
    listed = load_dataset("csv", data_dir=folder / "pairs.csv")
    if name == "stored":
        build("csv", folder / "pairs.csv", folder / "tfds", decoded=True)
        listed = load_dataset("csv", tfds_dir=folder / "tfds")
    table, headers = inspect(listed)
    return make_plan(table, headers, versions=_VERSIONS)


def _row(plan: Plan, readers: int, settings: Settings) -> Sequence[str]:
    decode_all, lengths = _decoder(plan, settings.passes)
    count = len(lengths) * settings.passes
    alone: list[_Time] = []
    fed: list[_Time] = []
    apart: list[float] = []
    with contextlib.ExitStack() as stack:
        decode_apart = (
            stack.enter_context(_apart(plan, readers, settings.passes))
            if settings.processes
            else None
        )
        for _ in range(settings.rounds):
            alone.append(_timed(decode_all))
            fed.append(_timed(lambda: _feed(plan, readers, settings)))
            if decode_apart:
                apart.append(_timed(decode_apart).wall)
    together = min(readers, processor_count())
    rate = count / statistics.median(each.wall for each in fed)
    row = [
        f"{statistics.mean(lengths):,.0f}",
        str(readers),
        f"{count / statistics.median(each.processor for each in alone):,.0f}",
        f"{rate:,.0f}",
        _ratio([a.wall / b.wall / together for a, b in zip(alone, fed, strict=True)]),
        _ratio([a.processor / b.processor for a, b in zip(alone, fed, strict=True)]),
    ]
    if settings.processes:
        row.append(_ratio([b.wall / c for b, c in zip(fed, apart, strict=True)]))
    if settings.images_per_second:
        row.append(f"{max(0.0, 1 - rate / settings.images_per_second):.0%}")
    return row


class _Time(NamedTuple):
    """Seconds that have passed, and of all processors."""

    wall: float
    processor: float


def _timed(work: Callable[[], None]) -> _Time:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return _Time(time.perf_counter() - wall, time.process_time() - processor)


def _ratio(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f}"


def _decoder(plan: Plan, passes: int) -> tuple[Callable[[], None], list[int]]:
    """A function that decodes all images by the decoder alone, and the bytes of each."""
    match plan.table.images:
        case CheckedImages(source=StoredPixels(records=records)):

            def read_all() -> None:
                for position in [*range(len(records))] * passes:
                    np.frombuffer(records[position], np.uint8)

            return read_all, [len(record) for record in records]
    encoded = [plan.table.images.read(name) for name in plan.table.image_names]

    def decode_all() -> None:
        for data in encoded * passes:
            with Image.open(io.BytesIO(data)) as image:
                np.asarray(image.convert("RGB"))

    return decode_all, [*map(len, encoded)]


_plans: list[Plan] = []
"""The plan of a process that decodes apart."""


@contextlib.contextmanager
def _apart(plan: Plan, processes: int, passes: int) -> Iterator[Callable[[], None]]:
    """A function that decodes all images in several processes, which have started."""
    names = [*plan.table.image_names] * passes
    shares = [names[each::processes] for each in range(processes)]
    with multiprocessing.get_context("spawn").Pool(processes, _keep_plan, (plan,)) as pool:

        def decode() -> None:
            pool.map(_decode_share, shares, chunksize=1)

        decode()
        yield decode


def _keep_plan(plan: Plan) -> None:
    _plans.append(plan)


def _decode_share(names: Sequence[str]) -> None:
    for name in names:
        _plans[0].pixels(name)


def _feed(plan: Plan, readers: int, settings: Settings) -> None:
    """Feeds all batches to the device, at most two of them under way."""
    under_way: list[jax.Array] = []
    units = plan.units * settings.passes
    for batch in read_batches(plan, units, places=lambda *_: settings.units, readers=readers):
        under_way += jax.device_put((batch.reference, batch.distorted))
        jax.block_until_ready(under_way[:-4])
        del under_way[:-4]
    jax.block_until_ready(under_way)


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))

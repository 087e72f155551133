"""Compares iqa evaluate or iqa score with a loop over PyTorch's `lpips`: speed and scores.

Example:
  pip install torch torchvision lpips
  python scripts/benchmarks/peers.py --model=vgg16 --references=2 --versions=20
  python scripts/benchmarks/peers.py --program=score --references=1000 --versions=1 --size=64x64

The images are noise. The whole of evaluate is timed: reading files, compiling, all layers with the
read-outs l2 and unit, correlations; so is the whole of score, with one metric. `lpips` runs at the
fastest of several batch sizes and memory layouts, once on tensors in memory, and once as a loop
that reads each pair from its files, as its users write it. All run in turn in one process.
`lpips` gets the weights of this package, so that its scores can be compared. Needs the weights
(iqa fetch).
"""

# PyTorch and lpips are not dependencies of the package.
# pyright: reportMissingImports=false

import itertools
import statistics
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from etils import epath
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.datasets import pair_lists
from iqa_jax.programs import running
from iqa_jax.programs.evaluate.evaluation import evaluate
from iqa_jax.programs.evaluate.settings import EvaluateSettings
from iqa_jax.programs.score.scores import load_job, run_job
from iqa_jax.programs.score.settings import ScoreSettings
from iqa_jax.programs.settings import ModelSettings
from iqa_jax.zoo import load_backbone

_BATCHES = (1, 2, 4, 8, 32, 128)
_MOST_PIXELS = 8 * 384 * 512
"""Most pixels in a batch."""
_LAYOUTS = (torch.contiguous_format, torch.channels_last)
_KINDS = {"weight": "kernel", "bias": "bias"}
_LPIPS = {"alexnet": "alex", "vgg16": "vgg"}


@dataclass(frozen=True, kw_only=True)
class Settings(ModelSettings):
    """Programs to time.

    Attributes:
      model: The network of LPIPS.
      references: Number of references.
      program: The program to time.
      size: Height x width of the images.
      repeats: Number of timed runs of each.
    """

    model: Literal["alexnet", "vgg16"] = "vgg16"
    references: int = field(default=2, metadata={"at_least": 1})
    program: Literal["evaluate", "score"] = "evaluate"
    size: str = "384x512"
    repeats: int = field(default=3, metadata={"at_least": 1})


def make_dataset(folder: Path, references: int, versions: int, size: tuple[int, ...]) -> None:
    """Writes a csv dataset of noise images of a size."""
    rng = np.random.default_rng(0)
    rows = ["reference,distorted,score"]
    for reference, version in itertools.product(range(references), range(1 + versions)):
        pixels = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{reference}_{version}.bmp")
        if version:
            rows.append(f"{reference}_0.bmp,{reference}_{version}.bmp,{rng.normal()}")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")


def main(settings: Settings) -> None:
    """Times both in turn and prints the ratio of their speeds."""
    versions = settings.versions or 20
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = tuple(map(int, settings.size.split("x")))
        make_dataset(folder, settings.references, versions, size)
        theirs = _Theirs(folder, settings)
        batch, layout = theirs.fastest()
        runs: dict[str, Callable[[], np.ndarray]] = {
            settings.program: lambda: _ours(folder, settings),
            "lpips, in memory": lambda: theirs.score(theirs.in_memory, batch, layout),
            "lpips, from files": lambda: theirs.score(theirs.from_file, batch, layout),
        }
        speeds: dict[str, list[float]] = {name: [] for name in runs}
        differences = []
        for _ in range(settings.repeats):
            scores = {}
            for tool, run in runs.items():
                start = time.perf_counter()
                scores[tool] = run()
                speeds[tool].append(len(theirs.pairs) / (time.perf_counter() - start))
            ours, theirs_in_memory, _ = scores.values()
            differences.append(np.abs(ours / theirs_in_memory - 1).max())
    print(f"{settings.model}, {len(theirs.pairs)} pairs of {settings.size}, {versions} a reference")
    for tool, speed in speeds.items():
        print(f"  {tool:<18} {statistics.median(speed):8.2f} pairs/s")
    print(f"  lpips: {layout}, batches of {batch}")
    ours, *others = speeds
    for tool in others:
        ratio = statistics.median(a / b for a, b in zip(speeds[ours], speeds[tool], strict=True))
        print(f"{ours} / {tool}: {ratio:.2f} (median of {settings.repeats} pairs of runs)")
    print(f"largest relative difference of LPIPS: {max(differences):.1e}")


def _ours(folder: Path, settings: Settings) -> np.ndarray:
    name = f"lpips-{_LPIPS[settings.model]}"
    output = f"out-{uuid.uuid4().hex}"
    if settings.program == "score":
        job = load_job(
            pair_lists.from_csv(epath.Path(folder / "pairs.csv")),
            ScoreSettings((name,), checkpoints_dir=settings.checkpoints_dir),
        )
        return run_job(job, epath.Path(folder / output)).values[name]
    wanted = EvaluateSettings(
        dataset="csv",
        data_dir=str(folder / "pairs.csv"),
        output_dir=str(folder / output),
        models=(settings.model,),
        metrics=(name,),
        checkpoints_dir=settings.checkpoints_dir,
    )
    return evaluate(wanted).scores[name]


class _Theirs:
    """PyTorch's `lpips` with the converted weights, and the images as its tensors."""

    def __init__(self, folder: Path, settings: Settings):
        self.model = load_network(settings.model, settings)
        self._folder = folder
        self._images = {path.name: _tensor(path) for path in folder.glob("*.bmp")}
        rows = (folder / "pairs.csv").read_text().splitlines()[1:]
        self.pairs = [tuple(row.split(",")[:2]) for row in rows]

    def in_memory(self, name: str) -> torch.Tensor:
        """An image from memory."""
        return self._images[name]

    def from_file(self, name: str) -> torch.Tensor:
        """An image read from its file."""
        return _tensor(self._folder / name)

    @torch.no_grad()
    def score(
        self,
        image: Callable[[str], torch.Tensor],
        batch: int,
        layout: torch.memory_format,
        limit: int | None = None,
    ) -> np.ndarray:
        """Scores the pairs in batches."""
        model = self.model.to(memory_format=layout)
        pairs, scores = self.pairs[:limit], []
        for start in range(0, len(pairs), batch):
            reference, distorted = (
                torch.stack([image(name) for name in names]).to(memory_format=layout)
                for names in zip(*pairs[start : start + batch], strict=True)
            )
            scores.append(model(reference, distorted).flatten().numpy())
        return np.concatenate(scores)

    def fastest(self) -> tuple[int, torch.memory_format]:
        """The fastest batch size and memory layout on the first pairs."""
        seconds = {}
        pixels = next(iter(self._images.values()))[0].numel()
        batches = [batch for batch in _BATCHES if batch * pixels <= _MOST_PIXELS]
        for batch, layout in itertools.product(batches, _LAYOUTS):
            self.score(self.in_memory, batch, layout, limit=batch)
            start = time.perf_counter()
            self.score(self.in_memory, batch, layout, limit=max(batches))
            seconds[batch, layout] = time.perf_counter() - start
        return min(seconds, key=seconds.__getitem__)


def load_network(name: str, settings: ModelSettings) -> torch.nn.Module:
    """`lpips.LPIPS` with the converted weights of the backbone in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lpips  # noqa: PLC0415

        model = lpips.LPIPS(net=_LPIPS[name], pnet_rand=True, verbose=False).eval()
    backbone = load_backbone(name, checkpoints_dir=settings.checkpoints_dir)
    for parameter_name, parameter in model.net.named_parameters():
        _, position, kind = parameter_name.split(".")  # slice1.0.weight
        ours = np.array(backbone.parameters[f"features.{position}.{_KINDS[kind]}"])
        theirs = ours.transpose(3, 2, 0, 1).copy() if kind == "weight" else ours
        parameter.data = torch.from_numpy(theirs)
    return model


def _tensor(path: Path) -> torch.Tensor:
    """An image in the form that `lpips` expects: [3, H, W] in [-1, 1]."""
    pixels = np.asarray(Image.open(path), np.float32).transpose(2, 0, 1)
    return torch.from_numpy(pixels / 127.5 - 1)


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))

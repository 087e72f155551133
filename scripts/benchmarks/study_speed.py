"""Times `iqa study` on made-up results of the size of a whole study.

Example:
  python scripts/benchmarks/study_speed.py --layers=20 --pairs=3000

The networks are those of @study46 with the facts of the registry; their distances are drawn.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from iqa_jax.programs import running
from iqa_jax.programs.evaluate.tables import IDENTIFIERS
from iqa_jax.programs.settings import ProgramSettings
from iqa_jax.text import csv_text
from iqa_jax.zoo import expand_models
from iqa_jax.zoo.listing import facts
from iqa_jax.zoo.registry import find_model


@dataclass(frozen=True, kw_only=True)
class Settings(ProgramSettings):
    """Size of the results.

    Attributes:
      layers: Layers of each network.
      pairs: Number of pairs.
      references: Number of references.
      distortions: Number of types of distortion.
    """

    layers: int = field(default=20, metadata={"at_least": 2})
    pairs: int = field(default=3000, metadata={"at_least": 100})
    references: int = field(default=25, metadata={"at_least": 5})
    distortions: int = field(default=24, metadata={"at_least": 1})


def write_results(folder: Path, settings: Settings) -> int:
    """Writes the files of an evaluation that ``iqa study`` reads.

    Args:
      folder: Folder that is made.
      settings: Size of the results.

    Returns:
      Number of networks.
    """
    folder.mkdir()
    models = expand_models(["@study46"])
    columns = {
        f"{model}/layer{number}/l2": {
            **{"kind": "layer", "model": model, "layers": [f"layer{number}"], "readout": "l2"},
            **{"relevance": None, "direction": "lower"},
            **{"in_sample": False, "transductive": False},
        }
        for model in models
        for number in range(settings.layers)
    }
    random = np.random.default_rng(0)
    human = random.normal(size=settings.pairs)
    noise = random.normal(size=(settings.pairs, len(columns)))
    distances = np.exp(-(0.8 * human[:, None] + 0.6 * noise) / 2)
    pairs = [
        (
            *(f"r/{number}.png", f"d/{number}.png", f"r{number % settings.references:02}"),
            *(f"t{number // settings.references % settings.distortions}", "", float(score), None),
        )
        for number, score in enumerate(human)
    ]
    rows = [(*pair, *those) for pair, those in zip(pairs, distances.tolist(), strict=True)]
    (folder / "scores.csv").write_text(csv_text([*IDENTIFIERS, *columns], rows))
    depths = (1 + np.arange(len(columns)) % settings.layers) / settings.layers
    places = list(zip(columns, depths.tolist(), strict=True))
    (folder / "correlations.csv").write_text(csv_text(("column", "relative_depth"), places))
    layers = {f"layer{number}": {"stride": 4} for number in range(settings.layers)}
    dataset = {"name": "tid2013", "fingerprint": "drawn", "higher_is_better": True}
    record = {
        "settings": {"resize": None, "precision": "highest"},
        "dataset": {**dataset, "published_pairs": settings.pairs, "ceiling": None},
        "columns": columns,
        "models": {model: facts(find_model(model)) | {"layers": layers} for model in models},
    }
    (folder / "run.json").write_text(json.dumps(record))
    return len(models)


def main(settings: Settings) -> None:
    """Prints the time from stored scores to the written study."""
    with tempfile.TemporaryDirectory() as name:
        results = Path(name) / "results"
        networks = write_results(results, settings)
        command = [sys.executable, "-m", "iqa_jax", "study", f"--results={results}"]
        start = time.monotonic()
        subprocess.run(
            [*command, f"--output_dir={results.with_name('study')}"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{networks} networks, {settings.layers} layers, {settings.pairs} pairs:", end=" ")
    print(f"{seconds:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of processor time")


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))

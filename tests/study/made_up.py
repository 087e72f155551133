"""Folders as evaluations write them, with planted correlations."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from iqa_jax.text import csv_text

IDENTIFIERS = "reference distorted reference_id distortion level score score_std".split()


@dataclass(frozen=True)
class Table:
    """Pairs and what people said of them; ``human`` is oriented so that higher is better."""

    name: str
    references: np.ndarray
    distortions: np.ndarray
    human: np.ndarray
    higher_is_better: bool = True
    published_pairs: int | None = None

    def some(self, rows):
        """The table with some of its pairs."""
        return Table(
            self.name,
            self.references[rows],
            self.distortions[rows],
            self.human[rows],
            self.higher_is_better,
            len(self.human),
        )


@dataclass(frozen=True)
class Planted:
    """A column and the correlation of its latent similarity with the scores."""

    name: str
    correlation: float
    kind: str = "metric"
    model: str | None = None
    layers: tuple[str, ...] = ()
    readout: str | None = None
    depth: float | None = None
    direction: str = "lower"
    stride: int | None = None


def published(path: Path, name: str) -> Table:
    """The published scores of a dataset."""
    with path.open() as file:
        rows = [*csv.DictReader(file)]
    is_dmos = name in ("csiq", "live")
    scores = np.array([float(row["score"]) for row in rows])
    return Table(
        name,
        np.array([Path(row["ref_img_path"]).stem for row in rows]),
        np.array([row["dis_type"] for row in rows]),
        -scores if is_dmos else scores,
        not is_dmos,
        len(rows),
    )


def drawn(name="tid2013", references=25, types=6, levels=4, seed=0) -> Table:
    """A small dataset with effects of types, levels and contents."""
    random = np.random.default_rng((3, seed))
    shape = references, types, levels
    human = (
        0.5 * random.normal(size=(1, types, 1))
        - np.linspace(-1.2, 1.2, levels)
        + 0.3 * random.normal(size=(references, types, 1))
        + 0.3 * random.normal(size=shape)
    )
    ids = np.repeat([f"i{number:02}" for number in range(references)], types * levels)
    kinds = np.tile(np.repeat([f"t{number}" for number in range(types)], levels), references)
    return Table(name, ids, kinds, human.ravel(), True, human.size)


def distances(table: Table, columns, *, own=0.02, common=None, seed=0) -> np.ndarray:
    """Distances of columns whose latent similarities have the planted correlations.

    Their noise belongs to a reference and a type, and to a pair. ``own`` is the share of a column
    alone; the rest is common to all columns.
    """
    random = np.random.default_rng((5, seed))
    count = len(table.human)
    z = stats.norm.ppf((stats.rankdata(table.human) - 0.5) / count)
    _, cell = np.unique(np.char.add(table.references, table.distortions), return_inverse=True)

    def noise(size):
        of_cell = random.normal(size=(cell.max() + 1, size))[cell]
        return np.sqrt(0.3) * of_cell + np.sqrt(0.7) * random.normal(size=(count, size))

    shared = noise(1) if common is None else common
    own_noise = noise(len(columns))
    latent = np.sqrt(1 - own) * shared + np.sqrt(own) * own_noise
    rho = np.clip([column.correlation for column in columns], 0.05, 0.95)
    return np.exp(-(rho * z[:, None] + np.sqrt(1 - rho**2) * latent) / 2)


def write(folder, table, columns, models, *, values=None, resize=None, **noise) -> Path:
    """Writes the files of an evaluation that ``iqa study`` reads."""
    folder.mkdir(parents=True)
    values = distances(table, columns, **noise) if values is None else values
    human = table.human if table.higher_is_better else -table.human
    pairs = [
        (f"r/{ref}.png", f"d/{number}.png", ref, kind, "", float(score), None)
        for number, (ref, kind, score) in enumerate(
            zip(table.references.tolist(), table.distortions.tolist(), human, strict=True)
        )
    ]
    signs = np.where([column.direction == "higher" for column in columns], -1.0, 1.0)
    scores = (values * signs).tolist()
    header = [*IDENTIFIERS, *(column.name for column in columns)]
    rows = [(*pair, *those) for pair, those in zip(pairs, scores, strict=True)]
    (folder / "scores.csv").write_text(csv_text(header, rows))
    places = [(column.name, column.depth) for column in columns]
    (folder / "correlations.csv").write_text(csv_text(("column", "relative_depth"), places))
    record = {
        "settings": {"resize": resize, "precision": "highest"},
        "dataset": {
            "name": table.name,
            "fingerprint": f"{table.name}{len(pairs)}",
            "higher_is_better": table.higher_is_better,
            "published_pairs": table.published_pairs,
            "ceiling": None,
        },
        "columns": {
            column.name: {
                "kind": column.kind,
                "model": column.model,
                "layers": list(column.layers),
                "readout": column.readout,
                "relevance": None,
                "direction": column.direction,
                "in_sample": False,
                "transductive": False,
            }
            for column in columns
        },
        "models": models,
    }
    (folder / "run.json").write_text(json.dumps(record))
    return folder


def layers(model, correlations, readout="l2"):
    """Columns of the layers of a model."""
    last = max(len(correlations) - 1, 1)
    return [
        Planted(
            f"{model}/layer{number}/{readout}",
            correlation,
            "layer",
            model,
            (f"layer{number}",),
            readout,
            depth=(number + 1) / (last + 1),
        )
        for number, correlation in enumerate(correlations)
    ]


def network(**facts):
    """An entry of ``models``."""
    return {
        "family": "resnet",
        "architecture": "resnet50",
        "trunk": "resnet50",
        "depth": 49,
        "goal": "supervised",
        "goal_family": "supervised",
        "environment": "imagenet1k",
        "epochs": 90,
        "recipe": "torchvision",
        "luminance_only": False,
        "top1": None,
        "linear_probe": None,
        "layers": {},
        **facts,
    }

"""The folder of an evaluation that was made up: plain red references, plain blue versions."""

import csv
import json
import re
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.stats import spearmanr

RED, BLUE = (220, 20, 20), (20, 20, 220)
LAYERS = ("conv1", "conv2", "conv3")
ODD = 'r <b>&"#%\u2028é.png'
"""Name of a reference, with everything that a page could stumble over."""


def column(layer: str) -> str:
    return f"net/{layer}/l2"


COLUMNS = {
    **{
        column(layer): {"kind": "layer", "model": "net", "layers": [layer], "direction": "lower"}
        for layer in LAYERS
    },
    "pixels/input/l2": {"kind": "baseline", "model": None, "layers": [], "direction": "lower"},
    "psnr": {"kind": "metric", "model": None, "layers": [], "direction": "higher"},
}


def results(
    folder: Path, *, references: int = 4, distortions: int = 3, levels: int = 3, size=(64, 48)
) -> Path:
    """Writes images, ``pairs.csv`` and the results of an evaluation, and returns their folder."""
    data, made = folder / "data & more", folder / "results"
    data.mkdir(parents=True)
    made.mkdir()
    names = [ODD, *(f"r{number}.png" for number in range(1, references))]
    random = np.random.default_rng(3)
    rows = []
    for number, reference in enumerate(names):
        Image.new("RGB", size, RED).save(data / reference)
        for distortion in range(distortions):
            for level in range(1, levels + 1):
                distorted = f"r{number}_{distortion}_{level}.png"
                Image.new("RGB", size, BLUE).save(data / distorted)
                rows.append([reference, distorted, f"r{number}", f"type {distortion}", str(level)])
    strength = np.array([float(row[4]) for row in rows])
    opinions = 6 - strength + random.normal(0, 0.5, len(rows))
    scores = {
        name: strength + random.normal(0, 0.3 + 0.4 * place, len(rows))
        for place, name in enumerate(COLUMNS)
    }
    scores["psnr"] = 40 - scores["psnr"]
    identifiers = ["reference", "distorted", "reference_id", "distortion", "level"]
    write(
        made / "scores.csv",
        [*identifiers, "score", "score_std", *COLUMNS],
        [
            [*row, opinions[place], 0.8, *(scores[name][place] for name in COLUMNS)]
            for place, row in enumerate(rows)
        ],
    )
    write(
        data / "pairs.csv",
        [*identifiers, "score"],
        [[*row, opinions[place]] for place, row in enumerate(rows)],
    )
    kinds = np.array([row[3] for row in rows])
    place = ["dataset", "model", "layer", "layer_index", "relative_depth", "readout"]
    correlations, groups = [], []
    for name in COLUMNS:
        sign = 1 if COLUMNS[name]["direction"] == "higher" else -1
        where = ["csv", *where_of(name)]
        found = sign * spearmanr(scores[name], opinions).statistic
        correlations.append([*where, len(rows), 0.9, found, name, False, False, None, None])
        for kind in dict.fromkeys(kinds):
            those = kinds == kind
            found = sign * spearmanr(scores[name][those], opinions[those]).statistic
            groups.append([*where, "distortion", kind, int(those.sum()), 0.9, found, 0.8])
        groups.append([*where, "level", "1", 3, 0.9, 0.9, 0.8])
    more = ["pairs", "plcc", "srcc", "column", "in_sample", "transductive", "srcc_low", "srcc_high"]
    write(made / "correlations.csv", [*place, *more], correlations)
    more = ["kind", "group", "pairs", "plcc", "srcc", "krcc"]
    write(made / "correlations_by_distortion.csv", [*place, *more], groups)
    record = {
        "settings": {"dataset": "csv", "data_dir": str(data / "pairs.csv"), "tfds_dir": None},
        "dataset": {
            **{"name": "csv", "references": references, "pairs": len(rows), "licence": ""},
            **{"published_pairs": None, "higher_is_better": True, "citation": "", "opinions": 20},
            **{"target": "mean opinion score", "ceiling": {"srcc": 0.981}},
        },
        "columns": COLUMNS,
        "warnings": ["A <b>warning</b>."],
    }
    (made / "run.json").write_text(json.dumps(record))
    return made


def where_of(name: str) -> list:
    model, *rest = name.split("/")
    if not rest:
        return [model, "", None, None, ""]
    layer, readout = rest
    index = LAYERS.index(layer) + 1 if layer in LAYERS else 0
    return [model, layer, index, index / len(LAYERS), readout]


def write(path: Path, header: list, rows: list) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def data_of(text):
    """The JSON inside a page."""
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    return json.loads(found)

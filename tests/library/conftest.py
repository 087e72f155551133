"""Pairs with made-up ratings, small enough for a network without weights."""

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

STRENGTHS = (4, 12, 36)


@dataclass(frozen=True)
class Ratings:
    """Columns of a table of arrays, and the same as files.

    Attributes:
      columns: Arrays and ratings.
      folder: Folder with the images and ``ratings.csv``.
    """

    columns: dict
    folder: object


@pytest.fixture(scope="session")
def ratings(tmp_path_factory):
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("ratings")
    columns = {name: [] for name in ("reference", "distorted", "score", "distortion", "level")}
    lines = ["reference,distorted,score,distortion,level"]
    for number in range(6):
        coarse = rng.integers(40, 216, (6, 6, 3)).astype(np.uint8)
        reference = np.asarray(Image.fromarray(coarse).resize((36, 32), Image.Resampling.BICUBIC))
        Image.fromarray(reference).save(folder / f"r{number}.png")
        for level, strength in enumerate(STRENGTHS):
            noise = rng.normal(0, strength, reference.shape)
            distorted = np.clip(reference + noise, 0, 255).astype(np.uint8)
            score = 90 - strength - number / 8
            name = f"d{number}{level}.png"
            Image.fromarray(distorted).save(folder / name)
            row = (reference.copy(), distorted, score, "noise", level)
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
            lines.append(f"r{number}.png,{name},{score},noise,{level}")
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")
    return Ratings(columns, folder)

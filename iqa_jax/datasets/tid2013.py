"""TID2013: 25 references, 24 types of distortion at 5 levels, mean opinion scores from 0 to 9.

Ponomarenko et al., Image database TID2013: Peculiarities, results and perspectives, Signal
Processing: Image Communication 30, 2015.
"""

import math
import re

from etils import epath

from iqa_jax.datasets.folders import FolderIndex
from iqa_jax.datasets.table import Pair, PairTable, number_or_nan
from iqa_jax.errors import DatasetError
from iqa_jax.images import ImageFolder

SCORES = "mos_with_names.txt"
DEVIATIONS = "mos_std.txt"
REFERENCES = "reference_images"
DISTORTED = "distorted_images"

DISTORTIONS = (
    "additive Gaussian noise",
    "additive noise in colour components",
    "spatially correlated noise",
    "masked noise",
    "high frequency noise",
    "impulse noise",
    "quantization noise",
    "Gaussian blur",
    "image denoising",
    "JPEG compression",
    "JPEG2000 compression",
    "JPEG transmission errors",
    "JPEG2000 transmission errors",
    "non eccentricity pattern noise",
    "local block-wise distortions",
    "mean shift",
    "contrast change",
    "change of colour saturation",
    "multiplicative Gaussian noise",
    "comfort noise",
    "lossy compression of noisy images",
    "image colour quantization with dither",
    "chromatic aberrations",
    "sparse sampling and reconstruction",
)
"""By the number in a file's name, counted from 1 (table 1 of the paper)."""

_NAME = re.compile(r"i(?P<reference>\d\d)_(?P<type>\d\d)_(?P<level>\d)\.bmp", re.IGNORECASE)


def load(folder: epath.Path) -> PairTable:
    """Reads the score table of the copy in ``folder``, in its official layout.

    ``mos_with_names.txt`` with rows such as ``5.5143 I01_01_1.bmp``, ``reference_images`` and
    ``distorted_images``; upper and lower case may differ in every name. Deviations are read from
    ``mos_std.txt`` where it has as many rows.

    Raises:
      DatasetError: If a part of the layout is missing or a row has another form.
    """
    index = FolderIndex(folder)
    path = index.require(SCORES)
    references, distorted = index.require(REFERENCES), index.require(DISTORTED)
    find_reference, find_distorted = FolderIndex(references).find, FolderIndex(distorted).find
    rows = [row.split() for row in path.read_text().splitlines() if row.strip()]
    deviations = _deviations(index, len(rows))
    pairs, errors = [], []
    for row, deviation in zip(rows, deviations, strict=True):
        match = _NAME.fullmatch(row[-1])
        if len(row) != 2 or match is None or not 1 <= int(match["type"]) <= len(DISTORTIONS):
            errors.append(f"expected SCORE I01_01_1.bmp, found {' '.join(row)}")
            continue
        reference = f"I{match['reference']}.BMP"
        pairs.append(
            Pair(
                reference=f"{references.name}/{find_reference(reference) or reference}",
                distorted=f"{distorted.name}/{find_distorted(row[1]) or row[1]}",
                score=number_or_nan(row[0]),
                score_std=deviation,
                distortion=DISTORTIONS[int(match["type"]) - 1],
                level=match["level"],
                reference_id=f"I{match['reference']}",
            )
        )
    if errors:
        raise DatasetError(f"{path}: {len(errors)} rows of another form:\n  " + "\n  ".join(errors))
    return PairTable(
        name="tid2013",
        pairs=pairs,
        images=ImageFolder(folder),
        higher_is_better=True,
        score_range=(0.0, 9.0),
        licence="free for research and education",
        citation="Ponomarenko et al., Signal Processing: Image Communication 30, 2015",
        published_pairs=3000,
    )


def _deviations(index: FolderIndex, rows: int) -> list[float]:
    if index.find(DEVIATIONS) is None:
        return [math.nan] * rows
    deviations = [number_or_nan(text) for text in index.require(DEVIATIONS).read_text().split()]
    return deviations if len(deviations) == rows else [math.nan] * rows

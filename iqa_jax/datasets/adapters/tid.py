"""``tid2008`` and ``tid2013``: the Tampere image databases, two editions of one layout.

25 references of 512x384 pixels, 17 types of distortion at 4 levels (2008) or 24 at 5 levels (2013);
mean opinion scores on a scale from 0 to 9, higher is better.

    reference_images/I01.BMP
    distorted_images/I01_01_1.bmp     reference, type, level
    mos_with_names.txt                rows such as ``5.5143 I01_01_1.bmp``
    mos_std.txt                       optional: a standard deviation for each of these rows

Names, score file and folders differ in case even as published.

Ponomarenko et al., TID2008 - a database for evaluation of full-reference visual quality assessment
metrics, Advances of Modern Radioelectronics 10, 2009. Ponomarenko et al., Image database TID2013:
Peculiarities, results and perspectives, Signal Processing: Image Communication 30, 2015. Free for
research and education.
"""

import math
import re
from dataclasses import dataclass

from etils import epath

from iqa_jax.datasets.catalogue import about
from iqa_jax.datasets.folders import FolderIndex
from iqa_jax.datasets.parsing import number_or_nan, read_lines, read_text, refuse_rows
from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.images.sources import ImageFolder

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
"""Types of distortion, in the order of the number in a file's name, which starts at 1 (table 1 of
the paper on TID2013); TID2008 has the first 17."""


@dataclass(frozen=True)
class _Edition:
    name: str
    types: int
    levels: int


_TID2008 = _Edition("tid2008", types=17, levels=4)
_TID2013 = _Edition("tid2013", types=24, levels=5)

_ROW = re.compile(
    r"(?P<score>\S+)\s+"
    r"(?P<name>i(?P<reference>\d\d)_(?P<type>\d\d)_(?P<level>\d)\.bmp)",
    re.IGNORECASE,
)


def load_tid2008(folder: epath.Path) -> PairTable:
    """Reads the score table of TID2008.

    Raises:
      DatasetError: If a part of the layout is missing or a row is malformed.
    """
    return _load(folder, _TID2008)


def load_tid2013(folder: epath.Path) -> PairTable:
    """Reads the score table of TID2013.

    Raises:
      DatasetError: If a part of the layout is missing or a row is malformed.
    """
    return _load(folder, _TID2013)


def _load(folder: epath.Path, edition: _Edition) -> PairTable:
    index = FolderIndex(folder)
    path = index.require(SCORES)
    references, distorted = index.enter(REFERENCES), index.enter(DISTORTED)
    lines = read_lines(path)
    matches = [_match(line, edition) for line in lines]
    refuse_rows(
        path,
        f"SCORE I01_01_1.bmp with types 01 to {edition.types} and levels 1 to {edition.levels}",
        [line for line, match in zip(lines, matches, strict=True) if match is None],
    )
    deviations = _deviations(index, len(lines))
    pairs = [
        _pair(match, deviation, references, distorted)
        for match, deviation in zip(matches, deviations, strict=True)
        if match is not None
    ]
    return PairTable(
        name=edition.name,
        pairs=pairs,
        images=ImageFolder(folder),
        higher_is_better=True,
        score_range=(0.0, 9.0),
        licence=about(edition.name).licence,
        citation=about(edition.name).citation,
        published_pairs=about(edition.name).pairs,
        opinions=1,  # the deviations are those of the mean scores
    )


def _match(line: str, edition: _Edition) -> re.Match[str] | None:
    match = _ROW.fullmatch(line)
    if match is None:
        return None
    is_known = (
        1 <= int(match["type"]) <= edition.types and 1 <= int(match["level"]) <= edition.levels
    )
    return match if is_known else None


def _pair(
    match: re.Match[str], deviation: float, references: FolderIndex, distorted: FolderIndex
) -> Pair:
    reference = f"I{match['reference']}"
    return Pair(
        reference=references.image(f"{reference}.BMP"),
        distorted=distorted.image(match["name"]),
        score=number_or_nan(match["score"]),
        score_std=deviation,
        distortion=DISTORTIONS[int(match["type"]) - 1],
        level=match["level"],
        reference_id=reference,
    )


def _deviations(index: FolderIndex, rows: int) -> list[float]:
    if index.find(DEVIATIONS) is None:
        return [math.nan] * rows
    deviations = [number_or_nan(text) for text in read_text(index.require(DEVIATIONS)).split()]
    return deviations if len(deviations) == rows else [math.nan] * rows

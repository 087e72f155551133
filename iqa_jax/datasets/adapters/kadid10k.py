"""``kadid10k``: KADID-10k, 81 references, 25 types of distortion at 5 levels, rated by crowds.

Degradation category ratings from 1 to 5. Higher is better, although the column is called ``dmos``.
The fourth column is the variance of the ratings; we take its root. Some distorted images equal
their references: distances of 0 with scores below 5 are correct.

    images/I01.png, images/I01_01_01.png     reference, type, level
    dmos.csv                                 columns dist_img, ref_img, dmos, var

Some copies have ``distorted_images`` and ``reference_images`` instead of ``images``.

Lin, Hosu and Saupe, KADID-10k: a large-scale artificially distorted IQA database, QoMEX 2019.
Freely available for research; photographs from Pixabay.
"""

import math
import re

from etils import epath

from iqa_jax.datasets.catalogue import about
from iqa_jax.datasets.csv_rows import read_columns
from iqa_jax.datasets.folders import FolderIndex
from iqa_jax.datasets.parsing import number_or_nan, refuse_rows
from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.images.sources import ImageFolder

SCORES = "dmos.csv"
IMAGES = "images"
DISTORTED = "distorted_images"
REFERENCES = "reference_images"

DISTORTIONS = (
    "Gaussian blur",
    "lens blur",
    "motion blur",
    "colour diffusion",
    "colour shift",
    "colour quantization",
    "colour saturation in HSV",
    "colour saturation in Lab",
    "JPEG2000 compression",
    "JPEG compression",
    "white noise",
    "white noise in YCbCr",
    "impulse noise",
    "multiplicative noise",
    "denoising",
    "brighten",
    "darken",
    "mean shift",
    "jitter",
    "non-eccentricity patch",
    "pixelate",
    "quantization",
    "colour block",
    "high sharpen",
    "contrast change",
)
"""Types of distortion, in the order of the number in a file's name, which starts at 1."""

_LEVELS = 5

_DISTORTED = re.compile(r"(?P<reference>i\d\d)_(?P<type>\d\d)_(?P<level>\d\d)\.png", re.IGNORECASE)


def load(folder: epath.Path) -> PairTable:
    """Reads the score table.

    Raises:
      DatasetError: If a part of the layout is missing or a row is malformed.
    """
    index = FolderIndex(folder)
    path = index.require(SCORES)
    rows = read_columns(path, ("dist_img", "ref_img", "dmos", "var"))
    matches = [_match(row) for row in rows]
    refuse_rows(
        path,
        f"I01_01_01.png of I01.png with types 01 to {len(DISTORTIONS)} and levels 01 to 0{_LEVELS}",
        [
            f"{row['dist_img']} of {row['ref_img']}"
            for row, match in zip(rows, matches, strict=True)
            if match is None
        ],
    )
    references, distorted = _image_folders(index)
    return PairTable(
        name="kadid10k",
        pairs=[
            _pair(row, match, references, distorted)
            for row, match in zip(rows, matches, strict=True)
            if match is not None
        ],
        images=ImageFolder(folder),
        higher_is_better=True,
        score_range=(1.0, 5.0),
        licence=about("kadid10k").licence,
        citation=about("kadid10k").citation,
        target="mean degradation category rating (5: none)",
        published_pairs=about("kadid10k").pairs,
        opinions=30,
    )


def _image_folders(index: FolderIndex) -> tuple[FolderIndex, FolderIndex]:
    """Folders of the references and of the distorted images, which may be the same."""
    if index.require(IMAGES, DISTORTED).name.lower() == DISTORTED:
        return index.enter(REFERENCES), index.enter(DISTORTED)
    images = index.enter(IMAGES)
    return images, images


def _match(row: dict[str, str]) -> re.Match[str] | None:
    match = _DISTORTED.fullmatch(row["dist_img"])
    if match is None or row["ref_img"].lower() != f"{match['reference']}.png".lower():
        return None
    is_known = 1 <= int(match["type"]) <= len(DISTORTIONS) and 1 <= int(match["level"]) <= _LEVELS
    return match if is_known else None


def _pair(
    row: dict[str, str], match: re.Match[str], references: FolderIndex, distorted: FolderIndex
) -> Pair:
    variance = number_or_nan(row["var"])
    return Pair(
        reference=references.image(row["ref_img"]),
        distorted=distorted.image(row["dist_img"]),
        score=number_or_nan(row["dmos"]),
        score_std=math.sqrt(variance) if variance >= 0 else math.nan,
        distortion=DISTORTIONS[int(match["type"]) - 1],
        level=str(int(match["level"])),
        reference_id=match["reference"].upper(),
    )

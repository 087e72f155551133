"""``pipal``: the training set of PIPAL, 200 references with 116 versions each, 288x288 pixels.

Elo ratings (from 917 to 1836), higher is better. They come from comparisons between versions of one
reference, so ratings of different references are only roughly comparable: see the correlation
within references too. Labels of the validation and test sets are withheld.

    Train_Ref/A0001.bmp
    Distortion_1/ to Distortion_4/     A0001_00_00.bmp: reference, class and type of distortion
    Train_Label/A0001.txt              rows such as ``A0001_00_00.bmp,1520.0648``

Other names for these folders are ``Reference_train``, ``Distortion/Distortion_1`` and so on, and
``MOS_Scores_train``, possibly in a folder ``training``; the distorted images may be in one folder,
``Train_Dist`` or ``Dist_Imgs``. The meaning of the class numbers is not published with the data.

Gu et al., PIPAL: a large-scale image quality assessment dataset for perceptual image restoration,
ECCV 2020. No licence is stated; meant for research.
"""

import re
from collections.abc import Iterator

from etils import epath

from iqa_jax.datasets.catalogue import about
from iqa_jax.datasets.folders import FolderIndex, image_in
from iqa_jax.datasets.parsing import number_or_nan, read_lines, refuse_rows
from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.errors import DatasetError
from iqa_jax.images.sources import ImageFolder

LABELS = ("Train_Label", "MOS_Scores_train")
REFERENCES = ("Train_Ref", "Reference_train")
DISTORTED = ("Train_Dist", "Dist_Imgs", "Distortion")
PARTS = ("Distortion_1", "Distortion_2", "Distortion_3", "Distortion_4")
TRAINING = "training"

_ROW = re.compile(
    r"(?P<name>(?P<reference>[a-z]\d+)_(?P<class>\d\d)_\d\d\.bmp)\s*,\s*(?P<score>\S+)",
    re.IGNORECASE,
)


def load(folder: epath.Path) -> PairTable:
    """Reads the score tables of all references.

    Raises:
      DatasetError: If a part of the layout is missing or ambiguous, or a row is malformed.
    """
    index = FolderIndex(folder)
    if index.find(*LABELS) is None and index.find(TRAINING):
        index = index.enter(TRAINING)
    labels, references = index.require(*LABELS), index.enter(*REFERENCES)
    distorted = _distorted_folders(index)
    return PairTable(
        name="pipal",
        pairs=[
            Pair(
                reference=references.image(f"{row['reference']}.bmp"),
                distorted=image_in(distorted, row["name"]),
                score=number_or_nan(row["score"]),
                distortion=f"class {row['class']}",
                reference_id=row["reference"].upper(),
            )
            for row in _rows(labels)
        ],
        images=ImageFolder(folder),
        higher_is_better=True,
        licence=about("pipal").licence,
        citation=about("pipal").citation,
        target="Elo rating",
        published_pairs=about("pipal").pairs,
    )


def _distorted_folders(index: FolderIndex) -> list[FolderIndex]:
    """Folders that may hold a distorted image."""
    parts = [part for part in PARTS if index.find(part)]
    found = index.require(
        *DISTORTED, *(parts[:1] or PARTS[:1])
    )  # one folder, or those of the parts
    if parts:
        return [index.enter(part) for part in parts]
    whole = index.enter(found.name)
    return [whole.enter(part) for part in PARTS if whole.find(part)] or [whole]


def _rows(labels: epath.Path) -> Iterator[re.Match[str]]:
    """Rows of all tables in the folder ``labels``."""
    tables = [
        name
        for name in FolderIndex(labels).entries
        if name.lower().endswith(".txt") and not name.startswith(".")
    ]
    if not tables:
        raise DatasetError(f"{labels}: expected tables such as A0001.txt in it")
    for table in tables:
        lines = read_lines(labels / table)
        matches = [_ROW.fullmatch(line) for line in lines]
        refuse_rows(
            labels / table,
            "A0001_00_00.bmp,SCORE",
            [line for line, match in zip(lines, matches, strict=True) if match is None],
        )
        yield from (match for match in matches if match is not None)

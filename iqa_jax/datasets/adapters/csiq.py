"""``csiq``: the categorical image quality database, 30 references, six types of distortion.

Difference mean opinion scores from 0 (like the reference) to 1, lower is better. Each type has five
levels, contrast three to five: 866 distorted images of 512x512 pixels.

    src_imgs/1600.png
    dst_imgs/awgn/1600.AWGN.1.png     name, type, level
    csiq.DMOS.xlsx                    sheet all_by_image: image, dst_type, dst_lev, dmos_std, dmos

The folders of ``dst_imgs`` are awgn, blur, contrast, fnoise, jpeg and jpeg2000. Repacked copies
have all images directly in ``dst_imgs`` or ``dst_imgs_all``, and ``csiq_label.txt`` with rows such
as ``1600.AWGN.1.png 0.062``. If both score files exist, the workbook is read, which is the
original. In the workbook the image 1600 is a number.

Larson and Chandler, Most apparent distortion: full-reference image quality assessment and the role
of strategy, Journal of Electronic Imaging 19, 2010. No licence is stated.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from etils import epath

from iqa_jax.datasets.catalogue import about
from iqa_jax.datasets.folders import FolderIndex, image_in
from iqa_jax.datasets.parsing import number_or_nan, plain_name, read_lines, refuse_rows
from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.datasets.workbooks import read_sheet
from iqa_jax.images.sources import ImageFolder

WORKBOOK = "csiq.DMOS.xlsx"
SHEET = "all_by_image"
LABELS = "csiq_label.txt"
REFERENCES = "src_imgs"
DISTORTED = ("dst_imgs", "dst_imgs_all")

DISTORTIONS: Mapping[str, str] = {
    "AWGN": "additive white Gaussian noise",
    "BLUR": "Gaussian blur",
    "contrast": "global contrast decrements",
    "fnoise": "additive pink Gaussian noise",
    "JPEG": "JPEG compression",
    "jpeg2000": "JPEG2000 compression",
}
"""Word in the file names, which in lower case is the name of the folder -> type of distortion."""

LEVELS = ("1", "2", "3", "4", "5")

_TOKENS = {token.lower(): token for token in DISTORTIONS}
_TOKENS_OF_WORKBOOK = _TOKENS | {"noise": "AWGN", "jpeg 2000": "jpeg2000"}

_LABEL = re.compile(
    r"(?P<image>[^./\\\s]+)\.(?P<token>\w+)\.(?P<level>\d)\.png\s+(?P<score>\S+)",
    re.IGNORECASE,
)


class _Row(NamedTuple):
    image: str
    token: str
    level: str
    score: str
    score_std: str = ""

    def __str__(self) -> str:
        return " ".join(self)


def load(folder: epath.Path) -> PairTable:
    """Reads the score table.

    Raises:
      DatasetError: If a part of the layout is missing or a row is malformed.
    """
    index = FolderIndex(folder)
    if index.find(WORKBOOK) is not None:
        path = index.require(WORKBOOK)
        rows = list(_rows_of_workbook(path))
    else:
        path = index.require(LABELS, WORKBOOK)
        rows = _rows_of_labels(path)
    refuse_rows(
        path,
        f"a type of {', '.join(DISTORTIONS)} and a level from 1 to 5",
        [str(row) for row in rows if row.token not in DISTORTIONS or row.level not in LEVELS],
    )
    references, distorted = index.enter(REFERENCES), index.enter(*DISTORTED)
    folders = {token: _folders_of(token, distorted) for token in DISTORTIONS}
    return PairTable(
        name="csiq",
        pairs=[
            Pair(
                reference=references.image(f"{row.image}.png"),
                distorted=image_in(folders[row.token], f"{row.image}.{row.token}.{row.level}.png"),
                score=number_or_nan(row.score),
                score_std=number_or_nan(row.score_std),
                distortion=DISTORTIONS[row.token],
                level=row.level,
                reference_id=row.image.lower(),
            )
            for row in rows
        ],
        images=ImageFolder(folder),
        higher_is_better=False,
        score_range=(0.0, 1.0),
        licence=about("csiq").licence,
        citation=about("csiq").citation,
        target="difference mean opinion score",
        published_pairs=about("csiq").pairs,
    )


def _rows_of_workbook(path: epath.Path) -> Iterator[_Row]:
    columns = ("image", "dst_type", "dst_lev", "dmos_std", "dmos")
    for row in read_sheet(path, SHEET, columns):
        if not row["image"]:
            continue
        yield _Row(
            image=plain_name(row["image"], path),
            token=_TOKENS_OF_WORKBOOK.get(row["dst_type"].lower(), row["dst_type"]),
            level=row["dst_lev"],
            score=row["dmos"],
            score_std=row["dmos_std"],
        )


def _rows_of_labels(path: epath.Path) -> list[_Row]:
    lines = read_lines(path)
    matches = [_LABEL.fullmatch(line) for line in lines]
    refuse_rows(
        path,
        "1600.AWGN.1.png SCORE",
        [line for line, match in zip(lines, matches, strict=True) if match is None],
    )
    return [
        _Row(
            image=match["image"],
            token=_TOKENS.get(match["token"].lower(), match["token"]),
            level=match["level"],
            score=match["score"],
        )
        for match in matches
        if match is not None
    ]


def _folders_of(token: str, distorted: FolderIndex) -> list[FolderIndex]:
    """Folders that may hold the images of one type."""
    return [distorted.enter(token), distorted] if distorted.find(token) else [distorted]

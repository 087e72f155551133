"""``pieapp``: the test set of PieAPP, 40 references of 256x256 pixels with 15 versions each.

Perceptual errors on a learned scale on which a reference is 0; lower is better. They were computed
from the 4200 comparisons of pairs of versions in the same folder. These are not read, nor are the
training and validation sets, which have only comparisons.

    reference_images/test/ref_1.png
    distorted_images/test/ref_1/distort_1_TYPE_inter_2.png     or intra; the last is an identifier
    labels/test/ref_1_per_image_score.csv
    test_reference_list.txt                                    one row per reference: ref_1.png

The tables' columns are the reference, `` distorted image`` and `` score for distorted image``, with
these spaces. A row that compares a reference with itself, whose score is 0 by definition, is
skipped.

Prashnani, Cai, Mostofi and Sen, PieAPP: perceptual image-error assessment through pairwise
preference, CVPR 2018. For non-commercial and educational purposes only.
"""

import re
from collections.abc import Iterator

from etils import epath

from iqa_jax.datasets.catalogue import about
from iqa_jax.datasets.csv_rows import read_columns
from iqa_jax.datasets.folders import FolderIndex
from iqa_jax.datasets.parsing import number_or_nan, plain_name, read_lines
from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.errors import DatasetError
from iqa_jax.images.sources import ImageFolder

LIST = "test_reference_list.txt"
SPLIT = "test"
DISTORTED = "distorted image"
SCORE = "score for distorted image"

_DISTORTED = re.compile(r"distort_\d+_(?P<type>.+)_int(er|ra)_[^_]+\.png", re.IGNORECASE)


def load(folder: epath.Path) -> PairTable:
    """Reads the score tables of the test set.

    Raises:
      DatasetError: If a part of the layout is missing or a row belongs to another reference.
    """
    index = FolderIndex(folder)
    references, distorted, labels = (
        index.enter(name).enter(SPLIT)
        for name in ("reference_images", "distorted_images", "labels")
    )
    listed = index.require(LIST)
    contents = [plain_name(line, listed).rpartition(".")[0] or line for line in read_lines(listed)]
    return PairTable(
        name="pieapp",
        pairs=[
            pair
            for content in contents
            for pair in _pairs(
                content,
                references.image(f"{content}.png"),
                distorted.enter(content),
                labels.require(f"{content}_per_image_score.csv"),
            )
        ],
        images=ImageFolder(folder),
        higher_is_better=False,
        licence=about("pieapp").licence,
        citation=about("pieapp").citation,
        target="perceptual error from pairwise preferences",
        published_pairs=about("pieapp").pairs,
    )


def _pairs(content: str, reference: str, images: FolderIndex, path: epath.Path) -> Iterator[Pair]:
    for row in read_columns(path, (DISTORTED, SCORE)):
        named, name = plain_name(next(iter(row.values())), path), plain_name(row[DISTORTED], path)
        if named.lower() != f"{content}.png".lower():
            raise DatasetError(f"{path}: expected the reference {content}.png, found {named}")
        if name.lower() == named.lower():
            continue
        match = _DISTORTED.fullmatch(name)
        yield Pair(
            reference=reference,
            distorted=images.image(name),
            score=number_or_nan(row[SCORE]),
            distortion=match["type"].replace("_", " ") if match else "",
            reference_id=content,
        )

"""``livemd``: LIVE multiply distorted images, 15 references, two studies of 225 images each.

Difference mean opinion scores (from 0.6 to 84.7), lower is better. The 45 images that are only
blurred were shown in both studies: a name can occur in both, with different scores.

    Part 1/blurjpeg/      blur, then JPEG compression; references and distorted images
    Part 2/blurnoise/     blur, then white noise; the same
    Part 1/Imagelists.mat, Part 2/Imagelists.mat     distimgs
    Part 1/Scores.mat, Part 2/Scores.mat             DMOSscores

The reference of ``NAME_....bmp`` is ``NAME.bmp``. The archive unpacks to a folder ``To_Release``.

Jayaraman, Mittal, Moorthy and Bovik, Objective quality assessment of multiply distorted images,
Asilomar Conference on Signals, Systems and Computers 2012. Free to use, copy and distribute with
its copyright notice and an acknowledgement of LIVE at the University of Texas at Austin.
"""

from collections.abc import Iterator

from etils import epath

from iqa_jax.datasets.catalogue import about
from iqa_jax.datasets.folders import FolderIndex
from iqa_jax.datasets.matlab_files import MatlabFile
from iqa_jax.datasets.parsing import plain_name
from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.errors import DatasetError
from iqa_jax.images.sources import ImageFolder

LISTS = "Imagelists.mat"
SCORES = "Scores.mat"
ARCHIVE = "To_Release"

PARTS = (
    ("Part 1", "blurjpeg", "Gaussian blur, then JPEG compression"),
    ("Part 2", "blurnoise", "Gaussian blur, then white noise"),
)
"""Name of a part, name of its folder of images, and type of their distortion."""


def load(folder: epath.Path) -> PairTable:
    """Reads the score tables of both parts.

    Raises:
      DatasetError: If a part of the layout is missing or unexpected.
    """
    index = FolderIndex(folder)
    if index.find(PARTS[0][0]) is None and index.find(ARCHIVE):
        index = index.enter(ARCHIVE)
    return PairTable(
        name="livemd",
        pairs=[
            pair
            for part, images, distortion in PARTS
            for pair in _pairs(index.enter(part), images, distortion)
        ],
        images=ImageFolder(folder),
        higher_is_better=False,
        licence=about("livemd").licence,
        citation=about("livemd").citation,
        target="difference mean opinion score",
        published_pairs=about("livemd").pairs,
    )


def _pairs(part: FolderIndex, folder: str, distortion: str) -> Iterator[Pair]:
    lists, scores = part.require(LISTS), part.require(SCORES)
    images = part.enter(folder)
    names = MatlabFile(lists).texts("distimgs")
    values = MatlabFile(scores).numbers("DMOSscores")
    if len(names) != len(values):
        raise DatasetError(
            f"{lists}: has {len(names)} images, but {scores.name} {len(values)} scores"
        )
    for name, value in zip(names, values, strict=True):
        content = plain_name(name, lists).partition("_")[0]
        yield Pair(
            reference=images.image(f"{content}.bmp"),
            distorted=images.image(name),
            score=value,
            distortion=distortion,
            reference_id=content.lower(),
        )

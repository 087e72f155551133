"""``live``: LIVE image quality, release 2, 29 references, five types of distortion.

Difference mean opinion scores, lower is better. They were published twice, and 203 of the 982 rows
are copies of a reference, so there are three datasets:

* ``live``: the realigned scores (from -2.6 to 111.8) of the 779 distorted images.
* ``live:original``: the scores of the first publication, for the same images.
* ``live:with-pristine``: the realigned scores, with the 203 copies.

    jp2k/img1.bmp to img227.bmp, jpeg/ 233, wn/ 174, gblur/ 174, fastfading/ 174
    refimgs/studentsculpture.bmp
    dmos_realigned.mat                    dmos_new, dmos_std, orgs (1: a copy of the reference)
    dmos.mat, in some copies dmos_live.mat       dmos, orgs
    refnames_all.mat                      refnames_all

The variables have a value for each image, in the order of these folders. Image sizes vary.

Sheikh, Sabir and Bovik, A statistical evaluation of recent full reference image quality assessment
algorithms, IEEE Transactions on Image Processing 15, 2006. Free to use, copy and distribute with
its copyright notice and an acknowledgement of LIVE at the University of Texas at Austin.
"""

import math

from etils import epath

from iqa_jax.datasets.catalogue import about
from iqa_jax.datasets.folders import FolderIndex
from iqa_jax.datasets.matlab_files import MatlabFile
from iqa_jax.datasets.parsing import plain_name
from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.errors import DatasetError
from iqa_jax.images.sources import ImageFolder

REALIGNED = "dmos_realigned.mat"
ORIGINAL = ("dmos.mat", "dmos_live.mat")
REFERENCE_NAMES = "refnames_all.mat"
REFERENCES = "refimgs"

FOLDERS = (
    ("jp2k", 227, "JPEG2000 compression"),
    ("jpeg", 233, "JPEG compression"),
    ("wn", 174, "white noise"),
    ("gblur", 174, "Gaussian blur"),
    ("fastfading", 174, "fast fading channel"),
)
"""Name, number of images and type of distortion, in the order of the variables."""

PRISTINE = "none (copy of the reference)"

_IMAGES = sum(count for _, count, _ in FOLDERS)


def load(folder: epath.Path) -> PairTable:
    """Reads the realigned scores, without the copies of references.

    Raises:
      DatasetError: If a part of the layout is missing or unexpected.
    """
    path = FolderIndex(folder).require(REALIGNED)
    return _load(folder, "live", path, "dmos_new", with_pristine=False)


def load_original(folder: epath.Path) -> PairTable:
    """Reads the scores of the first publication, without the copies of references.

    Raises:
      DatasetError: If a part of the layout is missing or unexpected.
    """
    path = FolderIndex(folder).require(*ORIGINAL)
    return _load(folder, "live:original", path, "dmos", with_pristine=False)


def load_with_pristine(folder: epath.Path) -> PairTable:
    """Reads the realigned scores, with the copies of references.

    Raises:
      DatasetError: If a part of the layout is missing or unexpected.
    """
    path = FolderIndex(folder).require(REALIGNED)
    return _load(folder, "live:with-pristine", path, "dmos_new", with_pristine=True)


def _load(
    folder: epath.Path, name: str, path: epath.Path, variable: str, *, with_pristine: bool
) -> PairTable:
    index = FolderIndex(folder)
    scores = MatlabFile(path)
    names_path = index.require(REFERENCE_NAMES)
    references = index.enter(REFERENCES)
    columns = (
        _images(index),
        MatlabFile(names_path).texts("refnames_all"),
        scores.numbers(variable),
        scores.numbers("dmos_std") if "dmos_std" in scores else [math.nan] * _IMAGES,
        scores.numbers("orgs"),
    )
    if any(len(values) != _IMAGES for values in columns):
        found = ", ".join(str(len(values)) for values in columns[1:])
        raise DatasetError(
            f"{path} and {names_path}: expected a value for each of the {_IMAGES} images in "
            f"refnames_all, {variable}, dmos_std and orgs, found {found} values"
        )
    return PairTable(
        name=name,
        pairs=[
            Pair(
                reference=references.image(plain_name(reference, names_path)),
                distorted=image,
                score=score,
                score_std=deviation,
                distortion=PRISTINE if is_pristine else distortion,
                reference_id=reference.lower().removesuffix(".bmp"),
            )
            for (image, distortion), reference, score, deviation, is_pristine in zip(
                *columns, strict=True
            )
            if with_pristine or not is_pristine
        ],
        images=ImageFolder(folder),
        higher_is_better=False,
        licence=about("live").licence,
        citation=about("live").citation,
        target="difference mean opinion score",
        published_pairs=_IMAGES if with_pristine else about("live").pairs,
    )


def _images(index: FolderIndex) -> list[tuple[str, str]]:
    """Every image with its type of distortion, in the order of the variables."""
    images = []
    for name, count, distortion in FOLDERS:
        folder = index.enter(name)
        images += [(folder.image(f"img{n}.bmp"), distortion) for n in range(1, count + 1)]
    return images

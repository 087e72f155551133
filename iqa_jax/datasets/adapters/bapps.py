"""BAPPS: patches of 64x64 pixels judged by forced choice; LPIPS was trained on its training part.

Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric, CVPR 2018.

    dataset/2afc/val/cnn/{ref,p0,p1}/000000.png  judge/000000.npy  which is nearer to ref
    dataset/jnd/val/cnn/{p0,p1}/000000.png       same/000000.npy   whether the two are the same

The files have 256x256 pixels: each pixel of a patch is a block of 4x4. The end of the dataset's
name selects how the patch is recovered:

* ``bapps-2afc``, ``bapps-2afc:train``, ``bapps-jnd``: one pixel of each block is kept. These are
  the patches as they were stored.
* ``bapps-2afc:lpips``, ``bapps-2afc:train-lpips``, ``bapps-jnd:lpips``: the files are resized to
  64x64 by Pillow's antialiased bilinear filter, as LPIPS's loader (``Resize(64)``) does. On such
  blocks this is a blur by [1/8, 3/4, 1/8] along both axes, which changes which of two versions is
  nearer for some triplets. Judging by the loader, these variants reproduce the published numbers;
  this has not been verified on BAPPS itself.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from etils import epath

from iqa_jax.datasets.catalogue import about
from iqa_jax.datasets.folders import FolderIndex
from iqa_jax.datasets.share_files import read_shares
from iqa_jax.datasets.table import Pair, PairTable, Question
from iqa_jax.errors import DatasetError, listed
from iqa_jax.images.blocks import BlockImages
from iqa_jax.images.sources import ImageFolder

SIZE = 64
BLOCK = 4

_MOST_LISTED = 10


@dataclass(frozen=True)
class Part:
    """A part of BAPPS.

    Attributes:
      experiment: Folder of the experiment.
      split: Folder of the split, within that.
      subsets: Folders of the subsets, within that, in the order of the paper's tables.
      shown: Folders of the images shown to the observers.
      judgements: Folder of the observers' answers.
      published: Number of judgements; None if only a rounded number is published.
    """

    experiment: str
    split: str
    subsets: Sequence[str]
    shown: Sequence[str]
    judgements: str
    published: int | None = None


@dataclass(frozen=True)
class _Judgement:
    """Images that were shown, named relative to the part's folder, and the observers' answer."""

    images: Sequence[str]
    share: float
    subset: str


_TRIPLET = ("ref", "p0", "p1")

TWO_ALTERNATIVES: Mapping[str, Part] = {
    "train": Part("2afc", "train", ("traditional", "cnn", "mix"), _TRIPLET, "judge"),
    "val": Part(
        "2afc",
        "val",
        ("traditional", "cnn", "superres", "deblur", "color", "frameinterp"),
        _TRIPLET,
        "judge",
        about("bapps-2afc").references,
    ),
}
JUST_NOTICEABLE = Part("jnd", "val", ("traditional", "cnn"), ("p0", "p1"), "same")


def load_2afc(folder: epath.Path, *, split: str = "val", is_filtered: bool = False) -> PairTable:
    """Reads judgements of two alternatives: which of p0 and p1 is nearer to ref.

    Args:
      folder: BAPPS's folder ``dataset``, the folder that contains it, or ``2afc``.
      split: ``val``, with five observers per triplet, or ``train``, with two.
      is_filtered: Whether images are filtered as by LPIPS's loader, which is expected to reproduce
        published numbers (``bapps-2afc:lpips``, ``bapps-2afc:train-lpips``); by default they are as
        stored, a little sharper, and numbers differ from the published ones.

    Returns:
      Two rows per triplet, p0 first. The score is the share of observers who found this version
      nearer; the distortion is the name of the subset.

    Raises:
      DatasetError: If the layout is unexpected, images have no judgement, or a judgement is not a
        single number in [0, 1].
    """
    part = TWO_ALTERNATIVES[split]
    root = _find(folder, part)
    return PairTable(
        name=_name("bapps-2afc", "" if split == "val" else split, is_filtered=is_filtered),
        pairs=[pair for judgement in _read(root, part) for pair in _alternatives(judgement)],
        images=BlockImages(ImageFolder(root), SIZE, BLOCK, is_filtered),
        higher_is_better=True,
        score_range=(0.0, 1.0),
        citation=about("bapps-2afc").citation,
        target="share of observers who preferred the version",
        published_pairs=None if part.published is None else 2 * part.published,
        protocol=Question.TWO_ALTERNATIVES,
    )


def load_jnd(folder: epath.Path, *, is_filtered: bool = False) -> PairTable:
    """Reads judgements of just noticeable differences: whether p0 and p1 are the same.

    Args:
      folder: BAPPS's folder ``dataset``, the folder that contains it, or ``jnd``.
      is_filtered: Whether images are filtered as by LPIPS's loader, which is expected to reproduce
        published numbers (``bapps-jnd:lpips``); by default they are as stored.

    Returns:
      One row per pair, with p0 as the reference. The score is the share of the three observers who
      said that the two are the same; the distortion is the name of the subset.

    Raises:
      DatasetError: If the dataset cannot be used (see :func:`load_2afc`).
    """
    root = _find(folder, JUST_NOTICEABLE)
    return PairTable(
        name=_name("bapps-jnd", is_filtered=is_filtered),
        pairs=[
            _pair(judgement, judgement.images[1], judgement.share)
            for judgement in _read(root, JUST_NOTICEABLE)
        ],
        images=BlockImages(ImageFolder(root), SIZE, BLOCK, is_filtered),
        higher_is_better=True,
        score_range=(0.0, 1.0),
        citation=about("bapps-jnd").citation,
        target="share of observers who said that the two are the same",
        published_pairs=JUST_NOTICEABLE.published,
        protocol=Question.SAME_OR_DIFFERENT,
    )


def _alternatives(judgement: _Judgement) -> Iterator[Pair]:
    """One row for each of the two versions, with the share of observers who preferred it."""
    _, first, second = judgement.images
    yield _pair(judgement, first, 1 - judgement.share)
    yield _pair(judgement, second, judgement.share)


def _pair(judgement: _Judgement, distorted: str, share: float) -> Pair:
    reference, *_ = judgement.images
    return Pair(
        reference,
        distorted,
        score=share,
        distortion=judgement.subset,
        reference_id=reference.lower(),
    )


def _name(experiment: str, split: str = "", *, is_filtered: bool) -> str:
    variant = "-".join(filter(None, (split, "lpips" if is_filtered else "")))
    return f"{experiment}:{variant}" if variant else experiment


def _find(folder: epath.Path, part: Part) -> epath.Path:
    """Folder of a part, whichever of the usual folders was given."""
    candidates = (
        ("dataset", part.experiment, part.split),
        (part.experiment, part.split),
        (part.split,),
    )
    found = [
        root
        for root in (_descend(folder, *names) for names in candidates)
        if root and any(_descend(root, subset, part.judgements) for subset in part.subsets)
    ]
    if not found:
        raise DatasetError(
            f"{folder}: expected {part.experiment}/{part.split}/SUBSET/{part.judgements} in it or "
            f"in its folder dataset, SUBSET one of {', '.join(part.subsets)}; found "
            + (_shortened(FolderIndex(folder).entries) or "nothing")
        )
    if len(found) > 1:
        raise DatasetError(
            f"{folder}: {part.experiment}/{part.split} could be any of "
            f"{', '.join(map(str, found))}; give the folder dataset or {part.experiment} itself"
        )
    missing = [subset for subset in part.subsets if not _descend(found[0], subset)]
    if missing and part.published is None:  # no published number would reveal the gap
        raise DatasetError(f"{found[0]}: also expected the folders {', '.join(missing)} in it")
    return found[0]


def _descend(folder: epath.Path, *names: str) -> epath.Path | None:
    """The folder that ``names`` lead to, regardless of case; None if there is none."""
    for name in names:
        entry = FolderIndex(folder).find(name)
        if entry is None or not (folder / entry).is_dir():
            return None
        folder = folder / entry
    return folder


def _read(root: epath.Path, part: Part) -> list[_Judgement]:
    """All judgements of a part; one error lists those that cannot be used."""
    index = FolderIndex(root)
    found, problems = [], []
    for subset in part.subsets:
        if index.find(subset):
            judgements, unusable = _read_subset(index.enter(subset), subset, part)
            found += judgements
            problems += unusable
    if problems:
        raise DatasetError(f"{root}: {listed(problems, 'judgements cannot be used')}")
    return found


def _read_subset(index: FolderIndex, subset: str, part: Part) -> tuple[list[_Judgement], list[str]]:
    """Judgements of a subset, and a description of each that cannot be used."""
    shown = [index.enter(name) for name in part.shown]
    judged = index.enter(part.judgements)
    files = _by_stem(judged, ".npy")
    unjudged = set().union(*(_by_stem(folder, ".png") for folder in shown)) - files.keys()
    problems = [f"{judged.image(f'{stem}.npy')}: there is no such file" for stem in unjudged]
    shares = read_shares([judged.require(name) for name in files.values()])
    found = []
    for (stem, name), share in zip(files.items(), shares, strict=True):
        if isinstance(share, str):
            problems.append(f"{judged.image(name)}: {share}")
        else:
            images = [folder.image(f"{stem}.png") for folder in shown]
            found.append(_Judgement(images, share, subset))
    return found, sorted(problems)


def _by_stem(index: FolderIndex, suffix: str) -> dict[str, str]:
    """Files with a suffix in any case, sorted, by the part of the name before it."""
    return {
        name[: -len(suffix)]: name
        for name in index.entries
        if name.lower().endswith(suffix) and not name.startswith(".")
    }


def _shortened(names: Collection[str]) -> str:
    """The first names, and the number of the others."""
    shown = list(names)[:_MOST_LISTED]
    more = [f"and {len(names) - _MOST_LISTED} more"] if len(names) > _MOST_LISTED else []
    return ", ".join([*shown, *more])

"""Training and test that share nothing: folds by content, and overlaps that are known.

Versions of one reference resemble each other and their scores: a split by pairs would test what was
learned by heart. All pairs of a reference therefore belong to one fold.
"""

import hashlib
from collections.abc import Iterable, Mapping

from etils import epath

from iqa_jax.datasets.csv_rows import read_cells
from iqa_jax.errors import DatasetError, listed
from iqa_jax.files import write_text
from iqa_jax.text import csv_text

COLUMNS = ("reference_id", "fold")

_SHARED: Mapping[frozenset[str], str] = {
    frozenset({"tid2008", "tid2013"}): "show the same 25 images",
    frozenset({"tid2008", "live"}): "share photographs of the Kodak set as references",
    frozenset({"tid2013", "live"}): "share photographs of the Kodak set as references",
}

_DIVIDED = {"bapps2afc"}
"""Datasets whose variants are parts with different images."""

_SHOWN_OTHERWISE: Mapping[str, str] = {
    "bapps2afc:lpips": "bapps2afc",
    "bapps2afc:trainlpips": "bapps2afc:train",
    "bappsjnd:lpips": "bappsjnd",
}
"""Variants that are the same images through another filter."""

_TRAINED: Mapping[tuple[str, str], str] = {
    ("dists", "kadid10k"): "DISTS was trained on the scores of KADID-10k",
    ("lpips", "bapps2afc:train"): "LPIPS was trained on the training part of BAPPS",
}
"""By metric without its variant, and dataset."""


def content_folds(contents: Iterable[str], folds: int, seed: int) -> dict[str, int]:
    """Divides contents into folds of equal size, give or take one.

    The folds depend on the names, their number and the seed alone: not on the order or repetition
    of the names, the machine, or the version of any library.

    Args:
      contents: ``reference_id`` of the pairs.
      folds: Number of folds, at least 2.
      seed: Another seed gives other folds.

    Returns:
      The fold, from 0 to ``folds`` - 1, by ``reference_id``.

    Raises:
      DatasetError: If there are fewer contents than folds, or fewer than 2 folds.
    """
    different = set(contents)
    if not 2 <= folds <= len(different):
        raise DatasetError(
            f"expected at least 2 folds and as many references as folds, found {folds} folds and "
            f"{len(different)} references"
        )

    def drawn(content: str) -> tuple[bytes, str]:
        return hashlib.sha256(f"{seed}\t{content}".encode()).digest(), content

    return {
        content: position % folds for position, content in enumerate(sorted(different, key=drawn))
    }


def write_folds(path: epath.Path, folds: Mapping[str, int]) -> None:
    """Writes folds as CSV with the columns ``reference_id,fold``, sorted by reference.

    Args:
      path: The file.
      folds: As :func:`content_folds` returns them.
    """
    write_text(path, csv_text(COLUMNS, sorted(folds.items())))


def read_folds(path: epath.Path, contents: Iterable[str]) -> dict[str, int]:
    """Reads folds that :func:`write_folds` or a person wrote.

    Args:
      path: The file.
      contents: ``reference_id`` of the pairs that are to be divided.

    Returns:
      The fold by ``reference_id``, of these contents alone.

    Raises:
      DatasetError: If there is no such file, it has other columns, a fold is no whole number from 0
        on, a reference stands twice, a content has no fold, or all are in one; one error lists all
        rows that are wrong.
    """
    if not path.exists() or path.is_dir():
        raise DatasetError(f"found no file at {path}; expected the columns {','.join(COLUMNS)}")
    (_, header), *rows = read_cells(path) or [(0, ["nothing"])]
    if tuple(header) != COLUMNS:
        raise DatasetError(
            f"{path}: expected the columns {','.join(COLUMNS)}, found {','.join(header)}"
        )
    folds: dict[str, int] = {}
    problems = []
    for number, row in rows:
        if len(row) != 2 or not row[1].isdecimal():
            problems.append(f"line {number}: expected a reference and a fold, found {row}")
        elif row[0] in folds:
            problems.append(f"line {number}: {row[0]} stands twice")
        else:
            folds[row[0]] = int(row[1])
    wanted = sorted(set(contents))
    problems += [f"{content}: has no fold" for content in wanted if content not in folds]
    if not problems and len({folds[content] for content in wanted}) < 2:
        problems = ["all references are in one fold"]
    if problems:
        raise DatasetError(f"{path}: {listed(problems, 'problems')}")
    return {content: folds[content] for content in wanted}


def overlap_warning(training: str, test: str) -> str | None:
    """Says what two datasets share, for what is learned on the one and tested on the other.

    Args:
      training: Name of the dataset that something is learned on.
      test: Name of the dataset that it is tested on.

    Returns:
      A sentence; None where no overlap is known.
    """
    if _plain(training) == _plain(test):
        return f"{test} is training and test alike: new contents may be judged less well."
    datasets = frozenset(_without_variant(_plain(name)) for name in (training, test))
    shared = _SHARED.get(datasets)
    if len(datasets) == 1 and not datasets <= _DIVIDED:
        shared = "have the same images"
    return shared and f"{training} and {test} {shared}: new contents may be judged less well."


def trained_on(metric: str, dataset: str) -> str | None:
    """Says whether a published metric was trained on a dataset that it is to be tested on.

    Args:
      metric: Name of a metric, ``lpips-alex``, ``dists:resize256``, or of a read-out with a
        relevance, ``vgg16/relu1_2/unit@lpips-vgg``.
      dataset: Name of the dataset.

    Returns:
      A sentence; None where nothing is known.
    """
    learned = _without_variant(metric.rpartition("@")[-1]).split("-")[0]
    trained = _TRAINED.get((learned, _plain(dataset)))
    return trained and f"{trained}: {metric} may do less well on other data."


def _plain(dataset: str) -> str:
    """A dataset's name without what people write differently, nor how its images are shown."""
    plain = dataset.lower().replace("-", "").replace("_", "")
    return _SHOWN_OTHERWISE.get(plain, plain)


def _without_variant(name: str) -> str:
    return name.partition(":")[0]

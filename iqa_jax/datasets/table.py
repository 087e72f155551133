"""The pair table: what every dataset becomes before anything is computed."""

import hashlib
import itertools
import json
import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from tqdm import tqdm

from iqa_jax.errors import DatasetError, ImageError, MissingImageError, listed
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import CheckedImages, ImageSource

_READERS = 16
_SAMPLE = 8
_QUICK = 1e-3
"""Seconds a header: threads help where files are large or far away; else they wait for each
other."""

_PATIENCE = 3.0
"""Seconds without progress that nobody minds."""


class Protocol(StrEnum):
    """What the observers were asked."""

    OPINION = "opinion"
    """How good the distorted image is."""

    TWO_ALTERNATIVES = "two alternatives"
    """Which of two versions is nearer to the reference. The two stand in rows 2i and 2i + 1; the
    score of each is the share of observers who preferred it."""

    SAME_OR_DIFFERENT = "same or different"
    """Whether the two images are the same; the score is the share who said so."""

    @property
    def rows(self) -> int:
        """How many rows, one after the other, belong to one judgement."""
        return 2 if self is Protocol.TWO_ALTERNATIVES else 1


@dataclass(frozen=True)
class Pair:
    """A reference, a distorted version of it, and what people thought of that.

    Attributes:
      reference: Name of the reference image in the dataset's folder.
      distorted: Name of the distorted image.
      score: Mean (or mean difference) opinion score.
      score_std: Standard deviation of the opinions; NaN if not published.
      distortion: Type of the distortion; empty if unknown.
      level: Strength of the distortion, counted within its type; empty if unknown.
      reference_id: What the reference shows; pairs with the same content share it.
    """

    reference: str
    distorted: str
    score: float
    score_std: float = math.nan
    distortion: str = ""
    level: str = ""
    reference_id: str = ""


@dataclass(frozen=True)
class PairTable:
    """A dataset of pairs.

    Attributes:
      name: Of the dataset.
      pairs: In the dataset's own order.
      images: Where the images are.
      higher_is_better: Direction of the scores.
      score_range: Least and greatest score of the scale; NaN where it has no ends.
      licence: As the publisher states it.
      citation: The publication.
      target: What the scores are, in words for tables and figures.
      published_pairs: Number of pairs of the whole dataset; None where there is no such number.
      pairs_left_out: Number of pairs that are not here because an image of theirs is missing.
      protocol: What the observers were asked.
      opinions: Number of opinions behind each score, where ``score_std`` is that of single
        opinions; 1 where it is that of their mean already; NaN where it is unknown which.
    """

    name: str
    pairs: Sequence[Pair]
    images: ImageSource
    higher_is_better: bool
    score_range: tuple[float, float] = (math.nan, math.nan)
    licence: str = ""
    citation: str = ""
    target: str = "mean opinion score"
    published_pairs: int | None = None
    pairs_left_out: int = 0
    protocol: Protocol = Protocol.OPINION
    opinions: float = math.nan

    def select(
        self, *, exclude_references: Collection[str] = (), limit: int | None = None
    ) -> "PairTable":
        """The table without some contents, or the first pairs of it; no judgement is divided.

        Args:
          exclude_references: ``reference_id`` of the contents to leave out.
          limit: Number of pairs to keep.

        Raises:
          DatasetError: If a content to be left out is not there, or nothing remains.
        """
        contents = {pair.reference_id for pair in self.pairs}
        unknown = [content for content in exclude_references if content not in contents]
        if unknown:
            raise DatasetError(
                f"{self.name} has no reference {', '.join(unknown)}; "
                f"it has: {', '.join(sorted(contents))}"
            )
        pairs = [pair for pair in self.pairs if pair.reference_id not in exclude_references]
        if limit is not None:
            pairs = pairs[: limit - limit % self.protocol.rows]
        if not pairs:
            raise DatasetError(f"{self.name}: no pair is left to score")
        return replace(self, pairs=pairs)


def inspect(
    table: PairTable, *, leave_out_missing: bool = False
) -> tuple[PairTable, Mapping[str, Header]]:
    """Reads the header of every image and checks every row, before anything is computed.

    Args:
      table: The dataset.
      leave_out_missing: Whether rows whose images are not there are left out; else they are errors.

    Returns:
      The table that can be scored, and the header of each of its images by name. An image that is
      changed from now on is an error when it is read.

    Raises:
      DatasetError: If a row has a missing or unreadable image, images of two sizes, or no finite
        score; one error lists the first such rows and says where all are.
    """
    found = read_headers(table)
    if leave_out_missing:
        missing = {name for name, header in found.items() if isinstance(header, MissingImageError)}
        judgements = zip(*[iter(table.pairs)] * table.protocol.rows, strict=True)
        whole = [
            judgement
            for judgement in judgements
            if all(missing.isdisjoint(_images_of(pair)) for pair in judgement)
        ]
        pairs = list(itertools.chain.from_iterable(whole))
        left_out = table.pairs_left_out + len(table.pairs) - len(pairs)
        table = replace(table, pairs=pairs, pairs_left_out=left_out)
    errors = [
        f"row {row}: {problem}"
        for row, pair in enumerate(table.pairs, 1)
        for problem in _problems(pair, found)
    ]
    if errors:
        what = f"problems in {len(table.pairs)} rows"
        raise DatasetError(f"{table.name}: {listed(errors, what)}")
    if not table.pairs:
        raise DatasetError(f"{table.name}: none of its images is there")
    headers = {name: header for name, header in found.items() if isinstance(header, Header)}
    return replace(table, images=CheckedImages(table.images, headers)), headers


def read_headers(table: PairTable) -> dict[str, Header | ImageError]:
    """The header of every image by name, or why it cannot be read; with progress."""
    names = list(dict.fromkeys(name for pair in table.pairs for name in _images_of(pair)))
    found = tqdm(
        _read_each(table.images, names),
        total=len(names),
        desc="headers",
        unit="image",
        delay=_PATIENCE,
        leave=False,
    )
    return dict(zip(names, found, strict=True))


def fingerprint(table: PairTable, headers: Mapping[str, Header]) -> str:
    """SHA-256 over all of a table that results depend on, in the order of its rows.

    That is the headers and treatment of the images, what the observers were asked and how their
    scores run, and of each pair everything that is known. Names of image files count in lower case:
    copies of one dataset differ in it.

    Args:
      table: The dataset.
      headers: Of each of its images, by name.
    """
    facts = (table.protocol, table.higher_is_better, float(table.opinions), table.images.treatment)
    sha256 = hashlib.sha256(json.dumps(facts).encode())
    for pair in table.pairs:
        said = vars(pair) | {
            "reference": pair.reference.lower(),
            "distorted": pair.distorted.lower(),
            "score": float(pair.score),
            "score_std": float(pair.score_std),
        }
        row = (said, *(headers[name] for name in _images_of(pair)))
        sha256.update(json.dumps(row, sort_keys=True).encode())
    return sha256.hexdigest()


def number_or_nan(text: str) -> float:
    """The number that ``text`` says; NaN where it says none, for :func:`inspect` to report."""
    try:
        return math.nan if "_" in text else float(text)  # to Python 1_5 is fifteen
    except ValueError:
        return math.nan


def _images_of(pair: Pair) -> tuple[str, str]:
    return pair.reference, pair.distorted


def _read_each(images: ImageSource, names: Sequence[str]) -> Iterator[Header | ImageError]:
    read = partial(_header, images)
    yield from map(read, names[:1])  # the first one waits for Pillow's plugins
    sample, rest = names[1:_SAMPLE], names[_SAMPLE:]
    started_at = time.monotonic()
    yield from [read(name) for name in sample]
    if time.monotonic() - started_at < _QUICK * len(sample):
        yield from map(read, rest)
    else:
        with ThreadPoolExecutor(_READERS) as pool:
            yield from pool.map(read, rest)


def _header(images: ImageSource, name: str) -> Header | ImageError:
    try:
        return images.header(name)
    except ImageError as error:
        return error


def _problems(pair: Pair, found: Mapping[str, Header | ImageError]) -> Iterator[str]:
    yield from image_problems(pair, found)
    if not math.isfinite(pair.score):
        yield f"{pair.distorted}: has no finite score"


def image_problems(pair: Pair, found: Mapping[str, Header | ImageError]) -> Iterator[str]:
    """Why the images of a pair cannot be compared.

    Args:
      pair: The pair.
      found: What :func:`read_headers` returned.
    """
    reference, distorted = (found[name] for name in _images_of(pair))
    if isinstance(reference, ImageError):
        yield str(reference)
    if isinstance(distorted, ImageError):
        yield str(distorted)
    elif isinstance(reference, Header) and reference[:2] != distorted[:2]:
        yield (
            f"{pair.distorted}: is {distorted.width}x{distorted.height} pixels, its reference "
            f"{pair.reference} {reference.width}x{reference.height}"
        )

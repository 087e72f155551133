"""The publications that a user of this package cites, kept in ``references.bib`` beside this file.

Each block of that file is a line of text, as it appears in tables and provenance, followed by a
BibTeX entry. BibTeX ignores the line, so the file can be given to it as it is.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("references.bib")
_ENTRY = re.compile(r"(?P<text>[^@\n]+)\n(?P<bibtex>@\w+\{(?P<key>\w+),\n.+\n\})", re.DOTALL)


@dataclass(frozen=True)
class Publication:
    """A publication.

    Attributes:
      key: Key of its BibTeX entry.
      text: Citation in one line.
      bibtex: BibTeX entry.
    """

    key: str
    text: str
    bibtex: str


@functools.cache
def publications() -> Mapping[str, Publication]:
    """All publications by their keys, in the order of the file."""
    blocks = _FILE.read_text(encoding="utf-8").strip().split("\n\n")
    matches = [_ENTRY.fullmatch(block) for block in blocks]
    return {match["key"]: Publication(**match.groupdict()) for match in matches if match}


def citation_text(keys: Iterable[str], note: str = "") -> str:
    """A citation in one line.

    Args:
      keys: Keys of :func:`publications`.
      note: Text that follows, such as the distributor of the weights.

    Raises:
      KeyError: If there is no such publication.
    """
    texts = [publications()[key].text for key in keys]
    return "; ".join([*texts, *([note] if note else [])])

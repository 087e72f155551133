"""The bibliography: well-formed BibTeX, each entry once, and nobody cites what is not in it."""

import re
from pathlib import Path

import pytest

import iqa_jax
from iqa_jax import zoo
from iqa_jax.bibliography import citation_text, publications
from iqa_jax.datasets.catalogue import CATALOGUE
from iqa_jax.metrics.citing import READOUT_PUBLICATIONS, pixel_publications
from iqa_jax.metrics.pixels import PIXEL_METRICS
from iqa_jax.study.claims import PUBLICATIONS

TEXT = (Path(iqa_jax.__file__).parent / "references.bib").read_text(encoding="utf-8")
NEEDED = {
    "article": {"author", "title", "journal", "year"},
    "inproceedings": {"author", "title", "booktitle", "year"},
    "misc": {"author", "title"},
}
CITED = {
    key
    for keys in (
        *(
            conversion.source.publications
            for entry in (*zoo.MODELS.values(), *zoo.RELEVANCES.values())
            for conversion in entry.conversions
        ),
        *(entry.publications for entry in CATALOGUE.values()),
        *(pixel_publications(name) for name in PIXEL_METRICS),
        *READOUT_PUBLICATIONS.values(),
        PUBLICATIONS,
    )
    for key in keys
}


def test_every_entry_is_read_once():
    assert list(publications()) == re.findall(r"^@\w+\{(.+),$", TEXT, re.M)
    assert len({each.bibtex for each in publications().values()}) == TEXT.count("\n@")


def test_what_is_cited_is_there_and_what_is_there_is_cited():
    assert set(publications()) == CITED


@pytest.mark.parametrize("key", publications())
def test_entries_are_whole(key):
    lines = publications()[key].bibtex.splitlines()
    kind = re.fullmatch(r"@(\w+)\{(\w+),", lines[0])
    assert kind is not None
    assert lines[-1] == "}"
    fields = [re.fullmatch(r"  (\w+) = \{(.+)\}(,?)", line) for line in lines[1:-1]]
    assert all(fields)
    found = {field[1]: field[2] for field in fields if field}
    assert len(found) == len(fields)
    assert set(found) >= NEEDED[kind[1]]
    assert [field[3] for field in fields if field] == [","] * (len(fields) - 1) + [""]
    for value in found.values():
        depths = [value[:end].count("{") - value[:end].count("}") for end in range(len(value) + 1)]
        assert min(depths) == depths[-1] == 0
    assert ("eprint" in found) == ("archiveprefix" in found)


@pytest.mark.parametrize("key", publications())
def test_the_line_above_an_entry_is_of_that_entry(key):
    each = publications()[key]
    fields = dict(re.findall(r"  (\w+) = \{(.+)\}", each.bibtex))
    surname = fields["author"].split(" and ")[0].split(",")[0]
    surname = re.sub(r"\{\\'(\w)\}", r"\1", surname)  # without accents
    assert each.text.startswith(surname)
    assert "@" not in each.text
    if "arXiv" in each.text:
        assert each.text.endswith(f"arXiv {fields['eprint']}")


def test_a_citation_in_one_line():
    assert citation_text(("he2016deep", "goyal2019scaling")) == (
        "He et al., CVPR 2016, arXiv 1512.03385; Goyal et al., ICCV 2019, arXiv 1905.01235"
    )
    assert citation_text(("zhou2014learning",), "converted") == "Zhou et al., NIPS 2014; converted"
    with pytest.raises(KeyError):
        citation_text(("nobody2026",))

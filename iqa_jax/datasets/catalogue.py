"""The catalogue of datasets: facts about each that need no copy of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from iqa_jax.bibliography import citation_text

_KODAK = "all, counted as one source with the other datasets of Kodak photographs"
_LIVE_LICENCE = "free with its copyright notice and an acknowledgement of LIVE"


@dataclass(frozen=True)
class CatalogueEntry:
    """A published dataset.

    Attributes:
      title: Name that its authors gave it.
      url: Address from which it is obtained.
      publications: Keys of the publications to cite; see ``iqa_jax.bibliography``.
      licence: Licence as its publisher states it; empty if none is stated.
      references: Number of references; None if there is no fixed number.
      pairs: Number of rows; None if there is no fixed number.
      protocol: Task of the observers.
      claims: Claims about networks as metrics that it can decide.
    """

    title: str
    url: str
    publications: tuple[str, ...]
    licence: str
    references: int | None
    pairs: int | None
    protocol: str
    claims: str

    @property
    def citation(self) -> str:
        """The publications in one line."""
        return citation_text(self.publications)


CATALOGUE: Mapping[str, CatalogueEntry] = {
    "tid2008": CatalogueEntry(
        title="TID2008",
        url="http://www.ponomarenko.info/tid2008.htm",
        publications=("ponomarenko2009tid2008",),
        licence="free for research and education",
        references=25,
        pairs=1700,
        protocol="comparisons of two versions beside the reference, as points from 0 to 9",
        claims=_KODAK,
    ),
    "tid2013": CatalogueEntry(
        title="TID2013",
        url="http://www.ponomarenko.info/tid2013.htm",
        publications=("ponomarenko2015image",),
        licence="free for research and education",
        references=25,
        pairs=3000,
        protocol="comparisons of two versions beside the reference, as points from 0 to 9",
        claims=f"{_KODAK}; layer-by-layer results of VGG-16 are published for it",
    ),
    "kadid10k": CatalogueEntry(
        title="KADID-10k",
        url="https://database.mmsp-kn.de/kadid-10k-database.html",
        publications=("lin2019kadid",),
        licence="freely available for research; photographs from Pixabay",
        references=81,
        pairs=10125,
        protocol="30 degradation category ratings per image, from 1 to 5, by crowdsourcing",
        claims="all but those about DISTS; layer-by-layer results of VGG-16 are published for it",
    ),
    "csiq": CatalogueEntry(
        title="CSIQ",
        url="https://s2.smu.edu/~eclarson/csiq.html",
        publications=("larson2010most",),
        licence="none stated",
        references=30,
        pairs=866,
        protocol="arranging all versions of a reference by their difference from it",
        claims="all",
    ),
    "live": CatalogueEntry(
        title="LIVE image quality assessment database, release 2",
        url="https://live.ece.utexas.edu/research/quality/subjective.htm",
        publications=("sheikh2006statistical",),
        licence=_LIVE_LICENCE,
        references=29,
        pairs=779,
        protocol="ratings of single images, the references hidden among them",
        claims=_KODAK,
    ),
    "livemd": CatalogueEntry(
        title="LIVE multiply distorted image quality database",
        url="https://live.ece.utexas.edu/research/Quality/live_multidistortedimage.html",
        publications=("jayaraman2012objective",),
        licence=_LIVE_LICENCE,
        references=15,
        pairs=450,
        protocol="ratings of single images, the references hidden among them",
        claims="none on its own (fewer than 20 references); all, together with another dataset",
    ),
    "pipal": CatalogueEntry(
        title="PIPAL, training set",
        url="https://github.com/HaomingCai/PIPAL-dataset",
        publications=("gu2020pipal",),
        licence="none stated; meant for research",
        references=200,
        pairs=23200,
        protocol="comparisons of two versions of a reference, as Elo ratings",
        claims="all, within references rather than across them",
    ),
    "pieapp": CatalogueEntry(
        title="PieAPP, test set",
        url="https://github.com/prashnani/PerceptualImageError",
        publications=("prashnani2018pieapp",),
        licence="non-commercial and educational use only",
        references=40,
        pairs=600,
        protocol="comparisons of two versions of a reference, as errors on a fitted scale",
        claims="all",
    ),
    "bapps-2afc": CatalogueEntry(
        title="BAPPS, two alternatives",
        url="https://github.com/richzhang/PerceptualSimilarity",
        publications=("zhang2018unreasonable",),
        licence="",
        references=36344,
        pairs=2 * 36344,
        protocol="which of two versions of a patch is nearer to the reference; five observers",
        claims="none by correlation; LPIPS's own, by agreement with the choices",
    ),
    "bapps-jnd": CatalogueEntry(
        title="BAPPS, just noticeable differences",
        url="https://github.com/richzhang/PerceptualSimilarity",
        publications=("zhang2018unreasonable",),
        licence="",
        references=None,
        pairs=None,
        protocol="whether two patches are the same; three observers",
        claims="none by correlation; LPIPS's own, by average precision",
    ),
    "demo": CatalogueEntry(
        title="Demo",
        url="https://scikit-image.org",
        publications=("vanderwalt2014scikit",),
        licence="photographs of scikit-image, public domain or CC0",
        references=5,
        pairs=125,
        protocol="none: the score is the strength of the distortion",
        claims="none: there are no human scores",
    ),
    "csv": CatalogueEntry(
        title="Your own table",
        url="",
        publications=(),
        licence="",
        references=None,
        pairs=None,
        protocol="yours",
        claims="all, with human scores and at least 20 references",
    ),
}
"""Entries by name of the dataset, without its variant."""


def about(dataset: str) -> CatalogueEntry:
    """The entry of a dataset, whatever its variant.

    Args:
      dataset: Key of ``DATASETS``, such as ``live:original``.

    Raises:
      KeyError: If there is no such dataset.
    """
    return CATALOGUE[dataset.partition(":")[0]]

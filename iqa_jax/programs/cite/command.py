"""Prints what to cite as BibTeX: this package, and the networks, metrics and datasets used.

Example:
  iqa cite --results=results/tid2013,results/scores.csv > used.bib
  iqa cite --models=vgg16,resnet50-swav-imagenet1k --metrics=dists,ssim --datasets=kadid10k

The line above each entry says what it is cited for. Anything without a known publication, such
as a table of your own, is named on stderr, which also says if only this package is to be cited.
"""

import sys
from dataclasses import astuple, dataclass

from iqa_jax.programs.settings import ProgramSettings


@dataclass(frozen=True, kw_only=True)
class CiteSettings(ProgramSettings):
    """What was used.

    Attributes:
      results: Results of iqa evaluate, iqa train, iqa study or iqa score: a folder with run.json,
        or the table that iqa score wrote. Those of a study cite its claims and the results it read.
      models: Models; '@study46' or '@study' for those of the study, '@transformers' for the
        transformers.
      metrics: Metrics, and read-outs MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE].
      datasets: Datasets.
    """

    results: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()


def main(settings: CiteSettings) -> None:
    """Prints the entries."""
    from etils import epath  # noqa: PLC0415  none of these is needed for the help

    from iqa_jax.programs.cite.bibtex import bibtex_text  # noqa: PLC0415
    from iqa_jax.programs.cite.used import Used, read_results, uses  # noqa: PLC0415
    from iqa_jax.zoo import expand_models  # noqa: PLC0415

    named = Used(tuple(expand_models(settings.models)), settings.metrics, settings.datasets)
    found = [used for path in settings.results for used in read_results(epath.Path(path))]
    publications = uses([named, *found])
    versions = list(dict.fromkeys(version for each in found for version in each.versions))
    print(bibtex_text(publications, versions), end="")
    unknown = [use for use, keys in publications.items() if not keys]
    if unknown:
        print(f"without a known publication: {', '.join(unknown)}", file=sys.stderr)
    elif not publications and any(astuple(settings)):
        print("nothing to cite besides this package", file=sys.stderr)

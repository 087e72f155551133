"""What the page of a study shows: claims, verdicts, comparisons and networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from iqa_jax.programs.report.html import rendered
from iqa_jax.programs.report.model import Head, rounded
from iqa_jax.programs.study.markdown import CAUTIONS, described
from iqa_jax.study.claims import CLAIMS, Claim
from iqa_jax.study.decisions import ALL
from iqa_jax.study.models_table import SPLIT, TRANSFERRED
from iqa_jax.study.pseudovalues import SPEARMAN
from iqa_jax.study.whole import Study
from iqa_jax.text import as_json, counted

SCRIPTS = ("chosen", "verdicts", "contrasts", "networks", "curves", "start")
_CLAIM = (
    *("id", "source", "text", "estimand", "supported", "contradicted", "equivalent", "consistent"),
    *("needs", "confounds"),
)
_VERDICT = (
    *("claim", "dataset", "readout", "estimate", "low_images", "high_images", "low_networks"),
    *("high_networks", "p_holm", "verdict", "robust", "reason", "note", "replicated"),
)
_CONTRAST = (
    *("claim", "dataset", "readout", "factor", "block", "a", "b", "quantity", "difference"),
    *("low", "high", "p", "p_holm", "confounds", "members"),
)
_MODEL = (
    *("dataset", "readout", "quantity", "model", "family", "goal", "environment", "layer"),
    *("value", "low", "high", "top1", "linear_probe"),
)
_PUBLISHED = ("dataset", "column", "measure", "value", "authors_value", "difference_from_authors")


@dataclass(frozen=True, kw_only=True)
class StudyPage(Head):
    """Everything that the page of a study shows.

    Attributes:
      study: The study.
    """

    study: Study


def study_page(study: Study) -> str:
    """The HTML of a study, which needs no other file.

    Args:
      study: The study.
    """
    native = study.evidence.native
    facts = {"Read-out": study.readout, "Margin": f"{study.margin:g}", "Claims": study.digest}
    facts |= {each.results.dataset: described(each.results) for each in native}
    absent = {
        network.name: network.absent
        for each in native
        for network in each.results.networks.values()
        if network.absent
    }
    more = f"{counted(len(absent), 'networks')} absent: {', '.join(absent)}." if absent else ""
    page = StudyPage(
        title="The claims, tested",
        facts=facts,
        remarks=[*CAUTIONS, *([more] if more else [])],
        study=study,
    )
    return rendered(
        page, study_data(study), Path(__file__).with_name("page"), "study.html.jinja", SCRIPTS
    )


def study_data(study: Study) -> dict[str, Any]:
    """The data of the page as JSON.

    Args:
      study: The study.
    """
    data = {
        "readout": study.readout,
        "margin": study.margin,
        "all": ALL,
        "best": [TRANSFERRED, SPLIT],
        "claims": [_claim(each) for each in CLAIMS],
        "verdicts": _rows(_VERDICT, study.claims),
        "contrasts": _rows(_CONTRAST, study.contrasts),
        "networks": _rows(_MODEL, [row for row in study.models if row.measure == SPEARMAN]),
        "published": _rows(_PUBLISHED, study.published),
        "curves": _curves(study),
    }
    return as_json(data)


def _claim(claim: Claim) -> dict[str, str]:
    return {name: getattr(claim, name) for name in _CLAIM}


def _rows(fields: Sequence[str], rows: Sequence[NamedTuple]) -> dict[str, list[Any]]:
    """Rows of a table as its columns by name."""
    return {name: [rounded(getattr(row, name)) for row in rows] for name in fields}


def _curves(study: Study) -> list[Mapping[str, Any]]:
    """Spearman's correlation of each layer of each network, by dataset and read-out."""
    readouts = dict.fromkeys([study.readout, *(row.readout for row in study.claims)])
    found = []
    for dataset in study.evidence.native:
        for readout in readouts:
            view = study.evidence.view(dataset, SPEARMAN, readout)
            for network in view.networks:
                places = view.places(network)
                columns = [view.columns[place] for place in places]
                values = view.sample.whole.values[places].tolist()
                found.append(
                    {
                        "dataset": dataset.results.dataset,
                        "readout": readout,
                        "model": network.name,
                        "layers": [column.layer for column in columns],
                        "depths": [rounded(column.relative_depth) for column in columns],
                        "values": [rounded(value) for value in values],
                    }
                )
    return found

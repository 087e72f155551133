"""Scores as a JUnit report, which continuous integration shows as tests."""

import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

import numpy as np

from iqa_jax.programs.score.finished import Row
from iqa_jax.programs.score.limits import Limit

_NAME = "iqa score"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(rows: Iterable[Row], limits: Sequence[Limit]) -> str:
    """A test case for each pair and limit, or for each pair if there are no limits.

    A pair beyond a limit is a failure, and one without a score is an error.

    Args:
      rows: The scores.
      limits: Limits of the scores.
    """
    cases = [
        case
        for row in rows
        for case in ([_limited(row, limit) for limit in limits] if limits else [_plain(row)])
    ]
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": 0,
    }
    totals = {name: str(count) for name, count in counts.items()}
    suites = ElementTree.Element("testsuites", {"name": _NAME, **totals})
    suite = ElementTree.SubElement(suites, "testsuite", {"name": _NAME, **totals})
    suite.extend(cases)
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _limited(row: Row, limit: Limit) -> ElementTree.Element:
    """The test case of a pair and a limit."""
    case = _case(row, limit.metric)
    value = row.values[limit.metric]
    if np.isnan(value):
        _add(case, "error", row.error or "there is no score")
    elif limit.is_exceeded(value):
        _add(case, "failure", limit.complaint(value))
    return case


def _plain(row: Row) -> ElementTree.Element:
    """The test case of a pair for all metrics together."""
    case = _case(row, _NAME)
    if row.error:
        _add(case, "error", row.error)
    return case


def _case(row: Row, group: str) -> ElementTree.Element:
    name = _clean(f"{row.distorted} against {row.reference}")
    case = ElementTree.Element("testcase", {"classname": group, "name": name})
    properties = ElementTree.SubElement(case, "properties")
    for metric, value in row.values.items():
        if not np.isnan(value):
            shown = {"name": metric, "value": f"{value:.9g}"}
            ElementTree.SubElement(properties, "property", shown)
    return case


def _add(case: ElementTree.Element, kind: str, message: str) -> None:
    ElementTree.SubElement(case, kind, {"message": _clean(message)}).text = _clean(message)


def _clean(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)

"""Scores as a JUnit report, which continuous integration shows as tests."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from iqa_jax.programs.score.limits import Limit
from iqa_jax.programs.score.scores import Scores

_NAME = "iqa score"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(scores: Scores, limits: Sequence[Limit]) -> str:
    """A test case for each pair and limit, or for each pair if there are no limits.

    A pair beyond a limit is a failure, and one without a score is an error.

    Args:
      scores: The scores.
      limits: Limits of the scores.
    """
    cases = [
        case
        for row in range(len(scores.table.pairs))
        for case in (
            [_limited(scores, row, limit) for limit in limits] if limits else [_plain(scores, row)]
        )
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


def _limited(scores: Scores, row: int, limit: Limit) -> ElementTree.Element:
    """The test case of a pair and a limit."""
    case = _case(scores, row, limit.metric)
    values = scores.values[limit.metric]
    if values[row] != values[row]:
        _add(case, "error", scores.errors[row] or "there is no score")
    elif limit.exceeded(values)[row]:
        _add(case, "failure", limit.complaint(values[row]))
    return case


def _plain(scores: Scores, row: int) -> ElementTree.Element:
    """The test case of a pair for all metrics together."""
    case = _case(scores, row, _NAME)
    if scores.errors[row]:
        _add(case, "error", scores.errors[row])
    return case


def _case(scores: Scores, row: int, group: str) -> ElementTree.Element:
    pair = scores.table.pairs[row]
    name = _clean(f"{pair.distorted} against {pair.reference}")
    case = ElementTree.Element("testcase", {"classname": group, "name": name})
    properties = ElementTree.SubElement(case, "properties")
    for metric, values in scores.values.items():
        if values[row] == values[row]:
            value = {"name": metric, "value": f"{values[row]:.9g}"}
            ElementTree.SubElement(properties, "property", value)
    return case


def _add(case: ElementTree.Element, kind: str, message: str) -> None:
    ElementTree.SubElement(case, kind, {"message": _clean(message)}).text = _clean(message)


def _clean(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)

"""The tables of results that are complete by a rule."""

import re
from pathlib import Path

import pytest

from iqa_jax.metrics import list_metrics
from iqa_jax.metrics.pixels import PIXEL_METRICS
from iqa_jax.metrics.registry import READOUT_METRICS
from iqa_jax.readouts import READOUTS

RESULTS = Path(__file__).parents[2] / "scripts" / "benchmarks" / "RESULTS.md"
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", RESULTS.read_text(), re.M | re.S))


def rows(section):
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_metric_and_readout_was_compared_with_another_implementation():
    pairs = dict.fromkeys([*list_metrics(), *READOUTS], 0)
    for name, _, count, difference in rows("Parity"):
        pairs[name] += int(count)
        assert 0 <= float(difference) < 0.05
    assert [name for name, count in pairs.items() if not count] == []


@pytest.mark.parametrize("name", list_metrics())
def test_speeds_are_those_that_were_measured(name):
    (found,) = [row for row in rows("Speed of the metrics") if row[0] == name]
    entry = PIXEL_METRICS.get(name) or READOUT_METRICS[name]
    assert found[-1] == entry.speed

"""Values that move without a new revision, and revisions whose values were not frozen."""

import json

import pytest
from golden.make_revisions import FILE, complaints, probe

from iqa_jax.backbones import ARCHITECTURES, family
from iqa_jax.metrics.pixels import FULL_NAMES, PIXEL_METRICS
from iqa_jax.metrics.registry import READOUT_METRICS
from iqa_jax.readouts import READOUTS
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.revisions import OF_AGREEMENT, REVISIONS, revisions_of

GOLDEN = json.loads(FILE.read_text())
VALUES = {name: golden["values"] for name, golden in GOLDEN.items()}


def test_values_are_those_of_their_revisions():
    found = complaints(REVISIONS, probe(), GOLDEN)
    assert not found, "\n".join(found)


def test_everything_that_computes_has_a_revision():
    expected = {f"backbone/{family(name)}" for name in ARCHITECTURES}
    expected |= {f"statistic/{name}" for name in STATISTICS}
    expected |= {f"readout/{name}" for name in READOUTS}
    expected |= {f"metric/{name}" for name in PIXEL_METRICS if name not in FULL_NAMES}
    kept = [metric.protocol for metric in READOUT_METRICS.values() if metric.protocol]
    expected |= {formula for protocol in kept for formula in protocol.formulas}
    expected |= {name for name in REVISIONS if name.startswith("images/")}
    assert expected | {*OF_AGREEMENT} == set(REVISIONS)
    assert all(type(number) is int and number > 0 for number in REVISIONS.values())


@pytest.mark.parametrize("name", ["statistic/gram_error", "backbone/resnet"])
def test_values_that_move_need_a_new_revision(name):
    moved = [[*row[:-1], row[-1] + 1e-4 * max(map(abs, row))] for row in VALUES[name]]
    (found,) = complaints(REVISIONS, {**VALUES, name: moved}, GOLDEN)
    assert f"{name}: its values have moved; if they are meant to, raise its revision" in found
    rounded = [[value * (1 + 1e-6) for value in row] for row in VALUES[name]]
    assert complaints(REVISIONS, {**VALUES, name: rounded}, GOLDEN) == []
    shorter = {**VALUES, name: VALUES[name][1:]}
    assert "have moved" in complaints(REVISIONS, shorter, GOLDEN)[0]
    nan = {**VALUES, name: [[float("nan")] * len(row) for row in VALUES[name]]}
    assert "have moved" in complaints(REVISIONS, nan, GOLDEN)[0]


def test_a_new_revision_needs_new_values():
    raised = {**REVISIONS, "readout/unit": REVISIONS["readout/unit"] + 1}
    (found,) = complaints(raised, VALUES, GOLDEN)
    assert found == (
        "readout/unit: has a new revision; run PYTHONPATH=tests python -m golden.make_revisions"
    )


def test_what_comes_and_goes_is_told():
    fewer = {name: number for name, number in REVISIONS.items() if name != "readout/unit"}
    assert complaints(fewer, VALUES, GOLDEN) == [
        "readout/unit: has no revision",
        "readout/unit: is no longer there; run PYTHONPATH=tests python -m golden.make_revisions",
    ]
    without = {name: golden for name, golden in GOLDEN.items() if name != "readout/unit"}
    assert "readout/unit: is new; run" in complaints(REVISIONS, VALUES, without)[0]
    values = {name: rows for name, rows in VALUES.items() if name != "readout/unit"}
    assert complaints(REVISIONS, values, GOLDEN) == ["readout/unit: has no probe"]


def test_are_given_once_and_in_order():
    found = revisions_of(["readout/unit", "statistic/gram_error", "readout/unit"])
    assert list(found) == ["statistic/gram_error", "readout/unit"]
    with pytest.raises(KeyError, match="readout/units"):
        revisions_of(["readout/units"])

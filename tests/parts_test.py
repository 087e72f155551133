import json

import numpy as np
import pytest
from etils import epath

from iqa_jax import parts
from iqa_jax.parts import ScoreParts
from iqa_jax.pipeline import WorkUnit

UNITS = [WorkUnit(0, (8, 8), (0, 1, 2)), WorkUnit(1, (8, 8), (3,)), WorkUnit(2, (8, 8), (4, 5))]
SIGNATURE = {"model": "net", "precision": "highest"}


@pytest.fixture
def folder(tmp_path):
    return epath.Path(tmp_path) / "parts"


def make(folder, signature=SIGNATURE, columns=("a", "b")):
    return ScoreParts(folder, "net", signature, columns)


def scores(unit):
    """Three places, of which the last may be padding."""
    rows = np.array([*unit.rows, 90, 91][:3], np.float32)
    return {"b": rows + 100, "a": rows}


def test_written_units_are_found_again(folder):
    first = make(folder)
    assert first.finished() == set()
    first.add(UNITS[0], scores(UNITS[0]))
    first.add(UNITS[2], scores(UNITS[2]))
    first.write()
    second = make(folder)
    assert second.finished() == {0, 2}
    second.add(UNITS[1], scores(UNITS[1]))
    second.write()
    found = make(folder).collect(6)
    np.testing.assert_array_equal(found["a"], np.arange(6, dtype=np.float32))
    np.testing.assert_array_equal(found["b"], np.arange(6, dtype=np.float32) + 100)
    assert found["a"].dtype == np.float32


def test_what_is_missing_is_nan(folder):
    unfinished = make(folder)
    unfinished.add(UNITS[1], scores(UNITS[1]))
    unfinished.write()
    assert np.isnan(unfinished.collect(6)["a"]).tolist() == [True] * 3 + [False] + [True] * 2


def test_another_signature_or_column_never_continues(folder):
    first = make(folder)
    first.add(UNITS[0], scores(UNITS[0]))
    first.write()
    assert make(folder, {**SIGNATURE, "precision": "bf16"}).finished() == set()
    assert make(folder, columns=("a",)).finished() == set()
    assert make(folder).finished() == {0}
    assert len(list(folder.iterdir())) == 3


def test_signature_is_told_in_full(folder):
    make(folder)
    (path,) = folder.glob("net-*/signature.json")
    assert json.loads(path.read_text()) == {**SIGNATURE, "columns": ["a", "b"]}


def test_parts_appear_as_time_passes(folder, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(parts.time, "monotonic", lambda: now[0])
    kept = make(folder)
    for seconds, finished in ((0.5, set()), (1.5, {0, 1}), (1.6, {0, 1}), (9.0, {0, 1, 2, 3})):
        now[0] = seconds
        number = len(kept._waiting) + len(kept.finished())
        kept.add(WorkUnit(number, (8, 8), (number,)), scores(UNITS[1]))
        assert kept.finished() == finished


def test_nothing_unfinished_is_left(folder, monkeypatch):
    kept = make(folder)
    kept.add(UNITS[0], scores(UNITS[0]))

    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(parts, "_npz", fail)
    with pytest.raises(OSError, match="disk full"):
        kept.write()
    assert [path.name for path in folder.glob("net-*/*")] == ["signature.json"]

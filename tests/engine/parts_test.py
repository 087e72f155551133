import json

import numpy as np
import pytest
from etils import epath

from iqa_jax.engine import parts
from iqa_jax.engine.parts import ScoreParts
from iqa_jax.engine.plan import WorkUnit

KEYS = np.array([70, 10, 50, 30, 20, 90], np.uint64)
UNITS = [WorkUnit(0, (8, 8), (0, 1, 2)), WorkUnit(1, (8, 8), (3,)), WorkUnit(2, (8, 8), (4, 5))]
SIGNATURE = {"model": "net", "precision": "highest"}


@pytest.fixture
def folder(tmp_path):
    return epath.Path(tmp_path) / "parts"


def make(folder, signature=SIGNATURE, columns=("a", "b"), keys=KEYS):
    return ScoreParts(folder, "net", signature, columns, keys)


def missing(kept):
    return [unit.number for unit in kept.missing(UNITS)]


def written(folder):
    """Parts of the first and the last unit."""
    for number in (0, 2):
        kept = make(folder)
        kept.add(UNITS[number].rows, scores(UNITS[number]))
        kept.finish()
    return sorted(folder.glob("net-*/part-*.npz"), key=lambda path: path.stat().length)


def scores(unit):
    rows = np.array(unit.rows, np.float32)
    return {"b": rows + 100, "a": rows}


def test_written_units_are_found_again(folder):
    first = make(folder)
    assert missing(first) == [0, 1, 2]
    first.add(UNITS[0].rows, scores(UNITS[0]))
    first.add(UNITS[2].rows, scores(UNITS[2]))
    first.finish()
    second = make(folder)
    assert missing(second) == [1]
    second.add(UNITS[1].rows, scores(UNITS[1]))
    second.finish()
    for kept in (second, make(folder)):
        found = kept.collect()
        np.testing.assert_array_equal(found["a"], np.arange(6, dtype=np.float32))
        np.testing.assert_array_equal(found["b"], np.arange(6, dtype=np.float32) + 100)
        assert found["a"].dtype == np.float32


def test_missing_scores_are_nan(folder):
    unfinished = make(folder)
    unfinished.add(UNITS[1].rows, scores(UNITS[1]))
    unfinished.finish()
    assert np.isnan(unfinished.collect()["a"]).tolist() == [True] * 3 + [False] + [True] * 2


def test_rows_that_failed_are_tried_again(folder):
    kept = make(folder)
    rows = UNITS[0].rows[::2]
    kept.add(rows, {name: values[::2] for name, values in scores(UNITS[0]).items()})
    kept.finish()
    again = make(folder)
    assert missing(again) == [0, 1, 2]
    assert np.isnan(again.collect()["a"]).tolist() == [False, True, False] + [True] * 3


def test_pairs_are_identified_by_their_keys(folder):
    """Rows may change: a pair never gets the scores of another."""
    written(folder)
    turned = make(folder, keys=np.array([20, 11, 70, 90, 70], np.uint64))
    np.testing.assert_array_equal(turned.collect()["a"], [4, np.nan, 0, 5, 0])


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "bit"])
def test_a_damaged_part_is_reported_and_computed_again(damage, folder, caplog):
    part, _ = written(folder)
    data = bytearray(part.read_bytes())
    bit = bytearray(data)
    bit[data.index(np.float32([4, 104]).tobytes())] ^= 1  # of a score; no CRC is looked at
    damaged = {"cut": data[:-40], "garbage": b"no zip", "empty": b"", "bit": bit}
    part.write_bytes(bytes(damaged[damage]))
    kept = make(folder)
    assert missing(kept) == [1, 2]
    assert f"{part}: cannot be used" in caplog.text
    kept.add(UNITS[2].rows, scores(UNITS[2]))
    kept.finish()
    np.testing.assert_array_equal(make(folder).collect()["a"], [0, 1, 2, np.nan, 4, 5])


def test_a_part_of_another_shape_is_not_used(folder, caplog):
    written(folder)
    narrow = make(folder, columns=("a",))
    for path in folder.glob("net-*/part-*.npz"):
        (narrow._folder / path.name).write_bytes(path.read_bytes())
    assert missing(make(folder, columns=("a",))) == [0, 1, 2]
    assert "cannot be used (unexpected shape)" in caplog.text


def test_a_torn_signature_is_written_again(folder):
    written(folder)
    (path,) = folder.glob("net-*/signature.json")
    path.write_text("")
    assert missing(make(folder)) == [1]
    assert json.loads(path.read_text())["model"] == "net"


def test_another_run_may_remove_the_folder(folder):
    written(folder)
    kept = make(folder)
    folder.rmtree()
    kept.add(UNITS[1].rows, scores(UNITS[1]))
    kept.finish()
    np.testing.assert_array_equal(kept.collect()["a"], np.arange(6))


def test_another_signature_or_column_never_continues(folder):
    first = make(folder)
    first.add(UNITS[0].rows, scores(UNITS[0]))
    first.finish()
    assert missing(make(folder, {**SIGNATURE, "precision": "bf16"})) == [0, 1, 2]
    assert missing(make(folder, columns=("a",))) == [0, 1, 2]
    assert missing(make(folder)) == [1, 2]
    assert len(list(folder.iterdir())) == 3


def test_signature_is_written_in_full(folder):
    make(folder)
    (path,) = folder.glob("net-*/signature.json")
    assert json.loads(path.read_text()) == {**SIGNATURE, "columns": ["a", "b"]}


def test_parts_appear_as_time_passes(folder, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(parts.time, "monotonic", lambda: now[0])
    kept = make(folder)
    times = ((0.5, 0), (1.5, 2), (1.6, 2), (9.0, 4))
    for row, (seconds, finished) in enumerate(times):
        now[0] = seconds
        kept.add((row,), scores(UNITS[1]))
        assert np.isfinite(make(folder).collect()["a"]).sum() == finished


def test_nothing_unfinished_is_left(folder, monkeypatch):
    kept = make(folder)
    kept.add(UNITS[0].rows, scores(UNITS[0]))

    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(parts, "_npz", fail)
    with pytest.raises(OSError, match="disk full"):
        kept.finish()
    assert [path.name for path in folder.glob("net-*/*")] == ["signature.json"]

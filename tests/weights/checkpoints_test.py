import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from etils import epath

from iqa_jax.errors import CheckpointError
from iqa_jax.files import names
from iqa_jax.revisions import VERSION
from iqa_jax.weights import checkpoints


@pytest.fixture
def directory(tmp_path):
    return epath.Path(tmp_path) / "checkpoints"


@pytest.fixture
def arrays(rng):
    return {
        "features.0.kernel": rng.normal(size=(3, 3, 3, 8)).astype(np.float32),
        "features.0.bias": np.arange(8, dtype=np.float32),
    }


def test_round_trip(directory, arrays, monkeypatch):
    checkpoints.save(directory, "net", arrays, {"kind": "backbone", "licence": "MIT"})
    monkeypatch.chdir(directory.parent)  # relative paths are made absolute for Orbax
    for where in (directory, epath.Path("checkpoints")):
        found = checkpoints.load(where, "net")
        assert found.provenance["licence"] == "MIT"
        assert found.provenance["weights_sha256"] == checkpoints.digest(arrays)
        assert sorted(found.arrays) == sorted(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found.arrays[name], array)


def test_in_a_bucket(bucket, arrays):
    assert checkpoints.read_provenance(bucket, "net") is None
    for more in (0, 1):
        saved = {name: array + more for name, array in arrays.items()}
        checkpoints.save(bucket, "net", saved, {"kind": "backbone"})
        found = checkpoints.load(bucket, "net").arrays
        for name, array in saved.items():
            np.testing.assert_array_equal(found[name], array)
    assert sorted(names(bucket / "net")) == ["arrays", "provenance.json"]


def test_replaces_an_older_one_and_leaves_nothing_else(directory, arrays):
    checkpoints.save(directory, "net", arrays, {"kind": "backbone"})
    changed = {name: array + 1 for name, array in arrays.items()}
    checkpoints.save(directory, "net", changed, {"kind": "backbone"})
    found = checkpoints.load(directory, "net").arrays["features.0.bias"]
    np.testing.assert_array_equal(found, np.arange(8) + 1)
    assert [path.name for path in directory.iterdir()] == ["net"]


def test_a_failed_save_keeps_the_older_one(directory, arrays, monkeypatch):
    checkpoints.save(directory, "net", arrays, {"kind": "backbone"})

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(checkpoints.json, "dumps", fail)
    with pytest.raises(OSError, match="disk full"):
        checkpoints.save(directory, "net", arrays, {"kind": "backbone"})
    monkeypatch.undo()
    checkpoints.load(directory, "net")
    checkpoints.save(directory, "net", arrays, {"kind": "backbone"})
    assert [path.name for path in directory.iterdir()] == ["net"]


def test_several_saves_at_once(directory, arrays):
    """Several fetches at once all succeed, and one of the checkpoints remains, complete."""
    with ThreadPoolExecutor(3) as pool:
        saves = [
            pool.submit(checkpoints.save, directory, "net", {"a": np.full(3, number)}, {})
            for number in np.arange(3, dtype=np.float32)
        ]
    for save in saves:
        save.result()
    assert len(set(checkpoints.load(directory, "net").arrays["a"].tolist())) == 1
    assert [path.name for path in directory.iterdir()] == ["net"]


def test_leftovers_of_killed_runs_are_removed(directory, arrays):
    directory.mkdir()
    for name, seconds in ((".net.0a.unfinished", 0), (".net.ab.unfinished", time.time())):
        (directory / name).mkdir()
        os.utime(directory / name, (seconds, seconds))
    checkpoints.save(directory, "net", arrays, {})
    assert {path.name for path in directory.iterdir()} == {"net", ".net.ab.unfinished"}


def test_changed_arrays_are_detected(directory, arrays):
    checkpoints.save(directory, "net", arrays, {"kind": "backbone"})
    path = directory / "net" / "provenance.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "weights_sha256": "0" * 64}))
    with pytest.raises(CheckpointError, match="changed since it was saved"):
        checkpoints.load(directory, "net")


def test_missing_damaged_and_older_checkpoints(directory, arrays):
    with pytest.raises(CheckpointError, match="no checkpoint net"):
        checkpoints.load(directory, "net")
    checkpoints.save(directory, "net", arrays, {"kind": "backbone"})
    path = directory / "net" / "provenance.json"
    whole = path.read_text()
    without_arrays = json.dumps({**json.loads(whole), "arrays": None})
    for damaged in (whole[:40], "", "[]", "{}", without_arrays):
        path.write_text(damaged)
        with pytest.raises(
            CheckpointError, match=r"is damaged \(.*fetch, convert or train it again"
        ):
            checkpoints.load(directory, "net")
    path.write_text(whole.replace("3,", "-3,"))
    with pytest.raises(CheckpointError, match="cannot be restored"):
        checkpoints.load(directory, "net")
    path.write_text(whole.replace('"format": 1', '"format": 0'))
    assert checkpoints.read_provenance(directory, "net") is None
    path.write_text(whole)
    (directory / "net" / "arrays").rmtree()
    with pytest.raises(CheckpointError, match="cannot be restored"):
        checkpoints.load(directory, "net")


def a_checkpoint_in(directory):
    (directory / "net").mkdir(parents=True)
    (directory / "net" / "provenance.json").write_text("{}")


def test_the_environment_variable_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    a_checkpoint_in(tmp_path / "checkpoints")
    monkeypatch.setenv("IQA_JAX_CHECKPOINTS", "elsewhere")
    assert checkpoints.default_directory() == epath.Path("elsewhere")


def test_the_current_folder_is_used_if_it_holds_checkpoints(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IQA_JAX_CHECKPOINTS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    of_the_user = epath.Path("/caches/iqa_jax/checkpoints")
    assert checkpoints.default_directory() == of_the_user
    (tmp_path / "checkpoints" / "downloads").mkdir(parents=True)
    (tmp_path / "checkpoints" / "MANIFEST.json").write_text("{}")  # as in a fresh clone
    assert checkpoints.default_directory() == of_the_user
    a_checkpoint_in(tmp_path / "checkpoints")
    assert checkpoints.default_directory() == epath.Path("checkpoints")


def test_without_a_home_the_error_says_how_to_name_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("IQA_JAX_CHECKPOINTS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", no_home)
    with pytest.raises(CheckpointError, match="no home folder .* checkpoints_dir"):
        checkpoints.default_directory()


@pytest.mark.parametrize("place", ["a file", "a file/below", "/proc/nowhere"])
def test_a_folder_that_is_not_writable(tmp_path, arrays, place):
    (tmp_path / "a file").touch()
    with pytest.raises(CheckpointError, match="is not writable .* checkpoints_dir"):
        checkpoints.save(epath.Path(tmp_path) / place, "net", arrays, {"kind": "backbone"})


def test_a_checkpoint_records_the_version_that_made_it(directory, arrays):
    checkpoints.save(directory, "net", arrays, {"kind": "backbone"})
    record = checkpoints.read_provenance(directory, "net")
    assert record
    assert record["versions"]["jax-iqa"] == VERSION

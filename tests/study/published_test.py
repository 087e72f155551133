"""Published numbers appear beside columns of the same network, layer and read-out."""

import math

import numpy as np
import pytest
from etils import epath
from study import made_up

from iqa_jax.study.published import PUBLISHED
from iqa_jax.study.whole import run_study
from iqa_jax.zoo.loading import model_layers

KERAS = "vgg16-supervised-imagenet1k-keras"


def column(layer, readout="l2", model=KERAS, depth=0.5):
    layers = tuple(layer.split("+"))
    return made_up.Planted(f"{layer}/{readout}", 0.8, "layer", model, layers, readout, depth)


def study_of(path, columns, table=None, **settings):
    table = table or made_up.drawn(references=20, types=2, levels=3)
    models = {KERAS: made_up.network(), "resnet18": made_up.network()}
    folder = made_up.write(path / "a", table, columns, models, **settings)
    return run_study([epath.Path(folder)])


def test_layers_beside_their_published_numbers(tmp_path):
    columns = [
        *(column("relu1_1", depth=0.1), column("pool5"), column("relu1_1", "unit"), column("fc")),
        *(column("relu1_2+relu2_2"), column("layer1.1", model="resnet18")),
        made_up.Planted("pixels/input/l2", 0.6, "baseline", None, ("input",), "l2"),
    ]
    study = study_of(tmp_path, columns)
    found = {(row.column, row.measure): row for row in study.published}
    assert {key: row.authors_value for key, row in found.items()} == {
        ("relu1_1/l2", "pearson"): 0.765,
        ("relu1_1/l2", "spearman"): 0.783,
        ("pool5/l2", "pearson"): 0.756,
        ("pool5/l2", "spearman"): 0.767,
        ("relu1_2+relu2_2/l2", "pearson"): 0.819,
        ("relu1_2+relu2_2/l2", "spearman"): 0.828,
        ("layer1.1/l2", "pearson"): 0.750,
        ("layer1.1/l2", "spearman"): 0.732,
        ("pixels/input/l2", "pearson"): 0.598,
        ("pixels/input/l2", "spearman"): 0.687,
    }
    for row in found.values():
        assert row.difference_from_authors == pytest.approx(row.value - row.authors_value)


def test_quantities_of_published_layers(tmp_path):
    study = study_of(tmp_path, [column("relu1_1", depth=0.2), column("pool5", depth=1.0)])
    found = {
        row.quantity: row
        for row in study.models
        if row.model == KERAS and row.measure == "spearman"
    }
    assert found["last"].authors_value == pytest.approx(0.767)
    assert found["depth_mean"].authors_value == pytest.approx((0.783 + 0.767) / 2)
    assert found["depth_slope"].authors_value == pytest.approx((0.767 - 0.783) / 0.8)
    last = found["last"]
    assert last.difference_from_authors == pytest.approx(last.value - 0.767)
    assert math.isnan(found["best_apparent"].authors_value)


def test_a_quantity_needs_the_numbers_of_all_its_layers(tmp_path):
    study = study_of(tmp_path, [column("relu1_1", depth=0.2), column("fc", depth=1.0)])
    of_both = [row for row in study.models if row.quantity == "depth_mean"]
    assert len(of_both) == 3
    assert all(math.isnan(row.authors_value) for row in of_both)


def test_an_incomplete_dataset_is_not_compared(tmp_path):
    table = made_up.drawn(references=20, types=2, levels=3).some(np.arange(100))
    study = study_of(tmp_path, [column("relu1_1"), column("pool5")], table)
    assert not study.published
    assert all(math.isnan(row.authors_value) for row in study.models)


def test_all_numbers_are_correlations_of_layers_of_ours():
    for (model, _), numbers in PUBLISHED.items():
        known = model_layers(model or KERAS)
        for layer, pair in numbers.items():
            assert set(layer.split("+")) <= set(known)
            assert all(0 < each < 1 for each in pair)

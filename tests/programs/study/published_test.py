"""Published numbers appear beside columns of the same network, layer and read-out."""

import numpy as np
from etils import epath
from study import made_up

from iqa_jax.programs.study.published import PUBLISHED, beside_published
from iqa_jax.study.whole import run_study

KERAS = "vgg16-supervised-imagenet1k-keras"


def column(layer, readout="l2", model=KERAS):
    return made_up.Planted(f"{layer}/{readout}", 0.8, "layer", model, (layer,), readout, 0.5)


def test_layers_are_found_under_our_names(tmp_path):
    table = made_up.drawn(references=20, types=2, levels=3)
    columns = [column("relu1_1"), column("pool5"), column("relu1_1", "unit"), column("fc")]
    columns.append(column("layer1", model="resnet18"))
    models = {KERAS: made_up.network(), "resnet18": made_up.network()}
    folder = made_up.write(tmp_path / "a", table, columns, models)
    rows = beside_published(run_study([epath.Path(folder)]))
    found = {(row[1], row[2]): row[4] for row in rows}
    assert found == {
        ("relu1_1/l2", "pearson"): "0.765",
        ("relu1_1/l2", "spearman"): "0.783",
        ("pool5/l2", "pearson"): "0.756",
        ("pool5/l2", "spearman"): "0.767",
        ("layer1/l2", "pearson"): "0.750",
        ("layer1/l2", "spearman"): "0.732",
    }


def test_an_incomplete_dataset_is_not_compared(tmp_path):
    table = made_up.drawn(references=20, types=2, levels=3).some(np.arange(100))
    folder = made_up.write(tmp_path / "a", table, [column("relu1_1")], {KERAS: made_up.network()})
    assert not beside_published(run_study([epath.Path(folder)]))


def test_all_numbers_are_correlations():
    values = [value for numbers in PUBLISHED.values() for value in numbers.values()]
    assert all(0 < each < 1 for pair in values for each in pair)

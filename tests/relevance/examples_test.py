from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from relevance.stores import LAYERS, SIZES, statistic, write_store

from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import InputError
from iqa_jax.readouts import READOUTS
from iqa_jax.relevance import FORMS, read_examples


@pytest.fixture
def store(tmp_path):
    write_store(tmp_path)
    return StatisticsStore.open(tmp_path, "alexnet")


@pytest.mark.parametrize("readout", FORMS)
def test_distances_equal_the_read_out(readout, store, rng):
    layers = ["relu1", "relu2"]
    examples = read_examples(store, layers, readout)
    weights = {layer: rng.random(LAYERS[layer].channels) for layer in layers}
    name = FORMS[readout].statistic
    expected = READOUTS[readout].combine(
        [
            READOUTS[readout].summands(
                {name: jnp.asarray(store.read(layer, name))},
                jnp.asarray(store.positions(layer), jnp.float32),
                relevance=jnp.asarray(weights[layer], jnp.float32),
            )
            for layer in layers
        ]
    )
    found = examples.distances(examples.joined(weights))
    assert found.dtype == np.float64
    assert found == pytest.approx(np.asarray(expected), rel=1e-5)


def test_fields_from_the_table(store):
    examples = read_examples(store, ["relu2"], "unit")
    assert examples.name == "made-up"
    assert examples.references == 8
    assert examples.scores.tolist() == [pair.score for pair in store.table.pairs]
    assert examples.contents.tolist() == [pair.reference_id for pair in store.table.pairs]
    values = statistic("relu2", "unit_squared_error", 48, 0)
    assert (examples.contributions["relu2"] == values).all()


@pytest.mark.parametrize(("opinions", "known"), [(20, True), (1, False), (np.nan, False)])
def test_deviations_are_those_of_single_opinions(opinions, known, tmp_path):
    write_store(tmp_path, opinions=opinions)
    store = StatisticsStore.open(tmp_path, "alexnet")
    found = read_examples(store, ["relu1"], "unit").opinion_std
    expected = np.arange(48.0) if known else np.full(48, np.nan)
    np.testing.assert_array_equal(found, expected)


def test_mean_contributions_and_layers(store):
    examples = read_examples(store, ["relu1", "relu2"], "unit")
    rows = np.arange(48) < 20
    assert examples.mean(rows) == pytest.approx(examples.matrix[:20].astype(float).mean(axis=0))
    by_layer = examples.by_layer(np.arange(256))
    assert {layer: each.tolist() for layer, each in by_layer.items()} == {
        "relu1": list(range(64)),
        "relu2": list(range(64, 256)),
    }
    assert (examples.joined(by_layer) == np.arange(256)).all()


def test_weights_of_other_layers(store):
    examples = read_examples(store, ["relu1", "relu2"], "unit")
    with pytest.raises(InputError, match="weights of relu2: expected one for each of its 192"):
        examples.joined({"relu1": np.ones(64)})
    with pytest.raises(InputError, match=r"weights of relu1: .* 64 channels, found \(65,\)"):
        examples.joined({"relu1": np.ones(65), "relu2": np.ones(192)})


def test_direction_of_the_scores(store):
    examples = read_examples(store, ["relu1"], "unit")
    assert (examples.quality == examples.scores).all()
    assert (replace(examples, higher_is_better=False).quality == -examples.scores).all()


def test_positions_differ_with_the_image_size(store):
    examples = read_examples(store, ["relu1"], "l2")
    values = statistic("relu1", "squared_error", 48, 0)
    ratio = examples.contributions["relu1"] / values
    assert ratio[:6] == pytest.approx(LAYERS["relu1"].positions[SIZES[0]])
    assert ratio[6:12] == pytest.approx(LAYERS["relu1"].positions[SIZES[1]])


def test_a_layer_of_one_channel_has_no_unit(store):
    with pytest.raises(InputError, match="alone: a layer of one channel has no read-out unit_root"):
        read_examples(store, ["relu1", "alone"], "unit_root")
    assert read_examples(store, ["relu1", "alone"], "l2").matrix.shape == (48, 65)


def test_read_outs_without_a_learnable_relevance(store):
    with pytest.raises(InputError, match="'cosine'; expected one of l2, rmse, unit, unit_root"):
        read_examples(store, ["relu1"], "cosine")


def test_statistics_that_are_not_finite(tmp_path):
    def damaged(values, layer):
        return np.where(np.arange(48)[:, None] % 9 == 4, np.nan, values)

    write_store(tmp_path, change=damaged)
    store = StatisticsStore.open(tmp_path, "alexnet")
    with pytest.raises(InputError, match="relu1 .* not finite for 5 of 48 pairs, the first in row"):
        read_examples(store, ["relu1"], "unit")


def test_an_empty_store(tmp_path):
    write_store(tmp_path)
    for path in tmp_path.glob("*/*/*/*/zarr.json"):
        path.unlink()
    with pytest.raises(InputError, match="made-up: the store is empty; extract statistics first"):
        read_examples(StatisticsStore.open(tmp_path, "alexnet"), ["relu1"], "unit")


def test_a_store_cut_short(tmp_path):
    write_store(tmp_path)
    chunks = [*tmp_path.glob("*/*/unit_squared_error/relu1/c/**/*")]
    next(path for path in chunks if path.is_file()).unlink()
    with pytest.raises(InputError, match="run iqa extract again"):
        read_examples(StatisticsStore.open(tmp_path, "alexnet"), ["relu1"], "unit")

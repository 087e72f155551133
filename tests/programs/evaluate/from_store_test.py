import numpy as np
import pytest
from engine.store import made_up

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.engine.plan import make_plan
from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import InputError
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.programs.evaluate.evaluation import evaluate
from iqa_jax.programs.evaluate.from_store import distances
from iqa_jax.programs.evaluate.settings import EvaluateSettings
from iqa_jax.programs.extract.extraction import ensure_store
from iqa_jax.readouts import READOUTS, ReadoutName, needed_arrays
from iqa_jax.zoo import Relevance

OF_A_DATASET = ("balanced", "normalized")
DIRECT = [name for name in READOUTS if name not in OF_A_DATASET]
MODEL = made_up.SIGNATURE["model"]
LAYERS = ("input", "last", "input+last", "input+block/1+last")


def named(layers, *readouts):
    return [ReadoutName(MODEL, tuple(layers.split("+")), readout) for readout in readouts]


def relevance(terms=1):
    shape = (terms,) if terms > 1 else ()
    weights = {
        layer: np.random.default_rng(1).uniform(size=(*shape, of.channels)).astype(np.float32)
        for layer, of in made_up.LAYERS.items()
        if layer != "last"
    }
    return Relevance(weights, "mine", MODEL, "")


@pytest.fixture
def table():
    return made_up.make_table()


@pytest.fixture
def store(table, tmp_path):
    """Statistics that are a function of the pair, of two layers and a part of the third."""
    arrays = [*made_up.ARRAYS, ("input", "unit_squared_error")]
    made_up.fill(made_up.make_writer(tmp_path, table, arrays), table)
    return StatisticsStore.open(tmp_path, MODEL)


def squares(table, layer):
    """Squared error by channel, float64 ``[pairs, channels]``."""
    return made_up.expected(table, layer, "squared_error").astype(np.float64)


@pytest.mark.slow
def test_agrees_with_the_scores_of_metrics(checkpoints, pair_folder, tmp_path):
    """Every read-out of images of two sizes: to the rounding of float32."""
    lpips = "alexnet/relu1+relu2+relu3+relu4+relu5/unit@lpips-alex"
    settings = EvaluateSettings(
        dataset="csv",
        data_dir=str(pair_folder / "pairs.csv"),
        output_dir=str(tmp_path / "direct"),
        models=("alexnet",),
        layers=("pool5", "relu1+relu3"),
        readouts=tuple(DIRECT),
        metrics=(lpips, *(f"alexnet/input/{readout}" for readout in DIRECT)),
        checkpoints_dir=str(checkpoints),
    )
    direct = evaluate(settings).scores
    wanted = [ReadoutName.parse(name) for name in direct]
    store = ensure_store(
        make_plan(*inspect(load_dataset("csv", data_dir=pair_folder / "pairs.csv"))),
        "alexnet",
        needed_arrays(wanted),
        statistics_dir=tmp_path / "statistics",
        checkpoints_dir=checkpoints,
    ).store
    outline = FeatureScores.outline(wanted, checkpoints_dir=checkpoints)
    relevances = {each.name: each for each in outline.relevances}
    stored = distances(store, wanted, relevances=relevances)
    assert list(stored) == list(direct)
    for name, expected in direct.items():
        assert stored[name].dtype == np.float32
        np.testing.assert_allclose(stored[name], expected, rtol=2e-5, err_msg=name)


@pytest.mark.parametrize("layers", LAYERS)
def test_positions_are_those_of_each_pair(layers, store, table):
    names = layers.split("+")
    total = sum(store.positions(layer) * squares(table, layer).sum(1) for layer in names)
    count = sum(store.positions(layer) * made_up.LAYERS[layer].channels for layer in names)
    l2, rmse = distances(store, named(layers, "l2", "rmse")).values()
    np.testing.assert_allclose(l2, np.sqrt(total), rtol=1e-6)
    np.testing.assert_allclose(rmse, np.sqrt(total / count), rtol=1e-6)


@pytest.mark.parametrize("training", [None, [0, 3, 17, 18]], ids=["all", "some"])
@pytest.mark.parametrize("layers", LAYERS)
def test_balanced_and_normalized_by_definition(layers, training, store, table):
    rows = slice(None) if training is None else training
    names = layers.split("+")
    total = np.array([store.positions(name) * squares(table, name).sum(1) for name in names])
    balanced = np.sqrt((total / total[:, rows].mean(1, keepdims=True)).sum(0))
    errors = np.concatenate([squares(table, name) for name in names], axis=1)
    normalized = np.sqrt((errors / errors[rows].mean(0)).mean(1))
    found = distances(
        store,
        named(layers, *OF_A_DATASET),
        training_rows=None if training is None else np.array(training),
    )
    np.testing.assert_allclose(found[f"{MODEL}/{layers}/balanced"], balanced, rtol=1e-6)
    np.testing.assert_allclose(found[f"{MODEL}/{layers}/normalized"], normalized, rtol=1e-6)


@pytest.mark.parametrize("training", [None, [0, 3, 17]], ids=["all", "some"])
@pytest.mark.parametrize("name", [None, "mine"])
def test_means_of_another_dataset(name, training, store, table, tmp_path):
    """The statistics of a pair depend on its row alone: other pairs are fewer rows of the same."""
    others = made_up.make_table(versions=2)
    made_up.fill(made_up.make_writer(tmp_path / "others", others), others)
    normaliser = StatisticsStore.open(tmp_path / "others", MODEL)
    rows = slice(None) if training is None else training
    layers = ("input", "block/1")
    weights = (
        relevance().weights
        if name
        else {layer: np.ones(3 + 2 * i) for i, layer in enumerate(layers)}
    )
    total, mean, shares = [], [], []
    for layer in layers:
        own, other = squares(table, layer), squares(others, layer)[rows]
        total.append(store.positions(layer) * (own @ weights[layer]))
        mean.append((normaliser.positions(layer)[rows] * (other @ weights[layer])).mean())
        shares.append(own / other.mean(0) @ weights[layer])
    found = distances(
        store,
        [ReadoutName(MODEL, layers, readout, name) for readout in OF_A_DATASET],
        relevances={"mine": relevance()},
        normaliser=normaliser,
        training_rows=None if training is None else np.array(training),
    )
    balanced = np.sqrt((np.array(total) / np.array(mean)[:, None]).sum(0))
    normalized = np.sqrt(sum(shares) / 8)
    np.testing.assert_allclose([*found.values()], np.stack([balanced, normalized]), rtol=1e-6)


def test_means_of_other_weights_are_refused(store, table, tmp_path):
    signature = {**made_up.SIGNATURE, "weights_sha256": "cd"}
    made_up.fill(made_up.make_writer(tmp_path / "others", table, signature=signature), table)
    others = StatisticsStore.open(tmp_path / "others", MODEL)
    with pytest.raises(InputError, match="expected the weights_sha256 ab, found cd"):
        distances(store, named("last", "balanced"), normaliser=others)


def test_a_relevance_weighs_them_too(store, table):
    layers, weights = ("input", "block/1"), relevance().weights
    total = np.array([store.positions(x) * (squares(table, x) @ weights[x]) for x in layers])
    balanced = np.sqrt((total / total.mean(1, keepdims=True)).sum(0))
    shares = [squares(table, x) / squares(table, x).mean(0) @ weights[x] for x in layers]
    normalized = np.sqrt(sum(shares) / 8)
    found = distances(
        store,
        [ReadoutName(MODEL, layers, name, "mine") for name in OF_A_DATASET],
        relevances={"mine": relevance()},
    )
    np.testing.assert_allclose([*found.values()], np.stack([balanced, normalized]), rtol=1e-6)


def test_a_channel_that_never_changes_adds_nothing(table, tmp_path):
    writer = made_up.make_writer(tmp_path, table, [("last", "squared_error")])
    for unit in made_up.make_plan(table).units:
        writer.add(unit.rows, {"last/squared_error": np.float32([[2, 0]] * 3)})
    writer.finish()
    store = StatisticsStore.open(tmp_path, MODEL)
    (found,) = distances(store, named("last", "normalized")).values()
    np.testing.assert_allclose(found, np.sqrt(1 / 2), rtol=1e-6)


def test_every_array_is_read_once(store, monkeypatch):
    read, taken = StatisticsStore.read, []

    def spy(store, layer, statistic):
        taken.append((layer, statistic))
        return read(store, layer, statistic)

    monkeypatch.setattr(StatisticsStore, "read", spy)
    wanted = [name for layers in LAYERS for name in named(layers, "l2", "rmse", "gram", "balanced")]
    found = distances(store, wanted)
    assert list(found) == [str(name) for name in wanted]
    assert sorted(taken) == sorted(needed_arrays(wanted)) == sorted(made_up.ARRAYS)


def test_short_names_of_layers(pair_folder, tmp_path):
    model = "resnet18-random-none-seed0"
    wanted = [ReadoutName.parse(f"{model}/{x}/l2") for x in ("layer1", "layer1.1", "layer1+layer2")]
    store = ensure_store(
        make_plan(*inspect(load_dataset("csv", data_dir=pair_folder / "pairs.csv"))),
        model,
        needed_arrays(wanted),
        statistics_dir=tmp_path / "statistics",
    ).store
    short, full, joined = distances(store, wanted).values()
    np.testing.assert_array_equal(short, full)
    assert (joined > short).all()


@pytest.mark.parametrize(
    ("name", "options", "complaint"),
    [
        ("vgg16/relu1_1/l2", {}, "has the statistics of mine.py:net"),
        (f"{MODEL}/relu9/l2", {}, "mine.py:net has no layer relu9; it has: input"),
        (
            f"{MODEL}/last/unit",
            {},
            "has no unit_squared_error of last; .*--statistics=unit_squared",
        ),
        (f"{MODEL}/input/unit@mine", {}, "the relevance mine was not given"),
        (f"{MODEL}/last/l2@mine", {"relevances": {"mine": relevance()}}, "weighs the layers input"),
        (f"{MODEL}/input/gram@mine", {"relevances": {"mine": relevance()}}, "gram takes 0 weight"),
        (f"{MODEL}/input/l2@mine", {"relevances": {"mine": relevance(2)}}, r"takes 1 .* has 2"),
        (f"{MODEL}/input/balanced", {"training_rows": np.array([], int)}, "at least one row"),
    ],
)
def test_refuses_what_cannot_be_read(name, options, complaint, store):
    with pytest.raises(InputError, match=complaint):
        distances(store, [ReadoutName.parse(name)], **options)

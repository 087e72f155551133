import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from relevance.stores import LAYERS, write_store

from iqa_jax.datasets.table import Question
from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import CheckpointError, InputError
from iqa_jax.programs.evaluate.from_store import distances
from iqa_jax.programs.train.settings import TrainSettings
from iqa_jax.programs.train.tables import FILES
from iqa_jax.programs.train.training import train_relevance
from iqa_jax.readouts import ReadoutName
from iqa_jax.relevance import Recipe, Scheme, read_examples
from iqa_jax.weights import checkpoints as stored
from iqa_jax.zoo import TrainingData, load_relevance, training_data


@pytest.fixture(autouse=True)
def messages(caplog):
    caplog.set_level("INFO", "iqa_jax")


@pytest.fixture
def settings(tmp_path):
    write_store(tmp_path / "statistics")
    return TrainSettings(
        model="alexnet",
        name="mine",
        output_dir=str(tmp_path / "out"),
        statistics_dir=str(tmp_path / "statistics"),
        layers=("relu1", "relu2"),
        recipe=Recipe(most_steps=100),
        scheme=Scheme(folds=2, seeds=2, strengths=(0.001,)),
        checkpoints_dir=str(tmp_path / "checkpoints"),
    )


@pytest.fixture
def with_lpips(settings, checkpoints, tmp_path):
    """As if the published weights of LPIPS had been fetched."""
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "lpips-alex").symlink_to(checkpoints / "lpips-alex")
    return settings


def read_csv(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_learns_stores_and_reports(with_lpips, tmp_path, caplog):
    write_store(tmp_path / "test", dataset="elsewhere", seed=3)
    learned = train_relevance(replace(with_lpips, test_statistics_dir=str(tmp_path / "test")))
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == set(FILES)
    assert {row["fold"] for row in read_csv(out / "folds.csv")} == {"0", "1"}
    assert (out / "report.txt").read_text() == learned.report + "\n"
    rows = read_csv(out / "report.csv")
    assert {row["weights"] for row in rows} == {"uniform", "learned", "lpips-alex"}
    assert {row["part"] for row in rows} == {
        *("fold 0", "fold 1", "mean of folds", "pooled", "transfer")
    }
    assert len(rows) == len(learned.rows)
    for row, found in zip(rows, learned.rows, strict=True):
        assert float(row["value"]) == pytest.approx(found.value, rel=1e-8)
    record = json.loads((out / "run.json").read_text())
    assert record["statistics"]["weights_sha256"] == "ab"
    assert record["name"] == "mine"
    assert record["interval"]["method"] == "jackknife"
    assert record["interval"]["references"] == 8
    assert record["test_statistics"]["model"] == "alexnet"
    assert record["recipe"]["loss"] == "pearson"
    assert len(record["folds"][0]["steps"]) == 2
    assert "training 4 runs on 48 pairs of 8 references x 256 channels" in caplog.text


def test_the_relevance_is_one_that_every_program_takes(settings, tmp_path):
    train_relevance(settings)
    assert (tmp_path / "checkpoints" / "mine").exists()
    relevance = load_relevance("mine", checkpoints_dir=tmp_path / "checkpoints")
    assert relevance.model == "alexnet"
    assert relevance.terms == 1
    assert {layer: each.shape for layer, each in relevance.weights.items()} == {
        "relu1": (64,),
        "relu2": (192,),
    }
    store = StatisticsStore.open(tmp_path / "statistics", "alexnet")
    name = ReadoutName.parse("alexnet/relu1+relu2/unit@mine")
    found = distances(store, [name], relevances={"mine": relevance})[str(name)]
    examples = read_examples(store, ["relu1", "relu2"], "unit")
    weights = np.concatenate([np.asarray(relevance.weights[layer]) for layer in ("relu1", "relu2")])
    assert found == pytest.approx(examples.distances(weights.astype(float)), rel=1e-5)
    rows = read_csv(tmp_path / "out" / "relevance.csv")
    assert [float(row["weight"]) for row in rows] == pytest.approx(weights.tolist(), rel=1e-6)
    assert sum(float(row["share"]) for row in rows) == pytest.approx(1)
    source = stored.read_provenance(tmp_path / "checkpoints", "mine")["source"]
    assert source["statistics"] == store.signature
    assert source["readout"] == "unit"
    learned_from = training_data("mine", checkpoints_dir=tmp_path / "checkpoints")
    assert learned_from == TrainingData("made-up", "made-up 0")


def test_an_older_relevance_is_replaced(settings, tmp_path):
    train_relevance(settings)
    first = load_relevance("mine", checkpoints_dir=tmp_path / "checkpoints")
    train_relevance(replace(settings, layers=("relu1",)))
    second = load_relevance("mine", checkpoints_dir=tmp_path / "checkpoints")
    assert set(first.weights) == {"relu1", "relu2"}
    assert set(second.weights) == {"relu1"}


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (("relu2", "relu1"), {"relu1", "relu2"}),
        (("relu1+relu2",), {"relu1", "relu2"}),
        (("all",), {"relu1", "relu2", "alone"}),
        (("input", "relu1"), {"input", "relu1"}),
    ],
)
def test_layers(settings, layers, expected, tmp_path):
    train_relevance(replace(settings, layers=layers, readout="l2", recipe=Recipe(most_steps=0)))
    relevance = load_relevance("mine", checkpoints_dir=tmp_path / "checkpoints")
    assert set(relevance.weights) == expected
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["readout"] == "l2"
    assert {row["layer"] for row in read_csv(tmp_path / "out" / "relevance.csv")} == expected


def test_lpips_is_compared_with_where_it_applies(with_lpips, caplog):
    recipe = Recipe(most_steps=0)
    unit = train_relevance(replace(with_lpips, recipe=recipe))
    assert "learned - lpips-alex" in unit.report
    others = replace(with_lpips, recipe=recipe, readout="l2")
    assert "lpips" not in train_relevance(others).report
    assert "has not been fetched" not in caplog.text


def test_lpips_that_was_not_fetched_is_said(settings, caplog):
    learned = train_relevance(replace(settings, recipe=Recipe(most_steps=0)))
    assert "lpips" not in learned.report
    assert "fetch it with: iqa fetch --models=lpips-alex" in caplog.text


@pytest.mark.parametrize(
    ("strengths", "note"),
    [
        ((0.001,), None),
        ((0.001, 1e4), "0.001 is the last of the strengths tried: smaller ones may do better."),
        ((1e3, 1e4), "10000 is the last of the strengths tried: larger ones may do better."),
        ((0.0, 1e4), None),
    ],
)
def test_a_strength_at_the_end_is_said(settings, strengths, note):
    scheme = replace(settings.scheme, strengths=strengths)
    notes = train_relevance(replace(settings, scheme=scheme)).report.splitlines()
    assert [line for line in notes if "strengths tried" in line] == ([note] if note else [])


def test_choices_between_two_versions(settings, tmp_path):
    write_store(tmp_path / "bapps", dataset="bapps", protocol=Question.TWO_ALTERNATIVES)
    learned = train_relevance(
        replace(
            settings,
            statistics_dir=str(tmp_path / "bapps"),
            test_statistics_dir=settings.statistics_dir,
            recipe=Recipe("ranking", most_steps=100),
        )
    )
    assert "two-alternative score" in learned.report
    assert {row.measure for row in learned.rows} == {"2afc", "plcc", "srcc"}


def test_overlaps_are_said(settings, tmp_path):
    write_store(tmp_path / "a", dataset="tid2008")
    write_store(tmp_path / "b", dataset="tid2013", seed=2)
    learned = train_relevance(
        replace(
            settings,
            statistics_dir=str(tmp_path / "a"),
            test_statistics_dir=str(tmp_path / "b"),
            recipe=Recipe(most_steps=0),
        )
    )
    assert "tid2008 and tid2013" in learned.report.splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"layers": ("relu9",)},
            r"no model has the layer relu9; there are:\n  alexnet: input, relu1",
        ),
        ({"readout": "gram"}, "no relevance can be learned for the read-out 'gram'"),
        ({"recipe": Recipe("kendall")}, "there is no loss 'kendall'"),
        ({"scheme": Scheme(folds=9)}, "found 8 references for 9 folds; use fewer folds .folds=8"),
        ({"interval": "bca"}, "interval: expected one of jackknife, bootstrap, none"),
        ({"resamples": 100}, "got 100 without a bootstrap"),
        ({"layers": ()}, "no model has the layer relu3; there are"),
        ({"model": "vgg16"}, "has no statistics of vgg16"),
        ({"name": "a/b"}, "name: expected letters"),
        ({"name": ""}, "name: expected letters"),
        ({"name": None}, "expected name, to store the relevance, or export"),
        ({"export": "mine.npz"}, r"export: expected a file that ends in .safetensors"),
        ({"name": "lpips-alex"}, "lpips-alex is the name of published weights"),
        ({"name": "alexnet"}, "alexnet is the name of published weights"),
        ({"statistics_dir": None}, "expected statistics_dir, or dataset and data_dir"),
        ({"test_statistics_dir": "/nowhere"}, "nowhere"),
        ({"layers": ("relu1", "alone")}, "alone: a layer of one channel"),
    ],
)
def test_what_cannot_be_done_leaves_nothing(settings, change, message, tmp_path):
    with pytest.raises((InputError, CheckpointError), match=message):
        train_relevance(replace(settings, **change))
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "checkpoints").exists()


def test_statistics_of_other_weights_are_no_test(settings, tmp_path):
    write_store(tmp_path / "test", sha256="cd")
    with pytest.raises(InputError, match="was made with other weights of alexnet than"):
        train_relevance(replace(settings, test_statistics_dir=str(tmp_path / "test")))


def test_a_backbone_is_not_replaced(settings, tmp_path):
    arrays = {"kernel": np.ones(LAYERS["relu1"].channels, np.float32)}
    stored.save(tmp_path / "checkpoints", "mine", arrays, {"kind": "backbone", "model": "x"})
    with pytest.raises(InputError, match="mine holds a backbone; choose another"):
        train_relevance(settings)

import json

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from library.made_up import MODEL

import iqa_jax
from iqa_jax.__main__ import main
from iqa_jax.errors import InputError
from iqa_jax.library.training import LearnedRelevance
from iqa_jax.weights.relevance_files import read_relevance, write_relevance
from iqa_jax.zoo import load_relevance

SCHEME = {"folds": 2, "seeds": 1, "strengths": [0.01], "most_steps": 20}
LAYERS = ("relu1", "fire3")
NAME = f"{MODEL}/relu1+fire3/unit"


CARD = {
    "model_weights_sha256": "",
    "readout": "unit",
    "licence": "",
    "dataset": {"name": "x", "fingerprint": ""},
}


@pytest.fixture(scope="module")
def learned(ratings):
    return iqa_jax.train_relevance(ratings.columns, model=MODEL, layers=LAYERS, **SCHEME)


def test_is_what_the_program_learns(learned, ratings, tmp_path):
    where = tmp_path / "checkpoints"
    status = main(
        [
            *("train", f"--model={MODEL}", "--name=mine", "--layers=relu1,fire3", "--folds=2"),
            *("--seeds=1", "--strengths=0.01", "--most_steps=20", "--compilation_cache_dir="),
            *("--dataset=csv", f"--data_dir={ratings.folder / 'ratings.csv'}"),
            *(f"--output_dir={tmp_path / 'out'}", f"--checkpoints_dir={where}"),
            *(f"--export={tmp_path / 'mine.safetensors'}", "--licence=CC0-1.0"),
        ]
    )
    assert status == 0
    report = pd.read_csv(tmp_path / "out" / "report.csv", keep_default_na=False)
    assert list(learned.gains.columns) == list(report.columns)
    assert len(learned.gains) == len(report)
    weights = pd.read_csv(tmp_path / "out" / "relevance.csv")
    assert list(learned.weights.columns) == ["layer", "channel", "weight", "share"]
    assert learned.weights["layer"].tolist() == weights["layer"].tolist()
    np.testing.assert_allclose(learned.weights["share"].sum(), 1)
    assert json.loads((tmp_path / "out" / "run.json").read_text()).keys() == learned.record.keys()
    stored = load_relevance("mine", checkpoints_dir=where)
    assert load_relevance(str(tmp_path / "mine.safetensors")).sha256 == stored.sha256
    assert {layer: each.shape for layer, each in stored.weights.items()} == {
        layer: each.shape for layer, each in learned.relevance.weights.items()
    }


def test_is_a_metric_at_once(learned, ratings):
    reference, distorted = (np.stack(ratings.columns[name]) for name in ("reference", "distorted"))
    distances = learned(reference, distorted)
    assert distances.shape == (18,)
    assert (learned(reference, reference) == 0).all()
    assert learned.metric.name == f"{NAME}@learned"
    assert not learned.metric.higher_is_better
    scored = iqa_jax.score((reference, distorted), metrics=[learned.metric, NAME])
    np.testing.assert_allclose(scored[f"{NAME}@learned"], distances, rtol=1e-5)
    assert (scored[f"{NAME}@learned"] != scored[NAME]).any()


def test_is_a_loss(learned, ratings):
    reference = jnp.asarray(ratings.columns["reference"][0][None], jnp.float32) / 255

    def loss(images, metric):
        return metric(reference, images).mean()

    gradient = jax.jit(jax.grad(loss))(jnp.clip(reference + 0.05, 0, 1), learned.metric)
    assert gradient.shape == reference.shape
    assert jnp.isfinite(gradient).all()
    assert gradient.any()


def test_may_be_used_first_inside_a_compiled_function(learned, ratings):
    pair = [np.stack(ratings.columns[name][:2]) for name in ("reference", "distorted")]
    fresh = LearnedRelevance(learned._learned, learned._settings)
    compiled = jax.jit(fresh.__call__)(*pair)
    np.testing.assert_allclose(compiled, learned(*pair), rtol=1e-5)
    np.testing.assert_array_equal(fresh(*pair), learned(*pair))


def test_is_stored_under_a_name(learned, ratings, tmp_path):
    folder = learned.save("mine", checkpoints_dir=tmp_path)
    assert folder == tmp_path / "mine"
    stored = load_relevance("mine", checkpoints_dir=tmp_path)
    assert stored.sha256 == learned.relevance.sha256
    assert stored.training == learned.relevance.training
    metric = iqa_jax.load_metric(f"{NAME}@mine", checkpoints_dir=tmp_path)
    pair = (np.stack(ratings.columns[name][:2]) for name in ("reference", "distorted"))
    pair = tuple(pair)
    np.testing.assert_array_equal(metric(*pair), learned(*pair))
    with pytest.raises(InputError, match="vgg16 is the name of published weights"):
        learned.save("vgg16", checkpoints_dir=tmp_path)


def test_an_earlier_relevance_is_replaced_with_a_warning(learned, ratings, tmp_path, caplog):
    learned.save("mine", checkpoints_dir=tmp_path)
    learned.save("mine", checkpoints_dir=tmp_path)
    assert not caplog.messages
    other = iqa_jax.train_relevance(
        ratings.columns, model=MODEL, layers="relu1", **{**SCHEME, "most_steps": 5}
    )
    other.save("mine", checkpoints_dir=tmp_path)
    assert caplog.messages == [
        f"{tmp_path / 'mine'}: an earlier relevance of this name is replaced"
    ]


def test_is_exported_to_a_file(learned, ratings, tmp_path):
    file = tmp_path / "of@me" / "mine.safetensors"
    learned.export(file, licence="CC0-1.0")
    pair = tuple(np.stack(ratings.columns[name][:2]) for name in ("reference", "distorted"))
    for name in (str(file), f"{NAME}@{file}"):
        metric = iqa_jax.load_metric(name)
        np.testing.assert_array_equal(metric(*pair), learned(*pair))
        assert metric.function.signature["relevances"] == {str(file): learned.relevance.sha256}
    assert load_relevance(str(file)).training == learned.relevance.training
    card = read_relevance(file).provenance
    assert (card["model"], card["layers"], card["readout"]) == (MODEL, list(LAYERS), "unit")
    assert card["licence"] == "CC0-1.0"
    assert card["dataset"]["name"] == "pairs"
    pooled = [row for row in card["results"] if row["part"] == "pooled"]
    assert {"value", "low", "high"} <= pooled[0].keys()
    assert len(card["results"]) == len(learned.gains)
    found = iqa_jax.evaluate(ratings.columns, metrics=[f"{NAME}@{file}"])
    assert found.correlations["in_sample"].tolist() == [True]


@pytest.mark.parametrize("name", ["mine", "mine.npz"])
def test_an_exported_file_has_the_ending_of_one(learned, name, tmp_path):
    with pytest.raises(InputError, match=r"export: expected a file that ends in .safetensors"):
        learned.export(tmp_path / name)
    with pytest.raises(InputError, match="is the name of a file; write one with export"):
        learned.save("mine.safetensors", checkpoints_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_for_other_channels_is_refused(tmp_path):
    file = tmp_path / "mine.safetensors"
    weights = {"relu1": np.ones(7, np.float32)}
    sha256 = iqa_jax.load_backbone(MODEL).sha256
    write_relevance(file, weights, {**CARD, "model": MODEL, "model_weights_sha256": sha256})
    with pytest.raises(InputError, match="has 7 weights for the layer relu1 .*, expected 64"):
        iqa_jax.load_metric(str(file))


def test_a_file_for_other_weights_of_the_network_is_refused(tmp_path, learned, ratings):
    file, other = tmp_path / "mine.safetensors", tmp_path / "other.safetensors"
    learned.export(file)
    found = read_relevance(file)
    write_relevance(other, found.arrays, {**found.provenance, "model_weights_sha256": "f00d"})
    complaint = f"other.safetensors: was learned for weights of {MODEL} with the sha256 f00d, but"
    for name in (str(other), f"{NAME}@{other}"):
        with pytest.raises(InputError, match=complaint):
            iqa_jax.load_metric(name)
    with pytest.raises(InputError, match=complaint):
        iqa_jax.evaluate(ratings.columns, metrics=[f"{NAME}@{other}"])


def test_a_file_does_not_choose_the_code_that_is_run(tmp_path):
    code = tmp_path / "own.py"
    code.write_text("raise SystemExit('was run')")
    file = tmp_path / "mine.safetensors"
    write_relevance(file, {"a": np.ones(3, np.float32)}, {**CARD, "model": f"{code}:f"})
    with pytest.raises(InputError, match="give the name of the read-out"):
        iqa_jax.load_metric(str(file))


def test_is_in_sample_on_the_pairs_it_was_learned_from(learned, ratings):
    found = iqa_jax.evaluate(ratings.columns, metrics=[learned.metric, "psnr"])
    assert found.correlations["in_sample"].tolist() == [True, False]
    assert any(
        "The relevance learned was learned from pairs" in w for w in found.record["warnings"]
    )


def test_shows_itself(learned):
    assert repr(learned) == (
        f"<relevance of {MODEL}/relu1+fire3 for unit, learned from pairs: 18 pairs of 6 references>"
    )
    assert learned.report().startswith(f"{MODEL}, unit of relu1+fire3, learned from pairs by")
    assert learned.figure()._repr_png_().startswith(b"\x89PNG")


def test_statistics_may_be_kept(ratings, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"model": MODEL, "layers": "relu1", **SCHEME}
    kept = tmp_path / "statistics"
    first = iqa_jax.train_relevance(ratings.columns, statistics_dir=kept, **options)
    assert capfd.readouterr() == ("", "")
    again = iqa_jax.train_relevance(statistics_dir=kept, **options)
    pd.testing.assert_frame_equal(first.weights, again.weights)
    assert [path.name for path in tmp_path.iterdir()] == ["statistics"]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"dataset": None}, "expected statistics_dir, or dataset and data_dir"),
        ({"dataset": None, "data_dir": "x"}, "dataset: expected its name"),
        ({"layers": "fire99"}, "no model has the layer fire99"),
        ({"folds": 1}, "folds: expected at least 2, got 1"),
        ({"loss": "best"}, "loss: expected one of pearson, ranking, spearman, got 'best'"),
        ({"test_dataset": "x"}, "test_dataset: without effect alone; add test_statistics_dir"),
        ({"data_dir": "x"}, "data_dir: without effect if the pairs are given"),
    ],
)
def test_what_cannot_be_used_is_said(given, complaint, ratings):
    with pytest.raises(InputError, match=complaint):
        iqa_jax.train_relevance(**{"dataset": ratings.columns, "model": MODEL, **given})

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
from iqa_jax.zoo import load_relevance

SCHEME = {"folds": 2, "seeds": 1, "strengths": [0.01], "most_steps": 20}
LAYERS = ("relu1", "fire3")
NAME = f"{MODEL}/relu1+fire3/unit"


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

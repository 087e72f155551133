"""Every kind of agreement in one place, and how it stands in files, text and figure."""

import csv
import math
from dataclasses import replace

import numpy as np
import pytest
from etils import epath
from PIL import Image
from triplets import Triplet, triplet_table

from iqa_jax.agreement.analysis import analyse
from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.correlation import agreement
from iqa_jax.agreement.forced_choice import Sampling, by_subset
from iqa_jax.agreement.groups import by_group, by_reference
from iqa_jax.agreement.intervals import BOOTSTRAP, NONE, Method, correlation_intervals
from iqa_jax.agreement.layer_choice import Source
from iqa_jax.datasets import Pair, PairTable
from iqa_jax.images.sources import ImageFolder
from iqa_jax.metrics import parse_metric
from iqa_jax.programs.evaluate import figure, tables
from iqa_jax.programs.evaluate.evaluation import Evaluation
from iqa_jax.programs.evaluate.report import report

COLUMNS = (
    Column("net/a/l2", "net", "a", 0, 0.0, "l2", parse_metric("net/a/l2")),
    Column("net/b/l2", "net", "b", 1, 1.0, "l2", parse_metric("net/b/l2")),
    Column("psnr", "psnr", metric=parse_metric("psnr"), higher_is_better=True),
)

ELSEWHERE = {("net", "a", "l2"): 0.5, ("net", "b", "l2"): 0.4}


@pytest.fixture
def opinions(rng):
    """Six references with two distortions at three levels; published uncertainty."""
    pairs = [
        Pair(f"r{r}", f"r{r}{d}{v}", 6 - v + rng.normal(0, 0.5), 0.3, d, str(v), f"r{r}")
        for r in range(6)
        for d in ("blur", "noise")
        for v in (1, 2, 3)
    ]
    return PairTable("made", pairs, ImageFolder(), higher_is_better=True, opinions=4)


@pytest.fixture
def choices(rng):
    triplets = [
        Triplet(f"r{i}", f"a{i}", f"b{i}", round(rng.uniform(), 1), "cnn" if i % 2 else "mix")
        for i in range(20)
    ]
    return triplet_table("forced", triplets, ImageFolder())


def scores_of(table, rng):
    human = np.array([pair.score for pair in table.pairs])
    return {
        column.name: (10 + 5 * (column.name == "psnr") * human - human * (column.name != "psnr"))
        + rng.normal(0, 0.5, len(human))
        for column in COLUMNS
    }


def test_opinions(opinions, rng):
    scores = scores_of(opinions, rng)
    method = Method(BOOTSTRAP, 50)
    found = analyse(opinions, COLUMNS, scores, method=method)
    human = np.array([pair.score for pair in opinions.pairs])
    contents = [pair.reference_id for pair in opinions.pairs]
    for number, column in enumerate(COLUMNS):
        # A similarity is turned round, a distance is not.
        distances = -scores["psnr"] if column.name == "psnr" else scores[column.name]
        assert found.agreements[number] == (
            column,
            agreement(distances, human, higher_is_better=True),
        )
        assert found.agreements[number][1].srcc > 0.5
        assert found.groups[number] == (column, by_group(opinions, distances))
        assert found.references[number] == (column, by_reference(opinions, distances))
        alone = correlation_intervals(
            distances[:, None], human, contents, higher_is_better=True, method=method
        )
        assert found.intervals.srcc_low[number] == alone.srcc_low[0]
    assert found.ceiling.reliability == pytest.approx(1 - 0.15**2 / human.var(ddof=1))
    assert 0.8 < found.ceiling.observer_plcc < found.ceiling.plcc
    assert not found.forced_choices


def test_nothing_is_made_up_where_nothing_is_published(opinions, rng):
    unknown = PairTable("made", opinions.pairs, ImageFolder(), higher_is_better=True)
    found = analyse(unknown, COLUMNS, scores_of(unknown, rng))
    assert found.ceiling is None
    assert found.intervals is None


def test_forced_choices(choices, rng):
    scores = scores_of(choices, rng)
    found = analyse(choices, COLUMNS, scores, method=Method())
    assert not found.agreements
    column, subsets = found.forced_choices[2]
    assert column.name == "psnr"
    assert subsets == by_subset(choices, -scores["psnr"], Sampling.of(choices, Method()))
    assert list(subsets.subsets) == ["mix", "cnn"]


def test_warns_of_few_pairs_and_of_what_columns_have_seen(opinions):
    few = replace(opinions, pairs=opinions.pairs[:6])
    seen = [replace(column, overlap="Learned from this.") for column in COLUMNS[:2]]
    names = ("net/a/balanced", "net/b/balanced")
    seen += [Column(name, name, metric=parse_metric(name), is_transductive=True) for name in names]
    scores = {column.name: np.arange(6.0) for column in seen}
    learned, compared, little = analyse(few, seen, scores).warnings
    assert learned == "Learned from this."
    assert "means over these pairs themselves: balanced; --normaliser_from" in compared
    assert "With 6 pairs" in little


def test_the_column_alone_says_its_direction(opinions, rng):
    scores = scores_of(opinions, rng)
    given = [replace(column, metric=None) for column in COLUMNS]
    assert all(found.srcc > 0.5 for _, found in analyse(opinions, given, scores).agreements)
    turned = replace(given[2], higher_is_better=False)
    found = analyse(opinions, [given[0], turned], scores)
    assert found.agreements[1][1].srcc < -0.5
    (note,) = found.warnings
    assert "psnr is significantly negative (Spearman -0." in note


def evaluation(table, rng, **options):
    scores = scores_of(table, rng)
    found = analyse(table, COLUMNS, scores, **options)
    return Evaluation(table, scores, found, {"dataset": {"references": 6}})


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_tables_of_opinions(opinions, rng, tmp_path):
    folder = epath.Path(tmp_path)
    (tmp_path / "forced_choice.csv").write_text("of an earlier run")
    found = evaluation(opinions, rng, method=Method(), layers_from=Source("elsewhere", ELSEWHERE))
    assert tables.write(found, folder) == [
        *("correlations.csv", "correlations_by_distortion.csv", "correlations_by_reference.csv"),
        *("chosen_layers.csv", "scores.csv", "run.json"),
    ]
    assert not (tmp_path / "forced_choice.csv").exists()
    first = read(tmp_path / "correlations.csv")[0]
    assert list(first)[-4:] == ["plcc_low", "plcc_high", "srcc_low", "srcc_high"]
    assert float(first["srcc_low"]) <= float(first["srcc"]) <= float(first["srcc_high"])
    (chosen,) = (row for row in read(tmp_path / "chosen_layers.csv") if row["layer"])
    assert (chosen["model"], chosen["layer"], chosen["chosen_on"]) == ("net", "a", "elsewhere")
    assert (chosen["pairs"], chosen["references"]) == ("36", "6")
    assert float(chosen["srcc_low"]) == float(first["srcc_low"])
    groups = read(tmp_path / "correlations_by_distortion.csv")
    assert [(row["kind"], row["group"], row["pairs"]) for row in groups[:5]] == [
        *(("distortion", "blur", "18"), ("distortion", "noise", "18")),
        *(("level", "1", "12"), ("level", "2", "12"), ("level", "3", "12")),
    ]
    references = read(tmp_path / "correlations_by_reference.csv")
    assert [row["references"] for row in references] == ["6"] * 3


def test_tables_of_forced_choices(choices, rng, tmp_path):
    found = evaluation(choices, rng, method=Method())
    assert tables.write(found, epath.Path(tmp_path)) == [
        *("forced_choice.csv", "scores.csv", "run.json")
    ]
    rows = read(tmp_path / "forced_choice.csv")
    assert [row["subset"] for row in rows[:4]] == [
        *("mix", "cnn", "mean of the subsets", "all judgements")
    ]
    assert [row["judgements"] for row in rows[:4]] == ["10", "10", "20", "20"]
    assert all(0 <= float(row["score"]) <= float(row["best"]) <= 1 for row in rows)
    assert all(float(row["low"]) < float(row["score"]) < float(row["high"]) for row in rows)
    tables.write(evaluation(choices, rng), epath.Path(tmp_path))
    assert {row["low"] for row in read(tmp_path / "forced_choice.csv")} == {""}


def test_text(opinions, choices, rng):
    text = report(evaluation(opinions, rng, method=Method()))
    assert "ceiling, the true quality against these scores: srcc 0.9" in text
    assert "one more observer against these scores: srcc 0." in text
    assert "95 %" in text
    assert "srcc in references" in text
    text = report(evaluation(choices, rng))
    assert "Agreement with the observers' choices" in text
    assert "best possible" in text
    assert "an observer" in text
    assert "srcc" not in text


@pytest.mark.parametrize(
    ("protocol", "name"),
    [(protocol, name) for protocol in ("opinions", "choices") for name in ("none", "jackknife")],
)
def test_figure(protocol, name, request, rng, tmp_path):
    found = evaluation(request.getfixturevalue(protocol), rng, method=Method(name))
    path = epath.Path(tmp_path) / "figure.png"
    figure.correlation_by_layer(found, path)
    with Image.open(path) as image:
        image.verify()


def test_undefined_scores_stay_undefined(opinions):
    values = np.full(36, math.nan)
    found = analyse(opinions, COLUMNS[:1], {"net/a/l2": values})
    assert math.isnan(found.agreements[0][1].srcc)
    assert math.isnan(found.references[0][1].mean)


def test_warns_of_intervals_from_few_references(opinions, rng):
    scores = scores_of(opinions, rng)
    assert not analyse(opinions, COLUMNS, scores).warnings
    (warning,) = analyse(opinions, COLUMNS, scores, method=Method()).warnings
    assert "Intervals from 6 references" in warning


def test_too_few_references_have_no_intervals_and_a_note(opinions, rng):
    few = replace(opinions, pairs=opinions.pairs[:24])
    scores = scores_of(few, rng)
    found = analyse(few, COLUMNS, scores, method=Method())
    assert found.intervals is None
    assert found.warnings == ["There are no intervals: at least 5 references are needed, found 4."]
    assert not analyse(few, COLUMNS, scores, method=Method(NONE)).warnings


def test_doubts_of_scores_of_the_wrong_direction_or_none(opinions, rng):
    scores = scores_of(opinions, rng)
    wrong = replace(opinions, higher_is_better=False)
    assert "direction of the scores may be wrong" in analyse(wrong, COLUMNS, scores).warnings[-1]
    equal = replace(opinions, pairs=[replace(pair, score=3.0) for pair in opinions.pairs])
    assert "There is no correlation" in analyse(equal, COLUMNS, scores).warnings[-1]


def test_equal_scores_have_no_interval(opinions, rng):
    equal = replace(opinions, pairs=[replace(pair, score=3.0) for pair in opinions.pairs])
    found = analyse(equal, COLUMNS, scores_of(opinions, rng), method=Method())
    assert np.isnan([found.intervals.plcc_low, found.intervals.srcc_high]).all()


def test_layers_from_data_that_share_images_are_said(opinions, rng):
    scores, source = scores_of(opinions, rng), Source("other", ELSEWHERE, "They share images.")
    assert "They share images." in analyse(opinions, COLUMNS, scores, layers_from=source).warnings

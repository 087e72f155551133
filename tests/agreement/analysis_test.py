import math
from dataclasses import replace

import numpy as np
import pytest
from agreement.made_up import COLUMNS, choices, opinions, scores_of

from iqa_jax.agreement.analysis import analyse
from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.correlation import agreement
from iqa_jax.agreement.forced_choice import Sampling, by_subset
from iqa_jax.agreement.groups import by_group, by_reference
from iqa_jax.agreement.intervals import BOOTSTRAP, NONE, Method, correlation_intervals
from iqa_jax.agreement.layer_choice import Source
from iqa_jax.datasets import PairTable
from iqa_jax.images.sources import ImageFolder

ELSEWHERE = {("net", "a", "l2"): 0.5, ("net", "b", "l2"): 0.4}

opinions, choices = pytest.fixture(opinions), pytest.fixture(choices)


def test_opinions(opinions, rng):
    scores = scores_of(opinions, rng)
    method = Method(BOOTSTRAP, 50)
    found = analyse(opinions, COLUMNS, scores, method=method)
    human = np.array([pair.score for pair in opinions.pairs])
    contents = [pair.reference_id for pair in opinions.pairs]
    for number, column in enumerate(COLUMNS):
        # A similarity is negated, a distance is not.
        distances = -scores["psnr"] if column.name == "psnr" else scores[column.name]
        result = found.results[number]
        assert result.column is column
        assert result.agreement == agreement(distances, human, higher_is_better=True)
        assert result.agreement.srcc > 0.5
        assert result.groups == by_group(opinions, distances)
        assert result.within == by_reference(opinions, distances)
        alone = correlation_intervals(
            distances[:, None], human, contents, higher_is_better=True, method=method
        )
        ends = (alone.plcc_low[0], alone.plcc_high[0])
        assert result.plcc_interval == pytest.approx(ends, abs=1e-12)
        assert result.srcc_interval == (alone.srcc_low[0], alone.srcc_high[0])
    assert found.ceiling.reliability == pytest.approx(1 - 0.15**2 / human.var(ddof=1))
    assert 0.8 < found.ceiling.observer_plcc < found.ceiling.plcc
    assert not found.forced_choices


def test_nothing_is_invented_if_nothing_is_published(opinions, rng):
    unknown = PairTable("made", opinions.pairs, ImageFolder(), higher_is_better=True)
    found = analyse(unknown, COLUMNS, scores_of(unknown, rng))
    assert found.ceiling is None
    assert not found.has_intervals


def test_forced_choices(choices, rng):
    scores = scores_of(choices, rng)
    found = analyse(choices, COLUMNS, scores, method=Method())
    assert not found.results
    assert found.has_intervals
    result = found.forced_choices[2]
    assert result.column.name == "psnr"
    assert result.subsets == by_subset(choices, -scores["psnr"], Sampling.of(choices, Method()))
    assert list(result.subsets.subsets) == ["mix", "cnn"]


def test_warns_of_few_pairs_and_of_overlaps(opinions):
    few = replace(opinions, pairs=opinions.pairs[:6])
    seen = [replace(column, overlap="Learned from this.") for column in COLUMNS[:2]]
    seen += [Column(name, name, transductive_readout="balanced") for name in ("c", "d")]
    scores = {column.name: np.arange(6.0) for column in seen}
    learned, compared, little = analyse(few, seen, scores).warnings
    assert learned == "Learned from this."
    assert "means over these pairs themselves: balanced; normaliser_from" in compared
    assert "With 6 pairs" in little


def test_only_the_column_states_its_direction(opinions, rng):
    scores = scores_of(opinions, rng)
    found = analyse(opinions, COLUMNS, scores)
    assert all(result.agreement.srcc > 0.5 for result in found.results)
    turned = replace(COLUMNS[2], higher_is_better=False)
    found = analyse(opinions, [COLUMNS[0], turned], scores)
    assert found.results[1].agreement.srcc < -0.5
    (note,) = found.warnings
    assert "psnr is significantly negative (Spearman -0." in note


def test_undefined_scores_stay_undefined(opinions):
    values = np.full(36, math.nan)
    found = analyse(opinions, COLUMNS[:1], {"net/a/l2": values})
    assert math.isnan(found.results[0].agreement.srcc)
    assert math.isnan(found.results[0].within.mean)


def test_warns_of_intervals_from_few_references(opinions, rng):
    scores = scores_of(opinions, rng)
    assert not analyse(opinions, COLUMNS, scores).warnings
    (warning,) = analyse(opinions, COLUMNS, scores, method=Method()).warnings
    assert "Intervals from 6 references" in warning


def test_too_few_references_have_no_intervals_and_a_note(opinions, rng):
    few = replace(opinions, pairs=opinions.pairs[:24])
    scores = scores_of(few, rng)
    found = analyse(few, COLUMNS, scores, method=Method())
    assert not found.has_intervals
    assert found.warnings == ["There are no intervals: they need at least 5 references, found 4."]
    assert not analyse(few, COLUMNS, scores, method=Method(NONE)).warnings


def test_doubts_about_scores_with_the_wrong_direction_or_none(opinions, rng):
    scores = scores_of(opinions, rng)
    wrong = replace(opinions, higher_is_better=False)
    assert "direction of the scores may be wrong" in analyse(wrong, COLUMNS, scores).warnings[-1]
    equal = replace(opinions, pairs=[replace(pair, score=3.0) for pair in opinions.pairs])
    assert "No correlation can be computed" in analyse(equal, COLUMNS, scores).warnings[-1]


def test_equal_scores_have_no_interval(opinions, rng):
    equal = replace(opinions, pairs=[replace(pair, score=3.0) for pair in opinions.pairs])
    found = analyse(equal, COLUMNS, scores_of(opinions, rng), method=Method())
    for result in found.results:
        assert np.isnan([result.plcc_interval, result.srcc_interval]).all()


def test_warns_of_layers_from_data_that_share_images(opinions, rng):
    scores, source = scores_of(opinions, rng), Source("other", ELSEWHERE, "They share images.")
    assert "They share images." in analyse(opinions, COLUMNS, scores, layers_from=source).warnings

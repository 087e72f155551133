import math

import numpy as np
import pytest
from scipy import stats

from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.correlation import NO_FIT, Agreement, agreement
from iqa_jax.agreement.doubts import find_doubts, is_negative
from iqa_jax.agreement.groups import ReferenceAgreement, by_reference
from iqa_jax.agreement.results import ColumnResult
from iqa_jax.datasets import Pair, PairTable
from iqa_jax.images.sources import ImageFolder


def pooled(srcc, pairs=100):
    return Agreement(pairs, srcc, srcc, srcc, NO_FIT)


def within(mean, std=0.2, references=9):
    return ReferenceAgreement(references, 0, mean, std)


FINE = ColumnResult(Column("fine", "net", "a", 1, 1.0, "l2"), pooled(0.5), within(0.5))


def test_the_rule_is_scipys_t_test_over_references(rng):
    for correlations in rng.normal(-0.15, 0.3, (200, 12)):
        found = within(correlations.mean(), correlations.std(ddof=1), 12)
        test = stats.ttest_1samp(correlations, 0)
        expected = test.statistic < 0 and test.pvalue < 0.01
        assert is_negative(pooled(0.1), found) == expected


def test_with_few_references_it_is_spearmans_test(rng):
    signs = set()
    for _ in range(100):
        distances, scores = rng.normal(size=(2, 30))
        overall = agreement(distances + 0.5 * scores, scores, higher_is_better=True, fit=False)
        test = stats.spearmanr(-(distances + 0.5 * scores), scores)
        expected = test.statistic < 0 and test.pvalue < 0.01
        for few in (within(0.9, references=4), within(math.nan)):
            assert is_negative(overall, few) == expected
        signs.add(bool(expected))
    assert signs == {True, False}


def test_pairs_of_one_reference_do_not_count_as_independent(rng):
    """Contents of different level give a pooled correlation unrelated to their versions."""
    pairs = [
        Pair(f"r{r}", f"d{r}{v}", 10 * r + v, reference_id=f"r{r}")
        for r in range(6)
        for v in range(9)
    ]
    table = PairTable("made", pairs, ImageFolder(), higher_is_better=True)
    scores = np.array([pair.score for pair in pairs])
    distances = np.floor(scores / 10) * 10 - scores % 10
    overall = agreement(distances, scores, higher_is_better=True, fit=False)
    assert stats.spearmanr(-distances, scores).pvalue < 1e-10
    assert overall.srcc < 0
    assert not is_negative(overall, by_reference(table, distances))


@pytest.mark.parametrize("few", [within(-1.0, 0.0), within(-1.0, 0.0, references=3)])
def test_perfect_disagreement_is_significant(few):
    assert is_negative(pooled(-1.0), few)
    assert not is_negative(pooled(math.nan), within(math.nan, math.nan, 1))
    assert not is_negative(pooled(-1.0, pairs=2), within(math.nan, math.nan, 0))


def test_every_negative_column_is_noted():
    net = Column("net/b/l2", "net", "b", 1, 1.0, "l2")
    theirs = Column("theirs", "theirs", is_direction_known=False)
    mine = Column("mine", "mine", higher_is_better=True, is_direction_known=False)
    results = [
        FINE,
        ColumnResult(theirs, pooled(-0.6), within(-0.6)),
        ColumnResult(mine, pooled(-0.4), within(-0.5)),
        ColumnResult(net, pooled(-0.01), within(-0.01)),
        ColumnResult(net, pooled(-0.3), within(-0.3)),
    ]
    assert list(find_doubts(results)) == [
        "theirs is significantly negative (Spearman -0.600); lower scores were taken to mean more "
        "alike; if it is the other way round, set joined_direction=theirs=higher.",
        "mine is significantly negative (Spearman -0.400); higher scores were taken to mean more "
        "alike; if it is the other way round, set joined_direction=mine=lower.",
        "net/b/l2 is significantly negative (Spearman -0.300): according to it, people prefer "
        "images that are less alike.",
    ]
    negative = ColumnResult(net, pooled(-0.5), within(-0.5))
    many = list(find_doubts([FINE, *[negative] * 23]))
    assert len(many) == 21
    assert many[-1] == "Significantly negative as well: 3 more columns."


def test_no_column_agrees():
    negative = ColumnResult(FINE.column, pooled(-0.5), within(-0.5))
    undefined = ColumnResult(FINE.column, pooled(math.nan), within(math.nan))
    for result, doubt in ((negative, "direction of the scores"), (undefined, "No correlation")):
        (found,) = find_doubts([result])
        assert doubt in found
    assert not list(find_doubts([FINE, undefined]))

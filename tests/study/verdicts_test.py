"""Verdicts: gates, signs, several sources, Holm, and sensitivity, on findings made up."""

import dataclasses

import numpy as np
import pytest

from iqa_jax.study import verdicts
from iqa_jax.study.claims import ABOVE, COUNTED, Claim
from iqa_jax.study.estimates import Estimate
from iqa_jax.study.evidence import Evidence
from iqa_jax.study.findings import CONTRADICTED, SUPPORTED, UNDECIDED, Finding, Untested, allowed
from iqa_jax.study.pseudovalues import SPEARMAN, WITHIN
from iqa_jax.study.results import Results


def dataset(name="tid2013", references=25, *, published=None, resize=""):
    ids = np.repeat([f"i{number}" for number in range(references)], 2)
    human = np.arange(len(ids), dtype=float)
    return Results(
        *(name, name, resize, "highest", human, ids, np.full(len(ids), "")),
        columns=(),
        distances=np.empty((len(ids), 0)),
        networks={},
        published_pairs=published,
    )


def finding(value, error=0.01, decision=None):
    images = Estimate(value, error, 24)
    if decision is None:
        decided = SUPPORTED if value > 0 else CONTRADICTED
        decision = decided if images.p() < 0.05 else UNDECIDED
    is_above = value > 0
    return Finding(
        decision,
        allowed(supported=is_above, consistent=is_above, contradicted=not is_above),
        value,
        images.p(),
        images,
        images,
        count=5,
    )


def claim(values, name="C", **facts):
    """A claim whose finding follows from the dataset, its size and the measure."""

    def test(view, margin):
        del margin
        results = view.sample.results
        for key in ((results.dataset, results.resize, view.sample.measure), results.dataset):
            if key in values:
                found = values[key]
                return found if isinstance(found, Untested) else finding(*found)
        return finding(*values["else"])

    return Claim(name, "A", "text", "estimand", test, "s", "c", "needs", **facts)


def judged(monkeypatch, claims, results):
    monkeypatch.setattr(verdicts, "CLAIMS", claims)
    evidence = Evidence.of_results(results, [], 0.02)
    return verdicts.judge(evidence, "l2")


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.1, "supported"), (-0.1, "contradicted"), (0.01, "undecided")]
)
def test_one_dataset(monkeypatch, value, verdict):
    (row,) = judged(monkeypatch, [claim({"else": (value,)})], [dataset()])
    assert row.verdict == verdict
    assert row.is_confirmatory
    assert row.p_holm == pytest.approx(row.p)
    assert row.robust == ("not run" if verdict != "undecided" else "")


def test_a_claim_that_cannot_be_tested_says_why(monkeypatch):
    claims = [claim({"else": (0.1,)}), claim({"tid2013": Untested("no dists", 3)}, "D")]
    rows = judged(monkeypatch, claims, [dataset()])
    assert (rows[1].verdict, rows[1].reason) == ("not tested", "no dists")
    assert np.isnan(rows[1].p_holm)
    assert rows[0].p_holm == pytest.approx(rows[0].p)  # it is not counted


@pytest.mark.parametrize(
    ("results", "reason"),
    [
        (dataset(published=3000), "50 of 3000 pairs"),
        (dataset(references=12), "20 references are needed"),
        (dataset(references=8), "20 references are needed"),
    ],
)
def test_a_small_or_incomplete_dataset_gives_numbers_and_no_verdict(monkeypatch, results, reason):
    (row,) = judged(monkeypatch, [claim({"else": (0.1,)})], [results])
    assert row.verdict == "not tested"
    assert row.reason.startswith(reason)
    assert row.estimate == 0.1
    assert np.isnan(row.low_images) == (results.references < 10)


def test_two_sources_of_ten_references_will_do(monkeypatch):
    results = [dataset(references=12), dataset("csiq", references=12)]
    *_, row = judged(monkeypatch, [claim({"else": (0.1,)})], results)
    assert (row.dataset, row.verdict) == ("all sources", "supported")


def test_a_dataset_that_trained_a_metric_is_left_out(monkeypatch):
    one = claim({"else": (0.1,)}, without={"kadid10k": "trained on it"})
    rows = judged(monkeypatch, [one], [dataset(), dataset("kadid10k")])
    assert [row.verdict for row in rows] == ["supported", "not tested"]
    assert [row.is_confirmatory for row in rows] == [True, False]


def test_the_sign_has_to_be_that_of_all_measures(monkeypatch):
    values = {"else": (0.1,), ("tid2013", "", WITHIN): (-0.001,)}
    (row,) = judged(monkeypatch, [claim(values)], [dataset()])
    assert row.verdict == "undecided"
    assert row.reason == "supported, but not with the sign of within references"


def test_what_a_verdict_is_sensitive_to(monkeypatch):
    values = {"else": (0.1,), ("tid2013", "factor:0.5", SPEARMAN): (0.001,)}
    results = [dataset(), dataset(resize="factor:0.5")]
    (row,) = judged(monkeypatch, [claim(values)], results)
    assert row.robust == "sensitive to half size"
    (row,) = judged(monkeypatch, [claim({"else": (0.1,)})], results)
    assert row.robust == "yes"


@pytest.mark.parametrize(
    ("values", "verdict", "replicated"),
    [
        ({"else": (0.1,)}, "supported", 3),
        ({"else": (0.1,), "csiq": (0.01,)}, "supported", 2),
        ({"else": (0.1,), "csiq": (-0.001,)}, "undecided", 0),
        ({"else": (0.01,), "csiq": (0.1,)}, "undecided", 0),
        ({"else": (-0.1,)}, "contradicted", 3),
    ],
)
def test_three_sources_need_the_same_sign_and_a_majority(monkeypatch, values, verdict, replicated):
    results = [dataset(), dataset("kadid10k"), dataset("csiq")]
    *rows, row = judged(monkeypatch, [claim(values)], results)
    assert (row.verdict, row.replicated, row.sources) == (verdict, replicated, 3)
    assert not any(each.is_confirmatory for each in rows)


def test_datasets_of_the_same_photographs_are_one_source(monkeypatch):
    results = [dataset("tid2008", 20), dataset("tid2013", 25)]
    rows = judged(monkeypatch, [claim({"else": (0.1,)})], results)
    assert [row.is_confirmatory for row in rows] == [False, True]


@pytest.mark.parametrize("combined", [ABOVE, COUNTED])
def test_four_sources(monkeypatch, combined):
    results = [dataset(name) for name in ("tid2013", "kadid10k", "csiq", "pipal")]
    *_, row = judged(monkeypatch, [claim({"else": (0.1,)}, combined=combined)], results)
    assert row.verdict == "supported"
    assert ("I2" in row.reason) == (combined == ABOVE)


def test_claims_are_adjusted_for_each_other(monkeypatch):
    weak = claim({"else": (0.022,)}, "weak")
    (alone,) = judged(monkeypatch, [weak], [dataset()])
    assert alone.verdict == "supported"
    rows = judged(
        monkeypatch, [weak, *[claim({"else": (0.0,)}, f"{n}") for n in range(5)]], [dataset()]
    )
    assert rows[0].verdict == "undecided"
    assert rows[0].reason == "supported before Holm's correction over 6 claims"
    exploratory = dataclasses.replace(weak, is_confirmatory=False)
    rows = judged(monkeypatch, [exploratory, claim({"else": (0.0,)}, "other")], [dataset()])
    assert rows[0].verdict == "supported"
    assert np.isnan(rows[0].p_holm)


def test_one_family_is_never_more_than_consistent(monkeypatch):
    (row,) = judged(monkeypatch, [claim({"else": (0.1,)}, most="consistent")], [dataset()])
    assert row.verdict == "consistent"
    (row,) = judged(monkeypatch, [claim({"else": (-0.1,)}, most="consistent")], [dataset()])
    assert row.verdict == "contradicted"

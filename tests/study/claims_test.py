"""The table of claims, and every claim with planted truths."""

import inspect

import pytest
from etils import epath
from study import made_up, truths

from iqa_jax.study.accuracy import relevance_adds
from iqa_jax.study.claims import CLAIMS, digest
from iqa_jax.study.reading import Gain
from iqa_jax.study.whole import run_study

NAMES = {"tid2013": "TID2013", "kadid10k": "KADID-10k", "csiq": "CSIQ"}


def test_every_claim_is_there_once():
    ids = [claim.id for claim in CLAIMS]
    assert len(set(ids)) == len(ids)
    assert {each.partition(".")[0].rstrip("ab") for each in ids} == {f"C{n}" for n in range(1, 16)}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_has_rules_and_arguments_of_its_test(claim):
    assert claim.supported
    assert claim.contradicted
    assert claim.needs
    inspect.signature(claim.test).bind(None, None, *[0.02] * claim.from_training, **claim.arguments)


def test_the_digest_knows_the_margin():
    assert digest() == digest(0.02) != digest(0.03)


def verdicts(folders):
    study = run_study([epath.Path(each) for each in folders])
    rows = [row for row in study.claims if row.readout == "l2"]
    several = {row.claim for row in rows if row.dataset == "all sources"}
    return {
        row.claim: row.verdict
        for row in rows
        if row.claim not in several or row.dataset == "all sources"
    }


def expected(sign):
    """Verdicts where all claims hold, and where their opposites do."""
    found = {}
    for claim in CLAIMS:
        if sign < 0:
            found[claim.id] = "contradicted"
        elif claim.supported.startswith("never"):
            found[claim.id] = "equivalent" if claim.equivalent else "consistent"
        else:
            found[claim.id] = "supported"
    return found


def few_networks():
    """All trained networks, and the controls that a claim needs."""
    needed = ("resnet18", "resnet34", *truths.CIFAR)
    return {
        name: model
        for name, model in truths.models().items()
        if model["seed"] is None or (model["seed"] == 0 and model["trunk"] in needed)
    }


@pytest.mark.parametrize(
    ("value", "error", "decision"),
    [
        (0.03, 0.008, "supported"),
        (-0.03, 0.008, "contradicted"),
        (0.002, 0.004, "equivalent"),
        (0.01, 0.02, "undecided"),
    ],
)
def test_gains_of_a_training(value, error, decision):
    width = 2.06 * error
    gains = [
        Gain("alexnet", "unit", part, "tid2013", "srcc", 25, value, value - width, value + width)
        for part in ("pooled", "transfer")
    ]
    found = relevance_adds(gains, "srcc", 0.02)
    assert found.decision == decision
    assert (decision in found.allowed) == (decision != "undecided")


@pytest.mark.slow
@pytest.mark.parametrize("truth", [truths.HOLDS, truths.FAILS], ids=lambda each: each.name)
def test_planted_truths_are_found(tmp_path, truth):
    networks = few_networks()
    if truth is truths.FAILS:  # SqueezeNet is deeper than VGG and less accurate: one of two holds
        networks.pop("squeezenet1_1")
    folders = truths.write_all(tmp_path, [made_up.drawn()], truth, networks)
    found, wanted = verdicts(folders), expected(truth.sign)
    if truth is truths.FAILS:  # see truths.ORDERED
        del found["C13.2"], wanted["C13.2"]
    assert found == wanted


@pytest.mark.slow
def test_networks_in_order(tmp_path):
    found = verdicts(truths.write_all(tmp_path, [made_up.drawn()], truths.ORDERED, few_networks()))
    assert found["C13.2"] == "contradicted"


@pytest.mark.slow
def test_networks_that_differ_much_leave_factors_open(tmp_path):
    found = verdicts(truths.write_all(tmp_path, [made_up.drawn()], truths.MIXED, few_networks()))
    can = [claim.id for claim in CLAIMS if claim.consistent]
    assert {found[name] for name in can} == {"consistent"}


@pytest.mark.slow
def test_little_precision_decides_nothing(tmp_path):
    folders = truths.write_all(tmp_path, [made_up.drawn()], truths.VAGUE, few_networks())
    found = verdicts(folders)
    # Exploratory slopes over stages are known to within the margin even then.
    confirmatory = [claim.id for claim in CLAIMS if claim.is_confirmatory and claim.id in found]
    assert {found[name] for name in confirmatory} == {"undecided"}


@pytest.mark.slow
def test_full_size_datasets(tmp_path, test_data):
    """All networks on all pairs of three datasets."""
    tables = test_data / "mos_tables"
    full = [made_up.published(tables / f"{NAMES[name]}.txt", name) for name in NAMES]
    folders = truths.write_all(tmp_path, full, truths.HOLDS)
    assert verdicts(folders) == expected(1)

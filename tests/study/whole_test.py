"""A whole study of a few networks: gaps, directions, and what depends on what."""

import json
import math

import numpy as np
import pytest
from etils import epath
from study import made_up

from iqa_jax.errors import InputError
from iqa_jax.study.whole import run_study

FAMILIES = ("alexnet", "vgg", "squeezenet", "resnet", "densenet", "efficientnet")
METRICS = ("ssim", "lpips-alex", "lpips-vgg")


def networks():
    """Twelve supervised networks of six families."""
    return {
        f"{family}{size}": made_up.network(
            family=family,
            architecture=f"{family}{size}",
            trunk=f"{family}{size}",
            depth=2 ** (place + 2) + 40 * size,
            top1=60 + 5 * place + size,
        )
        for place, family in enumerate(FAMILIES)
        for size in (1, 2)
    }


def columns():
    found = [
        made_up.Planted("ssim", 0.6, direction="higher"),
        *(made_up.Planted(name, 0.65) for name in METRICS[1:]),
    ]
    for number, name in enumerate(networks()):
        found += made_up.layers(name, np.array([0.7, 0.8, 0.75]) - 0.005 * number)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "tid2013"
    return made_up.write(path, made_up.drawn(types=4, levels=3), columns(), networks(), own=0.004)


@pytest.fixture(scope="module")
def study(folder):
    return run_study([epath.Path(folder)])


def claims(study):
    return {row.claim: row for row in study.claims}


def copied(folder, path, change):
    """A copy of the results with a changed record."""
    path.mkdir()
    for name in ("scores.csv", "correlations.csv"):
        (path / name).write_bytes((folder / name).read_bytes())
    record = json.loads((folder / "run.json").read_text())
    change(record)
    (path / "run.json").write_text(json.dumps(record))
    return epath.Path(path)


def test_verdicts(study):
    found = claims(study)
    for name in ("C1a", "C1b", "C2.1", "C3", "C8", "C14"):
        assert found[name].verdict == "supported", name
    assert found["C1a"].networks == 12


def test_gaps_are_rows_with_a_reason(study):
    found = claims(study)
    assert found["C2.3"].reason == "there is no column dists; iqa evaluate --metrics=dists"
    assert found["C4"].reason.startswith("2 networks of jigsaw puzzles are needed, found 0")
    assert found["C15"].reason == "a training with intervals is needed; iqa train"
    for name in ("C5", "C9", "C10", "C11", "C12", "C13.2", "C13.3"):
        assert found[name].verdict == "not tested", name
        assert math.isnan(found[name].p_holm)


def test_an_absent_network_is_named(folder, tmp_path):
    def change(record):
        gone = made_up.network(goal="jigsaw", goal_family="pretext", absent="no weights")
        record["models"]["alexnet-jigsaw"] = gone

    found = claims(run_study([copied(folder, tmp_path / "a", change)]))
    assert found["C4"].reason.endswith("absent: alexnet-jigsaw; iqa fetch --models=alexnet-jigsaw")


def test_quantities(study):
    rows = [row for row in study.models if row.model == "vgg1" and row.measure == "spearman"]
    found = {row.quantity: row for row in rows}
    assert found["best_split"].layer == "layer1"
    assert found["best_split"].low < found["best_split"].value < found["best_split"].high
    assert found["last"].layer == "layer2"
    assert math.isnan(found["best_apparent"].low)
    assert math.isnan(found["depth_tau"].low)
    assert "best_transferred" not in found


def test_the_direction_of_a_metric_turns_its_rows_alone(folder, study, tmp_path):
    def change(record):
        record["columns"]["ssim"]["direction"] = "lower"

    turned = run_study([copied(folder, tmp_path / "a", change)])
    for one, other in zip(study.models, turned.models, strict=True):
        if one.model == "ssim":
            assert other.value == pytest.approx(-one.value)
        else:
            assert str(one) == str(other)
    of_ssim = {
        (row.claim, row.a, row.b, row.difference) for row in study.contrasts if row.b == "ssim"
    }
    again = {(row.claim, row.a, row.b, row.difference) for row in turned.contrasts}
    assert of_ssim
    assert not of_ssim & again
    others = {
        (row.claim, row.a, row.b, row.difference) for row in study.contrasts if row.b != "ssim"
    }
    assert others <= again


def test_the_direction_of_the_scores_turns_all_rows(folder, study, tmp_path):
    def change(record):
        record["dataset"]["higher_is_better"] = False

    turned = run_study([copied(folder, tmp_path / "a", change)])
    quantities = ("last", "depth_mean", "metric", "depth_slope")
    by_place = {row[:16]: row for row in turned.models}
    pairs = [
        (one, by_place[one[:16]])
        for one in study.models
        if one.quantity in quantities and one.model in ("vgg1", "ssim")
    ]
    assert len(pairs) == 12
    for one, other in pairs:
        assert other.value == pytest.approx(-one.value)


def test_pseudovalues_give_every_contrast(study):
    psi = study.pseudovalues["tid2013/spearman/psi"]
    names = study.pseudovalues["tid2013/columns"].tolist()
    assert psi.shape == (25, len(names))
    (row,) = (
        row
        for row in study.models
        if row.model == "ssim" and row.quantity == "metric" and row.measure == "spearman"
    )
    error = psi[:, names.index("ssim")].std(ddof=1) / 5
    assert row.se == pytest.approx(error)


def test_what_cannot_be_studied(folder, tmp_path):
    def change(record):
        record["settings"]["resize"] = "factor:0.5"

    with pytest.raises(InputError, match="expected an evaluation at native size; found factor:0.5"):
        run_study([copied(folder, tmp_path / "a", change)])
    with pytest.raises(InputError, match="no layer is read out by 'l3'; there are: l2"):
        run_study([epath.Path(folder)], readout="l3")

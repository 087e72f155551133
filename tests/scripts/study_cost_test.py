"""The plan and the table of the study on TPUs; the compiler itself is tested with tpu_cost.py."""

import math
from pathlib import Path

import pytest

from iqa_jax.zoo import MODELS

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import study_cost

    return study_cost


def row(study, name, kilocycles, units=8, **costs):
    what = f"{name}/all/l2,unit", "default", "v5e:2x2", 384, 512, units, 30
    return study.Row(*what, kilocycles_per_image=kilocycles, **costs)


def test_all_networks_of_the_study_are_there_once(study):
    models = study.study_models()
    names = [name for group in models.values() for name in group]
    assert len(names) == len(set(names)) == 46
    assert next(iter(models)) == "resnet50"
    for trunk, group in models.items():
        assert len({(MODELS[name].trunk, MODELS[name].preprocessing) for name in group}) == 1, trunk


def test_the_plan_is_that_of_3000_pairs(study):
    plan = study.tid2013()
    assert (len(plan.units), plan.versions, plan.sizes) == (100, 30, [(384, 512)])


def test_the_table_counts_calls_and_checkpoints(study):
    """13 units fill two calls of a chip with 8; a call is 8 x 31 images, a v5e has 1.503 GHz."""
    rows = {
        "vgg16": row(study, "vgg16", 1503, matrix_limit=700, temp_gib=5, compile_seconds=80),
        "alexnet": row(study, "alexnet", 15.03, matrix_limit=7, temp_gib=1, compile_seconds=20),
    }
    text = study.table(rows, {"vgg16": ["vgg16"], "alexnet": ["a", "b", "c"]}, units=13, chips=1)
    _, *lines, last = text.splitlines()
    found = {line.split()[0]: line.split()[1:] for line in lines if line.split()[0] in rows}
    assert found["vgg16"] == ["1", "1,503", "700", "8", "2", "5.00", "80", "0.5"]
    assert found["alexnet"] == ["3", "15", "7", "8", "2", "1.00", "20", "0.0"]
    assert last.startswith("4 networks on 1 chips: 100 s to compile")
    assert last.endswith("and 0.5 s to compute")


def test_rows_are_kept_and_recognised(study, tmp_path):
    path = tmp_path / "cost.csv"
    assert study.read_rows(path) == []
    first, second = row(study, "vgg16", 1234.5678), row(study, "vgg16", 2, units=16)
    for each in (first, second):
        study.append_row(path, each)
    found = study.read_rows(path)
    assert [each.key for each in found] == [first.key, second.key]
    assert found[0].key != found[1].key
    assert found[0].kilocycles_per_image == 1235
    assert math.isnan(found[0].temp_gib)

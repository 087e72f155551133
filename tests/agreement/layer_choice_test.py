import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.intervals import Method, correlation_intervals
from iqa_jax.agreement.layer_choice import Source, cautions, choose_layers, find_source
from iqa_jax.datasets import Pair, PairTable
from iqa_jax.datasets.splits import content_folds
from iqa_jax.datasets.table import Question
from iqa_jax.errors import InputError
from iqa_jax.images.sources import ImageFolder
from iqa_jax.metrics import parse_metric

REFERENCES, VERSIONS = 14, 5
COLUMNS = [
    Column("pixels/input/l2", "pixels", readout="l2", metric=parse_metric("net/input/l2")),
    Column("net/a/l2", "net", "a", 1, 0.5, "l2"),
    Column("net/b/l2", "net", "b", 2, 1.0, "l2"),
    Column("net/a+b/unit", "net", "a+b", readout="unit"),
    Column("psnr", "psnr"),
]
CONTENTS = np.repeat([f"r{number:02}" for number in range(REFERENCES)], VERSIONS)
HEADER = "dataset,model,layer,readout,srcc"


@pytest.fixture
def table(rng):
    pairs = [Pair(name, "d", rng.uniform(0, 9), reference_id=name) for name in CONTENTS.tolist()]
    return PairTable("tid2013", pairs, ImageFolder(), higher_is_better=True)


@pytest.fixture
def distances(table, rng):
    """The pixels agree best; of the layers a on the half that chooses, b on the other."""
    quality = np.array([pair.score for pair in table.pairs])
    chooses = first_half()
    noise = {
        "pixels/input/l2": np.full(len(quality), 0.1),
        "net/a/l2": np.where(chooses, 1, 5),
        "net/b/l2": np.where(chooses, 5, 1),
        "net/a+b/unit": np.full(len(quality), 2),
        "psnr": np.full(len(quality), 3),
    }
    return {name: each * rng.normal(size=len(quality)) - quality for name, each in noise.items()}


def first_half():
    halves = content_folds(CONTENTS.tolist(), 2, seed=0)
    return np.array([halves[name] == 0 for name in CONTENTS.tolist()])


def write(folder, *rows, fingerprint="other"):
    folder.mkdir(exist_ok=True)
    (folder / "correlations.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    (folder / "run.json").write_text(json.dumps({"dataset": {"fingerprint": fingerprint}}))
    return str(folder)


def test_one_half_chooses_and_the_other_scores(table, distances):
    source = find_source("split", COLUMNS, table, "ab")
    found = choose_layers(table, COLUMNS, distances, source, Method())
    names = [each.column.name for each in found]
    assert sorted(names) == ["net/a+b/unit", "net/a/l2", "pixels/input/l2", "psnr"]
    assert [each.srcc for each in found] == sorted((each.srcc for each in found), reverse=True)
    chosen = found[names.index("net/a/l2")]
    rows = ~first_half()
    quality = np.array([pair.score for pair in table.pairs])[rows]
    expected = stats.spearmanr(-distances["net/a/l2"][rows], quality)[0]
    assert chosen.srcc == pytest.approx(expected, abs=1e-12)
    assert (chosen.pairs, chosen.references) == (35, 7)
    assert chosen.chosen_on == "one half of the references"
    assert found[names.index("psnr")].chosen_on == ""
    ends = correlation_intervals(
        distances["net/a/l2"][rows, None],
        quality,
        CONTENTS[rows].tolist(),
        higher_is_better=True,
        method=Method(),
    )
    assert chosen.plcc_low == pytest.approx(ends.plcc_low[0], abs=1e-12)
    assert chosen.srcc_high == pytest.approx(ends.srcc_high[0], abs=1e-12)


def test_the_halves_depend_on_names_alone(table, distances, rng):
    order = rng.permutation(len(CONTENTS))
    moved = replace(table, pairs=[table.pairs[row] for row in order])
    source = Source("one half of the references")
    straight = choose_layers(table, COLUMNS, distances, source, Method())
    shuffled = {name: each[order] for name, each in distances.items()}
    again = choose_layers(moved, COLUMNS, shuffled, source, Method())
    for first, second in zip(straight, again, strict=True):
        assert first.column == second.column
        assert first.record["srcc"] == pytest.approx(second.record["srcc"])
        assert first.record["plcc_low"] == pytest.approx(second.record["plcc_low"])


def test_another_dataset_chooses_and_all_pairs_score(table, distances, tmp_path):
    rows = ["csiq,pixels,,l2,.99", "csiq,net,a,l2,.5", "csiq,net,b,l2,.7", "csiq,net,c,l2,.9"]
    folder = write(tmp_path / "csiq", *rows, "csiq,net,a+b,unit,nan", "csiq,net,a+b,unit,.6")
    source = find_source(folder, COLUMNS, table, "ab")
    assert source.name == "csiq"
    assert source.warning is None
    found = choose_layers(table, COLUMNS, distances, source, Method())
    assert {each.column.name for each in found} == {
        "net/b/l2",
        "net/a+b/unit",
        "pixels/input/l2",
        "psnr",
    }
    assert {(each.pairs, each.references) for each in found} == {(70, 14)}


def test_shared_photographs_are_said(table, tmp_path):
    rows = [f"live,net,{layer},{readout},.5" for layer, readout in (("a", "l2"), ("a+b", "unit"))]
    source = find_source(write(tmp_path / "live", *rows), COLUMNS, table, "ab")
    assert source.warning.startswith("Layers are chosen on live: live and tid2013 share photograph")


def test_few_references_are_scored_without_an_interval(table, distances):
    few = replace(table, pairs=table.pairs[: 9 * VERSIONS])
    part = {name: each[: 9 * VERSIONS] for name, each in distances.items()}
    found = choose_layers(few, COLUMNS, part, Source("half"), Method())
    assert found[0].references == 4
    assert math.isnan(found[0].srcc_low)
    assert math.isnan(found[0].record["srcc_low"])
    (note,) = cautions(Source("half"), found, Method())
    assert note.startswith("On the half of the references that scores layers: There are no interv")
    assert cautions(Source("csiq", {}), found, Method()) == []
    assert math.isfinite(found[0].srcc)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["csiq,net,a,l2,.5"], "none of the layers evaluated here of net with unit; .* are: net"),
        (["csiq,psnr,,,.8"], "of net with l2, net with unit; its models are: none"),
        (["csiq,other,a,l2,.5"], "of net with l2, net with unit; its models are: other"),
        (["csiq,net,a,l2,good"], "is not as iqa evaluate writes it"),
        (["csiq,net,a,l2,.5", "live,net,b,l2,.5"], "is not as iqa evaluate writes it"),
        ([], "is not as iqa evaluate writes it"),
    ],
)
def test_results_that_cannot_choose(table, tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        find_source(write(tmp_path / "results", *rows), COLUMNS, table, "ab")


def test_what_cannot_be_chosen(table, tmp_path):
    assert find_source(None, COLUMNS, table, "ab") is None
    with pytest.raises(InputError, match="expected split or the folder of an earlier evaluation"):
        find_source(str(tmp_path / "nowhere"), COLUMNS, table, "ab")
    same = write(tmp_path / "same", "tid2013,net,a,l2,.5", fingerprint="ab")
    with pytest.raises(InputError, match="same evaluates the same pairs; name an evaluation of an"):
        find_source(same, COLUMNS, table, "ab")
    with pytest.raises(InputError, match="there is no layer to choose"):
        find_source("split", [COLUMNS[0], COLUMNS[-1]], table, "ab")
    one = replace(table, pairs=table.pairs[:VERSIONS])
    with pytest.raises(InputError, match="needs two references at least, found 1"):
        find_source("split", COLUMNS, one, "ab")
    forced = replace(table, protocol=Question.SAME_OR_DIFFERENT, target="share")
    with pytest.raises(InputError, match="tid2013 has the share"):
        find_source("split", COLUMNS, forced, "ab")

import json
from dataclasses import replace

import pytest

from iqa_jax.agreement.columns import Column
from iqa_jax.datasets import Pair, PairTable
from iqa_jax.datasets.table import Question
from iqa_jax.errors import InputError
from iqa_jax.images.sources import ImageFolder
from iqa_jax.programs.evaluate.layer_source import find_source
from iqa_jax.zoo import TrainingData

PAIRS = TrainingData("live", "ab")
COLUMNS = [
    Column("net/a/l2", "net", "a", 1, 0.5, "l2"),
    Column("net/b/l2", "net", "b", 2, 1.0, "l2"),
    Column("net/a+b/unit", "net", "a+b", readout="unit"),
    Column("psnr", "psnr"),
]
HEADER = "dataset,model,layer,readout,srcc"


@pytest.fixture
def table():
    pairs = [Pair(name, "d", 1.0, reference_id=name) for name in ("r0", "r1")]
    return PairTable("tid2013", pairs, ImageFolder(), higher_is_better=True)


def write(folder, *rows, fingerprint="other"):
    folder.mkdir(exist_ok=True)
    (folder / "correlations.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    (folder / "run.json").write_text(json.dumps({"dataset": {"fingerprint": fingerprint}}))
    return str(folder)


def test_one_half_of_the_references_needs_no_file(table):
    source = find_source("split", COLUMNS, table, PAIRS)
    assert (source.name, source.srcc) == ("one half of the references", None)


def test_reads_the_correlation_of_each_layer_that_has_one(table, tmp_path):
    rows = ["csiq,pixels,,l2,.99", "csiq,net,a,l2,.5", "csiq,net,b,l2,.7", "csiq,net,c,l2,.9"]
    folder = write(tmp_path / "csiq", *rows, "csiq,net,c,unit,nan", "csiq,net,a+b,unit,.6")
    source = find_source(folder, COLUMNS, table, PAIRS)
    assert source.name == "csiq"
    assert source.warning is None
    assert source.srcc == {
        ("net", "a", "l2"): 0.5,
        ("net", "b", "l2"): 0.7,
        ("net", "c", "l2"): 0.9,
        ("net", "a+b", "unit"): 0.6,
    }


def test_shared_photographs_are_said(table, tmp_path):
    rows = [f"live,net,{layer},{readout},.5" for layer, readout in (("a", "l2"), ("a+b", "unit"))]
    source = find_source(write(tmp_path / "live", *rows), COLUMNS, table, PAIRS)
    assert source.warning.startswith("Layers are chosen on live: live and tid2013 share photograph")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["csiq,net,a,l2,.5"], "none of the layers evaluated here of net with unit; .* are: net"),
        (["csiq,psnr,,,.8"], "of net with l2, net with unit; its models are: none"),
        (["csiq,other,a,l2,.5"], "of net with l2, net with unit; its models are: other"),
        (["csiq,net,a,l2,good"], "was not written by iqa evaluate, or is damaged"),
        (
            ["csiq,net,a,l2,.5", "live,net,b,l2,.5"],
            "was not written by iqa evaluate, or is damaged",
        ),
        ([], "was not written by iqa evaluate, or is damaged"),
    ],
)
def test_results_that_cannot_choose(table, tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        find_source(write(tmp_path / "results", *rows), COLUMNS, table, PAIRS)


def test_what_cannot_be_chosen(table, tmp_path):
    assert find_source(None, COLUMNS, table, PAIRS) is None
    with pytest.raises(InputError, match="expected split or the folder of an earlier evaluation"):
        find_source(str(tmp_path / "nowhere"), COLUMNS, table, PAIRS)
    same = write(tmp_path / "same", "tid2013,net,a,l2,.5", fingerprint="ab")
    with pytest.raises(InputError, match="same evaluates the same pairs; name an evaluation of an"):
        find_source(same, COLUMNS, table, PAIRS)
    with pytest.raises(InputError, match="there is no layer to choose"):
        find_source("split", [COLUMNS[-1]], table, PAIRS)
    one = replace(table, pairs=table.pairs[:1])
    with pytest.raises(InputError, match="needs at least two references, found 1"):
        find_source("split", COLUMNS, one, PAIRS)
    forced = replace(table, protocol=Question.SAME_OR_DIFFERENT, target="share")
    with pytest.raises(InputError, match="tid2013 has the share"):
        find_source("split", COLUMNS, forced, PAIRS)

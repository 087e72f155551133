import csv
import json
import math

import numpy as np
import pytest
from agreement.made_up import choices, opinions
from etils import epath
from programs.evaluate.made_up import analysed

from iqa_jax.agreement.analysis import Analysis
from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.correlation import NO_FIT, Agreement, LogisticFit
from iqa_jax.agreement.groups import ReferenceAgreement
from iqa_jax.agreement.intervals import Method
from iqa_jax.agreement.layer_choice import Source
from iqa_jax.agreement.results import ColumnResult
from iqa_jax.datasets import Pair, PairTable
from iqa_jax.errors import InputError
from iqa_jax.images.sources import ImageFolder
from iqa_jax.programs.evaluate import tables
from iqa_jax.programs.evaluate.evaluation import Evaluation


@pytest.fixture
def evaluation():
    pairs = [
        Pair("r.png", "d, 1.png", 4.5, 0.25, "blur", "1", "r"),
        Pair("r.png", "d2.png", 3.0, reference_id="r"),
    ]
    columns = [
        Column("net/input/l2", "net", "input", 0, 0.0, "l2"),
        Column("net/a/l2", "net", "a", 1, 0.5, "l2", transductive_readout="l2"),
        Column("net/a+b/l2", "net", "a+b", None, None, "l2"),
        Column("psnr", "psnr", overlap="Learned from this."),
    ]
    within = ReferenceAgreement(0, 1, math.nan, math.nan)
    agreements = [
        Agreement(2, 0.5, 0.25, 0.125, LogisticFit(0.75, 1.5, True)),
        Agreement(2, 1 / 3, 0.5, 0.25, LogisticFit(0.5, 1.0, True)),
        Agreement(2, -0.5, -0.25, -0.125, NO_FIT),
        Agreement(2, math.nan, math.nan, math.nan, NO_FIT),
    ]
    return Evaluation(
        table=PairTable("made", pairs, ImageFolder(epath.Path("/")), higher_is_better=True),
        scores={
            column.name: np.array([number + 1 / 3, math.nan], np.float32)
            for number, column in enumerate(columns)
        },
        analysis=Analysis(
            [
                ColumnResult(column, agreement, within)
                for column, agreement in zip(columns, agreements, strict=True)
            ]
        ),
        record={
            "settings": {"models": ["net"]},
            "dataset": {"references": 1, "score_range": (0.0, math.nan), "opinions": math.inf},
        },
    )


def read(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def read_rows(path):
    header, *rows = read(path)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_correlations(evaluation, tmp_path):
    tables.write(evaluation, epath.Path(tmp_path))
    header, *rows = read(tmp_path / "correlations.csv")
    assert ",".join(header) == (
        "dataset,model,layer,layer_index,relative_depth,readout,pairs,plcc,srcc,krcc,"
        "plcc_logistic,rmse_logistic,fit_converged,references,srcc_in_references,"
        "srcc_in_references_std,column,in_sample,transductive,"
        "plcc_low,plcc_high,srcc_low,srcc_high"
    )
    assert rows[1] == [
        *("made", "net", "a", "1", "0.5", "l2", "2"),
        *("0.333333333", "0.5", "0.25", "0.5", "1", "True"),
        *("0", "nan", "nan"),
        *("net/a/l2", "False", "True"),
        *[""] * 4,  # no interval was asked for
    ]
    assert rows[2][3:5] == ["", ""]  # a concatenation has no place
    assert rows[3][1:7] == ["psnr", "", "", "", "", "2"]
    assert rows[3][7:] == ["nan"] * 5 + [
        "False",
        "0",
        "nan",
        "nan",
        "psnr",
        "True",
        "False",
        *[""] * 4,
    ]


def test_scores_survive_to_the_last_bit(evaluation, tmp_path):
    tables.write(evaluation, epath.Path(tmp_path))
    header, first, second = read(tmp_path / "scores.csv")
    assert header[:7] == [
        *("reference", "distorted", "reference_id", "distortion", "level", "score", "score_std")
    ]
    assert header[7:] == ["net/input/l2", "net/a/l2", "net/a+b/l2", "psnr"]
    assert first[:7] == ["r.png", "d, 1.png", "r", "blur", "1", "4.5", "0.25"]
    assert second[:7] == ["r.png", "d2.png", "r", "", "", "3", ""]
    for name, text in zip(header[7:], first[7:], strict=True):
        assert np.float32(text) == evaluation.scores[name][0]
    assert second[7:] == ["nan"] * 4


def test_record(evaluation, tmp_path):
    tables.write(evaluation, epath.Path(tmp_path / "new" / "folder"))
    text = (tmp_path / "new" / "folder" / "run.json").read_text()
    record = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert record["settings"] == {"models": ["net"]}
    assert record["dataset"] == {"references": 1, "score_range": [0.0, None], "opinions": None}


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("run.json", '{"shards": 3}', "its run.json is not of an evaluation"),
        ("scores.csv.json", "{}", "holds a table of iqa score"),
    ],
)
def test_results_of_other_programs_are_not_replaced(evaluation, name, text, complaint, tmp_path):
    folder = epath.Path(tmp_path) / "results"
    tables.check_folder(folder)
    tables.write(evaluation, folder)
    (folder / "run.json").write_text('{"runs": []}')
    tables.check_folder(folder)
    (folder / name).write_text(text)
    with pytest.raises(InputError, match=f"results: {complaint}.*name another folder"):
        tables.check_folder(folder)
    with pytest.raises(InputError, match=f"{name}: is a file; expected a folder"):
        tables.check_folder(folder / name)


def test_tables_of_opinions(rng, tmp_path):
    folder = epath.Path(tmp_path)
    (tmp_path / "forced_choice.csv").write_text("of an earlier run")
    source = Source("elsewhere", {("net", "a", "l2"): 0.5, ("net", "b", "l2"): 0.4})
    found = analysed(opinions(rng), rng, method=Method(), layers_from=source)
    assert tables.write(found, folder) == [
        *("correlations.csv", "correlations_by_distortion.csv", "correlations_by_reference.csv"),
        *("chosen_layers.csv", "scores.csv", "run.json", "correlation_by_layer.png"),
    ]
    assert not (tmp_path / "forced_choice.csv").exists()
    first = read_rows(tmp_path / "correlations.csv")[0]
    assert list(first)[-4:] == ["plcc_low", "plcc_high", "srcc_low", "srcc_high"]
    assert float(first["srcc_low"]) <= float(first["srcc"]) <= float(first["srcc_high"])
    (chosen,) = (row for row in read_rows(tmp_path / "chosen_layers.csv") if row["layer"])
    assert (chosen["model"], chosen["layer"], chosen["chosen_on"]) == ("net", "a", "elsewhere")
    assert (chosen["pairs"], chosen["references"]) == ("36", "6")
    assert float(chosen["srcc_low"]) == float(first["srcc_low"])
    groups = read_rows(tmp_path / "correlations_by_distortion.csv")
    assert [(row["kind"], row["group"], row["pairs"]) for row in groups[:5]] == [
        *(("distortion", "blur", "18"), ("distortion", "noise", "18")),
        *(("level", "1", "12"), ("level", "2", "12"), ("level", "3", "12")),
    ]
    references = read_rows(tmp_path / "correlations_by_reference.csv")
    assert len(references) == 3 * 6
    names = [row["column"] for row in read_rows(tmp_path / "correlations.csv")]
    assert list(dict.fromkeys(row["column"] for row in references)) == names
    first = read_rows(tmp_path / "correlations.csv")[0]
    alone = [row for row in references if row["column"] == first["column"]]
    assert [row["pairs"] for row in alone] == ["6"] * 6
    assert first["references"] == "6"
    mean = sum(float(row["srcc"]) for row in alone) / 6
    assert mean == pytest.approx(float(first["srcc_in_references"]), abs=1e-8)


def test_tables_of_forced_choices(rng, tmp_path):
    found = analysed(choices(rng), rng, method=Method())
    assert tables.write(found, epath.Path(tmp_path)) == [
        *("forced_choice.csv", "scores.csv", "run.json", "correlation_by_layer.png")
    ]
    rows = read_rows(tmp_path / "forced_choice.csv")
    assert [row["subset"] for row in rows[:4]] == [
        *("mix", "cnn", "mean of the subsets", "all judgements")
    ]
    assert [row["judgements"] for row in rows[:4]] == ["10", "10", "20", "20"]
    assert all(0 <= float(row["score"]) <= float(row["best"]) <= 1 for row in rows)
    assert all(float(row["low"]) < float(row["score"]) < float(row["high"]) for row in rows)
    tables.write(analysed(choices(rng), rng), epath.Path(tmp_path))
    assert {row["low"] for row in read_rows(tmp_path / "forced_choice.csv")} == {""}

import csv
import io
import math

from iqa_jax.agreement.intervals import BOOTSTRAP, NONE, Method
from iqa_jax.programs.train.report import report_csv, report_text
from iqa_jax.relevance.gains import MEAN, POOLED, TRANSFER, Gain


def rows(references=12, fold=3, uniform=0.7912):
    interval = (0.7, 0.9) if fold >= 5 else (math.nan, math.nan)
    return [
        Gain(part, dataset, *size, measure, weights, minus, *values)
        for part, dataset, size, ends in (
            ("fold 0", "tid2013", (fold, 105), interval),
            (MEAN, "tid2013", (references, 420), (0.75, 0.85)),
            (POOLED, "tid2013", (references, 420), (0.75, 0.85)),
            (TRANSFER, "csiq", (30, 866), (0.75, 0.85)),
        )
        for measure in ("plcc", "srcc")
        for weights, minus, values in (
            ("uniform", "", (uniform, *ends)),
            ("learned", "", (0.8571, *ends)),
            ("learned", "uniform", (0.0659, *ends)),
        )
    ]


def test_a_table_for_each_measure():
    text = report_text(rows(), Method(BOOTSTRAP, resamples=300, level=0.9))
    lines = text.splitlines()
    assert lines[0] == (
        "Pearson; [ ] 90% intervals by the bootstrap of 300 resamples over references"
    )
    assert lines[1].endswith("  transfer to csiq")
    assert [line.split()[:2] for line in lines[3:8]] == [
        ["references", "3"],
        ["pairs", "105"],
        ["uniform", "0.791"],
        ["learned", "0.857"],
        ["learned", "-"],
    ]
    assert lines[7].count("+0.066 [+0.750, +0.850]") == 3
    assert sum(line.startswith("Spearman") for line in lines) == 1
    assert "nan" not in text


def test_cautions():
    few = report_text(rows(), Method(BOOTSTRAP))
    assert few.count("tid2013: Intervals from 12 references are rough") == 1
    assert "Folds of 3 references agree better" in few
    assert "csiq:" not in few
    many = report_text(rows(references=60, fold=12), Method(BOOTSTRAP))
    assert "rough" not in many
    assert "Folds of" not in many
    assert "Folds of" not in report_text(rows(), Method())  # which repeats no reference


def test_without_intervals():
    text = report_text(rows(), Method(NONE))
    assert text.splitlines()[0] == "Pearson"
    assert "rough" not in text


def test_scores_of_the_wrong_direction_are_suspected():
    text = report_text(rows(uniform=-0.4), Method())
    assert text.count("tid2013: unweighted distances grow with quality") == 1
    assert "grow with quality" not in report_text(rows(), Method())


def test_csv_has_a_row_a_number():
    found = list(csv.DictReader(io.StringIO(report_csv(rows()))))
    assert len(found) == 24
    assert list(found[0]) == [
        *("part", "dataset", "references", "pairs", "measure", "weights", "minus"),
        *("value", "low", "high"),
    ]
    assert found[0]["low"] == "nan"
    assert found[5]["measure"] == "srcc"
    assert found[2] == {
        **{"part": "fold 0", "dataset": "tid2013", "references": "3", "pairs": "105"},
        **{"measure": "plcc", "weights": "learned", "minus": "uniform"},
        **{"value": "0.0659", "low": "nan", "high": "nan"},
    }

import math
from dataclasses import replace

import pytest
from agreement.made_up import choices, opinions
from programs.evaluate.made_up import LAYERS, analysed, evaluation_of, result, two_models

from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.forced_choice import ForcedChoice, Subsets
from iqa_jax.agreement.intervals import Method
from iqa_jax.agreement.layer_choice import Chosen
from iqa_jax.agreement.results import ForcedChoiceResult
from iqa_jax.programs.evaluate.report import best_layers, report_text, short_name


def test_best_of_all_stands_first():
    best = [each.column.place for each in best_layers(two_models())]
    assert best == [
        ("alexnet", "relu1+relu2", "l2"),
        ("alexnet", "relu2", "unit"),
        ("vgg16", "relu2", "unit"),
        ("psnr", "", ""),
        ("vgg16", "relu2", "l2"),
    ]


def test_the_pixels_are_no_layer_of_a_model():
    pixels = Column("pixels/input/l2", "pixels", readout="l2")
    results = [result(pixels, 0.95), *two_models()]
    first, second, *_ = best_layers(results)
    assert first.column is pixels
    assert second.column.name == "joined"
    assert report_text(evaluation_of(results)).count("pixels") == 1


def test_what_has_seen_the_test_is_marked():
    seen = [
        Column("n/a/unit@mine", "n", "a", 1, 0.5, "unit@mine", overlap="Learned from this."),
        Column("n/a/balanced", "n", "a", 1, 0.5, "balanced", transductive_readout="balanced"),
        Column("dists", "dists", overlap="Learned from this.", transductive_readout="balanced"),
        Column("n/a/l2", "n", "a", 1, 0.5, "l2"),
    ]
    results = [result(column, 0.5) for column in seen]
    for number, marks in ((4, ["(i)", "(t)"]), (1, ["(i)"])):
        lines = report_text(evaluation_of(results[:number])).splitlines()
        assert [line.split()[0] for line in lines if line.startswith("  (")] == marks
    text = report_text(evaluation_of(results))
    for name in ("unit@mine (i)", "balanced (t)", "dists (i) (t)"):
        assert name in text
    assert "l2 (" not in text


def test_nan_is_never_the_best():
    undefined = result(Column("a", "a", "x", 0, 0.0, "l2"), math.nan)
    other = result(Column("b", "a", "y", 1, 1.0, "l2"), -0.5)
    assert best_layers([undefined, other]) == [other]
    assert best_layers([undefined]) == [undefined]


def test_a_layer_chosen_on_the_same_data_has_no_interval():
    alone = result(Column("one/a/l2", "one", "a", 1, 1.0, "l2"), 0.4)
    ends = {"plcc_interval": (0.11, 0.22), "srcc_interval": (0.33, 0.44)}
    results = [replace(each, **ends) for each in (*two_models(), alone)]
    text = report_text(evaluation_of(results))
    table = text[text.index("Best layers on these data (optimistic)") :].splitlines()[3:9]
    for line in table:
        fixed = line.split()[0] in ("one", "psnr")
        assert ("0.330 to 0.440" in line) == fixed
        assert ("chosen here" in line) != fixed


def test_a_layer_chosen_elsewhere_has_one():
    column = Column("net/a/l2", "net", "a", 1, 0.5, "l2")
    numbers = (0.61, 0.62, 0.51, 0.71, 0.52, 0.72)
    chosen = [
        Chosen(Column("psnr", "psnr"), "", 30, 6, 0.7, 0.7, 0.5, 0.8, 0.5, 0.8),
        Chosen(column, "kadid10k", 30, 6, *numbers),
    ]
    text = report_text(evaluation_of(two_models(), chosen=chosen))
    assert "Layers chosen on kadid10k, and metrics, scored on 30 pairs of 6 references" in text
    (line,) = (line for line in text.splitlines() if line.split()[:2] == ["net", "a"])
    assert line.split(maxsplit=3)[3].split("  ") == [
        *("0.620", "0.520 to 0.720", "0.610", "0.510 to 0.710")
    ]


def test_forced_choices_without_a_score_stand_last():
    def forced(name, score):
        interval = None if math.isnan(score) else (score - 0.1, 1.0)
        found = ForcedChoice(9, score, 0.9, 0.7, interval)
        return ForcedChoiceResult(Column(name, name), Subsets({"cnn": found}, found, found))

    scores = {"a": math.nan, "b": 0.6, "c": 0.8, "d": math.nan, "e": 0.7}
    choices = [forced(name, score) for name, score in scores.items()]
    text = report_text(evaluation_of(forced_choices=choices))
    lines = text[text.index("Agreement") :].splitlines()[3:]
    assert [line.split()[0] for line in lines] == ["c", "e", "b", "a", "d", "best", "an"]
    assert lines[0].endswith("0.800  0.800  0.700 to 1.000")
    assert lines[3].split()[-2:] == ["nan", "-"]


def test_report_lines_up_and_marks_the_best():
    text = report_text(evaluation_of(two_models()))
    assert "made: 60 pairs of 1 reference" in text
    assert "mean opinion score, higher is better" in text
    best = text.index("Best layers")
    alexnet, vgg16 = text.index("alexnet by depth"), text.index("vgg16 by depth")
    assert best < alexnet < vgg16
    table = text[alexnet:vgg16].strip().splitlines()[1:]
    assert [line.split()[1] for line in table[2:6]] == list(LAYERS)
    assert len({line.rstrip().rfind(".") for line in table[2:6]}) == 1
    assert sum("*" in line for line in table) == 2
    assert next(line for line in table if "relu2 " in line).count("*") == 1
    assert "relu1+relu2" in table[-1]
    assert text.count("psnr") == 1


def test_many_models_are_left_to_the_file():
    columns = [Column(f"m{number}/a/l2", f"m{number}", "a", 0, 0.0, "l2") for number in range(7)]
    text = report_text(evaluation_of([result(column, 0.5) for column in columns]))
    assert "by depth" not in text
    assert text.count("\n  m") == 1 + 7  # under the header


@pytest.mark.parametrize(
    ("layer", "short"),
    [
        ("relu1", "relu1"),
        ("a+b+c+d", "a+b+c+d"),
        ("a+b+c+d+e", "a+...+e"),
        ("vgg16/relu1_2+a+b+c+relu5_3/unit@x", "vgg16/relu1_2+...+relu5_3/unit@x"),
    ],
)
def test_short_names(layer, short):
    assert short_name(layer) == short


def test_opinions_and_choices(rng):
    text = report_text(analysed(opinions(rng), rng, method=Method()))
    assert "ceiling, the true quality against these scores: srcc 0.9" in text
    assert "one more observer against these scores: srcc 0." in text
    assert "95 %" in text
    assert "srcc in references" in text
    text = report_text(analysed(choices(rng), rng))
    assert "Agreement with the observers' choices" in text
    assert "best possible" in text
    assert "an observer" in text
    assert "srcc" not in text

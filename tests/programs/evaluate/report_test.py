import math

import numpy as np
import pytest
from etils import epath
from matplotlib.figure import Figure
from PIL import Image

from iqa_jax.agreement.analysis import Analysis
from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.correlation import NO_FIT, Agreement, LogisticFit
from iqa_jax.agreement.forced_choice import ForcedChoice, Subsets
from iqa_jax.agreement.intervals import Intervals
from iqa_jax.agreement.layer_choice import Chosen
from iqa_jax.datasets import Pair, PairTable
from iqa_jax.images.sources import ImageFolder
from iqa_jax.metrics import parse_metric
from iqa_jax.programs.evaluate import figure as plot
from iqa_jax.programs.evaluate.evaluation import Evaluation
from iqa_jax.programs.evaluate.report import best_layers, report, short_name

LAYERS = ("input", "relu1", "relu2", "pool2")


def agreement(srcc):
    return Agreement(60, srcc - 0.1, srcc, srcc - 0.2, LogisticFit(srcc, 0.5, True))


@pytest.fixture
def evaluation():
    """Two models, two read-outs, a concatenation and a metric; the best is alexnet/relu2/unit."""
    agreements = []
    for model, shift in (("alexnet", 0.0), ("vgg16", -0.1)):
        for index, layer in enumerate(LAYERS):
            for readout, slope in (("l2", 0.01), ("unit", 0.05)):
                column = Column(
                    f"{model}/{layer}/{readout}", model, layer, index, index / 3, readout
                )
                srcc = 0.7 + shift + slope * min(index, 4 - index)
                agreements.append((column, agreement(srcc)))
    agreements.append((Column("joined", "alexnet", "relu1+relu2", readout="l2"), agreement(0.9)))
    agreements.append((Column("psnr", "psnr"), agreement(0.65)))
    pairs = [Pair("r", f"d{i}", 0.0, reference_id="r") for i in range(60)]
    return Evaluation(
        table=PairTable("made", pairs, ImageFolder(epath.Path("/")), higher_is_better=True),
        scores={column.name: np.zeros(60) for column, _ in agreements},
        analysis=Analysis(agreements=agreements),
        record={"dataset": {"references": 1}},
    )


def test_best_of_all_stands_first(evaluation):
    best = best_layers(evaluation.agreements)
    assert [(column.model, column.layer, column.readout) for column, _ in best] == [
        ("alexnet", "relu1+relu2", "l2"),
        ("alexnet", "relu2", "unit"),
        ("vgg16", "relu2", "unit"),
        ("psnr", "", ""),
        ("vgg16", "relu2", "l2"),
    ]


def test_the_pixels_are_no_layer_of_a_model(evaluation, figures, tmp_path):
    pixels = Column(
        "pixels/input/l2", "pixels", readout="l2", metric=parse_metric("alexnet/input/l2")
    )
    agreements = [(pixels, agreement(0.95)), *evaluation.agreements]
    best = best_layers(agreements)
    assert best[0][0] is pixels
    assert best[1][0].name == "joined"
    found = Evaluation(evaluation.table, {}, Analysis(agreements), evaluation.record)
    assert report(found).count("pixels") == 1
    plot.correlation_by_layer(found, epath.Path(tmp_path) / "figure.png")
    of_l2, of_unit = (
        {line.get_label(): line for line in panel.lines} for panel in figures[0].axes[:2]
    )
    assert list(of_l2["pixels"].get_ydata()) == [0.95, 0.95]
    assert "pixels" not in of_unit
    assert not any("input" in text.get_text() for text in figures[0].axes[0].texts)
    assert {"psnr"} <= set(of_l2) & set(of_unit)
    assert of_l2["psnr"].get_linestyle() == of_unit["psnr"].get_linestyle()


def test_what_has_seen_the_test_is_marked(evaluation, figures, tmp_path):
    seen = [
        Column("n/a/unit@mine", "n", "a", 1, 0.5, "unit@mine", overlap="Learned from this."),
        Column("n/a/balanced", "n", "a", 1, 0.5, "balanced", is_transductive=True),
        Column("dists", "dists", overlap="Learned from this.", is_transductive=True),
        Column("n/a/l2", "n", "a", 1, 0.5, "l2"),
    ]
    agreements = [(column, agreement(0.5)) for column in seen]
    for number, marks in ((4, ["(i)", "(t)"]), (1, ["(i)"])):
        analysis = Analysis(agreements[:number])
        found = Evaluation(evaluation.table, {}, analysis, evaluation.record)
        text = report(found)
        legend = [line.split()[0] for line in text.splitlines() if line.startswith("  (")]
        assert legend == marks
        plot.correlation_by_layer(found, epath.Path(tmp_path) / "figure.png")
        drawn = [line.split()[0] for line in figures[-1].get_suptitle().splitlines()[2:]]
        assert drawn == marks
    text = report(Evaluation(evaluation.table, {}, Analysis(agreements), evaluation.record))
    for name in ("unit@mine (i)", "balanced (t)", "dists (i) (t)"):
        assert name in text
    assert "l2 (" not in text
    plot.correlation_by_layer(
        Evaluation(evaluation.table, {}, Analysis(agreements), evaluation.record),
        epath.Path(tmp_path) / "figure.png",
    )
    top = figures[-1].axes[:3]
    assert [panel.get_title() for panel in top] == [
        *("read-out: unit@mine (i)", "read-out: balanced (t)", "read-out: l2")
    ]
    assert "dists (i) (t)" in [line.get_label() for line in top[0].lines]


def test_nan_is_never_the_best():
    column = Column("a", "a", "x", 0, 0.0, "l2")
    other = Column("b", "a", "y", 1, 1.0, "l2")
    undefined = Agreement(3, math.nan, math.nan, math.nan, NO_FIT)
    assert best_layers([(column, undefined), (other, agreement(-0.5))])[0][0] is other
    assert best_layers([(column, undefined)])[0][0] is column


def test_a_layer_chosen_on_the_same_data_has_no_interval(evaluation):
    alone = (Column("one/a/l2", "one", "a", 1, 1.0, "l2"), agreement(0.4))
    agreements = [*evaluation.agreements, alone]
    ends = [np.full(len(agreements), value) for value in (0.11, 0.22, 0.33, 0.44)]
    analysis = Analysis(agreements, intervals=Intervals(*ends))
    text = report(Evaluation(evaluation.table, {}, analysis, evaluation.record))
    table = text[text.index("Best layers on these data (optimistic)") :].splitlines()[3:9]
    cells = {tuple(line.split()[:3]): line for line in table}
    for (model, *_), line in cells.items():
        fixed = model in ("one", "psnr")
        assert ("0.330 to 0.440" in line) == fixed
        assert ("chosen here" in line) != fixed


def test_a_layer_chosen_elsewhere_has_one(evaluation):
    column = Column("net/a/l2", "net", "a", 1, 0.5, "l2")
    numbers = (0.61, 0.62, 0.51, 0.71, 0.52, 0.72)
    chosen = [
        Chosen(Column("psnr", "psnr"), "", 30, 6, 0.7, 0.7, 0.5, 0.8, 0.5, 0.8),
        Chosen(column, "kadid10k", 30, 6, *numbers),
    ]
    analysis = Analysis(evaluation.agreements, chosen=chosen)
    text = report(Evaluation(evaluation.table, {}, analysis, evaluation.record))
    assert "Layers chosen on kadid10k, and metrics, scored on 30 pairs of 6 references" in text
    (line,) = (line for line in text.splitlines() if line.split()[:2] == ["net", "a"])
    assert line.split(maxsplit=3)[3].split("  ") == [
        *("0.620", "0.520 to 0.720", "0.610", "0.510 to 0.710")
    ]


def test_forced_choices_without_a_score_stand_last(evaluation):
    def subsets(score, interval=None):
        found = ForcedChoice(9, score, 0.9, 0.7, interval)
        return Subsets({"cnn": found}, found, found)

    scores = {"a": math.nan, "b": 0.6, "c": 0.8, "d": math.nan, "e": 0.7}
    forced = [
        (Column(name, name), subsets(score, None if math.isnan(score) else (score - 0.1, 1.0)))
        for name, score in scores.items()
    ]
    analysis = Analysis(forced_choices=forced)
    text = report(Evaluation(evaluation.table, {}, analysis, evaluation.record))
    lines = text[text.index("Agreement") :].splitlines()[3:]
    assert [line.split()[0] for line in lines] == ["c", "e", "b", "a", "d", "best", "an"]
    assert lines[0].endswith("0.800  0.800  0.700 to 1.000")
    assert lines[3].split()[-2:] == ["nan", "-"]


def test_report_lines_up_and_marks_the_best(evaluation):
    text = report(evaluation)
    assert "made: 60 pairs of 1 references" in text
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


def test_many_models_are_left_to_the_file(evaluation):
    agreements = [
        (Column(f"m{number}/a/l2", f"m{number}", "a", 0, 0.0, "l2"), agreement(0.5))
        for number in range(7)
    ]
    many = Evaluation(evaluation.table, {}, Analysis(agreements), evaluation.record)
    assert "by depth" not in report(many)
    assert report(many).count("\n  m") == 1 + 7  # under the header


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


def test_figure_is_drawn(evaluation, tmp_path):
    path = epath.Path(tmp_path) / "figure.png"
    plot.correlation_by_layer(evaluation, path)
    with Image.open(path) as image:
        image.verify()
        assert min(image.size) > 800
    assert [entry.name for entry in tmp_path.iterdir()] == ["figure.png"]


@pytest.fixture
def figures(monkeypatch):
    """The figures that are drawn."""
    made = []

    def figure(**options):
        made.append(Figure(**options))
        return made[-1]

    monkeypatch.setattr(plot, "Figure", figure)
    return made


def test_the_first_layers_joined_are_a_line(evaluation, figures, tmp_path):
    columns = [
        Column("net/a/l2", "net", "a", 1, 0.5, "l2", cumulative_depth=0.5),
        Column("net/a+b/l2", "net", "a+b", readout="l2", cumulative_depth=0.75),
        Column("net/a+b+c/l2", "net", "a+b+c", readout="l2", cumulative_depth=1.0),
        Column("net/a+c/l2", "net", "a+c", readout="l2"),
    ]
    values = [0.5, 0.6, 0.7, 0.8]
    agreements = [(column, agreement(value)) for column, value in zip(columns, values, strict=True)]
    found = Evaluation(evaluation.table, {}, Analysis(agreements), evaluation.record)
    plot.correlation_by_layer(found, epath.Path(tmp_path) / "figure.png")
    lines = {line.get_label(): line for line in figures[0].axes[0].lines}
    assert list(lines["net"].get_xdata()) == [0.5]
    joined = lines["net, joined up to there"]
    assert list(joined.get_xdata()) == [0.5, 0.75, 1.0]
    assert list(joined.get_ydata()) == values[:3]
    assert list(lines["net a+c"].get_ydata()) == [0.8, 0.8]
    assert "net a+b" not in lines


def test_intervals_are_drawn_from_end_to_end(evaluation, figures, tmp_path):
    agreements = [evaluation.agreements[0], evaluation.agreements[-1]]
    ends = [np.array(each) for each in ([0.1, 0.2], [0.8, 0.9], [0.3, 0.4], [0.6, 0.7])]
    analysis = Analysis(agreements, intervals=Intervals(*ends))
    found = Evaluation(evaluation.table, {}, analysis, evaluation.record)
    plot.correlation_by_layer(found, epath.Path(tmp_path) / "figure.png")
    drawn = [
        [segment[:, 1].tolist() for lines in panel.collections for segment in lines.get_segments()]
        for panel in figures[0].axes
    ]
    assert drawn == [[[0.3, 0.6], [0.4, 0.7]], [[0.1, 0.8], [0.2, 0.9]]]


def test_intervals_of_forced_choices_are_drawn(evaluation, figures, tmp_path):
    found = ForcedChoice(9, 0.7, 0.9, 0.8, (0.6, 0.75))
    forced = [(Column("net/a/l2", "net", "a", 1, 0.5, "l2"), Subsets({"x": found}, found, found))]
    analysis = Analysis(forced_choices=forced)
    plot.correlation_by_layer(
        Evaluation(evaluation.table, {}, analysis, evaluation.record),
        epath.Path(tmp_path) / "f.png",
    )
    (lines,) = figures[0].axes[0].collections
    assert [segment[:, 1].tolist() for segment in lines.get_segments()] == [[0.6, 0.75]]


def test_no_two_of_many_models_are_drawn_alike(evaluation, figures, tmp_path):
    models = [f"resnet50-supervised-imagenet1k-{number}" for number in range(49)]
    agreements = [
        (Column(f"{model}/{index}/l2", model, f"{index}", index, index / 2, "l2"), agreement(0.5))
        for model in models
        for index in (1, 2)
    ]
    found = Evaluation(evaluation.table, {}, Analysis(agreements), evaluation.record)
    plot.correlation_by_layer(found, epath.Path(tmp_path) / "figure.png")
    figure = figures[0]
    lines = [line for line in figure.axes[0].lines if line.get_label() in models]
    styles = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines}
    assert len(lines) == len(styles) == 49
    assert not figure.axes[0].texts  # names of layers would hide the lines
    (legend,) = figure.legends
    width, height = figure.get_size_inches()
    assert legend.get_window_extent().width < width * figure.dpi
    assert all(panel.get_position().height * height > 1.5 for panel in figure.axes)


def test_figure_of_metrics_alone_and_of_nothing_defined(evaluation, tmp_path):
    undefined = Agreement(3, math.nan, math.nan, math.nan, NO_FIT)
    layer = Column("a/x/l2", "a", "x", 0, 0.0, "l2")
    for agreements in (evaluation.agreements[-1:], [(layer, undefined)]):
        found = Evaluation(evaluation.table, {}, Analysis(agreements), evaluation.record)
        plot.correlation_by_layer(found, epath.Path(tmp_path) / "figure.png")

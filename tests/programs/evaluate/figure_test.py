import io
import math

import pytest
from agreement.made_up import choices, opinions
from PIL import Image
from programs.evaluate.made_up import analysed, evaluation_of, result, two_models

from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.forced_choice import ForcedChoice, Subsets
from iqa_jax.agreement.intervals import Method
from iqa_jax.agreement.results import ForcedChoiceResult
from iqa_jax.programs.evaluate.figure import correlation_by_layer


def draw(evaluation):
    """The figure of an evaluation, drawn to the last stroke."""
    drawn = correlation_by_layer(evaluation)
    drawn.png()
    return drawn


def lines_of(panel):
    return {line.get_label(): line for line in panel.lines}


@pytest.mark.parametrize("method", ["none", "jackknife"])
@pytest.mark.parametrize("make_table", [opinions, choices])
def test_is_drawn_of_opinions_and_of_choices(make_table, method, rng):
    found = analysed(make_table(rng), rng, method=Method(method))
    with Image.open(io.BytesIO(correlation_by_layer(found).png())) as image:
        image.verify()
        assert min(image.size) > 400


def test_the_pixels_are_a_level_of_their_read_out():
    pixels = Column("pixels/input/l2", "pixels", readout="l2")
    panels = draw(evaluation_of([result(pixels, 0.95), *two_models()])).axes
    of_l2, of_unit = map(lines_of, panels[:2])
    assert list(of_l2["pixels"].get_ydata()) == [0.95, 0.95]
    assert "pixels" not in of_unit
    assert not any("input" in text.get_text() for text in panels[0].texts)
    assert {"psnr"} <= set(of_l2) & set(of_unit)
    assert of_l2["psnr"].get_linestyle() == of_unit["psnr"].get_linestyle()


def test_what_has_seen_the_test_is_marked():
    seen = [
        Column("n/a/unit@mine", "n", "a", 1, 0.5, "unit@mine", overlap="Learned from this."),
        Column("n/a/balanced", "n", "a", 1, 0.5, "balanced", transductive_readout="balanced"),
        Column("dists", "dists", overlap="Learned from this.", transductive_readout="balanced"),
        Column("n/a/l2", "n", "a", 1, 0.5, "l2"),
    ]
    results = [result(column, 0.5) for column in seen]
    for number, marks in ((1, ["(i)"]), (4, ["(i)", "(t)"])):
        drawn = draw(evaluation_of(results[:number]))
        lines = drawn.get_suptitle().splitlines()[2:]
        assert [line.split()[0] for line in lines] == marks
    top = drawn.axes[:3]
    assert [panel.get_title() for panel in top] == [
        *("read-out: unit@mine (i)", "read-out: balanced (t)", "read-out: l2")
    ]
    assert "dists (i) (t)" in lines_of(top[0])


def test_the_first_layers_joined_are_a_line():
    columns = [
        Column("net/a/l2", "net", "a", 1, 0.5, "l2", cumulative_depth=0.5),
        Column("net/a+b/l2", "net", "a+b", readout="l2", cumulative_depth=0.75),
        Column("net/a+b+c/l2", "net", "a+b+c", readout="l2", cumulative_depth=1.0),
        Column("net/a+c/l2", "net", "a+c", readout="l2"),
    ]
    values = [0.5, 0.6, 0.7, 0.8]
    drawn = draw(evaluation_of(list(map(result, columns, values))))
    lines = lines_of(drawn.axes[0])
    assert list(lines["net"].get_xdata()) == [0.5]
    joined = lines["net, joined up to there"]
    assert list(joined.get_xdata()) == [0.5, 0.75, 1.0]
    assert list(joined.get_ydata()) == values[:3]
    assert list(lines["net a+c"].get_ydata()) == [0.8, 0.8]
    assert "net a+b" not in lines


def test_intervals_are_drawn_from_end_to_end():
    layer, *_, metric = (each.column for each in two_models())
    results = [
        result(layer, 0.5, plcc_interval=(0.1, 0.8), srcc_interval=(0.3, 0.6)),
        result(metric, 0.6, plcc_interval=(0.2, 0.9), srcc_interval=(0.4, 0.7)),
    ]
    segments = [
        [segment[:, 1].tolist() for lines in panel.collections for segment in lines.get_segments()]
        for panel in draw(evaluation_of(results)).axes
    ]
    assert segments == [[[0.3, 0.6], [0.4, 0.7]], [[0.1, 0.8], [0.2, 0.9]]]


def test_intervals_of_forced_choices_are_drawn():
    found = ForcedChoice(9, 0.7, 0.9, 0.8, (0.6, 0.75))
    column = Column("net/a/l2", "net", "a", 1, 0.5, "l2")
    forced = [ForcedChoiceResult(column, Subsets({"x": found}, found, found))]
    (lines,) = draw(evaluation_of(forced_choices=forced)).axes[0].collections
    assert [segment[:, 1].tolist() for segment in lines.get_segments()] == [[0.6, 0.75]]


def test_no_two_of_many_models_are_drawn_alike():
    models = [f"resnet50-supervised-imagenet1k-{number}" for number in range(49)]
    columns = [
        Column(f"{model}/{index}/l2", model, f"{index}", index, index / 2, "l2")
        for model in models
        for index in (1, 2)
    ]
    drawn = draw(evaluation_of([result(column, 0.5) for column in columns]))
    lines = [line for line in drawn.axes[0].lines if line.get_label() in models]
    styles = {(line.get_color(), line.get_marker()) for line in lines}
    assert len(lines) == len(styles) == 49
    assert not drawn.axes[0].texts  # names of layers would hide the lines
    (legend,) = drawn.legends
    width, height = drawn.get_size_inches()
    assert legend.get_window_extent().width < width * drawn.dpi
    assert all(panel.get_position().height * height > 1.5 for panel in drawn.axes)


def test_metrics_alone_and_nothing_defined():
    undefined = result(Column("a/x/l2", "a", "x", 0, 0.0, "l2"), math.nan)
    assert "psnr" in lines_of(draw(evaluation_of(two_models()[-1:])).axes[0])
    assert "a" in lines_of(draw(evaluation_of([undefined])).axes[0])

"""Points, clicks and arrow keys."""

import numpy as np
from programs.report.page.seen import best, chosen, scores


def point(view, x, y):
    """Where in the window a point is drawn."""
    box = view.page.locator("#scatter").bounding_box()
    at = view.page.evaluate(
        "([x, y]) => { const { x: across, y: up } = Chart.getChart('scatter').scales;"
        " return [across.getPixelForValue(x), up.getPixelForValue(y)]; }",
        [x, y],
    )
    return box["x"] + at[0], box["y"] + at[1]


def test_a_click_on_a_point_shows_its_pair(view, rows):
    across, upwards = scores(rows, best(rows)), scores(rows, "score")
    row = int(np.argmax(across))
    view.page.locator("#scatter").scroll_into_view_if_needed()
    x, y = point(view, across[row], upwards[row])
    view.page.mouse.click(x, y)
    view.page.wait_for_function(
        "name => document.querySelector('#pair-name').textContent.includes(name)",
        arg=rows[row]["distorted"],
    )
    assert chosen(view) == rows[row]["distorted"]
    box = view.page.locator("#scatter").bounding_box()
    view.page.mouse.move(box["x"], box["y"])
    pixels = view.pixels("#scatter")
    ring = pixels[round(y - box["y"]), round(x - box["x"]) - 10]
    assert ring.max() < 120, "the chosen point has a dark ring"


def test_points_have_the_colour_of_their_distortion(view, rows):
    across, upwards = scores(rows, best(rows)), scores(rows, "score")
    row = int(np.argmax(across))
    view.page.locator("#scatter").scroll_into_view_if_needed()
    kinds = [f"type {number}" for number in range(3)]
    kind = kinds.index(rows[row]["distortion"])

    def colour():
        x, y = point(view, across[row], upwards[row])
        box = view.page.locator("#scatter").bounding_box()
        return view.pixels("#scatter")[round(y - box["y"]), round(x - box["x"])]

    seen = colour()
    expected = np.array([[0, 114, 178], [213, 94, 0], [0, 158, 115]])
    assert np.argmin(np.abs(expected - seen).sum(axis=1)) == kind
    assert np.ptp(seen) > 60
    view.page.locator("#legend label", has_text=kinds[kind]).click()
    assert np.ptp(colour()) < 30, "its distortion is hidden"


def test_arrow_keys_go_from_pair_to_pair(view, rows):
    across, upwards = scores(rows, best(rows)), scores(rows, "score")
    names = [row["distorted"] for row in rows]
    by_score = [names[row] for row in np.argsort(across, kind="stable")]
    by_opinion = [names[row] for row in np.argsort(upwards, kind="stable")]
    canvas = view.page.locator("#scatter")
    canvas.press("Home")
    assert chosen(view) == by_score[0]
    canvas.press("ArrowRight")
    canvas.press("ArrowRight")
    assert chosen(view) == by_score[2]
    canvas.press("ArrowLeft")
    assert chosen(view) == by_score[1]
    canvas.press("ArrowDown")
    assert chosen(view) == by_opinion[max(0, by_opinion.index(by_score[1]) - 1)]
    canvas.press("End")
    assert chosen(view) == by_score[-1]


def test_another_column_is_plotted(view, rows):
    view.page.locator("#table-0 button", has_text="psnr").click()
    assert view.page.locator("#x-axis").input_value() == view.page.locator(
        "#x-axis option", has_text="psnr"
    ).get_attribute("value")
    assert "Spearman's correlation of psnr and mean opinion score" in view.text("#about-axes")
    shown = view.page.evaluate(
        "Chart.getChart('scatter').data.datasets.flatMap(({ data }) => data)"
        ".filter(({ isRing }) => !isRing).map(({ x }) => x)"
    )
    np.testing.assert_allclose(np.sort(shown), np.sort(scores(rows, "psnr")), rtol=1e-5)
    view.page.locator("#as-ranks").check()
    shown = view.page.evaluate("Chart.getChart('scatter').scales.x.max")
    assert shown == 100

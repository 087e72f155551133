"""What a person does with a page, and what is then on it and in its pixels."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from programs.report.browser import is_colour
from programs.report.made_up import BLUE, COLUMNS, ODD, RED, column
from scipy.stats import rankdata

from iqa_jax.__main__ import main

GREEN = (20, 160, 20)


@pytest.fixture(scope="module")
def file(results, tmp_path_factory):
    """The page of the evaluation that was made up, with a map of every pair."""
    folder = tmp_path_factory.mktemp("page")
    maps = folder / "maps"
    maps.mkdir()
    for number, row in enumerate(rows_of(results), start=1):
        stem = row["distorted"].removesuffix(".png")
        Image.new("RGB", (64, 48), GREEN).save(maps / f"{number:06d}_{stem}_ssim.png")
    output = folder / "out" / "page.html"
    arguments = [f"--results={results}", f"--output={output}", f"--maps_dir={maps}"]
    assert main(["report", *arguments]) == 0
    return output


def rows_of(results):
    with (results / "scores.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def rows(results):
    return rows_of(results)


@pytest.fixture
def view(opened, file):
    return opened(file)


def scores(rows, name):
    return np.array([float(row[name]) for row in rows])


def chosen(view):
    """Name of the distorted image of the pair that is shown."""
    return view.text("#pair-name").split(" (")[0]


def best(rows):
    """The column shown first: that of the highest correlation."""
    opinions = rankdata(scores(rows, "score"))

    def correlation(name):
        sign = 1 if name == "psnr" else -1
        return np.corrcoef(rankdata(sign * scores(rows, name)), opinions)[0, 1]

    return max(COLUMNS, key=correlation)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_fits_its_window(opened, file, width):
    view = opened(file, width=width)
    assert view.page.evaluate("document.documentElement.scrollWidth") == width
    assert is_colour(view.pixels("#reference")[10, 10], RED)


def test_it_asks_for_nothing_but_linked_images(opened, file, results):
    view = opened(file)
    view.page.wait_for_load_state("networkidle")
    data = results.parent / "data & more"
    wanted = {path.absolute().as_uri() for path in data.iterdir()}
    assert set(view.requests) <= wanted | {file.absolute().as_uri()}
    assert len(view.requests) > 2


def test_names_are_text_and_not_html(view):
    assert view.text("#pairs tbody tr:first-child td:nth-child(2)").split() == ODD.split()
    assert not view.page.locator("main b").count()
    assert "A <b>warning</b>." in view.page.locator(".warnings li").text_content()


def test_a_heading_sorts(view, rows):
    heading = view.page.locator("#pairs th", has_text="psnr")
    heading.click()
    expected = np.sort(scores(rows, "psnr"))[:10]
    place = view.texts("#pairs thead th").index("psnr")
    shown = view.columns("#pairs table")[place]
    np.testing.assert_allclose([float(each) for each in shown], expected, rtol=1e-3)
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.press("Enter")
    shown = view.columns("#pairs table")[place]
    expected = np.sort(scores(rows, "psnr"))[::-1][:10]
    np.testing.assert_allclose([float(each) for each in shown], expected, rtol=1e-3)
    assert heading.get_attribute("aria-sort") == "descending"


def test_a_search_filters(view):
    view.page.locator("#pairs input[type=search]").fill("r2_1_")
    assert view.columns("#pairs table")[0] == ["r2_1_1.png", "r2_1_2.png", "r2_1_3.png"]
    view.page.locator("#pairs input[type=search]").fill("")
    view.page.locator("#pairs-distortion").select_option("type 2")
    assert set(view.columns("#pairs table")[2]) == {"type 2"}
    assert "12" in view.text("#pairs .dt-info")


def test_a_row_shows_its_pair(view):
    view.page.locator("#pairs button", has_text="r0_1_2.png").click()
    assert chosen(view) == "r0_1_2.png"
    assert view.text("#pairs tr.chosen td:first-child") == "r0_1_2.png"
    assert is_colour(view.pixels("#reference")[24, 32], RED)
    assert is_colour(view.pixels("#distorted")[24, 32], BLUE)


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
    assert "Spearman's correlation of psnr with people" in view.text("#about-axes")
    shown = view.page.evaluate(
        "Chart.getChart('scatter').data.datasets.flatMap(({ data }) => data)"
        ".filter(({ isRing }) => !isRing).map(({ x }) => x)"
    )
    np.testing.assert_allclose(np.sort(shown), np.sort(scores(rows, "psnr")), rtol=1e-5)
    view.page.locator("#as-ranks").check()
    shown = view.page.evaluate("Chart.getChart('scatter').scales.x.max")
    assert shown == 100


def test_the_divider_moves_by_keys_and_by_the_mouse(view):
    view.page.locator("[name=mode][value=side]").press("ArrowRight")
    assert view.page.locator("#stage").get_attribute("data-mode") == "slider"
    divider = view.page.locator("#divider")
    width = view.pixels("#stage .scroll >> nth=0").shape[1]

    def is_reference(share):
        pixel = view.pixels("#distorted")[20, int(share * width)]
        assert is_colour(pixel, RED) or is_colour(pixel, BLUE)
        return is_colour(pixel, RED)

    assert [is_reference(share) for share in (0.45, 0.55)] == [True, False]
    divider.press("Home")
    assert not is_reference(0.02)
    for _ in range(25):
        divider.press("ArrowRight")
    assert divider.get_attribute("aria-valuetext") == "25 % reference"
    assert [is_reference(share) for share in (0.22, 0.28)] == [True, False]
    box = view.page.locator("#distorted").bounding_box()
    view.page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 20)
    assert [is_reference(share) for share in (0.77, 0.83)] == [True, False]
    divider.press("End")
    assert is_reference(0.98)


def test_images_blink_until_they_are_stopped(view):
    view.page.locator("[name=mode][value=blink]").check()
    stage = view.page.locator("#stage")
    assert view.page.locator("#playing").get_attribute("aria-pressed") == "true"
    for shown in ("reference", "distorted"):
        view.page.wait_for_function(f"document.getElementById('stage').dataset.shown == '{shown}'")
    view.page.locator("#playing").click()
    assert view.page.locator("#playing").get_attribute("aria-pressed") == "false"
    before = stage.get_attribute("data-shown")
    view.page.wait_for_timeout(900)
    assert stage.get_attribute("data-shown") == before
    for _ in range(2):
        view.page.locator("#flip").press("Enter")
        colour = {"reference": RED, "distorted": BLUE}[view.text("#blink-shown")]
        assert is_colour(view.pixels("#distorted")[20, 20], colour)
    assert stage.get_attribute("data-shown") == before


def test_nothing_blinks_by_itself_where_motion_is_unwanted(view):
    view.page.emulate_media(reduced_motion="reduce")
    view.page.locator("[name=mode][value=blink]").check()
    assert view.page.locator("#playing").get_attribute("aria-pressed") == "false"


def test_the_map_of_a_metric(view):
    view.page.locator("[name=mode][value=map]").check()
    assert view.page.locator("#map-metric").input_value() == "ssim"
    assert is_colour(view.pixels("#map")[20, 20], GREEN)
    assert is_colour(view.pixels("#distorted")[20, 20], BLUE)
    assert not view.page.locator("#reference").is_visible()


def test_pixels_can_be_seen_one_by_one(view):
    view.page.locator("#zoom").select_option("4")
    assert view.page.locator("#distorted").bounding_box()["width"] == 4 * 64


def test_the_greatest_disagreements_come_first(view, rows):
    def ranks(values):
        return (rankdata(values) - 1) / (len(rows) - 1) * 100

    name = best(rows)
    sign = 1 if name == "psnr" else -1
    difference = ranks(sign * scores(rows, name)) - ranks(scores(rows, "score"))
    order = np.argsort(-difference, kind="stable")[:12]
    names = [rows[row]["distorted"] for row in order]
    shown = [each.split(" (")[0] for each in view.texts("#better strong")]
    assert shown == names
    view.page.locator("#better button").nth(1).click()
    assert chosen(view) == names[1]
    first, second = view.page.locator("#first"), view.page.locator("#second")
    a, b = first.input_value(), second.input_value()
    first.select_option(b)
    second.select_option(a)
    assert [each.split(" (")[0] for each in view.texts("#worse strong")] == names
    assert view.text("#worse-heading") == f"Worse for mean opinion score than for {name}"


def test_two_that_are_equal_for_one_and_not_for_the_other(view, rows):
    """Five levels of four pairs each, of which the two farthest apart for people are shown."""
    values = scores(rows, best(rows)) * (1 if best(rows) == "psnr" else -1)
    order = np.argsort(values)
    opinions = scores(rows, "score")
    expected = []
    for level in range(5):
        start = round((level + 0.5) / 5 * len(rows) - 2)
        equal = order[start : start + 4]
        both = equal[np.argmax(opinions[equal])], equal[np.argmin(opinions[equal])]
        expected += [rows[row]["distorted"] for row in both]
    assert [each.split(" (")[0] for each in view.texts("#defended strong")] == expected


def test_a_cell_of_the_heat_map_plots_its_pairs(view, rows, results):
    with (results / "correlations_by_distortion.csv").open(newline="") as file:
        found = {
            (row["layer"], row["group"]): float(row["srcc"])
            for row in csv.DictReader(file)
            if row["model"] == "net" and row["kind"] == "distortion"
        }
    layers = view.texts("#heat-map thead th")
    assert layers == ["conv1", "conv2", "conv3", "ceiling"]
    kinds, *cells = view.columns("#heat-map table")
    for layer, column_of_cells in zip(layers[:3], cells[:3], strict=True):
        for kind, cell in zip(kinds[1:], column_of_cells[1:], strict=True):
            assert cell.replace("−", "-") == f"{round(found[layer, kind], 3):.2f}"
    assert cells[3][0] == "0.98"
    view.page.get_by_role("button", name="conv2, type 1: plot").click()
    number = view.page.locator("#x-axis").input_value()
    name = view.page.locator(f"#x-axis option[value='{number}']").text_content()
    assert name == column("conv2")
    boxes = view.page.locator("#legend input").all()
    assert [each.is_checked() for each in boxes] == [False, True, False]


def test_everything_that_takes_the_keyboard_has_a_name(view):
    session = view.page.context.new_cdp_session(view.page)
    found = session.send("Accessibility.getFullAXTree")["nodes"]
    focusable = [
        each
        for each in found
        if {"name": "focusable", "value": {"type": "booleanOrUndefined", "value": True}}
        in each.get("properties", [])
    ]
    assert len(focusable) > 30
    nameless = [
        each["role"]["value"]
        for each in focusable
        if not each.get("name", {}).get("value") and each["role"]["value"] != "RootWebArea"
    ]
    assert not nameless
    images = [each for each in found if each.get("role", {}).get("value") == "image"]
    assert {each["name"]["value"].split(":")[0] for each in images} >= {"reference", "distorted"}


def test_the_sheet_follows_a_dark_system(view):
    light = view.pixels("#about-axes")[0, 0]
    view.page.emulate_media(color_scheme="dark")
    dark = view.pixels("#about-axes")[0, 0]
    assert light.min() > 200
    assert dark.max() < 60


def test_embedded_images_need_no_files(opened, results, tmp_path):
    output = tmp_path / "alone.html"
    main(["report", f"--results={results}", f"--output={output}", "--images=embed"])
    view = opened(output)
    assert is_colour(view.pixels("#reference")[24, 32], RED)
    assert view.requests == [output.absolute().as_uri()]
    assert "small JPEGs" in view.text("#pair")


def test_without_images_the_rest_remains(opened, results, tmp_path):
    output = tmp_path / "plain.html"
    main(["report", f"--results={results}", f"--output={output}", "--images=none"])
    view = opened(output)
    view.page.locator("#pairs button", has_text="r0_0_2.png").click()
    assert chosen(view) == "r0_0_2.png"
    assert not view.page.locator("#stage").is_visible()


def test_a_moved_file_is_reported(opened, results, tmp_path):
    """Instead of a broken image, a sentence says which file is missing."""
    output = tmp_path / "moved.html"
    main(["report", f"--results={results}", f"--output={output}"])
    text = output.read_text()
    data = json.dumps("r1_0_1.png")
    assert data in text
    output.write_text(text.replace("/r1_0_1.png", "/gone.png"))
    view = opened(output)
    view.page.locator("#pairs-distortion").select_option("type 0")
    view.page.locator("#pairs button", has_text="r1_0_1.png").click()
    view.page.wait_for_selector("#no-image:not([hidden])")
    assert "cannot show distorted: r1_0_1.png" in view.text("#no-image")
    view.errors[:] = [each for each in view.errors if "ERR_FILE_NOT_FOUND" not in each]

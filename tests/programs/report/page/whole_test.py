"""The page as a whole: its size, its names, and what it asks for."""

import json

import pytest
from programs.browser import is_colour
from programs.report.made_up import ODD, RED
from programs.report.page.seen import chosen

from iqa_jax.__main__ import main


@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_fits_its_window(opened, file, width):
    view = opened(file, width=width)
    assert view.page.evaluate("document.documentElement.scrollWidth") == width
    assert is_colour(view.pixels("#reference")[10, 10], RED)


def test_it_asks_for_nothing_but_linked_images(opened, file, results):
    view = opened(file)
    view.page.evaluate("byId => document.getElementById(byId).decode()", "distorted")
    folders = (results.parent / "data & more", file.parent.parent / "maps")
    wanted = {path.absolute().as_uri() for folder in folders for path in folder.iterdir()}
    assert set(view.requests) <= wanted | {file.absolute().as_uri()}
    assert len(view.requests) > 2


def test_names_are_text_and_not_html(view):
    assert view.text("#pairs tbody tr:first-child td:nth-child(2)").split() == ODD.split()
    assert not view.page.locator("main b").count()
    assert "A <b>warning</b>." in view.page.locator(".warnings li").text_content()


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


def test_the_page_of_scores_begins_with_the_worst(opened, iqa, pair_folder, tmp_path):
    output = tmp_path / "scores.html"
    iqa(
        *("score", "--metrics=psnr", f"--pairs={pair_folder / 'pairs.csv'}"),
        *(f"--html={output}", "--fail_beyond=psnr:20"),
    )
    view = opened(output)
    names = view.texts("#worst-list strong")
    assert {name.split("_")[1] for name in names[:1]} == {"4.png"}, "the strongest noise"
    assert chosen(view) == names[0]
    assert "psnr is" in view.text("#pair-name")
    assert "below 20" in view.text("#pair-name")
    view.page.locator("#worst-list button").nth(1).click()
    assert chosen(view) == names[1]
    assert not view.page.locator("#disagreements").is_visible()

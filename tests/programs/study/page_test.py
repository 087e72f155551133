"""The page of a study in Chromium: from a verdict to its comparisons, and to their networks."""

import csv

import pytest
from programs.study import made_up

from iqa_jax.__main__ import main

CLAIM = "The best layer is generally not the last."


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    results = made_up.results(folder)
    assert main(["study", f"--results={results}", f"--output_dir={folder / 'study'}"]) == 0
    return folder / "study"


@pytest.fixture
def view(opened, output):
    return opened(output / "study.html")


def rows_of(path):
    with path.open(newline="") as file:
        return [*csv.DictReader(file)]


def cells(view, section, name):
    """Cells of a table's column by its heading."""
    place = view.texts(f"#{section} table.data thead th").index(name)
    return view.columns(f"#{section} table.data")[place]


def choose(view, claim):
    view.page.locator("#verdicts input[type=search]").fill(claim)
    view.page.locator("#verdicts [data-verdict]").first.click()


def test_a_verdict_leads_to_its_comparisons_and_these_to_networks(view, output):
    choose(view, CLAIM)
    assert view.text("#claim-text") == f"C8. {CLAIM}"
    assert "best layer" in view.text("#claim .rules")
    assert view.page.evaluate("document.activeElement.id") == "heading-claim"
    assert view.page.locator("#claim table tr.chosen").count() == 1
    wanted = [row for row in rows_of(output / "study_contrasts.csv") if row["claim"] == "C8"]
    assert set(cells(view, "contrasts", "claim")) == {"C8"}
    assert cells(view, "contrasts", "a") == [row["a"] for row in wanted] == list(made_up.NAMES)
    shown = [float(cell.replace("−", "-")) for cell in cells(view, "contrasts", "difference")]
    assert shown == pytest.approx([float(row["difference"]) for row in wanted], abs=6e-4)
    assert "3 comparisons" in view.page.locator("#forest").get_attribute("aria-label")

    view.page.locator("#contrasts table.data").get_by_role("button", name="vgg16").first.click()
    assert view.page.evaluate("document.activeElement.id") == "heading-networks"
    assert cells(view, "networks", "network or metric") == ["vgg16"]
    assert "of 1 networks" in view.page.locator("#curves").get_attribute("aria-label")


def test_networks_are_added_and_taken_away(view):
    names = view.page.locator("#networks table.data [data-toggle]")
    assert set(names.all_inner_texts()) == {*made_up.NAMES, "ssim"}
    view.page.get_by_role("button", name="alexnet", exact=True).last.click()
    view.page.locator("#networks [data-toggle]", has_text="vgg16").click()
    assert "of 2 networks" in view.page.locator("#curves").get_attribute("aria-label")
    view.page.locator("#only-chosen").check()
    assert set(cells(view, "networks", "network or metric")) == {"alexnet", "vgg16"}
    view.page.get_by_role("button", name="alexnet: no longer chosen").click()
    assert cells(view, "networks", "network or metric") == ["vgg16"]
    view.page.get_by_role("button", name="choose none").click()
    assert view.page.locator("#networks [data-toggle]").count() == len(made_up.NAMES) + 1


def test_a_heading_sorts_by_number(view, output):
    rows = [row for row in rows_of(output / "study_claims.csv") if row["readout"] == "l2"]
    heading = view.page.locator("#verdicts table.data th", has_text="claim")
    for direction in ("ascending", "descending"):
        heading.get_by_role("button").press("Enter")
        view.await_sort(heading, direction)
    assert cells(view, "verdicts", "claim") == [row["claim"] for row in reversed(rows)][:25]


def test_an_untested_claim_says_why(view):
    choose(view, "All networks beat SSIM.")
    assert "10 trained networks are needed, found 3" in view.text("#claim table")
    assert view.page.locator("#to-contrasts").is_disabled()
    assert not view.page.locator("#forest-box").is_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_its_window_and_asks_for_nothing(opened, output, width):
    view = opened(output / "study.html", width=width)
    assert view.page.evaluate("document.documentElement.scrollWidth") == width
    assert view.requests == [(output / "study.html").absolute().as_uri()]


def test_names_are_text_and_everything_that_takes_the_keyboard_has_a_name(view):
    assert made_up.NASTY in view.texts("#networks [data-toggle]")
    assert not view.page.locator("main b").count()
    session = view.page.context.new_cdp_session(view.page)
    found = session.send("Accessibility.getFullAXTree")["nodes"]
    focusable = [
        each
        for each in found
        if any(
            one["name"] == "focusable" and one["value"]["value"]
            for one in each.get("properties", [])
        )
    ]
    assert len(focusable) > 30
    assert not [
        each["role"]["value"]
        for each in focusable
        if not each.get("name", {}).get("value") and each["role"]["value"] != "RootWebArea"
    ]


def test_the_plots_follow_a_dark_system(view):
    light = view.pixels("#curves")
    view.page.emulate_media(color_scheme="dark")
    dark = view.pixels("#curves")
    assert light[2, 2].min() > 200
    assert dark[2, 2].max() < 60

"""Tables that are sorted and searched."""

import numpy as np
from programs.browser import is_colour
from programs.report.made_up import BLUE, RED
from programs.report.page.seen import chosen, scores


def test_a_heading_sorts(view, rows):
    heading = view.page.locator("#pairs th", has_text="psnr")
    heading.click()
    view.await_sort(heading, "ascending")
    expected = np.sort(scores(rows, "psnr"))[:10]
    place = view.texts("#pairs thead th").index("psnr")
    shown = view.columns("#pairs table")[place]
    np.testing.assert_allclose([float(each) for each in shown], expected, rtol=1e-3)
    heading.get_by_role("button").press("Enter")
    view.await_sort(heading, "descending")
    shown = view.columns("#pairs table")[place]
    expected = np.sort(scores(rows, "psnr"))[::-1][:10]
    np.testing.assert_allclose([float(each) for each in shown], expected, rtol=1e-3)


def test_numbers_of_a_column_have_the_same_decimals(view):
    header = view.texts("#table-0 thead th")
    cells = view.columns("#table-0 table")
    for name, digits in (("srcc", 4), ("pairs", 0)):
        shown = cells[header.index(name)]
        assert [len(each.partition(".")[2]) for each in shown] == [digits] * len(shown), name


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

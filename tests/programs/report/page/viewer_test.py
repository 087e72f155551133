"""The images of a pair, in pixels."""

from programs.browser import is_colour
from programs.report.made_up import BLUE, RED
from programs.report.page.seen import GREEN


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
    view.page.clock.install(time=0)
    view.page.clock.pause_at(100_000)
    view.page.locator("[name=mode][value=blink]").check()
    stage = view.page.locator("#stage")
    assert view.page.locator("#playing").get_attribute("aria-pressed") == "true"
    for shown in ("reference", "distorted"):
        view.page.clock.run_for(700)
        assert stage.get_attribute("data-shown") == shown
    view.page.locator("#playing").click()
    assert view.page.locator("#playing").get_attribute("aria-pressed") == "false"
    before = stage.get_attribute("data-shown")
    view.page.clock.run_for(10_000)
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

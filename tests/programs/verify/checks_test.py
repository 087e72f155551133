import dataclasses
import math

import numpy as np
import pytest
from PIL import Image
from triplets import Triplet, triplet_table

from iqa_jax.programs.verify.checks import Range, Verdict, check_images, check_rows
from iqa_jax.programs.verify.examination import examine


def by_subject(checks):
    return {check.subject: check for check in checks}


def rows(table):
    return by_subject(check_rows(table))


def images(table, **options):
    return by_subject(check_images(table, examine(table, **options)))


def test_a_whole_dataset_passes_all_checks(table):
    checks = {**rows(table), **images(table)}
    assert {check.verdict for check in checks.values()} == {Verdict.OK}
    assert not any(check.items or check.explanation for check in checks.values())
    assert checks["pairs"].found == checks["pairs"].expected == 12
    assert checks["scores"].found == Range(1.0, 4.0)
    assert checks["scores"].expected == Range(0.0, 9.0)


@pytest.mark.parametrize(("published", "verdict"), [(13, "PROBLEM"), (11, "PROBLEM"), (None, "ok")])
def test_the_published_number_of_pairs(table, published, verdict):
    check = rows(dataclasses.replace(table, published_pairs=published))["pairs"]
    assert (check.found, check.expected, check.verdict) == (12, published, verdict)


def test_no_pairs_at_all(table):
    empty = dataclasses.replace(table, pairs=[], published_pairs=None)
    assert rows(empty)["pairs"].verdict is Verdict.PROBLEM
    assert "no rows" in rows(empty)["pairs"].explanation
    assert rows(empty)["scores"].found is None
    assert {check.verdict for check in images(empty).values()} == {Verdict.OK}


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_scores_that_are_not_finite(table, replace_row, score):
    check = rows(replace_row(table, 4, score=score))["rows without a finite score"]
    assert check.verdict is Verdict.PROBLEM
    assert check.items == ["row 5: b_1.png"]


def test_scores_outside_their_scale(table, replace_row):
    check = rows(replace_row(replace_row(table, 0, score=-0.5), 3, score=9.5))["scores"]
    assert check.verdict is Verdict.PROBLEM
    assert check.found == Range(-0.5, 9.5)
    assert check.items == ["row 1: a_1.png: -0.5", "row 4: a_4.png: 9.5"]


def test_a_scale_without_ends(table, replace_row):
    open_table = dataclasses.replace(table, score_range=(math.nan, math.nan))
    check = rows(replace_row(open_table, 0, score=-1e6))["scores"]
    assert check.verdict is Verdict.OK
    assert check.expected is None


def test_an_image_with_several_scores(table, replace_row):
    repeated = replace_row(replace_row(table, 2, distorted="a_1.png"), 7, distorted="a_1.png")
    check = rows(repeated)["rows that repeat another"]
    assert check.verdict is Verdict.PROBLEM
    assert check.items == ["rows 1, 3, 8: a_1.png"]


def test_a_version_may_be_in_several_triplets_but_not_twice_in_one(table):
    triplets = [
        Triplet("a.png", "a_1.png", "a_2.png", 0.2),
        Triplet("a.png", "a_1.png", "a_3.png", 0.2),
        Triplet("b.png", "a_2.png", "a_1.png", 0.2),
    ]
    names = triplet_table("choice", triplets, table.images)
    assert rows(names)["rows that repeat another"].verdict is Verdict.OK
    triplets += [
        Triplet("a.png", "a_2.png", "a_1.png", 0.8),
        Triplet("c.png", "c_1.png", "c_1.png", 0.5),
    ]
    names = triplet_table("choice", triplets, table.images)
    check = rows(names)["rows that repeat another"]
    assert check.items == ["rows 9 to 10: c_1.png against itself", "rows 1, 7: a_1.png"]


def test_missing_unreadable_and_damaged_images_are_named(table, tmp_path):
    (tmp_path / "a_1.png").unlink()
    (tmp_path / "a_2.png").write_bytes(b"")
    (tmp_path / "a_4.png").write_bytes(b"")
    whole = (tmp_path / "a_3.png").read_bytes()
    (tmp_path / "a_3.png").write_bytes(whole[: len(whole) // 2])
    checks = images(table)
    assert checks["images missing"].items == ["a_1.png"]
    unreadable = ["a_2.png: is an empty file", "a_4.png: is an empty file"]
    assert checks["images unreadable"].items == unreadable
    (damaged,) = checks["images that do not decode"].items
    assert damaged.startswith("a_3.png: is damaged or cut short")
    for subject in ("images missing", "images unreadable", "images that do not decode"):
        assert checks[subject].verdict is Verdict.PROBLEM
        assert checks[subject].found == len(checks[subject].items)
        assert checks[subject].expected == 0
        assert checks[subject].explanation
    assert checks["pairs of unequal size"].verdict is Verdict.OK
    assert checks["files with the bytes of another"].verdict is Verdict.OK


def test_pairs_of_unequal_size(table, tmp_path):
    Image.new("RGB", (16, 13)).save(tmp_path / "b_2.png")
    for options in ({}, {"headers_only": True}):
        check = images(table, **options)["pairs of unequal size"]
        assert check.verdict is Verdict.PROBLEM
        assert check.items == ["row 6: b_2.png: 16x13, its reference b.png: 16x12"]


def test_copies_and_identical_pairs_are_notes(table, tmp_path):
    Image.open(tmp_path / "a.png").save(tmp_path / "a_1.png", compress_level=1)
    (tmp_path / "c_4.png").write_bytes((tmp_path / "b_4.png").read_bytes())
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "a_1.png").read_bytes()
    checks = images(table)
    copies, identical = (
        checks["files with the bytes of another"],
        checks["pairs of identical pixels"],
    )
    assert copies.verdict is identical.verdict is Verdict.NOTE
    assert copies.items == ["c_4.png: same as b_4.png"]
    assert identical.items == ["row 1: a_1.png"]


def test_one_different_value_is_not_identical(table, tmp_path):
    pixels = np.array(Image.open(tmp_path / "a.png"))
    pixels[-1, -1, -1] ^= 1
    Image.fromarray(pixels).save(tmp_path / "a_1.png")
    assert images(table)["pairs of identical pixels"].found == 0


def test_checks_that_need_pixels_are_not_made_from_headers(table):
    checks = images(table, headers_only=True)
    unchecked = {name for name, check in checks.items() if check.verdict is Verdict.NOT_CHECKED}
    assert unchecked == {
        "images that do not decode",
        "files with the bytes of another",
        "pairs of identical pixels",
    }
    assert all(checks[name].found is None for name in unchecked)

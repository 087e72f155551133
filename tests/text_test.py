import csv
import io
import math

import numpy as np
import pytest

from iqa_jax.text import aligned, counted, csv_text, do_you_mean

KNOWN = ("lpips-vgg", "ssim", "ms-ssim", "iw-ssim", "flip", "TID2008", "tid2013", "lpips-alex")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("lpips-vg", "do you mean lpips-vgg or lpips-alex? "),
        ("LPIPS-VGG", "do you mean lpips-vgg? "),
        ("SSIM", "do you mean ssim? "),
        ("LPIPS", "do you mean lpips-vgg or lpips-alex? "),
        ("tid2014", "do you mean tid2013 or TID2008? "),
        ("x", ""),
    ],
)
def test_a_hint_for_an_unknown_name(name, hint):
    assert do_you_mean(name, KNOWN) == hint


def test_words_stand_to_the_left_and_numbers_to_the_right():
    assert aligned(["layer", "srcc"], [["relu1", "0.5"], ["a", "-0.25"]], text_columns=1) == [
        "  layer   srcc",
        "  -----  -----",
        "  relu1    0.5",
        "  a      -0.25",
    ]


def test_a_table_of_comma_separated_values():
    rows = [("a, b", 1, 1 / 3, None), ('"', True, math.nan, "é")]
    assert csv_text(["text", "count", "number", "error"], iter(rows)) == (
        'text,count,number,error\n"a, b",1,0.333333333,\n"""",True,nan,é\n'
    )


def test_numbers_are_read_back_as_they_were(rng):
    for values, options in (
        (rng.normal(size=50).astype(np.float32), {}),
        (rng.normal(size=50), {"digits": None}),
    ):
        (_, *rows) = csv.reader(io.StringIO(csv_text(["a"], values[:, None].tolist(), **options)))
        found = np.array([text for (text,) in rows], float).astype(values.dtype)
        assert (found == values).all()


@pytest.mark.parametrize(
    ("count", "words", "expected"),
    [
        (1, "pairs", "1 pair"),
        (0, "pairs", "0 pairs"),
        (2, "images", "2 images"),
        (1, "rows with missing images", "1 row with missing images"),
        (1, "more sizes", "1 more size"),
        (21, "judgements cannot be used", "21 judgements cannot be used"),
    ],
)
def test_a_count_of_one_is_singular(count, words, expected):
    assert counted(count, words) == expected

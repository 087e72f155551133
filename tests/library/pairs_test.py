import dataclasses
import zlib

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from ml_dtypes import bfloat16
from PIL import Image

from iqa_jax.datasets import PairTable, fingerprint, inspect
from iqa_jax.errors import DatasetError, InputError
from iqa_jax.images.decode import Header
from iqa_jax.library.pairs import table_from


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (5, 7, 3)).astype(np.uint8)


def pixels(table):
    """The two images of each pair."""
    return [tuple(table.images.pixels(name) for name in pair.image_names) for pair in table.pairs]


def test_every_form_gives_the_same_pairs(image, rng):
    others = rng.integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
    columns = {"reference": [image, image.copy()], "distorted": list(others)}
    forms = [
        columns,
        pd.DataFrame(columns),
        pd.DataFrame(columns, index=["x", "y"]),
        list(zip(*columns.values(), strict=True)),
        (np.stack(columns["reference"]), others),
        [jnp.stack(columns["reference"]), jnp.asarray(others)],
        {name: [Image.fromarray(each) for each in column] for name, column in columns.items()},
        {name: [each / 255 for each in column] for name, column in columns.items()},
        {name: [np.float32(each) / 255 for each in column] for name, column in columns.items()},
        {name: [np.float16(each) for each in column] for name, column in columns.items()},
        {"reference": [image, image], "distorted": np.float64(others)},
    ]
    tables = [table_from(form) for form in forms]
    for table in tables:
        assert [pair.image_names for pair in table.pairs] == [
            ("reference[0]", "distorted[0]"),
            ("reference[0]", "distorted[1]"),
        ]
        assert table.reference_count == 1
        assert np.isnan(table.pairs[0].score)
        for (reference, distorted), other in zip(pixels(table), others, strict=True):
            np.testing.assert_array_equal(reference, image)
            np.testing.assert_array_equal(distorted, other)
            assert reference.dtype == distorted.dtype == np.uint8
    same = [dataclasses.replace(table, pairs=tables[0].pairs) for table in tables]
    headers = {name: same[0].images.header(name) for name in same[0].image_names}
    assert {fingerprint(table, headers) for table in same} == {fingerprint(same[0], headers)}


def test_headers_are_those_of_the_pixels(image):
    images = table_from([(image, image)]).images
    data = image.tobytes()
    assert images.read("reference[0]") == data
    assert images.header("reference[0]") == Header(5, 7, 105, zlib.crc32(data))
    assert images.treatment == ""


def test_an_array_that_is_changed_meanwhile_is_an_error(image):
    table, _ = inspect(
        table_from({"reference": [image], "distorted": [image], "score": [1]}, with_scores=True)
    )
    image[0, 0, 0] ^= 1
    with pytest.raises(InputError, match=r"reference\[0\]: was changed while it was in use"):
        table.images.pixels("reference[0]")


def test_paths_and_arrays_may_be_mixed(image, tmp_path):
    Image.fromarray(image).save(tmp_path / "a.png")
    table = table_from([(tmp_path / "a.png", image), (str(tmp_path / "a.png"), image)])
    assert [pair.reference for pair in table.pairs] == [str(tmp_path / "a.png")] * 2
    for pair in pixels(table):
        np.testing.assert_array_equal(pair[0], pair[1])
    assert table.images.header(str(tmp_path / "a.png"))[:2] == (5, 7)


def test_ratings_with_all_that_is_known(image):
    frame = pd.DataFrame(
        {
            "reference": [image, image],
            "distorted": [image, image],
            "score": [1, np.float32(2.5)],
            "score_std": [None, 0.5],
            "distortion": ["blur", None],
            "level": [1.0, np.nan],
            "reference_id": pd.array(["r", pd.NA], "string"),
            "note": ["not", "ours"],
        }
    )
    first, second = table_from(frame, with_scores=True).pairs
    assert (first.score, second.score, second.score_std) == (1.0, 2.5, 0.5)
    assert np.isnan(first.score_std)
    assert (first.distortion, first.level, first.reference_id) == ("blur", "1", "r")
    assert (second.distortion, second.level, second.reference_id) == ("", "", "reference[0]")


def test_a_file_and_a_table(ratings):
    path = ratings.folder / "ratings.csv"
    table = table_from(path)
    assert len(table.pairs) == 18
    assert table.higher_is_better
    lower = table_from(str(path), with_scores=True, score_direction="lower")
    assert not lower.higher_is_better
    assert table_from(lower, with_scores=True) is lower
    assert isinstance(table_from(lower, score_direction="higher"), PairTable)
    with pytest.raises(DatasetError, match="found no file"):
        table_from("nowhere.csv")


def test_the_direction_of_ratings(image):
    columns = {"reference": [image], "distorted": [image], "score": [1.0]}
    for direction, higher in ((None, True), ("higher", True), ("lower", False)):
        table = table_from(columns, with_scores=True, score_direction=direction)
        assert table.higher_is_better == higher
    with pytest.raises(InputError, match="expected higher or lower, got 'up'"):
        table_from(columns, score_direction="up")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda x: x[0], r"row 2, column distorted: expected a path or an array \[H, W, 3\], got"),
        (lambda x: x[..., :2], r"got an array \[5, 7, 2\]"),
        (lambda x: x[:0], r"got an array \[0, 7, 3\]"),
        (lambda x: None, "got NoneType None"),
        (np.int32, "row 2, column distorted: expected an array of uint8 or floats"),
        (lambda x: x.astype(bfloat16), "expected an array of uint8 or floats, got bfloat16"),
        (lambda x: x / 255 + 0.001, "column distorted: expected an image of 8 bits, .*found 0"),
        (lambda x: x / 255 - 0.5, "expected an image of 8 bits, k/255"),
        (lambda x: x + 1.0, "expected an image of 8 bits, whole numbers from 0 to 255, found 256"),
        (lambda x: x * np.nan, "found nan; call the metric itself for floating-point images"),
        (lambda x: x + 0.5, "found 0.5|found [0-9]+.5"),
    ],
)
def test_images_that_cannot_be_used_are_named(change, complaint, image):
    image[0, 0] = 0, 255, 255
    with pytest.raises(InputError, match=complaint):
        table_from([(image, image), (image, change(image))])


def test_all_floats_are_on_one_scale(image):
    """A picture that is nearly black does not turn into another one."""
    dark = np.zeros((5, 7, 3))
    dark[0] = 1
    found = pixels(table_from([(dark, np.float64(image))]))[0][0]
    np.testing.assert_array_equal(found, dark)
    assert pixels(table_from([(dark, image)]))[0][0].max() == 255
    with pytest.raises(InputError, match="row 1, column reference: .*whole numbers"):
        table_from([(image / 255, np.float64(image))])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"score": [1, "good"]}, "row 2, column score: expected a number, got str 'good'"),
        ({"score": [np.nan, 1]}, "row 1, column score: .* got float nan; correct the row or l"),
        ({"score_std": ["?", 1]}, "row 1, column score_std: expected a number"),
        ({"score": [1]}, "expected columns of equal length, got reference: 2, .*score: 1"),
        ({"distorted": [np.zeros((5, 8, 3), np.uint8)] * 2}, "expected 5x7 pixels.*got 5x8"),
    ],
)
def test_ratings_that_cannot_be_used_are_named(change, complaint, image):
    columns = {"reference": [image] * 2, "distorted": [image] * 2, "score": [1, 2]}
    with pytest.raises(InputError, match=complaint):
        table_from(columns | change, with_scores=True)


@pytest.mark.parametrize(
    ("pairs", "complaint"),
    [
        (
            {"reference": ["a.png"]},
            "columns reference, distorted, score; missing: distorted, score",
        ),
        (
            {"reference": ["a"], "distorted": ["b"]},
            "columns reference, distorted, score; missing: score",
        ),
        ({"reference": "a.png", "distorted": "b.png"}, "got str 'a.png'"),
        (
            [("a.png", "b.png")],
            r"expected \(reference, distorted, score\) in each row.*row 1: a tuple of 2 items",
        ),
        ([("a.png", "b.png", "c.png")], "row 1, column score: expected a number, got str 'c.png'"),
        (["a.png", "b.png"], "in each row, got something else in row 1: str 'a.png'"),
        (np.zeros((4, 5, 7, 3), np.uint8), "in each row, got something else in row 1: an array"),
        (7, "expected a frame or a mapping of columns, .* got int 7"),
    ],
)
def test_forms_that_cannot_be_used(pairs, complaint):
    with pytest.raises(InputError, match=complaint):
        table_from(pairs, with_scores=True)


def test_rows_and_stacks_with_scores(image, rng):
    others = rng.integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
    references, scores = [image, image], [3, 4.5]
    for form in (
        list(zip(references, others, scores, strict=True)),
        (np.stack(references), others, np.array(scores)),
        (references, list(others), scores),
    ):
        table = table_from(form, with_scores=True)
        assert [pair.score for pair in table.pairs] == scores
        assert table.reference_count == 1
        for (_, distorted), other in zip(pixels(table), others, strict=True):
            np.testing.assert_array_equal(distorted, other)


def test_rows_without_scores():
    with pytest.raises(InputError, match=r"expected \(reference, distorted\) in each row.*row 1"):
        table_from([("a.png", "b.png", 3)])


def test_no_pairs():
    with pytest.raises(InputError, match="expected at least one pair, got none"):
        table_from([])


def test_a_tuple_of_two_lists_is_two_columns(rng):
    images = [rng.integers(0, 256, (5, 7, 3)).astype(np.uint8) for _ in range(4)]
    table = table_from((images[:2], images[2:]), with_scores=False)
    found = [table.images.pixels(name) for pair in table.pairs for name in pair.image_names]
    for image, expected in zip(found, [images[0], images[2], images[1], images[3]], strict=True):
        np.testing.assert_array_equal(image, expected)

import dataclasses
import math

import numpy as np
import pytest
from PIL import Image

from iqa_jax.datasets import fingerprint, inspect
from iqa_jax.datasets.table import Question
from iqa_jax.errors import DatasetError
from iqa_jax.images.blocks import BlockImages


def replace_row(table, row, **changes):
    pairs = [*table.pairs]
    pairs[row] = dataclasses.replace(pairs[row], **changes)
    return dataclasses.replace(table, pairs=pairs)


def test_fingerprints_of_different_data_differ(table, pair_folder):
    first = fingerprint(*inspect(table))
    assert first == fingerprint(*inspect(table))
    changed = replace_row(table, 0, score=1.0)
    assert fingerprint(*inspect(changed)) != first
    found = {first}
    for level in (0, 1):  # two files of one length
        Image.fromarray(np.full((72, 80, 3), level, np.uint8)).save(pair_folder / "a_1.png", "BMP")
        found.add(fingerprint(*inspect(table)))
    assert len(found) == 3


@pytest.mark.parametrize(
    ("name", "values"),
    [
        *((name, ("B", "b", "c")) for name in ("distortion", "level", "reference_id")),
        *((name, (1.0, 1.5, math.nan)) for name in ("score", "score_std")),
    ],
)
def test_fingerprint_covers_every_field_of_a_pair(table, name, values):
    headers = inspect(table)[1]
    found = {fingerprint(replace_row(table, 4, **{name: value}), headers) for value in values}
    assert len(found) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"higher_is_better": False},
        {"opinions": 30},
        {"protocol": Question.SAME_OR_DIFFERENT},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_fingerprint_covers_the_protocol(table, changes):
    changed = dataclasses.replace(table, **changes)
    assert fingerprint(*inspect(changed)) != fingerprint(*inspect(table))


def test_fingerprint_covers_the_treatment_of_pixels(table, pair_folder):
    table = dataclasses.replace(table, pairs=table.pairs[4:6])  # of 64x64 pixels
    shown = [table.images, *(BlockImages(table.images, 64, 4, each) for each in (False, True))]
    assert len({fingerprint(*inspect(dataclasses.replace(table, images=i))) for i in shown}) == 3


def test_fingerprint_ignores_the_case_of_file_names(table):
    headers = inspect(table)[1]
    upper = [dataclasses.replace(pair, distorted=pair.distorted.upper()) for pair in table.pairs]
    found = fingerprint(
        dataclasses.replace(table, pairs=upper),
        {**headers, **{name.upper(): header for name, header in headers.items()}},
    )
    assert found == fingerprint(table, headers)


def test_select(table):
    without = table.select(exclude_references=["a"])
    assert {pair.reference_id for pair in without.pairs} == {"b", "c"}
    assert table.select(limit=2).pairs == table.pairs[:2]
    with pytest.raises(DatasetError, match="no reference z; it has: a, b, c"):
        table.select(exclude_references=["z"])
    with pytest.raises(DatasetError, match="no pair is left"):
        table.select(exclude_references=["a", "b", "c"])


def test_rows_of_a_judgement():
    assert [(protocol, protocol.rows) for protocol in Question] == [
        (Question.OPINION, 1),
        (Question.TWO_ALTERNATIVES, 2),
        (Question.SAME_OR_DIFFERENT, 1),
    ]


@pytest.mark.parametrize(("limit", "rows"), [(2, 2), (3, 2), (4, 4), (7, 6), (8, 8), (99, 8)])
def test_a_limit_divides_no_judgement(triplets, limit, rows):
    assert triplets.select(limit=limit).pairs == triplets.pairs[:rows]
    opinions = dataclasses.replace(triplets, protocol=Question.OPINION)
    assert len(opinions.select(limit=limit).pairs) == min(limit, 8)


def test_a_limit_below_one_judgement_leaves_nothing(triplets):
    with pytest.raises(DatasetError, match="triplets: no pair is left to score"):
        triplets.select(limit=1)


def test_contents_are_left_out_with_their_judgements(triplets):
    kept = triplets.select(exclude_references=["a"], limit=3)
    assert [pair.distorted for pair in kept.pairs] == ["b_1.png", "b_2.png"]
    assert kept.protocol is Question.TWO_ALTERNATIVES

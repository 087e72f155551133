import dataclasses
import json
import math

import pytest

from iqa_jax.datasets.records import PAIR_FIELDS, pair_from, table_from, table_record
from iqa_jax.datasets.table import Pair, PairTable, Question
from iqa_jax.images.sources import ImageFolder

PAIRS = [Pair("r.png", "d.png", 0.1 + 0.2, math.nan, "NaN", "2", "r"), Pair("r", "e", -5e-324)]
TABLE = PairTable(
    name="NaN",
    pairs=PAIRS,
    images=ImageFolder(),
    higher_is_better=False,
    score_range=(0.0, math.nan),
    licence="free",
    citation="Nobody 2026",
    target="guesses",
    published_pairs=None,
    pairs_left_out=2,
    protocol=Question.SAME_OR_DIFFERENT,
    opinions=30,
)
WRITTEN = (
    '{"name": "NaN", "higher_is_better": false, "score_range": [0.0, NAN], "licence": "free", '
    '"citation": "Nobody 2026", "target": "guesses", "published_pairs": null, "pairs_left_out": 2, '
    '"protocol": "same or different", "opinions": 30}'
)


@pytest.mark.parametrize("nan", ["NaN", None])
def test_a_table_survives_either_replacement_for_nan(nan):
    text = json.dumps(table_record(TABLE, nan=nan), allow_nan=False)
    assert text == WRITTEN.replace("NAN", json.dumps(nan))
    assert repr(table_from(json.loads(text), PAIRS, TABLE.images)) == repr(TABLE)


def test_unknown_opinions_are_read_as_nan():
    for nan in ("NaN", None):
        record = table_record(dataclasses.replace(TABLE, opinions=math.nan), nan=nan)
        assert record["opinions"] == nan
        assert math.isnan(table_from(record, PAIRS, TABLE.images).opinions)


def test_fields_missing_from_older_files_have_their_default():
    record = table_record(TABLE)
    del record["opinions"]
    assert math.isnan(table_from(record | {"another": 1}, PAIRS, TABLE.images).opinions)
    del record["name"]
    with pytest.raises(TypeError, match="name"):
        table_from(record, PAIRS, TABLE.images)


def test_a_pair_is_read_from_text():
    for pair in PAIRS:
        texts = {name: str(getattr(pair, name)) for name in PAIR_FIELDS}
        assert repr(pair_from(texts)) == repr(pair)
        assert repr(pair_from(vars(pair))) == repr(pair)
    with pytest.raises(ValueError, match="good"):
        pair_from(vars(PAIRS[0]) | {"score": "good"})

import math

import pytest

from iqa_jax.datasets import Pair, load_dataset
from iqa_jax.errors import DatasetError


def load(tmp_path, text, **options):
    path = tmp_path / "my pairs.csv"
    path.write_text(text, encoding="utf-8")
    return load_dataset("csv", data_dir=path, **options)


def test_required_columns(tmp_path):
    table = load(tmp_path, "distorted,score,reference\nd/1.png,3.5,r.png\nd/2.png,-1e2,r.png\n")
    assert table.name == "my pairs"
    assert table.images.root.name == tmp_path.name
    assert [pair.score for pair in table.pairs] == [3.5, -100.0]
    assert table.pairs[0].reference_id == "r.png"
    assert math.isnan(table.pairs[0].score_std)
    assert table.higher_is_better


def test_all_columns_and_a_byte_order_mark(tmp_path):
    table = load(
        tmp_path,
        "\ufeffreference,distorted,score,score_std,distortion,level,reference_id,note\n"
        'r.png,"a, b.png",3,0.5,blur,2,I01,x\n',
    )
    assert table.pairs == [Pair("r.png", "a, b.png", 3.0, 0.5, "blur", "2", "I01")]


def test_the_direction_can_be_stated(tmp_path):
    text = "reference,distorted,score\nr.png,d.png,1\n"
    assert not load(tmp_path, text, score_direction="lower").higher_is_better
    assert load(tmp_path, text, score_direction="higher").higher_is_better


def test_scores_that_are_not_numbers_are_kept_for_the_report(tmp_path):
    table = load(tmp_path, "reference,distorted,score\nr,a,good\nr,b,\nr,c\nr,d,1, ,\n")
    assert [math.isnan(pair.score) for pair in table.pairs] == [True, True, True, False]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no column reference, distorted, score; .* found nothing"),
        ("reference;distorted;score\n", "no column .*found reference;distorted;score"),
        (
            "reference,distorted,mos\na,b,1\n",
            "no column score; .* found reference,distorted",
        ),
        ("reference,distorted,score,score\nr,d,1,2\n", "2 columns are called score"),
        ("reference,distorted,score\nr,d,3,5\n", "line 2: has more cells than the header"),
    ],
)
def test_refuses_other_tables(tmp_path, text, complaint):
    with pytest.raises(DatasetError, match=complaint):
        load(tmp_path, text)


def test_refuses_files_that_are_not_text(tmp_path):
    with pytest.raises(DatasetError, match="found a folder at"):
        load_dataset("csv", data_dir=tmp_path)
    (tmp_path / "image.csv").write_bytes(b"\x89PNG\xff")
    with pytest.raises(DatasetError, match="not text in UTF-8"):
        load_dataset("csv", data_dir=tmp_path / "image.csv")

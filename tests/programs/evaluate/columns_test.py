import pytest

from iqa_jax.errors import InputError
from iqa_jax.programs.evaluate.columns import ScoreColumn, joined_columns

READOUT = "vgg16/relu1_2/l2"


def test_a_column_with_the_name_of_a_metric_has_its_direction():
    names = ["psnr", "SSIM", "ms-ssim:unknown", "ssim:matlab", "lpips-alex", READOUT, "mine"]
    columns = joined_columns(names)
    assert [column.name for column in columns] == [column.model for column in columns] == names
    assert [column.direction for column in columns] == [
        *("higher", "higher", "lower", "higher", "lower", "lower", "lower")
    ]
    assert {column.kind for column in columns} == {"joined"}


def test_directions_that_are_said():
    said = ["mine=higher", "a=b=higher", "d=lower", "psnr=higher", "mine=higher"]
    columns = joined_columns(["d", "mine", "a=b", "psnr", "e"], said)
    assert [column.higher_is_better for column in columns] == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (["e=higher"], "no scores are joined under the name e; there are: d, ssim, vgg16/"),
        (["d"], "expected NAME=higher or NAME=lower, got 'd'"),
        (["d=up"], "got 'd=up'"),
        (["=higher"], "got '=higher'"),
        (["d=higher", "d=lower"], "d is said to be both"),
        (["ssim=lower"], "ssim is the name of a known metric, whose higher scores mean more"),
        ([f"{READOUT}=higher"], "whose lower scores mean more similar images; rename the column"),
    ],
)
def test_refuses_directions_that_cannot_be(said, complaint):
    with pytest.raises(InputError, match=complaint):
        joined_columns(["d", "ssim", READOUT], said)


def test_only_the_direction_of_a_known_metric_is_known():
    columns = joined_columns(["psnr", READOUT, "d", "mine"], ["mine=higher"])
    assert [column.is_direction_known for column in columns] == [True, True, False, False]


def test_what_is_known_of_joined_scores_by_their_name():
    column = ScoreColumn("alexnet/relu1/normalized", "x")
    assert column.known_readout.model == "alexnet"
    assert ScoreColumn("SSIM", "x").known_metric.name == "ssim"
    assert ScoreColumn("theirs", "theirs").known_metric is None

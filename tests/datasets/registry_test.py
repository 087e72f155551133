import pytest

from iqa_jax.datasets import DATASETS, load_dataset
from iqa_jax.errors import DatasetError


def test_unknown_dataset(tmp_path):
    with pytest.raises(
        DatasetError, match="there are: .*csv, demo, .*live, live:original, .*tid2013"
    ):
        load_dataset("tid2014", tmp_path)


def test_unknown_direction(pair_folder):
    with pytest.raises(DatasetError, match="score_direction: expected higher or lower, got 'up'"):
        load_dataset("csv", pair_folder / "pairs.csv", score_direction="up")


@pytest.mark.parametrize("name", DATASETS)
def test_no_dataset_is_found_in_an_unrelated_folder(name, tmp_path):
    """For any dataset, a folder of something else is one clear error."""
    (tmp_path / "holiday.png").touch()
    with pytest.raises(DatasetError, match=str(tmp_path)):
        load_dataset(name, tmp_path)

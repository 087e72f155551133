import pytest

from iqa_jax.datasets import DATASETS, load_dataset
from iqa_jax.errors import DatasetError


def test_unknown_dataset(tmp_path):
    with pytest.raises(
        DatasetError,
        match="'tid2014'; do you mean tid2013 or tid2008.*there are: .*csv, demo, .*live, live:",
    ):
        load_dataset("tid2014", data_dir=tmp_path)
    with pytest.raises(DatasetError, match="no dataset 'xyz'; there are: "):
        load_dataset("xyz", data_dir=tmp_path)


def test_a_folder_is_named_by_keyword(tmp_path):
    with pytest.raises(TypeError, match="positional"):
        load_dataset("tid2013", *[tmp_path])


def test_unknown_direction(pair_folder):
    with pytest.raises(DatasetError, match="score_direction: expected higher or lower, got 'up'"):
        load_dataset("csv", data_dir=pair_folder / "pairs.csv", score_direction="up")


@pytest.mark.parametrize("name", DATASETS)
def test_no_dataset_is_found_in_an_unrelated_folder(name, tmp_path):
    """For any dataset, a folder of something else is one clear error."""
    (tmp_path / "holiday.png").touch()
    with pytest.raises(DatasetError, match=str(tmp_path)):
        load_dataset(name, data_dir=tmp_path)

import pytest

from iqa_jax.datasets import load_dataset
from iqa_jax.errors import DatasetError


def test_unknown_dataset(tmp_path):
    with pytest.raises(DatasetError, match="there are: csv, demo, tid2013"):
        load_dataset("tid2014", tmp_path)

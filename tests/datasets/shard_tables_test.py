"""Tables in shards, read as one."""

import pytest
from etils import epath

from iqa_jax.datasets import Pair, PairTable
from iqa_jax.datasets.csv_rows import read_rows
from iqa_jax.datasets.joined import read_joined_scores
from iqa_jax.datasets.shard_tables import holds_shards, shard_path, shard_text, split_shard
from iqa_jax.errors import DatasetError
from iqa_jax.images.sources import ImageFolder

HEADER = "reference,distorted,psnr,error\n"


@pytest.fixture
def folder(tmp_path):
    folder = epath.Path(tmp_path)
    shard_path(folder, 0).parent.mkdir()
    return folder


def write(folder, number, rows):
    shard_path(folder, number).write_text(shard_text('{"shard": 1}', HEADER + rows))


def test_a_shard_has_a_record_and_a_table():
    assert split_shard(shard_text('{"a": 1}', HEADER)) == ('{"a": 1}', HEADER)


def test_shards_are_read_in_their_order(folder):
    write(folder, 10, "a,d,3,\n")
    write(folder, 0, "a,b,1,\na,c,2,\n")
    write(folder, 2, "")
    (folder / "shards" / ".00000003.csv.0.unfinished").touch()
    names, rows = read_rows(folder, required=("distorted", "psnr"))
    assert names == ["reference", "distorted", "psnr", "error"]
    assert [row["distorted"] for row in rows] == ["b", "c", "d"]


def test_their_scores_can_be_joined(folder):
    write(folder, 0, "a,b,1,\n")
    write(folder, 1, "a,c,2,\n")
    pairs = [Pair("a", "c", 0.0), Pair("a", "b", 0.0)]
    table = PairTable("pairs", pairs, ImageFolder(), higher_is_better=True)
    assert read_joined_scores(folder, table)["psnr"].tolist() == [2, 1]


def test_a_folder_without_shards_has_no_table(folder, tmp_path):
    with pytest.raises(DatasetError, match="has no shards yet"):
        read_rows(folder)
    assert not holds_shards(epath.Path(tmp_path) / "shards")

"""Tables in shards: a folder of CSV files, each with a record in the line above its header."""

from collections.abc import Iterator

from etils import epath

from iqa_jax.datasets.parsing import read_text
from iqa_jax.errors import DatasetError
from iqa_jax.files import names

_FOLDER, _SUFFIX, _MARK = "shards", ".csv", "# "


def holds_shards(folder: epath.Path) -> bool:
    """Whether a folder holds a table in shards."""
    return (folder / _FOLDER).is_dir()


def shard_path(folder: epath.Path, number: int) -> epath.Path:
    """File of a shard of the table in a folder."""
    return folder / _FOLDER / f"{number:08d}{_SUFFIX}"


def shard_numbers(folder: epath.Path) -> set[int]:
    """Numbers of the shards that are in a folder."""
    files = (name for name in names(folder / _FOLDER) if name.endswith(_SUFFIX))
    stems = (name.removesuffix(_SUFFIX) for name in files)
    return {int(stem) for stem in stems if stem.isdecimal()}


def shard_text(record: str, table: str) -> str:
    """The text of a shard.

    Args:
      record: Its record, in one line.
      table: Its table, header included.
    """
    return f"{_MARK}{record}\n{table}"


def split_shard(text: str) -> tuple[str, str]:
    """The record and the table of a shard."""
    record, _, table = text.partition("\n")
    return record.removeprefix(_MARK), table


def read_table(folder: epath.Path) -> str:
    """The table of all shards that are in a folder, in their order.

    Raises:
      DatasetError: If there is none, or one cannot be read.
    """
    tables = list(_tables(folder))
    if not tables:
        raise DatasetError(f"{folder}: has no shards yet")
    header, _, _ = tables[0].partition("\n")
    return "".join([f"{header}\n", *(table.partition("\n")[2] for table in tables)])


def _tables(folder: epath.Path) -> Iterator[str]:
    for number in sorted(shard_numbers(folder)):
        _, table = split_shard(read_text(shard_path(folder, number)))
        yield table

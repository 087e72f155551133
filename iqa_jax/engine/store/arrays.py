"""One array of a store: rows in chunks with checksums, each written whole or not at all."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.errors import InputError
from iqa_jax.files import absolute
from iqa_jax.text import counted

_LEAST_ROWS = 16
_MOST_CHUNKS = 256
"""A killed run loses at most the chunks being filled: 16 pairs of a small dataset, 0.4 % of a large
one. The number of files stays small."""

_CODECS = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
_CHUNK_KEY = re.compile(rb"c/(\d+)/0")


def rows_in_chunk(rows: int) -> int:
    """Number of rows in each chunk of an array of ``rows``."""
    return max(_LEAST_ROWS, -(-rows // _MOST_CHUNKS))


class StoredArray:
    """An array, float32 ``[rows, length]``, in a folder.

    Args:
      path: The folder.
      shape: Rows and length; an array of another shape is refused.
      attributes: Attributes for a new array; None if the array must exist already.

    Attributes:
      attributes: Attributes recorded when the array was made, as JSON.

    Raises:
      InputError: If the array is missing or damaged.
    """

    def __init__(
        self,
        path: epath.Path,
        shape: tuple[int, int],
        attributes: Mapping[str, Any] | None = None,
    ):
        self._path = path
        rows, length = shape
        self._step = rows_in_chunk(rows)
        metadata = {
            "shape": [rows, length],
            "data_type": "float32",
            "chunk_grid": {
                "name": "regular",
                "configuration": {"chunk_shape": [self._step, length]},
            },
            "codecs": _CODECS,
            "fill_value": "NaN",
        }
        to_make = {"metadata": {**metadata, "attributes": dict(attributes or {})}, "create": True}
        is_there = (path / "zarr.json").exists()
        import tensorstore  # noqa: PLC0415  takes long to import

        with self._damage():
            self._array = tensorstore.open(
                {
                    "driver": "zarr3",
                    "kvstore": location(path),
                    "open": True,
                    # A chunk of zeros is a file like any other; a missing chunk is not NaN.
                    "store_data_equal_to_fill_value": True,
                    "fill_missing_data_reads": False,
                    **({"metadata": metadata} if is_there or attributes is None else to_make),
                }
            ).result()
        self.attributes = self._array.spec().to_json()["metadata"].get("attributes", {})

    @property
    def chunks(self) -> int:
        """Number of chunks of the whole array."""
        return -(-self._array.shape[0] // self._step)

    def written(self) -> set[int]:
        """Numbers of the chunks on disk."""
        files = self._array.kvstore
        assert files is not None
        with self._damage():
            keys = files.list().result()
        matches = map(_CHUNK_KEY.fullmatch, keys)
        return {int(match[1]) for match in matches if match}

    def is_whole(self) -> bool:
        """Whether every chunk is on disk."""
        return len(self.written()) == self.chunks

    def rows_of(self, chunk: int) -> slice:
        """The rows of a chunk."""
        return slice(chunk * self._step, min((chunk + 1) * self._step, self._array.shape[0]))

    def start_writing(self, chunk: int, values: np.ndarray) -> Callable[[], None]:
        """Starts writing a chunk.

        Args:
          chunk: Number of the chunk.
          values: Rows of the chunk.

        Returns:
          A function that waits until the chunk is on disk, and raises InputError if it cannot be
          written.
        """
        committed = self._array[self.rows_of(chunk)].write(values).commit

        def wait() -> None:
            with self._trouble("free some space or repair it, then run again to continue"):
                committed.result()

        return wait

    def read(self) -> np.ndarray:
        """All rows, float32 ``[rows, length]``.

        Raises:
          InputError: If a chunk is missing or damaged.
        """
        missing = set(range(self.chunks)) - self.written()
        if missing:
            raise InputError(
                f"{self._path}: unfinished ({len(missing)} of {counted(self.chunks, 'chunks')} of "
                "rows missing); run iqa extract again with the same flags"
            )
        with self._damage():
            return self._array.read().result()

    def _damage(self) -> AbstractContextManager[None]:
        return self._trouble("delete the damaged array and run iqa extract again")

    @contextmanager
    def _trouble(self, advice: str) -> Iterator[None]:
        try:
            yield
        except (ValueError, RuntimeError, OSError, MemoryError) as error:
            reason = re.split(r" \[(?:tensorstore_spec|source locations)=", str(error))[0]
            raise InputError(f"{self._path}: cannot be used ({reason}); {advice}") from error


def location(path: epath.Path) -> Mapping[str, str]:
    """A folder, local or ``gs://``, as a key-value store of tensorstore."""
    text = str(path)
    if text.startswith("gs://"):
        bucket, _, folder = text.removeprefix("gs://").partition("/")
        return {"driver": "gcs", "bucket": bucket, "path": f"{folder}/"}
    return {"driver": "file", "path": f"{absolute(path)}/"}

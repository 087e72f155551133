"""Zip files whose entries are looked up by name and never written to disk."""

import re
import struct
import zipfile
import zlib
from typing import Any

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.formats.budget import Contents

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LOCAL_MAGIC = b"PK\x03\x04"
_END = struct.Struct("<4s6xH10x")
_END_MAGIC = b"PK\x05\x06"
_NO_COUNT = 0xFFFF
_ENCRYPTED = 0x1
_UTF_8 = 0x800


class Archive:
    """The entries of a zip file.

    Args:
      contents: The file.

    Raises:
      CheckpointError: If an entry is duplicated or missing, a name leads out of the archive, or
        entries overlap.
      Exception: Any type, if the file is damaged.
    """

    def __init__(self, contents: Contents):
        self._contents = contents
        self._entries: dict[str, zipfile.ZipInfo] = {}
        stream: Any = contents.stream()
        archive = zipfile.ZipFile(stream)
        for entry in archive.infolist():
            name = entry.filename
            if name in self._entries:
                raise CheckpointError(f"holds the entry {name[:100]} twice")
            if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name):
                raise CheckpointError(
                    f"holds the entry {name[:100]}, whose name leads out of the archive"
                )
            self._entries[name] = entry
        _check_count(len(self._entries), contents, len(archive.comment))
        stored = sum(entry.compress_size for entry in self._entries.values())
        if stored > len(contents.data):
            raise CheckpointError(
                f"has entries of {stored} bytes in a file of {len(contents.data)} bytes"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the entries, in the order of the file."""
        return tuple(self._entries)

    def read(self, name: str) -> memoryview:
        """The bytes of an entry: a view of the file if the entry is uncompressed.

        Raises:
          CheckpointError: If the entry is missing, grows too much, or has the wrong checksum.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise CheckpointError(f"has no entry {name[:100]}")
        if entry.flag_bits & _ENCRYPTED:
            raise CheckpointError(f"{name[:100]} is encrypted")
        start = entry.header_offset
        header = self._contents.view(start, _LOCAL_HEADER.size, f"the header of {name[:100]}")
        magic, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        found = self._contents.view(start + _LOCAL_HEADER.size, name_length, "its name")
        encoding = "utf-8" if entry.flag_bits & _UTF_8 else "cp437"
        if magic != _LOCAL_MAGIC or bytes(found) != entry.orig_filename.encode(encoding):
            raise CheckpointError(f"{name[:100]} is not where the archive's directory says")
        start += _LOCAL_HEADER.size + name_length + extra_length
        data = self._contents.view(start, entry.compress_size, name[:100])
        if entry.compress_type == zipfile.ZIP_DEFLATED:
            self._contents.spend(entry.file_size, name[:100])
            most = entry.file_size + 1  # detects longer data; 0 would mean no limit
            data = memoryview(zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, most))
        elif entry.compress_type != zipfile.ZIP_STORED:
            raise CheckpointError(f"{name[:100]} is compressed by a method other than deflate")
        if len(data) != entry.file_size:
            raise CheckpointError(f"{name[:100]} does not have {entry.file_size} bytes")
        if zlib.crc32(data) != entry.CRC:
            raise CheckpointError(
                f"{name[:100]} is damaged: its checksum is not the one in the archive (PyTorch "
                "writes no checksums after set_crc32_options(False): if that was called, save the "
                "file again without it)"
            )
        return data


def _check_count(found: int, contents: Contents, comment: int) -> None:
    """Checks the number of entries against the end of the file, which zipfile does not."""
    start = len(contents.data) - _END.size - comment
    magic, count = _END.unpack(contents.view(start, _END.size, "the end of the directory"))
    if magic == _END_MAGIC and count not in (found, _NO_COUNT):
        raise CheckpointError(f"has {found} entries, not {count}")

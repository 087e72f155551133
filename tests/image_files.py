"""Image files that Pillow does not write: other bits a sample, other directions, other layouts."""

import io
import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

TYPES = {"H": 3, "I": 4}


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def packed(samples: np.ndarray, bits: int) -> bytes:
    """Rows of samples of so many bits, each row filled up to whole bytes."""
    places = np.arange(bits - 1, -1, -1)
    each = samples.reshape(len(samples), -1, 1) >> places & 1
    return np.packbits(each.reshape(len(samples), -1).astype(np.uint8), axis=1).tobytes()


def tiff(
    planes: Sequence[bytes],
    *,
    width: int,
    height: int,
    bits: Sequence[int],
    order: str = "<",
    compression: int = 1,
    tags: Mapping[int, Sequence[int] | None],
) -> bytes:
    """A TIFF of one strip a plane; ``tags`` are added, or taken away with None."""
    strips = [zlib.compress(plane) if compression == 8 else plane for plane in planes]
    offsets = [8 + sum(map(len, strips[:number])) for number in range(len(strips))]
    found: dict[int, Sequence[int] | None] = {
        256: [width],
        257: [height],
        258: bits,
        259: [compression],
        273: offsets,
        277: [len(bits)],
        278: [height],
        279: [len(strip) for strip in strips],
        **tags,
    }
    written = {tag: values for tag, values in sorted(found.items()) if values is not None}
    body = b"".join(strips)
    end = 8 + len(body) + 2 + 12 * len(written) + 4
    entries, more = b"", b""
    for tag, values in written.items():
        kind = "I" if tag in (273, 279) else "H"
        data = struct.pack(f"{order}{len(values)}{kind}", *values)
        if len(data) > 4:
            place, more = struct.pack(f"{order}I", end + len(more)), more + data
        else:
            place = data.ljust(4, b"\0")
        entries += struct.pack(f"{order}HHI", tag, TYPES[kind], len(values)) + place
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8 + len(body))
    count = struct.pack(f"{order}H", len(written))
    return start + body + count + entries + bytes(4) + more


def png(rows: Sequence[bytes], width: int, depth: int, colour: int, transparent=b"") -> bytes:
    """A PNG of any depth and colour type, with a tRNS chunk where there is something to say."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0))
        + (chunk(b"tRNS", transparent) if transparent else b"")
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
        + chunk(b"IEND", b"")
    )


def jpeg_2000(samples: np.ndarray, bits: int) -> bytes:
    """Gray of 9 to 16 bits: 16 bits, of which the header says that they are fewer."""
    shifted = samples.astype(np.int64) + 2**15 - 2 ** (bits - 1)  # zero lies in the middle
    data = bytearray(
        encoded(Image.fromarray(shifted.astype(np.uint16)), "JPEG2000", irreversible=False)
    )
    sizes = data.index(b"\xff\x4f\xff\x51")
    data[sizes + 42] = bits - 1
    return bytes(data)

"""Sources of the images of a page: files that it refers to, or JPEGs inside it."""

import base64
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from etils import epath
from PIL import Image

from iqa_jax.errors import ImageError, InputError
from iqa_jax.files import is_local
from iqa_jax.images.sources import ImageSource

LONGEST_SIDE = 512
"""Maximum height and width of an embedded image, in pixels."""

_QUALITY = 90
_MAP = re.compile(r"(\d{6,})_(.+)\.png")
_RASTER = {"JPEG": "image/jpeg", "PNG": "image/png"}


@dataclass(frozen=True)
class Pictures:
    """Images by name.

    Attributes:
      sources: URL of each image that can be shown, by name.
      maps: Metric and URL of the maps of each pair, by its row.
      note: What to know about the images; empty if they are the files that were scored.
    """

    sources: Mapping[str, str] = field(default_factory=dict)
    maps: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """The sources as JSON."""
        return {"sources": dict(self.sources), "maps": dict(self.maps), "note": self.note}


def link(names: Sequence[str], images: ImageSource, page: epath.Path) -> Pictures:
    """Refers to the files by paths relative to the page.

    Args:
      names: Names of the images.
      images: Their source.
      page: The HTML file.

    Raises:
      InputError: If the images are not files of their own, or one does not exist.
    """
    paths = {name: images.file(name) for name in names}
    missing = [name for name, path in paths.items() if path is None or not is_local(path)]
    if missing:
        raise InputError(
            f"{missing[0]}: is not a file of its own that a page could refer to; use --images=embed"
        )
    gone = [name for name, path in paths.items() if path and not path.exists()]
    if gone:
        raise InputError(
            f"{paths[gone[0]]}: does not exist ({len(gone)} of {len(paths)} images); name the "
            "folder of the dataset with --data_dir, or use --images=none"
        )
    return Pictures({name: relative_url(path, page) for name, path in paths.items() if path})


def embed(
    pairs: Sequence[tuple[str, str]], images: ImageSource, order: Sequence[int], budget: int
) -> Pictures:
    """Writes the images of as many pairs as fit into the page, as small JPEGs.

    Args:
      pairs: Names of the reference and the distorted image of each pair.
      images: Their source.
      order: Rows of the pairs to embed first.
      budget: Number of bytes that the images may take.

    Raises:
      InputError: If an image cannot be read.
    """
    sources: dict[str, str] = {}
    shown = 0
    for row in dict.fromkeys([*order, *range(len(pairs))]):
        new = {name: _jpeg(images, name) for name in pairs[row] if name not in sources}
        budget -= sum(len(url) + len(name) + 6 for name, url in new.items())
        if budget < 0:
            break
        sources |= new
        shown += 1
    note = (
        f"The images are small JPEGs, at most {LONGEST_SIDE} pixels on a side, not the files that "
        "were scored."
    )
    if shown < len(pairs):
        note += f" {shown} of {len(pairs)} pairs have images; more fit with --most_megabytes."
    return Pictures(sources, note=note)


def find_maps(folder: epath.Path, distorted: Sequence[str]) -> dict[int, dict[str, epath.Path]]:
    """Finds the pictures that ``iqa score --maps_dir`` made, by row and metric.

    Args:
      folder: The folder.
      distorted: Names of the distorted images, in the order in which they were scored.

    Raises:
      InputError: If there is no map, or one is of another pair.
    """
    found: dict[int, dict[str, epath.Path]] = {}
    for path in sorted(folder.glob("*.png")):
        match = _MAP.fullmatch(path.name)
        if not match:
            continue
        row = int(match[1]) - 1
        stem = PurePath(distorted[row]).stem if row < len(distorted) else None
        if stem is None or not match[2].startswith(f"{stem}_"):
            expected = f"the number and name of pair {row + 1}, {stem}" if stem else "fewer pairs"
            raise InputError(
                f"{path}: is not a map of these pairs; expected {expected}. Make the maps from the "
                "same pairs in the same order"
            )
        found.setdefault(row, {})[match[2].removeprefix(f"{stem}_")] = path
    if not found:
        raise InputError(f"{folder}: has no maps; expected pictures of iqa score --maps_dir")
    return found


def relative_url(path: epath.Path, page: epath.Path) -> str:
    """The address of a file relative to the page."""
    folder = os.path.abspath(page.parent)  # noqa: PTH100  of the name, not of what it links to
    relative = os.path.relpath(os.path.abspath(path), folder)  # noqa: PTH100
    return quote(PurePath(relative).as_posix())


def data_url(data: bytes, kind: str) -> str:
    """The bytes of an image as an address."""
    return f"data:{_RASTER[kind]};base64,{base64.b64encode(data).decode()}"


def _jpeg(images: ImageSource, name: str) -> str:
    try:
        image = Image.fromarray(images.pixels(name))
    except ImageError as error:
        raise InputError(f"{error}; --images=none makes a page without images") from error
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    image.save(data, "JPEG", quality=_QUALITY, subsampling=0)
    return data_url(data.getvalue(), "JPEG")

"""Stores datasets with TFDS in ArrayRecord files, without TensorFlow.

One builder has a configuration for each dataset. Image files are stored unchanged, each once, and
their decoded pixels on request; a dataset appears under its name only once it is complete.
"""

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import tensorflow_datasets as tfds
from etils import epath

from iqa_jax.datasets.inspection import inspect
from iqa_jax.datasets.registry import DATASETS, load_dataset
from iqa_jax.datasets.table import PairTable
from iqa_jax.datasets.tfds.records import (
    FILE_FORMAT,
    IMAGES,
    PAIRS,
    VERSION,
    config_name,
    facts,
    features,
    image_record,
    pair_record,
)
from iqa_jax.datasets.tfds.source import dataset_folder, open_stored
from iqa_jax.datasets.tfds.stored_pixels import cut, store_pixels, unfinished_pixels
from iqa_jax.errors import DatasetError
from iqa_jax.images.decode import Header
from iqa_jax.progress import bar

_SHARD_BYTES = 128 * 2**20
"""Bytes of images per file: TFDS holds the content of a file in memory until it closes it."""


@dataclass(frozen=True)
class Built:
    """Result of :func:`build`.

    Attributes:
      folder: Folder of the dataset.
      is_new: Whether it was built now; otherwise it already existed.
      pairs: Number of rows.
      images: Number of images.
      pairs_left_out: Number of rows left out because an image is missing.
      unfinished: Folders that killed builds of this dataset left behind.
      pixels_are_new: Whether decoded pixels were stored now; otherwise they already existed, or
        were not asked for.
    """

    folder: epath.Path
    is_new: bool
    pairs: int
    images: int
    pairs_left_out: int
    unfinished: Sequence[epath.Path]
    pixels_are_new: bool = False


@dataclass(frozen=True)
class Contents:
    """Contents of a stored dataset.

    Attributes:
      table: Rows, with the source of their images.
      headers: Headers of the rows' images by name, in order of first appearance in the rows.
      known: Result of ``records.facts``.
    """

    table: PairTable
    headers: Mapping[str, Header]
    known: Mapping[str, Any]

    @property
    def lengths(self) -> Mapping[str, int]:
        """Number of encoded bytes of each image by name."""
        return {name: header.length for name, header in self.headers.items()}


class ImageQuality(tfds.core.ShardBasedBuilder):
    """Pairs of images with human scores; see ``records`` for the format of the records.

    Args:
      contents: Contents to store; None to read what is stored.
      advance: Function called after each image.
      options: Options of every TFDS builder: ``config``, ``data_dir``, ``version``.
    """

    VERSION = tfds.core.Version(VERSION)
    RELEASE_NOTES = {  # noqa: RUF012 (TFDS declares it)
        "1.0.0": "First form.",
        "1.1.0": "Checksums of the images' files are stored with the pairs.",
        "1.2.0": "How blocks become pixels; a fingerprint of everything that results depend on.",
    }
    BUILDER_CONFIGS = [  # noqa: RUF012
        tfds.core.BuilderConfig(name=config_name(dataset)) for dataset in DATASETS
    ]

    code_path = None  # TFDS would look next to it for download addresses

    def __init__(
        self,
        *,
        contents: Contents | None = None,
        advance: Callable[[], object] = lambda: None,
        **options: Any,
    ):
        self._contents = contents
        self._advance = advance
        super().__init__(**{"file_format": FILE_FORMAT, **options})

    def _info(self) -> tfds.core.DatasetInfo:
        known = self._contents.known if self._contents else {}
        return tfds.core.DatasetInfo(
            builder=self,
            description=_describe(known) if known else None,
            features=features(),
            citation=known.get("citation"),
            license=known.get("licence"),
            metadata=tfds.core.MetadataDict(known),
            disable_shuffling=True,
        )

    def _shard_iterators_per_split(
        self, dl_manager: Any
    ) -> dict[str, list[Callable[[], Iterator[tuple[int, dict[str, Any]]]]]]:
        del dl_manager  # there is nothing to download
        if self._contents is None:
            raise DatasetError("build this dataset with: iqa build")
        return {
            IMAGES: [
                partial(_images, self._contents, names, self._advance)
                for names in cut(self._contents.lengths, _SHARD_BYTES)
            ],
            PAIRS: [partial(_pairs, self._contents)],
        }


def build(
    dataset: str,
    data_dir: epath.PathLike,
    tfds_dir: epath.PathLike,
    *,
    allow_partial: bool = False,
    decoded: bool = False,
) -> Built:
    """Stores a dataset, once; every row is checked before anything is written.

    Args:
      dataset: Key of ``DATASETS``.
      data_dir: Folder of the dataset; for ``csv``, the file.
      tfds_dir: Folder for this and other datasets.
      allow_partial: Whether to accept an incomplete copy; rows with missing images are left out.
      decoded: Whether to store the decoded pixels as well; they may be added to a stored dataset.

    Raises:
      DatasetError: If the dataset cannot be used as it is, ``tfds_dir`` holds other contents under
        its name, or there is no room for the decoded pixels.
      ImageError: If an image cannot be decoded, or changes during the build.
    """
    folder = dataset_folder(dataset, tfds_dir)
    listed = load_dataset(dataset, data_dir=data_dir, allow_partial=allow_partial)
    table, found = inspect(listed, leave_out_missing=allow_partial)
    headers = {name: found[name] for name in table.image_names}
    contents = Contents(table, headers, facts(dataset, table, headers))
    is_new = not folder.exists()
    if is_new:
        _store(contents, dataset, tfds_dir)
    elif open_stored(folder).known["sha256"] != contents.known["sha256"]:
        raise DatasetError(
            f"{folder}: holds other contents than {data_dir}; choose another tfds_dir, or delete "
            "that folder to rebuild it"
        )
    pixels_are_new = decoded and store_pixels(
        table.images, headers, folder, title=f"{table.name}, decoded"
    )
    return Built(
        folder=folder,
        is_new=is_new,
        pairs=len(table.pairs),
        images=len(headers),
        pairs_left_out=table.pairs_left_out,
        unfinished=[
            *sorted(folder.parent.glob(f"incomplete.*_{VERSION}")),
            *unfinished_pixels(folder),
        ],
        pixels_are_new=pixels_are_new,
    )


def _store(contents: Contents, dataset: str, tfds_dir: epath.PathLike) -> None:
    with (
        tempfile.TemporaryDirectory() as downloads,  # TFDS makes a folder for them
        contextlib.redirect_stdout(io.StringIO()),  # and prints sizes that it does not know
        bar(total=len(contents.headers), desc=contents.table.name, unit="image") as progress,
    ):
        builder = ImageQuality(
            contents=contents,
            advance=progress.update,
            config=config_name(dataset),
            data_dir=epath.Path(tfds_dir).expanduser(),
        )
        try:
            builder.download_and_prepare(
                download_dir=downloads,
                download_config=tfds.download.DownloadConfig(try_download_gcs=False),
            )
        except RuntimeError as error:  # ArrayRecord could not write a file
            raise DatasetError(f"{builder.data_dir}: cannot be written ({error})") from error


def _images(
    contents: Contents, names: Sequence[str], advance: Callable[[], object]
) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, name in enumerate(names):
        data = contents.table.images.read(name)
        contents.table.images.decode(data, name)  # store only images that can be scored
        yield number, image_record(name, data)
        advance()


def _pairs(contents: Contents) -> Iterator[tuple[int, dict[str, Any]]]:
    positions = {name: position for position, name in enumerate(contents.headers)}
    for number, pair in enumerate(contents.table.pairs):
        yield number, pair_record(pair, contents.headers, positions)


def _describe(known: Mapping[str, Any]) -> str:
    direction = "higher" if known["higher_is_better"] else "lower"
    return (
        f"Image pairs of {known['name']}. Scores: {known['target']}; {direction} is better. "
        "Records of the split pairs find their images by position in the split images, which holds "
        "the encoded files as they were published."
    )

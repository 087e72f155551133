"""Stores a dataset with TFDS in a few large files (ArrayRecord), without TensorFlow.

Example:
  iqa build --dataset=tid2013 --data_dir=tid2013 --tfds_dir=tfds
  iqa evaluate --dataset=tid2013 --tfds_dir=tfds --models=vgg16 --output_dir=out
  iqa score --dataset=tid2013 --tfds_dir=tfds --metrics=lpips-alex --output=scores.csv

The image files are stored unchanged, each once: scores from --tfds_dir are bit-identical to those
from --data_dir. Every row is checked before anything is written, and the dataset appears in
--tfds_dir only once it is complete. With --decoded the pixels are stored as well, uncompressed, so
that later runs decode nothing.
"""

import sys
from dataclasses import dataclass

from iqa_jax.programs.settings import NamedDataset
from iqa_jax.text import counted


@dataclass(frozen=True, kw_only=True)
class BuildSettings(NamedDataset):
    """A dataset to store.

    Attributes:
      data_dir: Folder of the dataset in its official layout. For csv: the file, with the columns
        reference,distorted,score; image paths are relative to it.
      tfds_dir: Folder for stored datasets, this one and others.
      allow_partial: Store an incomplete copy: one with fewer pairs than were published. Pairs whose
        images are missing are left out.
      decoded: Also store the decoded pixels, three bytes a pixel, from which every later run reads
        them. They can be added to a dataset that is stored already. Scores stay the same.
    """

    data_dir: str
    tfds_dir: str
    allow_partial: bool = False
    decoded: bool = False


def main(settings: BuildSettings) -> None:
    """Stores the dataset and prints its location."""
    from iqa_jax.datasets.tfds.builder import build  # noqa: PLC0415  loads TFDS

    built = build(
        settings.dataset,
        settings.data_dir,
        settings.tfds_dir,
        allow_partial=settings.allow_partial,
        decoded=settings.decoded,
    )
    if built.pairs_left_out:
        left_out = counted(built.pairs_left_out, "pairs with missing images left out")
        print(f"{settings.dataset}: {left_out}", file=sys.stderr)
    for folder in built.unfinished:
        note = "left by a build that was killed or is still running; if none is, delete it"
        print(f"{folder}: {note}", file=sys.stderr)
    state = "built" if built.is_new else "already there"
    size = f"{counted(built.pairs, 'pairs')}, {counted(built.images, 'images')}"
    print(f"{built.folder}: {state}, {size}")
    if settings.decoded:
        print(f"decoded pixels: {'stored' if built.pixels_are_new else 'already there'}")

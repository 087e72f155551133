"""``demo``: photographs that come with scikit-image, distorted in graded steps.

There are no human scores: the target is the level of the distortion, 1 (weak) to 5 (strong).
"""

import dataclasses
import importlib.util
import io
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from etils import epath
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from iqa_jax.datasets.adapters import csv_table
from iqa_jax.datasets.catalogue import about
from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import DatasetError
from iqa_jax.files import appearing_whole
from iqa_jax.text import csv_text

TABLE = "pairs.csv"
LEVELS = (1, 2, 3, 4, 5)

_PHOTOGRAPHS = {
    "astronaut": ("astronaut.png", (256, 256)),
    "cat": ("chelsea.png", (384, 256)),
    "coffee": ("coffee.png", (384, 256)),
    "motorcycle": ("motorcycle_left.png", (384, 256)),
    "rocket": ("rocket.jpg", (384, 256)),
}
"""Name -> (file in scikit-image's data folder, width and height of the reference made from it)."""

_SEED = 2013


def _blur(image: Image.Image, level: int) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur((0.6, 1.2, 2.4, 4.8, 9.6)[level - 1]))


def _noise(image: Image.Image, level: int) -> Image.Image:
    sigma = (6, 12, 24, 40, 64)[level - 1]
    noise = np.random.default_rng([_SEED, level]).normal(0, sigma, (*image.size[::-1], 3))
    return Image.fromarray(np.clip(np.rint(np.asarray(image) + noise), 0, 255).astype(np.uint8))


def _jpeg(image: Image.Image, level: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=(60, 30, 15, 8, 4)[level - 1])
    return Image.open(file).convert("RGB")


def _contrast(image: Image.Image, level: int) -> Image.Image:
    return ImageEnhance.Contrast(image).enhance((0.6, 0.45, 0.3, 0.2, 0.1)[level - 1])


def _low_resolution(image: Image.Image, level: int) -> Image.Image:
    factor = (1.5, 2, 3, 5, 8)[level - 1]
    small = image.resize([round(side / factor) for side in image.size], Image.Resampling.BICUBIC)
    return small.resize(image.size, Image.Resampling.BICUBIC)


_DISTORTIONS: Mapping[str, Callable[[Image.Image, int], Image.Image]] = {
    "Gaussian blur": _blur,
    "white noise": _noise,
    "JPEG compression": _jpeg,
    "contrast loss": _contrast,
    "low resolution": _low_resolution,
}


def build(folder: epath.PathLike) -> bool:
    """Builds the dataset: five photographs, five distortions at five levels, and their table.

    Args:
      folder: Folder to create; it appears only once it is complete.

    Returns:
      Whether it was built now (False: it already existed).

    Raises:
      DatasetError: If scikit-image is not installed, or ``folder`` holds something else.
    """
    folder = epath.Path(folder)
    if (folder / TABLE).exists():
        return False
    if folder.exists():
        raise DatasetError(f"{folder}: exists but has no {TABLE}; choose another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with appearing_whole(folder, last=TABLE) as unfinished:
        (unfinished / "references").mkdir(parents=True)
        (unfinished / "distorted").mkdir()
        header = (*csv_table.REQUIRED, "distortion", "level", "reference_id")
        (unfinished / TABLE).write_text(csv_text(header, _make_images(unfinished)))
    return True


def load(folder: epath.Path) -> PairTable:
    """Reads the dataset that :func:`build` made in ``folder``.

    Raises:
      DatasetError: If there is no such dataset.
    """
    if not (folder / TABLE).exists():
        raise DatasetError(
            f"demo: there is no {TABLE} in {folder}; build the dataset with: "
            f"iqa demo --data_dir={folder}"
        )
    return dataclasses.replace(
        csv_table.load(folder / TABLE),
        name="demo",
        higher_is_better=False,
        score_range=(LEVELS[0], LEVELS[-1]),
        licence=about("demo").licence,
        citation=about("demo").citation,
        target="strength of the distortion (no human scores)",
        published_pairs=about("demo").pairs,
    )


def _make_images(folder: epath.Path) -> Iterator[tuple[str, str, int, str, int, str]]:
    """Writes all images below ``folder`` and yields the row of each distorted one."""
    for name, (file, size) in _PHOTOGRAPHS.items():
        with Image.open(_photographs() / file) as photograph:
            reference = ImageOps.fit(photograph.convert("RGB"), size, Image.Resampling.LANCZOS)
        reference_path = f"references/{name}.png"
        _save(reference, folder / reference_path)
        for distortion, distort in _DISTORTIONS.items():
            for level in LEVELS:
                path = f"distorted/{name}_{distortion.replace(' ', '_').lower()}_{level}.png"
                _save(distort(reference, level), folder / path)
                yield reference_path, path, level, distortion, level, name


def _photographs() -> epath.Path:
    package = importlib.util.find_spec("skimage")
    if package is None or not package.submodule_search_locations:
        raise DatasetError("demo: scikit-image is not installed; run: pip install scikit-image")
    return epath.Path(package.submodule_search_locations[0]) / "data"


def _save(image: Image.Image, path: epath.Path) -> None:
    file = io.BytesIO()
    image.save(file, "PNG")
    path.write_bytes(file.getvalue())

"""Local scores as pictures."""

import io

import numpy as np
from etils import epath
from matplotlib.image import imsave

from iqa_jax.files import appearing_whole


def draw_map(values: np.ndarray, path: epath.Path, *, higher_is_better: bool) -> None:
    """Writes local scores ``[H, W]`` as a picture.

    Distances are dark at 0 and bright at their greatest, similarities bright at 1 and dark at 0 or
    at their least if that is negative.

    Args:
      values: The map; the ends of its scale stand in the file as the text ``Description``.
      path: Of the PNG file, which appears whole.
      higher_is_better: Whether these are similarities.
    """
    low, high = (min(0.0, values.min()), 1.0) if higher_is_better else (0.0, values.max())
    scale = {"vmin": low, "vmax": high, "cmap": "magma"}
    ends = f"dark: {low:g}, bright: {high:g}"
    image = io.BytesIO()
    imsave(image, values, format="png", metadata={"Description": ends}, **scale)
    with appearing_whole(path) as unfinished:
        unfinished.write_bytes(image.getvalue())

"""Local scores as pictures."""

import io

import numpy as np
from etils import epath
from matplotlib.image import imsave

from iqa_jax.files import appearing_whole


def draw_map(values: np.ndarray, path: epath.Path) -> None:
    """Writes local scores ``[H, W]`` as a picture, its least value dark and its greatest bright.

    Args:
      values: The map; its ends stand in the file as the text ``Description``.
      path: Of the PNG file, which appears whole.
    """
    ends = f"dark: {values.min():g}, bright: {values.max():g}"
    image = io.BytesIO()
    imsave(image, values, cmap="magma", format="png", metadata={"Description": ends})
    with appearing_whole(path) as unfinished:
        unfinished.write_bytes(image.getvalue())

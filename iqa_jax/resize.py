"""Resizing before scoring: a first-order factor of every result, so part of a run's signature."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from iqa_jax.errors import InputError

FORMS = "short:PIXELS, factor:NUMBER or exact:HEIGHTxWIDTH"


@dataclass(frozen=True)
class Resize:
    """An antialiased (Pillow, bilinear) resize of the decoded ``uint8`` pixels.

    Attributes:
      text: The form that the user wrote: ``short:256`` (the shorter side becomes 256 pixels, the
        ratio of the sides is kept), ``factor:0.5`` or ``exact:384x512`` (height x width).

    Raises:
      InputError: If the text has none of these forms.
    """

    text: str

    def __post_init__(self):
        try:
            size = self.size(100, 100)
        except (ValueError, OverflowError) as error:
            raise InputError(f"resize: expected {FORMS}, got {self.text!r}") from error
        if min(size) < 1:
            raise InputError(f"resize: {self.text!r} leaves no pixels; expected {FORMS}")

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width after resizing an image of ``height`` x ``width``."""
        kind, _, value = self.text.partition(":")
        if kind == "short":
            short = int(value)
            if height <= width:
                return short, int(short * width / height)
            return int(short * height / width), short
        if kind == "factor":
            return round(height * float(value)), round(width * float(value))
        if kind == "exact":
            new_height, new_width = map(int, value.split("x"))
            return new_height, new_width
        raise InputError(kind)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Resizes ``uint8`` ``[height, width, 3]``."""
        height, width = self.size(*image.shape[:2])
        if (height, width) == image.shape[:2]:
            return image
        resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(resized)

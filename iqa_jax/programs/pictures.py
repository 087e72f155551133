"""Figures of the programs, which need neither a screen nor any global state."""

import io

from matplotlib.figure import Figure


class Picture(Figure):
    """A Matplotlib figure that a notebook shows by itself."""

    def png(self) -> bytes:
        """The figure as a PNG file."""
        image = io.BytesIO()
        self.savefig(image, format="png", dpi=150)
        return image.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png()

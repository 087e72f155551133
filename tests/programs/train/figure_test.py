import io

import numpy as np
import pytest
from PIL import Image

from iqa_jax.programs.train.figure import shares_by_layer


def shares(rng, layers):
    values = {f"relu{layer}": rng.random(4 + layer) ** 8 for layer in range(layers)}
    total = sum(each.sum() for each in values.values())
    return {layer: each / total for layer, each in values.items()}


@pytest.mark.parametrize("layers", [1, 5, 13])
def test_draws_any_number_of_layers(layers, rng):
    drawn = {name: shares(rng, layers) for name in ("uniform", "learned", "lpips-alex")}
    drawn["learned"]["relu0"][:2] = 0.0
    with Image.open(io.BytesIO(shares_by_layer(drawn, "a title").png())) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert pixels.shape[0] > 600
    # Both ends of the palette are there: uniform is gray, learned blue.
    for colour in ((0x8C, 0x8C, 0x8C), (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):
        assert (pixels == colour).all(axis=-1).any()

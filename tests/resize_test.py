import numpy as np
import pytest
from PIL import Image

from iqa_jax.errors import InputError
from iqa_jax.resize import Resize


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        ("short:256", (384, 512), (256, 341)),
        ("short:256", (512, 384), (341, 256)),
        ("short:256", (256, 300), (256, 300)),
        ("factor:0.5", (384, 512), (192, 256)),
        ("factor:2", (3, 5), (6, 10)),
        ("exact:64x96", (384, 512), (64, 96)),
    ],
)
def test_size(text, size, expected):
    resize = Resize(text)
    assert resize.size(*size) == expected
    assert resize(np.zeros((*size, 3), np.uint8)).shape == (*expected, 3)


def test_is_pillows_antialiased_bilinear(rng):
    image = rng.integers(0, 256, (40, 60, 3)).astype(np.uint8)
    expected = Image.fromarray(image).resize((30, 20), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(Resize("factor:0.5")(image), np.asarray(expected))


UNREADABLE = """256 short short: short:x short:-4 long:256 exact:64 exact:0x9 factor:0 factor:nan
factor:inf exact:1x2x3"""


@pytest.mark.parametrize("text", ["", *UNREADABLE.split()])
def test_refuses_other_forms(text):
    with pytest.raises(InputError, match="short:PIXELS, factor:NUMBER or exact:HEIGHTxWIDTH"):
        Resize(text)

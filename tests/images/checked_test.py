import numpy as np
import pytest

from iqa_jax.errors import ImageError, MissingImageError
from iqa_jax.images import decode
from iqa_jax.images.checked import CheckedImages


@pytest.mark.parametrize("block", [1, 4])
def test_the_bytes_that_are_decoded_are_those_that_are_checked(stored, tmp_path, patch, block):
    images = stored(patch, block=block)
    checked = CheckedImages(images, {"a.png": images.header("a.png")})
    assert checked.header("a.png") == images.header("a.png")
    assert checked.treatment == images.treatment
    np.testing.assert_array_equal(checked.pixels("a.png"), patch)
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data + b"!")
    for look in (checked.read, checked.pixels):
        with pytest.raises(ImageError, match="a.png: was changed while it was in use"):
            look("a.png")
    stored(255 - patch, block=block)
    with pytest.raises(ImageError, match="a.png: was changed while it was in use"):
        checked.pixels("a.png")
    (tmp_path / "a.png").unlink()
    with pytest.raises(MissingImageError, match="a.png: there is no such file"):
        checked.pixels("a.png")


def test_a_checksum_is_that_of_the_bytes_read_first(stored, patch, monkeypatch):
    images = stored(patch)
    whole = images.header("a.png")
    with monkeypatch.context() as nothing_read:
        nothing_read.setattr(decode, "_checksum", lambda file: pytest.fail("read whole"))
        header = images.header("a.png", checksum=False)
    assert header == whole._replace(checksum=None)
    checked, other = (
        CheckedImages(images, {"a.png": header}),
        CheckedImages(images, {"a.png": header}),
    )
    assert checked.header("a.png", checksum=False) == header
    np.testing.assert_array_equal(checked.pixels("a.png"), patch)
    stored(255 - patch)
    for look in (checked.pixels, lambda name: checked.note(name, 5)):
        with pytest.raises(ImageError, match="a.png: was changed while it was in use"):
            look("a.png")
    assert checked.header("a.png") == checked.header("a.png", checksum=False) == whole
    assert other.header("a.png") == images.header("a.png") != whole

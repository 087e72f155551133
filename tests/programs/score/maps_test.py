import numpy as np
import pytest
from etils import epath
from PIL import Image

from iqa_jax.programs.score.maps import draw_map


@pytest.mark.parametrize(
    ("is_similarity", "ends"),
    [(True, "dark: -0.5, bright: 1"), (False, "dark: 0, bright: 0.75")],
)
def test_the_greatest_value_is_the_brightest(is_similarity, ends, tmp_path):
    values = np.full((20, 30), 0.25, np.float32)
    values[3, 4], values[15, 25] = -0.5 if is_similarity else 0, 0.75
    draw_map(values, epath.Path(tmp_path) / "map.png", higher_is_better=is_similarity)
    with Image.open(tmp_path / "map.png") as image:
        assert image.size == (30, 20)
        assert image.text["Description"] == ends
        brightness = np.asarray(image.convert("L"))
    assert np.unravel_index(brightness.argmax(), (20, 30)) == (15, 25)
    assert np.unravel_index(brightness.argmin(), (20, 30)) == (3, 4)
    assert [path.name for path in tmp_path.iterdir()] == ["map.png"]


@pytest.mark.parametrize("is_similarity", [True, False])
def test_identical_images_are_bright_in_similarities_and_dark_in_distances(is_similarity, tmp_path):
    path = epath.Path(tmp_path) / "map.png"
    draw_map(np.full((5, 5), is_similarity, np.float32), path, higher_is_better=is_similarity)
    with Image.open(path) as image:
        brightness = np.asarray(image.convert("L"))
    assert (brightness > 200).all() if is_similarity else (brightness < 10).all()

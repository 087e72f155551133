import numpy as np
from etils import epath
from PIL import Image

from iqa_jax.map_pictures import draw_map


def test_the_greatest_value_is_the_brightest(tmp_path):
    values = np.full((20, 30), 0.25, np.float32)
    values[3, 4], values[15, 25] = -0.5, 0.75
    draw_map(values, epath.Path(tmp_path) / "map.png")
    with Image.open(tmp_path / "map.png") as image:
        assert image.size == (30, 20)
        assert image.text["Description"] == "dark: -0.5, bright: 0.75"
        brightness = np.asarray(image.convert("L"))
    assert np.unravel_index(brightness.argmax(), (20, 30)) == (15, 25)
    assert np.unravel_index(brightness.argmin(), (20, 30)) == (3, 4)
    assert [path.name for path in tmp_path.iterdir()] == ["map.png"]


def test_a_map_without_differences(tmp_path):
    draw_map(np.zeros((5, 5), np.float32), epath.Path(tmp_path) / "map.png")
    with Image.open(tmp_path / "map.png") as image:
        assert image.text["Description"] == "dark: 0, bright: 0"

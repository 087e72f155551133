import itertools

import numpy as np
import pytest
from etils import epath
from PIL import Image

import iqa_jax
from iqa_jax.datasets import pair_lists
from iqa_jax.images.resize import Resize
from iqa_jax.programs.score.maps import draw_map, local_scores
from iqa_jax.programs.score.scores import load_job, run_job
from iqa_jax.programs.score.settings import ScoreSettings


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


@pytest.mark.parametrize("resize", [None, "factor:0.8"])
def test_maps_are_those_of_the_metrics(resize, checkpoints, pair_folder, tmp_path):
    table = pair_lists.from_csv(epath.Path(pair_folder) / "pairs.csv")
    metrics = ("lpips-alex", "psnr", "alexnet/relu2/l2", "ssim")
    job = load_job(table, ScoreSettings(metrics, checkpoints_dir=str(checkpoints), resize=resize))
    scores = run_job(job, epath.Path(tmp_path / "parts"))
    found = {(row, name): values for row, name, values in local_scores(job, scores)}
    assert found.keys() == set(itertools.product(range(9), ("lpips-alex", "ssim")))
    shrink = Resize(resize) if resize else lambda image: image
    for (row, name), values in found.items():
        pair = table.pairs[row]
        images = (
            shrink(np.asarray(Image.open(pair_folder / each)))[None]
            for each in (pair.reference, pair.distorted)
        )
        metric = iqa_jax.load_metric(name, checkpoints_dir=checkpoints)
        expected = metric.map(*images)[0]
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)

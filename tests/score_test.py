import numpy as np
import pytest
from etils import epath
from PIL import Image

import iqa_jax
from iqa_jax.datasets import pair_lists
from iqa_jax.errors import InputError
from iqa_jax.score import Job, Settings

METRICS = ("lpips-alex", "psnr", "alexnet/relu2/l2", "ssim")


@pytest.fixture
def settings(checkpoints):
    return Settings(METRICS, checkpoints_dir=str(checkpoints))


@pytest.fixture
def table(pair_folder):
    return pair_lists.from_csv(epath.Path(pair_folder) / "pairs.csv")


def pixels(folder, name):
    return np.asarray(Image.open(folder / name).convert("RGB"))[None]


def test_scores_are_those_of_the_metrics_alone(table, settings, pair_folder, checkpoints, tmp_path):
    scores = Job(table, settings).run(epath.Path(tmp_path / "parts"))
    assert list(scores.values) == list(METRICS)
    assert not any(scores.errors)
    for name in METRICS:
        metric = iqa_jax.load_metric(name, checkpoints_dir=checkpoints)
        for row, pair in enumerate(table.pairs):
            images = (pixels(pair_folder, each) for each in (pair.reference, pair.distorted))
            np.testing.assert_allclose(scores.values[name][row], metric(*images)[0], rtol=1e-5)


def test_the_signature_names_weights_and_pairs(table, settings):
    signature = Job(table, settings).signature
    assert len(signature["metrics"]["lpips-alex"]["weights_sha256"]) == 64
    assert signature["metrics"]["lpips-alex"]["computed"].endswith("unit@lpips-alex")
    assert signature["metrics"]["psnr"]["model"] == "pixels"
    assert len(signature["pairs"]) == 64


def test_bad_pairs_get_a_reason_and_the_others_scores(settings, pair_folder, tmp_path):
    (pair_folder / "text.png").write_text("no image")
    data = (pair_folder / "a_1.png").read_bytes()
    (pair_folder / "cut.png").write_bytes(data[: len(data) // 2])
    Image.new("RGB", (20, 20)).save(pair_folder / "tiny.png")
    rows = ["a.png,a_1.png", "a.png,text.png", "a.png,cut.png", "a.png,b.png", "a.png,missing.png"]
    rows += ["tiny.png,tiny.png", "a.png,a_2.png"]
    path = pair_folder / "bad.csv"
    path.write_text("\n".join(["reference,distorted", *rows]) + "\n")
    table = pair_lists.from_csv(epath.Path(path))
    for _ in range(2):  # the second time from the parts of the first
        scores = Job(table, settings).run(epath.Path(tmp_path / "parts"))
        good, text, cut, size, missing, tiny, last = scores.errors
        assert not good
        assert not last
        assert "text.png" in text
        assert "cut.png" in cut
        assert "b.png: is 64x64 pixels, its reference a.png 80x72" in size
        assert "missing.png" in missing
        assert "needs images of at least" in tiny
        for name in METRICS:
            is_scored = np.isfinite(scores.values[name])
            assert is_scored[[0, 6]].all()
            assert not is_scored[1:5].any()
        assert scores.values["psnr"][5] == 100


def test_a_metric_that_refuses_a_size_leaves_the_others_theirs(pair_folder, tmp_path):
    table = pair_lists.from_csv(epath.Path(pair_folder) / "pairs.csv")
    job = Job(table, Settings(("ms-ssim", "psnr", "ssim")))
    scores = job.run(epath.Path(tmp_path))
    assert np.isnan(scores.values["ms-ssim"]).all()
    assert np.isfinite([scores.values["psnr"], scores.values["ssim"]]).all()
    assert all("ms-ssim: expected images of at least 161x161" in error for error in scores.errors)
    assert {name for _, name, _ in job.maps(scores)} == {"ssim"}


def test_nothing_can_be_scored(settings, tmp_path):
    scores = Job(pair_lists.one_pair("no.png", "none.png"), settings).run(epath.Path(tmp_path))
    assert "no.png" in scores.errors[0]
    assert all(np.isnan(values).all() for values in scores.values.values())


def test_unknown_metrics_and_missing_weights_end_it_at_once(table, tmp_path):
    with pytest.raises(InputError, match="there is no metric 'lpips'; there are: psnr"):
        Job(table, Settings(("lpips",)))
    with pytest.raises(InputError, match="there is no checkpoint vgg16"):
        Job(table, Settings(("lpips-vgg",), checkpoints_dir=str(tmp_path)))
    with pytest.raises(InputError, match="name at least one metric"):
        Job(table, Settings(()))

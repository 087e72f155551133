import dataclasses
import math

import numpy as np
import pytest
from etils import epath
from PIL import Image

import iqa_jax
from iqa_jax.compilation import convolution_library
from iqa_jax.datasets import Pair, PairTable, pair_lists
from iqa_jax.engine import devices, unit_sizes
from iqa_jax.engine import run as engine
from iqa_jax.engine.devices import UnitRunner
from iqa_jax.errors import InputError
from iqa_jax.images import sources
from iqa_jax.images.decode import decode_image
from iqa_jax.images.sources import ImageFolder
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.programs.score.files import to_csv
from iqa_jax.programs.score.maps import local_scores
from iqa_jax.programs.score.scores import Scored, load_job, run_job
from iqa_jax.programs.score.settings import ScoreSettings
from iqa_jax.zoo import load_relevance

METRICS = ("lpips-alex", "psnr", "alexnet/relu2/l2", "ssim")


@pytest.fixture
def settings(checkpoints):
    return ScoreSettings(METRICS, checkpoints_dir=str(checkpoints))


@pytest.fixture
def table(pair_folder):
    return pair_lists.from_csv(epath.Path(pair_folder) / "pairs.csv")


def pixels(folder, name):
    return np.asarray(Image.open(folder / name).convert("RGB"))[None]


def test_planning_reads_headers_alone_and_checksums_are_of_the_decoded_bytes(table, monkeypatch):
    names = []
    read = ImageFolder.read
    monkeypatch.setattr(
        ImageFolder, "read", lambda self, name: names.append(name) or read(self, name)
    )
    job = load_job(table, ScoreSettings(("psnr",), versions=4))
    assert not names
    assert {each.checksum for each in job.plan.headers.values()} == {None}
    scores = run_job(job)
    assert sorted(names) == sorted(table.image_names)  # each once, for its scores
    assert scores.images == {name: table.images.header(name) for name in table.image_names}


def test_scores_are_those_of_the_metrics_alone(table, settings, pair_folder, checkpoints, tmp_path):
    scores = run_job(load_job(table, settings), epath.Path(tmp_path / "parts"))
    assert list(scores.values) == list(METRICS)
    assert not any(scores.errors)
    for name in METRICS:
        metric = iqa_jax.load_metric(name, checkpoints_dir=checkpoints)
        for row, pair in enumerate(table.pairs):
            images = (pixels(pair_folder, each) for each in (pair.reference, pair.distorted))
            np.testing.assert_allclose(scores.values[name][row], metric(*images)[0], rtol=1e-5)


def test_each_image_is_decoded_once(table, settings, monkeypatch):
    decoded = []

    def decode(data, name):
        decoded.append(name)
        return decode_image(data, name)

    monkeypatch.setattr(sources, "decode_image", decode)
    job = load_job(table, settings)
    assert len(job.scorers.groups) > 1
    run_job(dataclasses.replace(job, plan=dataclasses.replace(job.plan, units=job.plan.units[:1])))
    first = [table.pairs[row] for row in job.plan.units[0].rows]
    assert sorted(decoded) == sorted({name for pair in first for name in pair.image_names})


def test_the_signature_names_weights_and_pairs(table, settings):
    signature = load_job(table, settings).scorers.signature
    assert len(signature["metrics"]["lpips-alex"]["weights_sha256"]) == 64
    assert signature["metrics"]["lpips-alex"]["computed"].endswith("unit@lpips-alex")
    assert signature["metrics"]["psnr"]["model"] == "pixels"
    assert signature["metrics"]["ssim"]["computed"] == "ssim:wang2004"
    assert {n: each["higher_is_better"] for n, each in signature["metrics"].items()} == {
        **{"lpips-alex": False, "psnr": True, "alexnet/relu2/l2": False, "ssim": True}
    }
    relevance = load_relevance("lpips-alex", checkpoints_dir=settings.checkpoints_dir)
    found = signature["metrics"]["lpips-alex"]["relevances"]
    assert found == {"lpips-alex": relevance.sha256}
    assert {"jax-iqa", "jax", "jaxlib"} <= signature["software"].keys()
    assert signature["convolutions"] == convolution_library()


def test_identical_images_are_at_no_distance(settings, pair_folder, tmp_path):
    """Through the program that a run compiles, which is another than that of one metric alone."""
    images = [str(pair_folder / name) for name in ("a.png", "b.png", "c.png")]
    rows = [Pair(name, name, math.nan) for name in images]
    table = PairTable("same", rows, ImageFolder(), higher_is_better=False)
    scores = run_job(load_job(table, settings), epath.Path(tmp_path / "parts"))
    assert {name: set(values.tolist()) for name, values in scores.values.items()} == {
        **{"lpips-alex": {0.0}, "psnr": {100.0}, "alexnet/relu2/l2": {0.0}, "ssim": {1.0}}
    }


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
        scores = run_job(load_job(table, settings), epath.Path(tmp_path / "parts"))
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


def test_an_image_that_changes_meanwhile_is_the_reason(table, pair_folder, tmp_path):
    job = load_job(table, ScoreSettings(("psnr",)))
    (pair_folder / "a_2.png").write_bytes((pair_folder / "a_1.png").read_bytes())
    scores = run_job(job, epath.Path(tmp_path / "parts"))
    assert [row for row, error in enumerate(scores.errors) if error] == [1]
    assert scores.errors[1].startswith("a_2.png: was changed while it was in use")
    assert np.flatnonzero(np.isnan(scores.values["psnr"])).tolist() == [1]


def test_a_metric_that_refuses_a_size_leaves_the_others_theirs(pair_folder, tmp_path):
    table = pair_lists.from_csv(epath.Path(pair_folder) / "pairs.csv")
    job = load_job(table, ScoreSettings(("ms-ssim", "psnr", "ssim")))
    scores = run_job(job, epath.Path(tmp_path))
    assert np.isnan(scores.values["ms-ssim"]).all()
    assert np.isfinite([scores.values["psnr"], scores.values["ssim"]]).all()
    assert all(
        "ms-ssim:wang2003: expected images of at least 161x161" in error for error in scores.errors
    )
    assert {name for _, name, _ in local_scores(job, scores)} == {"ssim"}


TOO_SMALL = ((1, 1), (2, 2), (3, 3), (1, 300), (30, 30))
"""Width and height."""


def test_images_that_are_too_small_for_a_network(settings, pair_folder, tmp_path):
    rows = ["reference,distorted", "a.png,a_1.png", ",a_1.png"]
    for number, size in enumerate(TOO_SMALL):
        Image.new("RGB", size).save(pair_folder / f"tiny{number}.png")
        rows.append(f"tiny{number}.png,tiny{number}.png")
    (pair_folder / "tiny.csv").write_text("\n".join(rows) + "\n")
    table = pair_lists.from_csv(epath.Path(pair_folder) / "tiny.csv")
    job = load_job(table, dataclasses.replace(settings, metrics=("lpips-alex", "psnr", "ssim")))
    scores = run_job(job, epath.Path(tmp_path / "parts"))
    good, nameless, *tiny = scores.errors
    assert not good
    assert "the name of an image is missing" in nameless
    assert len(tiny) == len(TOO_SMALL)
    assert all("needs images of at least 31x31 pixels" in each for each in tiny)
    assert np.isfinite(scores.values["lpips-alex"]).tolist() == [True] + [False] * 6
    assert scores.values["psnr"][2:].tolist() == [100] * len(TOO_SMALL)
    metric = iqa_jax.load_metric("lpips-alex", checkpoints_dir=settings.checkpoints_dir)
    for size in TOO_SMALL:
        image = np.zeros((1, *size, 3), np.uint8)
        with pytest.raises(InputError, match="at least 31x31 pixels"):
            metric(image, image)
    rows_with_a_map = {row for row, _, _ in local_scores(job, scores)}
    assert rows_with_a_map == {0, *(2 + n for n, size in enumerate(TOO_SMALL) if min(size) >= 11)}


def test_metrics_of_one_trunk_share_their_programs(table, tmp_path, monkeypatch):
    """One trace for each of the two image sizes, whatever the weights are."""
    compare, traced = FeatureScores.compare, []

    def spy(function, *images):
        traced.append(function.label)
        return compare(function, *images)

    monkeypatch.setattr(FeatureScores, "compare", spy)
    seeds = [f"alexnet-random-none-seed{seed}" for seed in (0, 1)]
    settings = ScoreSettings(tuple(f"{seed}/relu1/l2" for seed in seeds))
    scores = run_job(load_job(table, settings), epath.Path(tmp_path / "parts"))
    assert traced == seeds[:1] * 2
    one, another = scores.values.values()
    assert np.isfinite([one, another]).all()
    assert (one != another).all()


def test_nothing_can_be_scored(settings, tmp_path):
    scores = run_job(
        load_job(pair_lists.one_pair("no.png", "none.png"), settings), epath.Path(tmp_path)
    )
    assert "no.png" in scores.errors[0]
    assert all(np.isnan(values).all() for values in scores.values.values())


def test_unknown_metrics_and_missing_weights_end_it_at_once(table, tmp_path):
    with pytest.raises(
        InputError, match="there is no metric 'lpips'; do you mean lpips-.*there are: psnr"
    ):
        load_job(table, ScoreSettings(("lpips",)))
    metrics = "lpips-vgg", "ssim", "lpips-alex"
    with pytest.raises(
        InputError, match="there is no checkpoint vgg16, alexnet .*lpips-vgg,lpips-"
    ):
        load_job(table, ScoreSettings(metrics, checkpoints_dir=str(tmp_path)))
    with pytest.raises(InputError, match="name at least one metric"):
        load_job(table, ScoreSettings(()))


def as_rows(scores):
    """What was found of every pair, to be kept."""
    return {
        row: Scored({name: values[row] for name, values in scores.values.items()}, error)
        for row, error in enumerate(scores.errors)
    }


def test_only_what_is_not_kept_is_scored(table, pair_folder, tmp_path, monkeypatch):
    """As in a run of all pairs: to the bit, in units of the whole plan."""
    settings = ScoreSettings(("psnr", "ssim"))
    whole = run_job(load_job(table, settings), epath.Path(tmp_path / "whole"))
    kept = {row: Scored({"psnr": row, "ssim": 0.5}, "kept") for row in range(9) if row != 4}
    units, compute = [], engine.compute

    def spy(plan, missing, *args, **options):
        units.extend(missing)
        return compute(plan, missing, *args, **options)

    monkeypatch.setattr(engine, "compute", spy)
    scores = run_job(load_job(table, settings), epath.Path(tmp_path / "part"), kept=kept)
    assert [unit.rows for unit in units] == [(4, 5)]
    assert scores.errors == ["kept"] * 4 + [""] + ["kept"] * 4
    assert scores.values["psnr"].tolist() == [0, 1, 2, 3, whole.values["psnr"][4], 5, 6, 7, 8]
    assert scores.values["ssim"][4] == whole.values["ssim"][4]
    nothing = run_job(load_job(table, settings), epath.Path(tmp_path / "none"), kept=as_rows(whole))
    assert to_csv(nothing) == to_csv(whole)
    assert not (tmp_path / "none").exists()


def test_images_that_could_not_be_read_are_named(table, pair_folder, tmp_path):
    data = (pair_folder / "a_1.png").read_bytes()
    (pair_folder / "a_1.png").write_bytes(data[: len(data) // 2])
    (pair_folder / "b_1.png").unlink()
    job = load_job(table, ScoreSettings(("psnr",)))
    scores = run_job(job, epath.Path(tmp_path / "parts"))
    assert set(scores.unread) == {"a_1.png", "b_1.png"}
    assert scores.images.keys() == {name for pair in table.pairs for name in images_of(pair)} - {
        "b_1.png"
    }
    (pair_folder / "a_1.png").write_bytes(data)
    again = run_job(load_job(table, ScoreSettings(("psnr",))), epath.Path(tmp_path / "parts"))
    assert np.isfinite(again.values["psnr"][0])


def images_of(pair):
    return pair.reference, pair.distorted


def test_a_begun_run_goes_on_when_other_pairs_are_asked_for(table, tmp_path, monkeypatch):
    """What it has on disk is known by the pairs, not by their rows."""
    settings, parts = ScoreSettings(("psnr",)), epath.Path(tmp_path / "parts")
    whole = run_job(load_job(table, settings), parts).values["psnr"]
    turned = dataclasses.replace(table, pairs=[*reversed(table.pairs)])
    monkeypatch.setattr(engine, "compute", lambda *_, **__: iter(()))
    np.testing.assert_array_equal(
        run_job(load_job(turned, settings), parts).values["psnr"], whole[::-1]
    )


def test_images_too_large_for_the_memory_get_a_reason(table, tmp_path, monkeypatch):
    """Here there is as much as the step takes for 64x64, and 72x80 takes more."""
    monkeypatch.setitem(unit_sizes._PIXELS_AT_ONCE, "cpu", 1)
    settings, needed = ScoreSettings(("psnr",), versions=1), []
    excess = UnitRunner._needed

    def spy(runner, program):
        needed.append(excess(runner, program))
        return needed[-1]

    monkeypatch.setattr(UnitRunner, "_needed", spy)
    monkeypatch.setattr(devices, "available_memory", lambda: 1)
    parts = epath.Path(tmp_path / "parts")
    scores = run_job(load_job(table, settings), parts)
    assert np.isnan(scores.values["psnr"]).all()
    large, small = needed
    assert large > small
    monkeypatch.setattr(devices, "available_memory", lambda: small)
    scores = run_job(load_job(table, settings), parts)
    assert np.isfinite(scores.values["psnr"]).tolist() == [False] * 4 + [True] * 2 + [False] * 3
    for row in (0, 8):
        assert "pixels needs about" in scores.errors[row]
        assert "for images of 80x72 pixels" in scores.errors[row]
    large = [*table.pairs[:4], *table.pairs[6:]]
    assert set(scores.unread) == {name for pair in large for name in images_of(pair)}
    assert not scores.errors[4]
    monkeypatch.setattr(devices, "available_memory", lambda: None)
    assert np.isfinite(run_job(load_job(table, settings), parts).values["psnr"]).all()

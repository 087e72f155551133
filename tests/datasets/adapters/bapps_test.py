"""Miniature trees in the official layout, and faulty copies."""

import io
import math
import os
import pickle
import shutil
import tempfile
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from etils import epath
from PIL import Image

from iqa_jax.datasets import fingerprint, inspect, load_dataset
from iqa_jax.datasets.adapters.bapps import JUST_NOTICEABLE, TWO_ALTERNATIVES, load_2afc, load_jnd
from iqa_jax.datasets.table import Question
from iqa_jax.errors import DatasetError, ImageError


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """All subsets, two judgements each."""
    folder, rng = tmp_path_factory.mktemp("bapps"), np.random.default_rng(0)
    for part in (*TWO_ALTERNATIVES.values(), JUST_NOTICEABLE):
        for subset in part.subsets:
            below = folder / part.experiment / part.split / subset
            for number, share in enumerate((0.0, 0.6)):
                for shown in part.shown:
                    save(below / shown / f"{number:06d}.png", patch(rng))
                judge(below / part.judgements / f"{number:06d}.npy", [share])
    return folder


@pytest.fixture
def home(template, tmp_path):
    """The folder that contains ``dataset``."""
    shutil.copytree(template, tmp_path / "dataset")
    return epath.Path(tmp_path)


def patch(rng):
    return rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)


def save(path, pixels, block=4):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.repeat(block, 0).repeat(block, 1)).save(path, compress_level=1)


def judge(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.array(value))


def in_val(home, *names):
    return home.joinpath("dataset", "2afc", "val", *names)


def test_triplets_are_two_rows_each(home):
    table, headers = inspect(load_2afc(home))
    assert table.name == "bapps-2afc"
    assert table.protocol is Question.TWO_ALTERNATIVES
    assert table.higher_is_better
    assert table.published_pairs == 2 * 36344
    assert len(table.pairs) == 6 * 2 * 2
    first, second = table.pairs[2:4]
    assert first.reference == second.reference == "traditional/ref/000001.png"
    assert first.distorted == "traditional/p0/000001.png"
    assert second.distorted == "traditional/p1/000001.png"
    assert (first.score, second.score) == (pytest.approx(0.4), 0.6)  # 0.6 preferred p1
    assert math.isnan(first.score_std)
    subsets = "traditional cnn superres deblur color frameinterp"
    assert list(dict.fromkeys(pair.distortion for pair in table.pairs)) == subsets.split()
    assert len({pair.reference_id for pair in table.pairs}) == 12
    assert {header[:2] for header in headers.values()} == {(64, 64)}


def test_training_part(home):
    table = load_2afc(home, split="train")
    assert table.name == "bapps-2afc:train"
    assert {pair.distortion for pair in table.pairs} == {"traditional", "cnn", "mix"}
    assert len(table.pairs) == 3 * 2 * 2
    assert table.published_pairs is None


def test_same_or_different(home):
    table, _ = inspect(load_jnd(home))
    assert table.name == "bapps-jnd"
    assert table.protocol is Question.SAME_OR_DIFFERENT
    assert table.higher_is_better
    assert table.published_pairs is None
    assert [pair.score for pair in table.pairs] == [0.0, 0.6] * 2
    assert table.pairs[3].reference == table.pairs[3].reference_id == "cnn/p0/000001.png"
    assert table.pairs[3].distorted == "cnn/p1/000001.png"
    assert [pair.distortion for pair in table.pairs] == ["traditional"] * 2 + ["cnn"] * 2


def test_one_pixel_of_each_block_is_kept(home, rng):
    pixels = patch(rng)
    save(in_val(home, "cnn", "p0", "000000.png"), pixels)
    save(in_val(home, "cnn", "p1", "000000.png"), pixels, block=1)  # stored unchanged
    images = load_2afc(home).images
    np.testing.assert_array_equal(images.pixels("cnn/p0/000000.png"), pixels)
    np.testing.assert_array_equal(images.pixels("cnn/p1/000000.png"), pixels)
    save(in_val(home, "cnn", "ref", "000000.png"), pixels, block=2)
    with pytest.raises(DatasetError, match="expected 64x64 or 256x256 pixels, found 128x128"):
        inspect(load_2afc(home))


@pytest.mark.parametrize(
    ("plain", "filtered"),
    [
        ("bapps-2afc", "bapps-2afc:lpips"),
        ("bapps-2afc:train", "bapps-2afc:train-lpips"),
        ("bapps-jnd", "bapps-jnd:lpips"),
    ],
)
def test_presets_of_lpips_differ_only_in_the_filter(home, plain, filtered):
    sharp, blurred = (
        load_dataset(name, data_dir=home, allow_partial=True) for name in (plain, filtered)
    )
    assert (sharp.name, blurred.name) == (plain, filtered)
    assert repr(sharp.pairs) == repr(blurred.pairs)  # there are NaNs
    name = sharp.pairs[0].distorted
    stored = Image.fromarray(sharp.images.pixels(name)).resize((256, 256), Image.Resampling.NEAREST)
    shown = np.asarray(stored.resize((64, 64), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(blurred.images.pixels(name), shown)
    assert fingerprint(*inspect(sharp)) != fingerprint(*inspect(blurred))


def test_filtered_copies_are_refused(home, rng):
    smooth = Image.fromarray(patch(rng)).resize((256, 256), Image.Resampling.BICUBIC)
    smooth.save(in_val(home, "cnn", "p0", "000000.png"))
    with pytest.raises(ImageError, match="found blocks of different pixels"):
        load_2afc(home).images.pixels("cnn/p0/000000.png")


@pytest.mark.parametrize("load", [load_2afc, load_jnd])
def test_any_of_the_usual_folders_gives_the_same_table(home, load):
    experiment = {load_2afc: "2afc", load_jnd: "jnd"}[load]
    whole = load(home)
    for folder in (home / "dataset", home / "dataset" / experiment):
        table = load(folder)
        # Deviations are NaN, which np.testing takes as equal to NaN.
        np.testing.assert_equal([*map(astuple, table.pairs)], [*map(astuple, whole.pairs)])
        assert fingerprint(*inspect(table)) == fingerprint(*inspect(whole))


def test_case_of_names_does_not_matter(home):
    expected = fingerprint(*inspect(load_2afc(home)))
    (home / "dataset").rename(home / "Dataset")
    (home / "Dataset" / "2afc").rename(home / "Dataset" / "2AFC")
    subset = home / "Dataset" / "2AFC" / "val" / "cnn"
    (subset / "judge" / "000001.npy").rename(subset / "judge" / "000001.NPY")
    (subset / "p0" / "000001.png").rename(subset / "p0" / "000001.PNG")
    (subset / "p0").rename(subset / "P0")
    subset.rename(subset.with_name("CNN"))
    table = load_2afc(home)
    assert table.pairs[6].distorted == "CNN/P0/000001.PNG"
    assert table.pairs[6].distortion == "cnn"
    assert fingerprint(*inspect(table)) == expected


def test_files_of_file_managers_are_ignored(home):
    for folder in ("ref", "p0", "judge"):
        (in_val(home, "cnn", folder) / ".DS_Store").touch()
        (in_val(home, "cnn", folder) / "Thumbs.db").touch()
    (in_val(home, "cnn", "judge") / "._000000.npy").touch()
    (in_val(home, "cnn", "p0") / "._000000.png").touch()
    assert len(inspect(load_2afc(home))[0].pairs) == 24


def test_ambiguous_folders(home):
    Path(home / "2afc").symlink_to(home / "dataset" / "2afc")
    with pytest.raises(
        DatasetError, match="2afc/val could be any of .*dataset/2afc/val, .*2afc/val"
    ):
        load_2afc(home)
    assert len(load_jnd(home).pairs) == 4


@pytest.mark.parametrize("folder", ["dataset/jnd", "dataset/2afc/val", "dataset/2afc/val/cnn"])
def test_other_folders_are_not_guessed(home, folder):
    with pytest.raises(DatasetError, match="expected 2afc/val/SUBSET/judge in it .* found "):
        load_2afc(home / folder)


def test_the_other_experiment_is_no_substitute(home):
    with pytest.raises(DatasetError, match="expected jnd/val/SUBSET/same in it"):
        load_jnd(home / "dataset" / "2afc")


def test_no_folder(tmp_path):
    with pytest.raises(DatasetError, match="there is no folder"):
        load_2afc(epath.Path(tmp_path) / "nowhere")
    with pytest.raises(DatasetError, match="found nothing"):
        load_jnd(epath.Path(tmp_path))


def test_subsets_may_be_missing_only_if_the_published_number_reveals_it(home):
    in_val(home, "deblur").rename(home / "elsewhere")
    table = load_2afc(home)
    assert len(table.pairs) == 20
    assert table.published_pairs not in (None, 20)
    (home / "dataset" / "jnd" / "val" / "cnn").rmtree()
    with pytest.raises(DatasetError, match="jnd/val: also expected the folders cnn in it"):
        load_jnd(home)


@pytest.mark.parametrize("name", ["ref", "p0", "p1", "judge"])
def test_a_folder_that_is_missing_is_named(home, name):
    in_val(home, "cnn", name).rmtree()
    with pytest.raises(DatasetError, match=f"val/cnn: expected {name} in it, found "):
        load_2afc(home)


@pytest.mark.parametrize("name", ["ref", "p0", "p1"])
def test_images_that_are_missing_are_named_or_left_out_with_their_triplet(home, name):
    in_val(home, "cnn", name, "000001.png").unlink()
    table = load_2afc(home)
    with pytest.raises(DatasetError, match=f"row [78]: cnn/{name}/000001.png: there is no such"):
        inspect(table)
    kept, _ = inspect(table, leave_out_missing=True)
    assert kept.pairs == [*table.pairs[:6], *table.pairs[8:]]


def test_judgements_that_are_missing_are_counted_and_named(home, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    in_val(home, "cnn", "judge", "000001.npy").unlink()
    in_val(home, "color", "judge", "000000.npy").unlink()
    for number in range(20):
        save(in_val(home, "deblur", "p0", f"1{number:05d}.png"), np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(DatasetError) as error:
        load_2afc(home)
    lines = str(error.value).splitlines()
    assert lines[0].endswith("dataset/2afc/val: 22 judgements cannot be used:")
    assert lines[1] == "  cnn/judge/000001.npy: there is no such file"
    assert lines[2] == "  deblur/judge/100000.npy: there is no such file"
    assert lines[-1].startswith("  and 2 more; all are in ")
    assert len(lines) == 22


def numpy_file(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def claims(shape):
    """A file of a few bytes that claims an array of any shape."""
    return numpy_file(np.zeros(1)).replace(
        b"(1,), }" + b" " * (len(shape) - 4), f"{shape}, }}".encode()
    )


@pytest.mark.parametrize(
    ("content", "complaint"),
    {
        "empty": (b"", "is not a readable array"),
        "text": (b"0.6\n", "is not a readable array"),
        "cut short": (numpy_file(np.array([0.6]))[:-3], "is not a readable array"),
        "huge": (claims("(10000000000000,)"), "is not a readable array"),
        "number": (numpy_file(np.array(0.6)), "expected one number, an array of shape"),
        "two": (numpy_file(np.array([0.6, 0.2])), "expected one number, an array of shape"),
        "words": (numpy_file(np.array(["0.6"])), "expected one number, an array of shape"),
        "above": (numpy_file(np.array([1.2])), "expected a share from 0 to 1, found 1.2"),
        "below": (numpy_file(np.array([-1])), "expected a share from 0 to 1, found -1"),
        "nan": (numpy_file(np.array([np.nan])), "expected a share from 0 to 1, found nan"),
    }.values(),
    ids=["empty", "text", "cut", "huge", "number", "two", "words", "above", "below", "nan"],
)
def test_invalid_judgements_are_named(home, content, complaint):
    in_val(home, "cnn", "judge", "000001.npy").write_bytes(content)
    with pytest.raises(DatasetError) as error:
        load_2afc(home)
    assert "1 judgement cannot be used" in str(error.value)
    assert f"cnn/judge/000001.npy: {complaint}" in str(error.value)


def test_archives_are_refused(home):
    file = io.BytesIO()
    np.savez(file, np.array([0.6]))
    in_val(home, "cnn", "judge", "000001.npy").write_bytes(file.getvalue())
    with pytest.raises(DatasetError, match=r"000001.npy: expected one number"):
        load_2afc(home)


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("kind", ["pickle", "object array"])
def test_nothing_is_unpickled(home, kind):
    harm = home / "harm"
    hostile = Hostile(str(harm))
    content = (
        pickle.dumps(hostile)
        if kind == "pickle"
        else numpy_file(np.array([hostile], object), allow_pickle=True)
    )
    in_val(home, "cnn", "judge", "000001.npy").write_bytes(content)
    with pytest.raises(DatasetError, match=r"000001.npy: is not a readable array"):
        load_2afc(home)
    assert not harm.exists()


def test_a_folder_where_a_judgement_should_be(home):
    in_val(home, "cnn", "judge", "000001.npy").unlink()
    in_val(home, "cnn", "judge", "000001.npy").mkdir()
    with pytest.raises(DatasetError, match=r"000001.npy: .*[Ii]s a directory"):
        load_2afc(home)


def test_a_circular_link_is_not_a_folder(home):
    in_val(home, "cnn", "p0").rmtree()
    Path(in_val(home, "cnn", "p0")).symlink_to(in_val(home, "cnn", "p0"))
    with pytest.raises(DatasetError, match="cnn/p0: cannot be listed"):
        load_2afc(home)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, np.uint8])
def test_any_type_of_number_is_accepted(home, kind):
    judge(in_val(home, "traditional", "judge", "000000.npy"), np.array([1], kind))
    assert [pair.score for pair in load_2afc(home).pairs[:2]] == [0.0, 1.0]

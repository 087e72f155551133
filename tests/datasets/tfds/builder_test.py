"""Building: checks, stored contents, and that no partial build looks complete."""

import dataclasses
import math

import pytest
import tensorflow_datasets as tfds
from datasets import trees
from etils import epath
from PIL import Image

from iqa_jax.datasets import DATASETS, load_dataset
from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.datasets.tfds import builder
from iqa_jax.datasets.tfds.builder import ImageQuality, build
from iqa_jax.datasets.tfds.records import BUILDER, VERSION, config_name
from iqa_jax.datasets.tfds.source import load_tfds
from iqa_jax.errors import DatasetError, ImageError
from iqa_jax.images.sources import ImageFolder, ImageSource


@pytest.fixture
def csv(pair_folder):
    return pair_folder / "pairs.csv"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "stored" / "tfds"


def home(target, dataset="csv"):
    return epath.Path(target) / BUILDER / dataset


def records(target, split):
    return tfds.data_source(f"{BUILDER}/csv", data_dir=target, split=split)


def test_builds_once(csv, target):
    first, second = build("csv", csv, target), build("csv", csv, target)
    assert first.is_new
    assert second == dataclasses.replace(first, is_new=False)
    assert first.folder == home(target) / VERSION
    assert (first.pairs, first.images, first.pairs_left_out) == (9, 12, 0)
    assert not first.unfinished
    assert {path.name for path in target.iterdir()} == {BUILDER}


def test_every_image_is_stored_once_unchanged(csv, target):
    lines = csv.read_text().splitlines()
    csv.write_text("\n".join([*lines, lines[1].replace("a.png,a_1", "c.png,a_1")]) + "\n")
    Image.new("RGB", (64, 64)).save(csv.parent / "b_1.png", "JPEG")
    build("csv", csv, target)
    images = records(target, "images")
    names = [image["name"].decode() for image in images]
    assert names[:3] == ["a.png", "a_1.png", "a_2.png"]
    assert sorted(names) == sorted(path.name for path in csv.parent.glob("*.png"))
    for name, image in zip(names, images, strict=True):
        assert image["image"] == (csv.parent / name).read_bytes()


def test_rows_of_the_split_find_their_images(csv, target):
    build("csv", csv, target)
    images, pairs = records(target, "images"), records(target, "pairs")
    for row, pair in zip(pairs, load_dataset("csv", data_dir=csv).pairs, strict=True):
        for role in ("reference", "distorted"):
            image = images[row[f"{role}_record"]]
            assert image["name"].decode() == row[role].decode() == getattr(pair, role)
            assert len(image["image"]) == row[f"{role}_length"]
        assert row["score"] == pair.score
        assert math.isnan(row["score_std"])
        assert row["image"] is None
    assert (pairs[4]["height"], pairs[4]["width"]) == (64, 64)


def test_facts_are_in_the_dataset_info(tmp_path, target):
    tree = trees.make_tid(tmp_path, [("5.5", "I01_01_1.bmp")], save_image=trees.save_small)
    build("tid2013", tree, target, allow_partial=True)
    info = tfds.builder(f"{BUILDER}/tid2013:{VERSION}", data_dir=target).info
    table = load_dataset("tid2013", data_dir=tree, allow_partial=True)
    assert info.citation == table.citation
    assert info.redistribution_info.license == table.licence
    assert "tid2013" in info.description
    assert "higher is better" in info.description
    assert info.metadata["published_pairs"] == 3000


def test_large_datasets_are_cut_into_several_files(csv, target, monkeypatch):
    whole = build("csv", csv, target / "whole")
    largest = max(path.stat().st_size for path in csv.parent.glob("*.png"))
    monkeypatch.setattr(builder, "_SHARD_BYTES", largest)
    cut = build("csv", csv, target / "cut")
    assert len(list(whole.folder.glob("*-images.*"))) == 1
    assert len(list(cut.folder.glob("*-images.*"))) > 3
    images = [
        [(image["name"], image["image"]) for image in records(target / place, "images")]
        for place in ("whole", "cut")
    ]
    assert images[0] == images[1]


def test_other_contents_under_the_name_are_refused(csv, target):
    build("csv", csv, target)
    csv.write_text(csv.read_text().replace("noise,1", "noise,7"))
    with pytest.raises(DatasetError, match="holds other contents than .*; choose another tfds_dir"):
        build("csv", csv, target)


def test_bad_rows_are_reported_before_anything_is_written(csv, target):
    (csv.parent / "a_2.png").unlink()
    (csv.parent / "a_3.png").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"2 problems in 9 rows:\n  row 2: .*\n  row 3: "):
        build("csv", csv, target)
    assert not target.exists()


def test_pairs_with_missing_images_are_left_out_if_allowed(csv, target):
    (csv.parent / "a_2.png").unlink()
    (csv.parent / "b.png").unlink()
    built = build("csv", csv, target, allow_partial=True)
    assert (built.pairs, built.images, built.pairs_left_out) == (6, 8, 3)
    stored = [pair.distorted for pair in load_tfds("csv", target).pairs]
    assert stored == "a_1.png a_3.png a_4.png c_1.png c_2.png c_3.png".split()
    assert load_tfds("csv", target).pairs_left_out == 3
    assert not build("csv", csv, target, allow_partial=True).is_new


def test_fewer_rows_than_published_must_be_allowed(tmp_path, target):
    tree = trees.make_tid(tmp_path, [("5.5", "I01_01_1.bmp")], save_image=trees.save_small)
    with pytest.raises(DatasetError, match=r"3000 pairs, .* lists 1; .*set allow_partial"):
        build("tid2013", tree, target)
    assert build("tid2013", tree, target, allow_partial=True).pairs == 1


def test_a_build_that_fails_leaves_nothing(csv, target, monkeypatch):
    def longer(self, name):
        return self.file(name).read_bytes() + (b"!" if name == "a_2.png" else b"")

    monkeypatch.setattr(ImageFolder, "read", longer)
    with pytest.raises(ImageError, match=r"a_2.png: was changed while it was in use"):
        build("csv", csv, target)
    assert not list(home(target).iterdir())
    with pytest.raises(DatasetError, match="found no stored dataset"):
        load_tfds("csv", target)


def test_images_that_cannot_be_decoded_are_found(csv, target):
    path = csv.parent / "a_2.png"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ImageError, match=r"a_2.png: is damaged or cut short"):
        build("csv", csv, target)
    assert not list(home(target).iterdir())


def test_a_killed_build_is_reported_and_not_taken_for_complete(csv, target):
    unfinished = home(target) / f"incomplete.ABC123_{VERSION}"
    unfinished.mkdir(parents=True)
    with pytest.raises(DatasetError, match="found no stored dataset"):
        load_tfds("csv", target)
    built = build("csv", csv, target)
    assert built.is_new
    assert built.unfinished == [unfinished]
    assert len(records(target, "pairs")) == 9


def test_buckets_are_refused_at_once(target):
    with pytest.raises(DatasetError, match="a folder of the file system, found gs://bucket/tfds"):
        build("csv", target / "nowhere.csv", "gs://bucket/tfds")


def test_images_that_are_not_files_are_refused(csv, target, monkeypatch):
    class Turned(ImageSource):
        def read(self, name):
            return (csv.parent / name).read_bytes()

    table = PairTable("turned", [Pair("a.png", "a_1.png", 1.0)], Turned(), higher_is_better=True)
    monkeypatch.setitem(DATASETS, "csv", lambda _: table)
    with pytest.raises(DatasetError, match="images of the kind Turned cannot be stored"):
        build("csv", csv, target)
    assert not target.exists()


def test_every_dataset_has_a_configuration_with_a_name_that_tfds_can_parse():
    assert ImageQuality.name == BUILDER
    assert len(ImageQuality.builder_configs) == len(DATASETS)
    for dataset in DATASETS:
        name, options = tfds.core.naming.parse_builder_name_kwargs(
            f"{BUILDER}/{config_name(dataset)}:{VERSION}"
        )
        assert str(name) == BUILDER
        assert options == {"config": config_name(dataset), "version": VERSION}


def test_the_builder_alone_has_nothing_to_build(tmp_path):
    builder = ImageQuality(config="demo", data_dir=tmp_path)
    with pytest.raises(DatasetError, match="build this dataset with: iqa build"):
        builder.download_and_prepare()

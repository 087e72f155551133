"""Reading back: the same table and bytes, by any thread; and refusals."""

import dataclasses
import json
import math
import os
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from etils import epath
from PIL import Image
from triplets import Triplet, triplet_table

from iqa_jax.datasets import DATASETS, fingerprint, inspect, load_dataset
from iqa_jax.datasets.table import PairTable, Question
from iqa_jax.datasets.tfds.builder import build
from iqa_jax.datasets.tfds.records import BUILDER, VERSION
from iqa_jax.datasets.tfds.source import load_tfds
from iqa_jax.errors import DatasetError, ImageError, MissingImageError
from iqa_jax.images.blocks import BlockImages
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ImageFolder


@pytest.fixture
def csv(pair_folder):
    return pair_folder / "pairs.csv"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "tfds"


@pytest.fixture
def stored(csv, target):
    """Folder of the stored dataset that ``csv`` reads."""
    return build("csv", csv, target).folder


def assert_same(stored, original):
    """Compares every attribute except the images to the last bit, NaN included."""
    for field in dataclasses.fields(PairTable):
        if field.name != "images":
            found, expected = (getattr(table, field.name) for table in (stored, original))
            assert repr(found) == repr(expected), field.name
    (_, headers), (_, expected_headers) = inspect(stored), inspect(original)
    assert headers == expected_headers
    assert fingerprint(stored, headers) == fingerprint(original, expected_headers)
    for name in headers:
        assert stored.images.read(name) == original.images.read(name)
        np.testing.assert_array_equal(stored.images.pixels(name), original.images.pixels(name))


def test_returns_the_table_of_the_folder(csv, stored, target):
    assert_same(load_tfds("csv", target), load_dataset("csv", data_dir=csv))


def test_numbers_and_names_are_kept_exactly(tmp_path, target, rng):
    names = ["ein bild ö.png", "below/b.jpg", "c.bmp"]
    (tmp_path / "below").mkdir()
    for name in names:
        Image.fromarray(rng.integers(0, 256, (6, 5, 3)).astype(np.uint8)).save(tmp_path / name)
    scores = [math.pi, 0.1 + 0.2, -5e-324, 1.7976931348623157e308, 1 / 3, -0.0]
    lines = ["reference,distorted,score,score_std,distortion,level,reference_id"]
    for row, score in enumerate(scores):
        distorted, std = names[1 + row % 2], "" if row % 2 else repr(score / 3)
        lines.append(f"{names[0]},{distorted},{score!r},{std},Rauschen ö,{row},ö")
    (tmp_path / "tafel.csv").write_text("\n".join(lines) + "\n")
    build("csv", tmp_path / "tafel.csv", target)
    table = load_tfds("csv", target)
    assert [pair.score for pair in table.pairs] == scores
    assert_same(table, load_dataset("csv", data_dir=tmp_path / "tafel.csv"))


def test_facts_are_kept(csv, target, monkeypatch):
    table = dataclasses.replace(
        load_dataset("csv", data_dir=csv),
        name="made up",
        higher_is_better=False,
        score_range=(0.0, math.nan),
        licence="free",
        citation="Nobody, Nowhere 2026",
        target="guesses",
        published_pairs=9,
        pairs_left_out=2,
        protocol=Question.SAME_OR_DIFFERENT,
        opinions=30,
    )
    monkeypatch.setitem(DATASETS, "csv", lambda _: table)
    build("csv", csv, target)
    assert_same(load_tfds("csv", target), table)


@pytest.mark.parametrize("is_filtered", [False, True])
def test_triplets_stored_in_blocks(tmp_path, target, rng, monkeypatch, is_filtered):
    for name in ("ref.png", "p0.png", "p1.png"):
        pixels = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels.repeat(4, 0).repeat(4, 1)).save(tmp_path / name)
    images = BlockImages(
        ImageFolder(epath.Path(tmp_path)), size=8, block=4, is_filtered=is_filtered
    )
    table = triplet_table("made up", [Triplet("ref.png", "p0.png", "p1.png", 0.6)], images)
    monkeypatch.setitem(DATASETS, "csv", lambda _: table)
    build("csv", tmp_path, target)
    found = load_tfds("csv", target)
    assert found.protocol is Question.TWO_ALTERNATIVES
    assert found.images.header("p0.png")[:2] == (8, 8)
    assert found.images.pixels("p0.png").shape == (8, 8, 3)
    assert_same(found, table)


def test_a_dataset_with_a_preset_in_its_name(csv, target, monkeypatch):
    monkeypatch.setitem(DATASETS, "live:original", DATASETS["csv"])
    folder = build("live:original", csv, target).folder
    assert folder == epath.Path(target) / BUILDER / "live.original" / VERSION
    assert_same(load_tfds("live:original", target), load_dataset("csv", data_dir=csv))


def test_many_threads_read_in_any_order(csv, stored, target, rng):
    table, original = load_tfds("csv", target), load_dataset("csv", data_dir=csv)
    names = rng.permutation(np.repeat([path.name for path in csv.parent.glob("*.png")], 40))
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(table.images.read, names))
    assert found == [original.images.read(name) for name in names]


def test_read_by_tfds_alone_without_tensorflow_or_this_package(csv, stored, target):
    code = f"""
import sys
import tensorflow_datasets as tfds
data = tfds.data_source("{BUILDER}/csv", data_dir=sys.argv[1])
row = data["pairs"][8]
sys.stdout.buffer.write(data["images"][row["distorted_record"]]["image"])
print(len(data["pairs"]), len(data["images"]), repr(float(row["score"])), file=sys.stderr)
assert not {{"tensorflow", "iqa_jax"}} & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(target)],
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": ""},
    )
    pair = load_dataset("csv", data_dir=csv).pairs[8]
    assert done.stderr.decode().split() == ["9", "12", repr(pair.score)]
    assert done.stdout == (csv.parent / pair.distorted).read_bytes()


def test_the_dataset_is_self_contained_and_can_be_moved(csv, stored, target, monkeypatch):
    original = load_dataset("csv", data_dir=csv)
    expected = {pair.distorted: original.images.read(pair.distorted) for pair in original.pairs}
    for path in csv.parent.glob("*.png"):
        path.unlink()
    target.rename(target.with_name("moved"))
    monkeypatch.chdir(target.parent)
    table = load_tfds("csv", "moved")
    assert {pair.distorted: table.images.read(pair.distorted) for pair in table.pairs} == expected


def test_missing_images(stored, target):
    images = load_tfds("csv", target).images
    for look in (images.read, images.header):
        with pytest.raises(MissingImageError, match=r"z\.png: there is no such image in .*/csv/"):
            look("z.png")


def test_lists_the_datasets_found_instead(stored, target):
    with pytest.raises(DatasetError) as error:
        load_tfds("tid2013", target)
    assert f"expected tid2013 {VERSION} in it, found csv {VERSION}; build it with" in str(
        error.value
    )
    stored.rename(stored.with_name("0.9.0"))
    with pytest.raises(DatasetError, match=f"expected csv {VERSION} in it, found csv 0.9.0;"):
        load_tfds("csv", target)
    with pytest.raises(DatasetError, match="found no stored dataset; build it with: iqa build"):
        load_tfds("csv", target / "nowhere")


def test_a_folder_that_was_renamed_is_refused(stored, target):
    stored.parent.rename(stored.parent.with_name("tid2013"))
    with pytest.raises(DatasetError, match="expected the dataset tid2013, found csv"):
        load_tfds("tid2013", target)


def test_buckets_are_refused():
    with pytest.raises(DatasetError, match="found gs://bucket; ArrayRecord files cannot be opened"):
        load_tfds("csv", "gs://bucket")


@pytest.mark.parametrize("name", ["dataset_info.json", "features.json", "metadata.json"])
@pytest.mark.parametrize("text", [None, "", "{}", "damaged"])
def test_other_files_are_not_taken_for_a_stored_dataset(name, text, stored, target):
    if text is None:
        (stored / name).unlink()
    else:
        (stored / name).write_text(text)
    with pytest.raises(DatasetError, match=f"csv/{VERSION}: is not a dataset that iqa build"):
        load_tfds("csv", target)


FIELD = {"pythonClassName": "spring.Trap", "tensor": {"dtype": "string"}}


@pytest.mark.parametrize(
    "fields",
    [
        {"pythonClassName": "spring.Trap", "jsonFeature": {"json": "{}"}},
        {"python_class_name": "spring.Trap", "json_feature": {"json": "{}"}},
        {"type": "spring.Trap", "content": {}},
        {
            "pythonClassName": "tensorflow_datasets.core.features.features_dict.FeaturesDict",
            "featuresDict": {"features": {"name": FIELD}},
        },
    ],
)
def test_a_stored_dataset_imports_nothing(fields, stored, target, tmp_path, monkeypatch):
    """TFDS imports the module of every class that the file names."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "spring.py").write_text("raise SystemExit('imported')\n")
    (stored / "features.json").write_text(json.dumps(fields))
    with pytest.raises(DatasetError, match=r"in features.json, found classes spring.Trap; rebuild"):
        load_tfds("csv", target)
    assert "spring" not in sys.modules


def test_an_additional_field_is_refused(stored, target):
    path = stored / "features.json"
    config = json.loads(path.read_text())
    fields = config["featuresDict"]["features"]
    fields["other"] = fields["name"]
    path.write_text(json.dumps(config))
    with pytest.raises(DatasetError, match=r"in features.json, found other fields; rebuild"):
        load_tfds("csv", target)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"fileFormat": "tfrecord"}, "the file format .* array_record, found tfrecord"),
        ({"alternativeFileFormats": ["parquet"]}, r"the other file formats .*found \['parquet'\]"),
        (
            {"alternative_file_formats": ["parquet"]},
            r"the other file formats .*found \['parquet'\]",
        ),
        ({"name": "../other"}, "the name .* image_quality, found ../other"),
        ({"version": "0.9.0"}, "the version .*, found 0.9.0"),
        ({"features": {"pythonClassName": "spring.Trap"}}, "the fields .* False, found True"),
        ({"splits": [{"name": "images", "filepathTemplate": "/etc/{SPLIT}"}]}, "the splits .*/etc"),
    ],
)
def test_descriptions_that_lead_elsewhere_are_refused(changes, complaint, stored, target):
    path = stored / "dataset_info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(DatasetError, match=f"expected {complaint}"):
        load_tfds("csv", target)


@pytest.mark.parametrize("split", ["images", "pairs"])
def test_a_missing_file_is_named(split, stored, target):
    (file,) = stored.glob(f"*-{split}.*")
    file.unlink()
    with pytest.raises(DatasetError, match=f"is incomplete: there is no {file.name}; delete"):
        load_tfds("csv", target)


def shorten(data):
    return data[: len(data) // 2]


def empty(data):
    return b""


def flip(data):
    """Flips a bit in the first record, after 64 bytes of the file and 40 of its own."""
    return data[:150] + bytes([data[150] ^ 1]) + data[151:]


@pytest.mark.parametrize("damage", [shorten, empty, flip])
def test_damaged_rows_are_noticed(damage, stored, target):
    (file,) = stored.glob("*-pairs.*")
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DatasetError, match=r"row \d+: its ArrayRecord file is damaged"):
        load_tfds("csv", target)


@pytest.mark.parametrize("damage", [shorten, empty, flip])
def test_damaged_images_are_noticed(damage, stored, target):
    (file,) = stored.glob("*-images.*")
    file.write_bytes(damage(file.read_bytes()))
    images = load_tfds("csv", target).images
    with pytest.raises(ImageError, match=r"a\.png: its ArrayRecord file is damaged"):
        images.read("a.png")


def test_files_of_another_build_are_noticed(csv, stored, target):
    csv.write_text(csv.read_text().replace("8.", "7."))
    (csv.parent / "a_1.png").write_bytes((csv.parent / "a_2.png").read_bytes())
    other = build("csv", csv, target.with_name("other")).folder
    (images,), (pairs,) = (list(other.glob(f"*-{split}.*")) for split in ("images", "pairs"))
    images.copy(stored / images.name, overwrite=True)
    with pytest.raises(ImageError, match=r"a_1.png: its place in .* holds another image"):
        load_tfds("csv", target).images.read("a_1.png")
    pairs.copy(stored / pairs.name, overwrite=True)
    with pytest.raises(DatasetError, match="is damaged: its rows are not those that were stored"):
        load_tfds("csv", target)


def test_a_file_of_another_build_with_images_of_the_same_lengths(tmp_path, target, rng):
    """Names, positions and lengths are the same: only the checksum differs."""
    csv = tmp_path / "same.csv"
    csv.write_text("reference,distorted,score\na.bmp,b.bmp,1\n")
    for place in ("one", "other"):
        for name in ("a.bmp", "b.bmp"):
            pixels = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name)
        build("csv", csv, target / place)
    (mine,), (theirs,) = (
        list(target.glob(f"{place}/*/csv/*/*-images.*")) for place in ("one", "other")
    )
    mine.write_bytes(theirs.read_bytes())
    images = load_tfds("csv", target / "one").images
    for look in (images.read, images.pixels):
        with pytest.raises(ImageError, match=r"b.bmp: its place in .* holds another image"):
            look("b.bmp")


def test_headers_are_those_of_the_files(stored, target, csv):
    data = (csv.parent / "b_1.png").read_bytes()
    found = load_tfds("csv", target).images.header("b_1.png")
    assert found == Header(64, 64, len(data), zlib.crc32(data))

import json
import math
import os

import numpy as np
import pytest
from etils import epath

from iqa_jax.datasets import Pair, PairTable, pair_lists
from iqa_jax.errors import InputError
from iqa_jax.files import write_text
from iqa_jax.images.checked import CheckedImages
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ImageFolder
from iqa_jax.programs.score.files import ScoreFiles, to_csv
from iqa_jax.programs.score.scores import Scored, Scores

SIGNATURE = {"metrics": {"psnr": {"model": "pixels"}}, "resize": None}
METRICS = ("psnr", "ssim")
NAMES = ("a.png", "b.png", "c.png", "d.png")


@pytest.fixture
def path(tmp_path):
    return epath.Path(tmp_path) / "new folder" / "scores.csv"


@pytest.fixture
def files(path):
    return ScoreFiles(path)


@pytest.fixture
def one():
    values = {"psnr": np.array([30.25], np.float32), "ssim": np.array([np.nan], np.float32)}
    return Scores(pair_lists.one_pair("a, b.png", "ü.png"), values, ["too small"])


def table(names=NAMES):
    """Each image against ``a.png``."""
    pairs = [Pair("a.png", name, math.nan) for name in names]
    return PairTable("pairs", pairs, ImageFolder(), higher_is_better=True)


def headers(names=NAMES, checksum=7):
    return {name: Header(8, 9, 100, checksum) for name in names}


@pytest.fixture
def finished(files):
    """Of four pairs ``b.png`` is too small for a metric, and ``c.png`` could not be decoded."""
    values = {
        "psnr": np.array([100, 20.1, np.nan, 40.7], np.float32),
        "ssim": np.array([1, np.nan, np.nan, 0.9], np.float32),
    }
    errors = ["", "too small", "c.png: cut short", ""]
    files.claim(SIGNATURE, resume=False)
    files.finish(Scores(table(), values, errors, headers(), {"c.png"}))
    return files


def read(files, names=NAMES, images=None):
    return files.read(table(names), CheckedImages(ImageFolder(), images or headers()), METRICS)


def test_the_table(one):
    assert to_csv(one) == (
        'reference,distorted,psnr,ssim,error\n"a, b.png",ü.png,30.25,,too small\n'
    )


def test_from_the_beginning_to_the_end(files, one, path):
    files.claim(SIGNATURE, resume=False)
    files.parts.mkdir()
    found = {"a, b.png": Header(2, 3, 4, 5), "ü.png": Header(2, 3, 4, 6)}
    images = CheckedImages(ImageFolder(), found)
    assert not files.read(one.table, images, METRICS).rows
    files.finish(Scores(one.table, one.values, one.errors, found))
    (kept,) = files.read(one.table, images, METRICS).rows.values()
    assert kept.error == "too small"
    assert kept.values["psnr"] == 30.25
    assert math.isnan(kept.values["ssim"])
    assert sorted(each.name for each in path.parent.iterdir()) == ["scores.csv", "scores.csv.json"]
    record = json.loads(path.with_name("scores.csv.json").read_text())
    assert record == {
        **SIGNATURE,
        "images": {
            "a, b.png": "3x2, 4 bytes, CRC-32 00000005",
            "ü.png": "3x2, 4 bytes, CRC-32 00000006",
        },
        "unread": [],
    }


def test_errors_of_reading_alone_are_tried_again(finished):
    kept = read(finished)
    assert kept.rows[0] == Scored({"psnr": 100.0, "ssim": 1.0}, "")
    assert kept.rows[1].error == "too small"
    assert kept.rows.keys() == {0, 1, 3}
    assert (kept.tried_again, kept.missing) == (1, 0)


def test_rows_are_matched_by_their_images(finished):
    """New ones are missing; the order and rows that only had an error do not matter."""
    kept = read(finished, ("new.png", "d.png", "b.png", "a.png"))
    assert kept.rows.keys() == {1, 2, 3}
    assert kept.rows[1].values["psnr"] == np.float32(40.7)
    assert (kept.tried_again, kept.missing) == (0, 1)


def test_complete_is_a_table_of_these_rows_in_their_order(files):
    ones = np.ones(3, np.float32)
    files.claim(SIGNATURE, resume=False)
    files.finish(Scores(table(NAMES[:3]), dict.fromkeys(METRICS, ones), [""] * 3, headers()))
    assert read(files, NAMES[:3]).is_complete
    assert not read(files, NAMES[2::-1]).is_complete
    assert not read(files, (*NAMES[:3], NAMES[0])).is_complete
    assert not read(files, NAMES).is_complete


@pytest.mark.parametrize("name", ["b.png", "c.png"])
def test_a_repaired_image_is_tried_again(name, finished):
    kept = read(finished, images={**headers(), **headers([name], checksum=8)})
    assert kept.rows.keys() == {0, 1, 3} - {NAMES.index(name)}


def test_a_changed_image_that_was_scored_is_refused(finished):
    changed = {**headers(), **headers(["d.png"], checksum=8)}
    with pytest.raises(InputError, match="images that have changed since.*--output: d.png$"):
        read(finished, images=changed)


def test_what_was_scored_stays_when_its_image_is_gone(finished):
    assert read(finished, images=headers(NAMES[:3])).rows.keys() == {0, 1, 3}
    before = json.loads(finished._record_path.read_text())["images"]
    rows = read(finished).rows
    values = {name: np.array([row.values[name] for row in rows.values()]) for name in METRICS}
    errors = [row.error for row in rows.values()]
    scores = Scores(table(("a.png", "b.png", "d.png")), values, errors, headers(NAMES[:2]))
    finished.finish(scores)
    found = json.loads(finished._record_path.read_text())["images"]
    assert found == {name: each for name, each in before.items() if name != "c.png"}


def test_scores_that_are_not_asked_for_are_not_lost(finished):
    with pytest.raises(InputError, match="pairs that were not requested.*--output: d.png$"):
        read(finished, ("a.png", "b.png"))


@pytest.mark.parametrize(
    ("damage", "rows"),
    [
        (lambda data: data[:-2], {0, 1}),  # within the last row
        (lambda data: data[: data.index(b"20.1") + 2], {0}),
        (lambda data: data.replace(b"20.1", b"\xff0.1"), {0, 3}),
        (lambda data: data.replace(b"a.png,a.png,100,1,", b"a.png,a.png,,1,"), {1, 3}),
        (lambda data: data.replace(b"psnr", b"\x00\x01\x02"), set()),
        (lambda _: b"", set()),
        (lambda data: data + b"\x00\x00,\n", {0, 1, 3}),
    ],
)
def test_rows_that_are_not_whole_are_missing(damage, rows, finished, path):
    path.write_bytes(damage(path.read_bytes()))
    kept = read(finished)
    assert kept.rows.keys() == rows
    assert len(kept.rows) + kept.tried_again + kept.missing == 4


@pytest.mark.parametrize("torn", [b"", b'{"metrics": {', b"\xff\x00", b"[]"])
def test_a_torn_record_scores_all_again_and_says_so(torn, finished, path, caplog):
    record = path.with_name("scores.csv.json")
    record.write_bytes(torn)
    finished.claim(SIGNATURE, resume=True)
    assert f"{record}: is damaged; everything is scored again" in caplog.text
    kept = read(finished)
    assert not kept.rows
    assert json.loads(record.read_text()) == SIGNATURE
    with pytest.raises(InputError, match="has the columns psnr, ssim, not psnr"):
        finished.read(table(), headers(), ("psnr",))


def test_a_begun_run_is_continued_only_if_asked(files, path):
    files.claim(SIGNATURE, resume=False)
    record = path.with_name("scores.csv.json")
    os.utime(record, (0, 0))
    with pytest.raises(InputError, match="was begun earlier; continue with --resume"):
        files.claim(SIGNATURE, resume=False)
    files.claim(SIGNATURE, resume=True)


@pytest.mark.parametrize("newest", ["scores.csv.json", "scores.csv.parts/psnr-1/part-1.npz"])
def test_a_run_that_may_be_at_work_is_left_to_finish(files, path, newest):
    files.claim(SIGNATURE, resume=False)
    part = files.parts / "psnr-1" / "part-1.npz"
    part.parent.mkdir(parents=True)
    part.touch()
    for each in (path.with_name("scores.csv.json"), part):
        os.utime(each, (0, 0))
    os.utime(path.parent / newest)
    with pytest.raises(InputError, match="if another process .* folder .* otherwise continue"):
        files.claim(SIGNATURE, resume=False)


def test_of_two_that_begin_at_once_one_is_the_first(files, path, monkeypatch):
    link, other = os.link, {**SIGNATURE, "resize": "short:64"}

    def link_later(source, target):
        write_text(path.with_name("scores.csv.json"), json.dumps(other))
        link(source, target)

    monkeypatch.setattr(os, "link", link_later)
    with pytest.raises(InputError, match="was begun earlier"):
        files.claim(SIGNATURE, resume=False)
    assert json.loads(path.with_name("scores.csv.json").read_text()) == other


def test_a_finished_table_is_not_overwritten(finished):
    with pytest.raises(InputError, match="already exists; continue with --resume, or delete"):
        finished.claim(SIGNATURE, resume=False)


def test_another_signature_is_refused(finished):
    with pytest.raises(
        InputError, match=r"with different resize \(see scores.csv.json\); it cannot be"
    ):
        finished.claim({**SIGNATURE, "resize": "short:64"}, resume=True)


def test_a_strangers_file_is_left_alone(tmp_path):
    path = epath.Path(tmp_path) / "mine.csv"
    path.write_text("precious")
    with pytest.raises(InputError, match="was not made by this program"):
        ScoreFiles(path).claim(SIGNATURE, resume=True)
    assert path.read_text() == "precious"

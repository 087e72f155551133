"""A folder of shards: nothing is mixed, lost or believed without a look."""

import json

import numpy as np
import pytest
from etils import epath

from iqa_jax.datasets import Pair, PairTable
from iqa_jax.engine.shares import Share
from iqa_jax.errors import InputError
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ImageFolder
from iqa_jax.programs.score import shard_folder
from iqa_jax.programs.score.scores import Scores
from iqa_jax.programs.score.shard_folder import ShardFolder

SIGNATURE = {"metrics": {"psnr": {"model": "pixels"}}, "resize": None}


@pytest.fixture
def path(tmp_path):
    return epath.Path(tmp_path) / "new" / "scores"


@pytest.fixture
def folder(path):
    folder = ShardFolder(path)
    folder.begin(SIGNATURE, 3)
    return folder


def scores(*names):
    """Scores of some pairs, the first of which could not be scored."""
    pairs = [Pair("a.png", name, 0.0) for name in names]
    values = np.arange(len(names), dtype=np.float32)
    values[:1] = np.nan
    errors = ["too small", *[""] * len(names)][: len(names)]
    table = PairTable("pairs", pairs, ImageFolder(), higher_is_better=True)
    return Scores(table, {"psnr": values}, errors, {"a.png": Header(2, 3, 4, 5)}, {"b.png"})


def fill(folder):
    for number, names in enumerate((["b\u2028.png", "c, d.png"], [], ["e\nf.png"])):
        folder.finish(number, scores(*names))


def test_shards_are_joined_in_their_order(folder, path):
    folder.parts(2).mkdir(parents=True)
    for number, names in ((2, ["e\nf.png"]), (0, ["b\u2028.png", "c, d.png"]), (1, [])):
        assert not folder.is_finished(number)
        folder.finish(number, scores(*names))
        assert folder.is_finished(number)
    assert folder.finished() == {0, 1, 2}
    assert not folder.parts(2).exists()
    merged = folder.merge()
    assert (merged.path, merged.pairs, merged.failed) == (path / "scores.csv", 3, 2)
    assert merged.path.read_text() == (
        "reference,distorted,psnr,error\n"
        'a.png,b\u2028.png,,too small\na.png,"c, d.png",1,\na.png,"e\nf.png",,too small\n'
    )


def test_a_shard_says_what_it_depends_on(folder, path):
    fill(folder)
    first, *table = (path / "shards" / "00000000.csv").read_bytes().decode().split("\n")
    record = json.loads(first.removeprefix("# "))
    assert record.pop("sha256")
    assert record == {
        "shard": 0,
        "signature": {**SIGNATURE, "shards": 3},
        "images": {"a.png": "3x2, 4 bytes, CRC-32 00000005"},
        "unread": ["b.png"],
    }
    assert table[0] == "reference,distorted,psnr,error"


def test_the_images_of_an_earlier_shard_stay_on_record(folder, path):
    fill(folder)
    gone = scores("b\u2028.png", "c, d.png")
    folder.finish(0, Scores(gone.table, gone.values, gone.errors))
    record, _ = folder._read(0)
    assert record["images"] == {"a.png": "3x2, 4 bytes, CRC-32 00000005"}


def test_missing_shards_are_named_with_those_who_claimed_them(folder, path):
    folder.finish(1, scores())
    folder.claims(Share(3, 8, "SLURM")).take(2)
    opened = ShardFolder(path)
    opened.open()
    with pytest.raises(InputError) as caught:
        opened.merge()
    assert str(caught.value).startswith(f"{path}: 2 missing shards of 3:\n  0: unclaimed\n  2: ")
    assert "2: claimed by process 3 of 8 (SLURM) on " in str(caught.value)
    assert str(caught.value).endswith("run iqa score or iqa evaluate again to complete them")
    assert not (path / "scores.csv").exists()


def test_another_run_is_refused(folder, path):
    for signature, count, different in (
        ({**SIGNATURE, "resize": "short:64"}, 3, "resize"),
        (SIGNATURE, 4, "shards"),
    ):
        with pytest.raises(InputError, match=f"was begun with different {different}.*run.json"):
            ShardFolder(path).begin(signature, count)
    ShardFolder(path).begin(SIGNATURE, 3)


def test_another_process_may_begin_at_the_same_time(path, monkeypatch):
    def names_after_the_other(folder):
        monkeypatch.undo()
        ShardFolder(path).begin(SIGNATURE, 3)
        return shard_folder.names(folder)

    monkeypatch.setattr(shard_folder, "names", names_after_the_other)
    ShardFolder(path).begin(SIGNATURE, 3)


def test_a_folder_of_other_files_is_refused(tmp_path):
    path = epath.Path(tmp_path) / "results"
    path.mkdir()
    (path / "scores.csv").write_text("precious")
    with pytest.raises(InputError, match=r"results: has files .* such as scores.csv; name a new"):
        ShardFolder(path).begin(SIGNATURE, 3)
    assert [each.name for each in path.iterdir()] == ["scores.csv"]


def test_shards_of_another_run_are_not_joined(folder, path):
    fill(folder)
    other = ShardFolder(path.parent / "other")
    other.begin({**SIGNATURE, "resize": "short:64"}, 3)
    other.finish(1, scores("c.png"))
    name = "shards/00000001.csv"
    (path / name).write_bytes((path.parent / "other" / name).read_bytes())
    with pytest.raises(InputError, match="1 shard of another run:\n  00000001.csv: different"):
        folder.merge()
    assert not (path / "scores.csv").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-3],
        lambda data: data.replace(b"too small", b"too large"),
        lambda data: data[10:],
        lambda data: b"",
        lambda data: b"\xff" + data,
    ],
)
def test_damaged_shards_are_named(damage, folder, path):
    fill(folder)
    shard = path / "shards" / "00000002.csv"
    shard.write_bytes(damage(shard.read_bytes()))
    with pytest.raises(InputError, match="1 damaged shard:\n  00000002.csv\n  delete them"):
        folder.merge()


def test_a_file_is_no_folder(path):
    path.parent.mkdir()
    path.write_text("precious")
    with pytest.raises(InputError, match="is a file; expected a folder"):
        ShardFolder(path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"metrics": {}}'])
def test_a_folder_of_something_else_is_left_alone(text, path):
    with pytest.raises(InputError, match="expected a folder that iqa score has begun to fill"):
        ShardFolder(path).open()
    (path / "shards").mkdir(parents=True)
    (path / "run.json").write_text(text)
    for use in (ShardFolder.open, lambda folder: folder.begin(SIGNATURE, 3)):
        with pytest.raises(InputError, match="is not the record of scores in shards"):
            use(ShardFolder(path))
    assert (path / "run.json").read_text() == text

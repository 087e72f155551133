import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from etils import epath

from iqa_jax import buckets
from iqa_jax.files import (
    absolute,
    appearing_whole,
    check_writable,
    create_text,
    modified_in,
    names,
    read_all,
    remove,
    remove_leftovers,
    touch,
    write_text,
)


def test_appears_when_it_is_whole(tmp_path):
    path = epath.Path(tmp_path) / "a.txt"
    with appearing_whole(path) as unfinished:
        unfinished.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half"
    write_text(path, "new")
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_stays_as_it_was_if_anything_is_raised(tmp_path, error):
    path = epath.Path(tmp_path) / "a.txt"
    write_text(path, "old")

    def fail():
        with appearing_whole(path) as unfinished:
            unfinished.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("write", [write_text, create_text, lambda path, _: check_writable(path)])
def test_an_error_names_the_file_that_was_asked_for(tmp_path, write):
    path = epath.Path(tmp_path) / ("a" * 250)  # with more letters the name would be too long
    with pytest.raises(OSError, match="too long") as error:
        write(path, "a")
    assert error.value.filename == str(path)
    assert not [*tmp_path.iterdir()]


def test_a_file_that_can_be_written_is_tried_without_a_trace(tmp_path):
    check_writable(epath.Path(tmp_path) / "new" / "a.txt")
    assert not [*(tmp_path / "new").iterdir()]
    with pytest.raises(IsADirectoryError, match="/new'"):
        check_writable(epath.Path(tmp_path) / "new")


def test_a_process_id_is_no_name(tmp_path):
    """Two machines that share a disk have processes of the same number."""
    path = epath.Path(tmp_path) / "a.txt"
    with appearing_whole(path) as one, appearing_whole(path) as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_is_on_the_disk_before_it_has_its_name(tmp_path, kind, monkeypatch):
    path = epath.Path(tmp_path) / "a"
    events = []

    def fsync(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        events.append(("folder" if is_folder else "file", path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    with appearing_whole(path) as unfinished:
        if kind == "folder":
            unfinished.mkdir()
            (unfinished / "b").write_text("b")
        else:
            unfinished.write_text("b")
    before = [("file", False), ("folder", False)] if kind == "folder" else [("file", False)]
    assert events == [*before, ("folder", True)]


def test_folders_that_are_put_in_the_same_place_at_once(tmp_path):
    path = epath.Path(tmp_path) / "folder"

    def write(number):
        for _ in range(20):
            with appearing_whole(path) as unfinished:
                unfinished.mkdir()
                for name in "ab":
                    (unfinished / name).write_text(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "0123"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]
    assert len({entry.read_text() for entry in path.iterdir()}) == 1


def test_a_folder_that_cannot_take_its_place_leaves_the_older_one(tmp_path, monkeypatch):
    path = epath.Path(tmp_path) / "folder"
    path.mkdir()
    (path / "a").touch()
    rename = type(path).rename

    def fail(self, target):
        if "unfinished" in self.name:
            raise PermissionError
        return rename(self, target)

    monkeypatch.setattr(type(path), "rename", fail)
    with pytest.raises(PermissionError), appearing_whole(path) as unfinished:
        unfinished.mkdir()
    assert [str(entry.relative_to(tmp_path)) for entry in tmp_path.rglob("*")] == [
        *("folder", "folder/a")
    ]


def test_leftovers_of_killed_runs(tmp_path):
    path = epath.Path(tmp_path) / "net"
    for name in (".net.0a.unfinished", ".net.0b.replaced", ".other.0d.unfinished"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part").touch()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".net.0c.unfinished").mkdir()
    remove_leftovers(path, 60)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        *(".net.0c.unfinished", ".other.0d.unfinished")
    ]


def test_folders_too(tmp_path):
    path = epath.Path(tmp_path) / "folder"

    def write(divisor):
        with appearing_whole(path) as unfinished:
            unfinished.mkdir()
            (unfinished / "a").write_text(f"{1 / divisor}")

    with pytest.raises(ZeroDivisionError):
        write(0)
    assert not list(tmp_path.iterdir())
    write(1)
    assert (path / "a").read_text() == "1.0"


def test_the_first_folder_stays_where_nothing_is_replaced(tmp_path):
    path = epath.Path(tmp_path) / "folder"

    def write(text):
        with appearing_whole(path, replacing=False) as unfinished:
            unfinished.mkdir()
            (unfinished / "a").write_text(text)

    write("first")
    with pytest.raises(OSError, match="folder"):
        write("second")
    assert (path / "a").read_text() == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("links", [True, False])
def test_the_first_creates(links, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    path = epath.Path(tmp_path) / "a.txt"
    assert create_text(path, "first")
    assert not create_text(path, "second")
    assert path.read_text() == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_one_that_comes_between_is_the_first(tmp_path, monkeypatch):
    path, link = epath.Path(tmp_path) / "a.txt", os.link

    def link_later(source, target):
        write_text(path, "other")
        link(source, target)

    monkeypatch.setattr(os, "link", link_later)
    assert not create_text(path, "mine")
    assert path.read_text() == "other"


def test_a_file_appears_in_a_bucket_when_it_is_whole(bucket):
    path = bucket / "a.txt"
    with appearing_whole(path) as unfinished:
        unfinished.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half"
    write_text(path, "new")
    assert path.read_text() == "new"
    assert names(bucket) == ["a.txt"]


def test_nothing_appears_in_a_bucket_if_anything_is_raised(bucket):
    def fail():
        with appearing_whole(bucket / "a.txt") as unfinished:
            unfinished.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert names(bucket) == []


def write_folder(path, content, **how):
    with appearing_whole(path, last="mark", **how) as unfinished:
        (unfinished / "inner").mkdir(parents=True)
        (unfinished / "inner" / content).write_text(content)
        (unfinished / "mark").write_text(content)


def test_the_mark_of_a_folder_is_the_last_to_appear_in_a_bucket(bucket, monkeypatch):
    path = bucket / "folder"
    write_folder(path, "one")
    seen = []
    upload = buckets.upload

    def watched(source, target):
        seen.append(names(path))
        upload(source, target)
        seen.append(names(path))

    monkeypatch.setattr(buckets, "upload", watched)
    write_folder(path, "two")
    assert seen == [[], ["inner"]]
    assert names(path / "inner") == ["two"]
    assert (path / "mark").read_text() == "two"


def test_the_first_folder_stays_in_a_bucket_where_nothing_is_replaced(bucket):
    path = bucket / "folder"
    write_folder(path, "one", replacing=False)
    with pytest.raises(FileExistsError, match="another process has just written it"):
        write_folder(path, "two", replacing=False)
    assert (path / "mark").read_text() == "one"


def test_a_text_is_created_once_in_a_bucket(bucket):
    assert create_text(bucket / "a", "one")
    assert not create_text(bucket / "a", "two")
    assert (bucket / "a").read_text() == "one"


@pytest.fixture(params=["disk", "bucket"])
def place(request, tmp_path):
    return request.getfixturevalue("bucket") if request.param == "bucket" else epath.Path(tmp_path)


def test_names_and_times(place):
    assert names(place / "none") == []
    assert modified_in(place / "none", {"a"}.__contains__) == {}
    write_text(place / "a", "one")
    write_text(place / "b", "two")
    before = modified_in(place, {"a"}.__contains__)
    touch(place / "a")
    after = modified_in(place, {"a"}.__contains__)
    assert [*before] == [*after] == ["a"]
    assert after["a"] >= before["a"] > 1.7e9
    assert read_all([place / name for name in "bca"]) == [b"two", b"", b"one"]
    assert read_all([]) == []
    remove(place / "b")
    assert names(place) == ["a"]
    remove(place / "a")
    assert names(place) == []
    remove(place / "a")


def test_a_bucket_is_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert absolute(epath.Path("a")) == epath.Path(tmp_path).resolve() / "a"
    assert str(absolute(epath.Path("gs://bucket/a"))) == "gs://bucket/a"


def test_a_bucket_has_no_leftovers(bucket):
    write_text(bucket / ".a.0.unfinished", "")
    remove_leftovers(bucket / "a", 0)
    assert names(bucket) == [".a.0.unfinished"]

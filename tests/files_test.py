import os

import pytest
from etils import epath

from iqa_jax.files import appearing_whole, create_text, write_text


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

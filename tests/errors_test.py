import re
import tempfile
from pathlib import Path

import pytest

from iqa_jax.errors import listed


@pytest.fixture(autouse=True)
def temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_short_lists_stand_whole_and_leave_no_file(tmp_path):
    lines = [f"row {number}" for number in range(20)]
    assert listed(lines, "problems") == "\n  ".join(["20 problems:", *lines])
    assert listed(lines[:1], "problems") == "1 problem:\n  row 0"
    assert not list(tmp_path.iterdir())


def test_of_long_lists_the_first_lines_and_a_file_with_all(tmp_path):
    lines = [f"row {number}: ö \udcff" for number in range(23)]
    *shown, last = listed(lines, "problems").split("\n  ")
    assert shown == ["23 problems:", *lines[:20]]
    (file,) = tmp_path.iterdir()
    assert last == f"and 3 more; all are in {file}"
    assert file.read_text(errors="surrogateescape").splitlines() == lines


def test_a_full_disk_takes_no_message_away(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    assert listed(["x"] * 30, "problems").endswith("x\n  and 10 more")


def test_a_hundred_thousand_lines_are_a_short_message():
    text = listed([f"row {number}" for number in range(100_000)], "problems")
    assert len(text.splitlines()) == 22
    name = re.search(r"all are in (.*)", text)
    assert name
    assert Path(name[1]).read_text().count("\n") == 100_000

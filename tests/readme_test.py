"""What the README shows has to run as it is written."""

import re
import textwrap
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
SECTIONS = dict(re.findall(r"\n## ([^\n]+)\n(.*?)(?=\n## |\Z)", README, re.S))


def indented_blocks(text):
    return [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n|^\n)+", text, re.M)]


def test_library_example(checkpoints, monkeypatch):
    monkeypatch.setenv("IQA_JAX_CHECKPOINTS", str(checkpoints))
    blocks = indented_blocks(SECTIONS["As a library"])
    (example,) = [block for block in blocks if "import iqa_jax" in block]
    names: dict = {}
    exec(compile(example, "README.md", "exec"), names)
    assert names["features"]["relu1_1"].shape == (2, 128, 96, 64)
    assert (names["distance"] == 0).all()
    assert names["gradient"].shape == (2, 128, 96, 3)


@pytest.mark.parametrize("name", re.findall(r"(?<=\]\()[^)]+|(?<=`)[\w/]+\.md(?=`)", README))
def test_files_are_there(name):
    assert (Path(__file__).parents[1] / name).exists()

"""What the documentation shows has to run as it is written."""

import re
import shlex

import pytest
from docs.conftest import listings

from iqa_jax.__main__ import main
from iqa_jax.programs import running


@pytest.mark.parametrize(
    "example", listings("index.md", "python"), ids=["scores", "slope", "activations"]
)
@pytest.mark.usefixtures("workplace")
def test_the_first_page(example, capsys):
    exec(compile(example, "index.md", "exec"), {})
    printed = capsys.readouterr().out
    assert printed
    assert "False" not in printed
    assert "nan" not in printed


@pytest.mark.slow
@pytest.mark.parametrize("page", ["index.md", "first_steps.md"])
def test_the_commands(page, workplace, monkeypatch, capsys):
    """All but those that need a dataset that is not there; of the demo the first pairs will do."""
    monkeypatch.setattr(running, "_keep_compiled_programs", lambda settings: None)
    commands = "".join(listings(page, "sh")).replace("\\\n", " ")
    called = [shlex.split(line, comments=True) for line in re.findall(r"^iqa .*$", commands, re.M)]
    called = [call[1:] for call in called if "tid2013" not in " ".join(call)]
    assert len(called) >= 4
    for arguments in called:
        quickly = ["--limit=10", "--interval=none"] if arguments[0] == "evaluate" else []
        assert main([*arguments, *quickly]) == 0, capsys.readouterr().err
    assert (workplace / "results").exists()

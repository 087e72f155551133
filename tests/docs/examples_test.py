"""What the documentation shows has to run as it is written."""

import shlex

import pytest
from docs.conftest import listings

from iqa_jax.__main__ import main
from iqa_jax.programs import running


@pytest.mark.parametrize("example", listings("index.md", "python"), ids=["stream", "activations"])
@pytest.mark.usefixtures("workplace")
def test_the_first_page(example, capsys):
    exec(compile(example, "index.md", "exec"), {})
    printed = capsys.readouterr().out
    assert printed
    assert "False" not in printed
    assert "nan" not in printed.replace("nan_count", "")


@pytest.mark.usefixtures("workplace")
def test_citing_what_was_used(monkeypatch, capsys):
    """The results that it cites are those of the README's first screen, of which SSIM will do."""
    monkeypatch.setattr(running, "_keep_compiled_programs", lambda settings: None)
    quickly = ["--metrics=ssim", "--limit=10", "--interval=none", "--output_dir=results/demo"]
    assert main(["evaluate", "--dataset=demo", "--data_dir=demo/data", *quickly]) == 0
    capsys.readouterr()
    (command,) = listings("index.md", "sh")
    iqa, *arguments = shlex.split(command)
    assert iqa == "iqa"
    assert main(arguments) == 0
    assert "@article{wang2004" in capsys.readouterr().out

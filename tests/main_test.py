"""The command itself."""

import os
import subprocess
import sys

import pytest

import iqa_jax
from iqa_jax.__main__ import VERBS, main

LIGHT = set(VERBS) - {"train"}  # whose settings hold those of the optimisation


def test_help_lists_all_programs(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for verb, (_, summary) in VERBS.items():
        assert f"\n  iqa {verb} " in shown
        assert summary in shown
    assert iqa_jax.__version__ in shown
    assert "README.md" in shown
    assert main([]) == 1
    assert capsys.readouterr().out == shown


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"iqa_jax {iqa_jax.__version__}\n"


@pytest.mark.parametrize(
    ("verb", "hint"), [("evalute", "do you mean evaluate? iqa --help"), ("x", "iqa --help lists")]
)
def test_unknown_programs_are_refused(capsys, verb, hint):
    assert main([verb, "--flag"]) == 1
    ended = capsys.readouterr()
    assert ended.err.startswith(f"iqa: error: there is no program {verb!r}; {hint}")
    assert not ended.out


def test_a_closed_pipe_ends_silently():
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "iqa_jax", "--help"]
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            command, check=False, stdout=closed, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 141
    assert not done.stderr


def test_help_loads_no_jax():
    code = f"""
import sys
from iqa_jax.__main__ import main
for verb in {sorted(LIGHT)}:
    main([verb, "--help"])
heavy = {{"jax", "flax", "scipy", "matplotlib", "tensorstore", "PIL"}} & set(sys.modules)
sys.exit(f"loaded: {{heavy}}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

"""Each script runs one of the programs of ``iqa``."""

import subprocess
import sys
from pathlib import Path

import pytest

from iqa_jax.__main__ import VERBS

SCRIPTS = Path(__file__).parents[2] / "scripts"
PROGRAMS = {
    **{"evaluate": "evaluate", "score": "score", "extract_statistics": "extract"},
    **{"train_relevance": "train", "fetch_weights": "fetch", "convert_weights": "convert"},
    **{"build_demo": "demo", "build_dataset": "build", "verify_dataset": "verify"},
    **{"merge": "merge", "report": "report"},
}
"""The verb of each script."""


def test_every_program_is_here():
    assert {path.stem for path in SCRIPTS.glob("*.py")} == set(PROGRAMS)
    assert {*PROGRAMS.values(), "cite", "models", "study"} == set(VERBS)


@pytest.mark.parametrize("script", PROGRAMS)
def test_a_script_runs_its_program(script):
    command = [sys.executable, str(SCRIPTS / f"{script}.py"), "stray"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        f"iqa {PROGRAMS[script]}: error: expected flags only, got stray; see --help\n"
    )

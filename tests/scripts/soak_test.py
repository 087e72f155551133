"""Processes that are killed at random moments; scripts/benchmarks/soak.py has the long form."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmarks" / "soak.py"


@pytest.mark.slow
def test_the_table_of_processes_that_were_killed_is_that_of_one_that_was_not():
    command = [sys.executable, str(SCRIPT), "--pairs=300", "--lists=30"]
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert sum(map(int, re.findall(r"^(\d+) x SIG(?:KILL|TERM): ", done.stdout, re.M))) == 9
    assert "\nThe tables of 30 shards are identical.\n" in done.stdout

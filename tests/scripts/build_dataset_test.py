"""Building as a user runs it: what it says, an exit status, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "scripts" / "build_dataset.py"


def run(*flags):
    return subprocess.run(
        [sys.executable, str(PROGRAM), *map(str, flags)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""},
    )


def test_building_twice(pair_folder, tmp_path):
    flags = ("--dataset=csv", f"--data_dir={pair_folder / 'pairs.csv'}")
    flags += (f"--tfds_dir={tmp_path / 'tfds ö'}",)
    first, second = run(*flags), run(*flags)
    assert first.returncode == second.returncode == 0, first.stderr
    assert first.stdout.endswith("1.2.0: built, 9 pairs, 12 images\n")
    assert second.stdout.endswith("1.2.0: already there, 9 pairs, 12 images\n")
    assert len(first.stdout.splitlines()) == 1
    assert "image/s" in first.stderr
    assert not second.stderr


def test_an_incomplete_copy(pair_folder, tmp_path):
    (pair_folder / "a_2.png").unlink()
    flags = ("--dataset=csv", f"--data_dir={pair_folder / 'pairs.csv'}", f"--tfds_dir={tmp_path}")
    refused, allowed = run(*flags), run(*flags, "--allow_partial")
    assert refused.returncode == 1
    assert refused.stderr.startswith("iqa build: error: pairs: 1 problems in 9 rows:")
    assert "Traceback" not in refused.stderr
    assert not refused.stdout
    assert allowed.returncode == 0
    assert "csv: 1 pairs whose images are missing are left out" in allowed.stderr
    assert "built, 8 pairs, 11 images" in allowed.stdout

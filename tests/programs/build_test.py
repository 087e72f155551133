"""Building as a user runs it: messages and exit statuses, never a traceback."""

import pytest


@pytest.fixture
def run(iqa):
    return lambda *flags: iqa("build", *flags)


def test_building_twice(run, pair_folder, tmp_path):
    flags = ("--dataset=csv", f"--data_dir={pair_folder / 'pairs.csv'}")
    flags += (f"--tfds_dir={tmp_path / 'tfds ö'}",)
    first, second = run(*flags), run(*flags)
    assert first.status == second.status == 0, first.stderr
    assert first.stdout.endswith("1.2.0: built, 9 pairs, 12 images\n")
    assert second.stdout.endswith("1.2.0: already there, 9 pairs, 12 images\n")
    assert len(first.stdout.splitlines()) == 1
    assert "image/s" in first.stderr
    assert not second.stderr


def test_pixels_are_added(run, pair_folder, tmp_path):
    flags = ("--dataset=csv", f"--data_dir={pair_folder / 'pairs.csv'}", f"--tfds_dir={tmp_path}")
    assert "pixels" not in run(*flags).stdout.partition(": built")[2]
    first, second = run(*flags, "--decoded"), run(*flags, "--decoded")
    assert first.status == second.status == 0, first.stderr
    assert first.stdout.endswith("already there, 9 pairs, 12 images\ndecoded pixels: stored\n")
    assert second.stdout.endswith("12 images\ndecoded pixels: already there\n")


def test_an_incomplete_copy(run, pair_folder, tmp_path):
    (pair_folder / "a_2.png").unlink()
    flags = ("--dataset=csv", f"--data_dir={pair_folder / 'pairs.csv'}", f"--tfds_dir={tmp_path}")
    refused, allowed = run(*flags), run(*flags, "--allow_partial")
    assert refused.status == 1
    assert refused.stderr.startswith("iqa build: error: pairs: 1 problem in 9 rows:")
    assert not refused.stdout
    assert allowed.status == 0
    assert "csv: 1 pair with missing images left out" in allowed.stderr
    assert "built, 8 pairs, 11 images" in allowed.stdout

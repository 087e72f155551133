"""Fetching as a user does it."""

from golden import drawn_files


def test_fetching_twice(iqa, tmp_path):
    flags = ("--models=alexnet", f"--checkpoints_dir={tmp_path / 'checkpoints'}")
    first, second = iqa("fetch", *flags), iqa("fetch", *flags)
    assert first.status == second.status == 0, first.stderr
    assert first.stdout.count("converted") == 2
    assert second.stdout.count("already there") == 2
    assert not first.stderr


def test_withheld_rights_are_shown_once(iqa, tmp_path):
    path = drawn_files.write("perceptnet-ratings-tid2008-keras", tmp_path)
    flags = (
        "--models=perceptnet-ratings-tid2008-keras",
        f"--source={path}",
        f"--checkpoints_dir={tmp_path / 'checkpoints'}",
    )
    first, second = iqa("fetch", *flags), iqa("fetch", *flags)
    assert first.status == second.status == 0, first.stderr
    line = "  no licence stated: whether the weights may be used is up to their authors"
    assert line in first.stdout.splitlines()
    assert "licence" not in second.stdout

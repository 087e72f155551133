"""Fetching as a user does it."""


def test_fetching_twice(iqa, tmp_path):
    flags = ("--models=alexnet", f"--checkpoints_dir={tmp_path / 'checkpoints'}")
    first, second = iqa("fetch", *flags), iqa("fetch", *flags)
    assert first.status == second.status == 0, first.stderr
    assert first.stdout.count("converted") == 2
    assert second.stdout.count("already there") == 2
    assert not first.stderr

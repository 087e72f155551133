"""Fetching as a user does it."""

import re

from golden import drawn_files


def test_fetching_twice(iqa, tmp_path):
    flags = ("--models=alexnet", f"--checkpoints_dir={tmp_path / 'checkpoints'}")
    first, second = iqa("fetch", *flags), iqa("fetch", *flags)
    assert first.status == second.status == 0, first.stderr
    assert first.stdout.count("converted") == 2
    assert second.stdout.count("already there") == 2
    assert not first.stderr


def test_the_command_that_an_error_names_is_the_one_that_helps(iqa, tmp_path, pair_folder):
    where = f"--checkpoints_dir={tmp_path / 'checkpoints'}"
    pairs = f"--pairs={pair_folder / 'pairs.csv'}"
    refused = iqa("score", "--metrics=psnr,lpips-alex", pairs, where)
    command = re.search(r"lpips-alex: there is no .* with: iqa (fetch \S+),", refused.stderr)
    assert command[1] == "fetch --metrics=lpips-alex"
    assert iqa(*command[1].split(), where).stdout.count("converted") == 2


def test_metrics_without_weights_need_nothing(iqa):
    assert iqa("fetch", "--metrics=psnr,ssim").stdout == "no weights needed: psnr, ssim\n"
    refused = iqa("fetch")
    assert refused.status == 1
    assert "expected --models or --metrics; see --help" in refused.stderr


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

"""Scoring as a user runs it."""

import csv
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image


def test_scores_of_two_folders_end_in_one_table(iqa, checkpoints, pair_folder, tmp_path):
    clean, coded = tmp_path / "clean ä", tmp_path / "coded"
    for folder, source in ((clean, "a.png"), (coded, "a_1.png")):
        (folder / "deep").mkdir(parents=True)
        Image.open(pair_folder / source).save(folder / "deep" / f"x.{source[0]}.png")
    output = tmp_path / "new" / "scores.csv"
    flags = (
        "--metrics=lpips-alex,psnr",
        f"--reference_dir={clean}",
        f"--distorted_dir={coded}",
        f"--output={output}",
        f"--maps_dir={tmp_path / 'maps'}",
        f"--checkpoints_dir={checkpoints}",
    )
    done = iqa("score", *flags)
    assert done.status == 0, done.stderr
    (row,) = csv.DictReader(output.read_text().splitlines())
    assert list(row) == ["reference", "distorted", "lpips-alex", "psnr", "error"]
    assert float(row["lpips-alex"]) > 0
    assert [path.suffix for path in (tmp_path / "maps").iterdir()] == [".png"]
    again = iqa("score", *flags)
    assert again.status == 1
    assert "already exists; continue with --resume, or delete it" in again.stderr
    assert "Already complete" in iqa("score", *flags, "--resume").stdout
    other = iqa("score", *flags, "--resume", "--resize=short:64")
    assert "was made with different resize" in other.stderr


def test_pairs_that_cannot_be_scored_are_told(iqa, pair_folder, tmp_path):
    rows = ["reference,distorted", "a.png,a_1.png", "a.png,pairs.csv", "a.png,gone.png"]
    (pair_folder / "some.csv").write_text("\n".join(rows) + "\n")
    output = tmp_path / "scores.csv"
    flags = ("--metrics=psnr", f"--pairs={pair_folder / 'some.csv'}", f"--output={output}")
    done = iqa("score", *flags)
    assert done.status == 2
    assert "2 pairs could not be scored in full; the column 'error' says why" in done.stderr
    good, text, gone = csv.DictReader(output.read_text().splitlines())
    assert good["psnr"]
    assert not good["error"]
    assert "pairs.csv" in text["error"]
    assert "gone.png" in gone["error"]


def test_resuming_looks_at_every_pair(iqa, pair_folder, tmp_path):
    """An image that could not be read, a pair that is new, one whose images have two sizes."""
    table, output = pair_folder / "some.csv", tmp_path / "scores.csv"
    data = (pair_folder / "a_2.png").read_bytes()
    (pair_folder / "a_2.png").write_bytes(data[: len(data) // 2])
    rows = ["reference,distorted", "a.png,a_1.png", "a.png,a_2.png", "a.png,b.png"]
    table.write_text("\n".join(rows) + "\n")
    flags = ("--metrics=psnr,ssim", f"--pairs={table}", f"--output={output}", "--resume")
    assert "2 pairs could not be scored" in iqa("score", *flags).stderr
    first, *_ = lines = output.read_text().splitlines()[1:]
    (pair_folder / "a_2.png").write_bytes(data)
    table.write_text("\n".join([*rows, "a.png,a_3.png"]) + "\n")
    again = iqa("score", *flags)
    told = (
        "scores.csv: 2 of 4 pairs are scored, 2 are tried again (1 whose images could not be read"
    )
    assert told in again.stderr
    assert "1 pair could not be scored" in again.stderr
    found = output.read_text().splitlines()[1:]
    assert (found[0], found[2]) == (first, lines[2])
    complete = output.read_bytes()
    assert "Already complete" in iqa("score", *flags).stdout
    (pair_folder / "a_1.png").write_bytes(data)
    refused = iqa("score", *flags)
    assert refused.status == 1
    assert "has scores of images that have changed since" in refused.stderr
    assert refused.stderr.strip().endswith("a_1.png")
    assert output.read_bytes() == complete


def test_one_pair_is_shown_on_the_screen(iqa, pair_folder):
    images = (f"--reference={pair_folder / 'a.png'}", f"--distorted={pair_folder / 'a_1.png'}")
    done = iqa("score", "--metrics=psnr,ssim", *images)
    assert done.status == 0, done.stderr
    header, _, row = done.stdout.splitlines()
    assert header.split() == ["reference", "distorted", "psnr", "ssim", "error"]
    assert float(row.split()[2]) > 10


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--resume"], "error: --resume: without effect on a table on the screen; add --output"),
        (["--precision=bf16"], "error: --precision: without effect where no network is run; add"),
    ],
)
def test_flags_of_scoring_that_do_nothing_are_refused(iqa, flags, complaint):
    done = iqa("score", "--metrics=psnr", "--reference=a.png", "--distorted=b.png", *flags)
    assert done.status == 1
    assert complaint in done.stderr


def test_killed_scoring_continues(iqa, environment, checkpoints, pair_folder, tmp_path):
    header, *rows = (pair_folder / "pairs.csv").read_text().splitlines()
    many = pair_folder / "many.csv"
    many.write_text("\n".join([header, *(rows * 200)]) + "\n")
    flags = (
        "--metrics=lpips-alex,alexnet/relu3/l2",
        f"--pairs={many}",
        f"--checkpoints_dir={checkpoints}",
        "--versions=1",
    )
    output, whole = tmp_path / "scores.csv", tmp_path / "whole.csv"
    parts = tmp_path / "scores.csv.parts"
    with subprocess.Popen(
        [sys.executable, "-m", "iqa_jax", "score", *flags, f"--output={output}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None and not list(parts.glob("*/part-*.npz")):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not output.exists()
    keys = {key for path in parts.glob("*/part-*.npz") for key in np.load(path)["keys"].tolist()}
    finished = 200 * len(keys)  # what is known of a pair is known of its repetitions
    assert 0 < finished <= 1800
    refused = iqa("score", *flags, f"--output={output}")
    assert re.search("was begun earlier.* continue with --resume", refused.stderr)
    resumed = iqa("score", *flags, f"--output={output}", "--resume")
    assert resumed.status == 0, resumed.stderr
    assert f"{finished}/1800 [00:00<" in resumed.stderr  # where the progress bar starts
    assert iqa("score", *flags, f"--output={whole}").status == 0
    assert output.read_text() == whole.read_text()
    assert not parts.exists()


def test_maps_of_a_finished_table_can_be_drawn_later(iqa, pair_folder, tmp_path):
    flags = (
        "--metrics=psnr,ssim",
        f"--pairs={pair_folder / 'pairs.csv'}",
        f"--output={tmp_path / 'scores.csv'}",
    )
    assert iqa("score", *flags).status == 0
    again = iqa("score", *flags, "--resume", f"--maps_dir={tmp_path / 'maps'}")
    assert again.status == 0, again.stderr
    assert "Already complete" in again.stdout
    assert len(list((tmp_path / "maps").glob("*_ssim.png"))) == 9

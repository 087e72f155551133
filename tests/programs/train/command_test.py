"""Learning from images, as a user runs it."""

import json

import numpy as np
import pytest

from iqa_jax.zoo import load_relevance


@pytest.fixture
def run(iqa):
    return lambda *flags: iqa("train", *flags)


@pytest.fixture
def flags(pair_folder, checkpoints, tmp_path):
    (tmp_path / "weights").mkdir()
    for name in ("alexnet", "lpips-alex"):
        (tmp_path / "weights" / name).symlink_to(checkpoints / name)
    return (
        "--model=alexnet",
        "--name=mine",
        "--folds=3",
        "--seeds=1",
        "--strengths=0.01,0.1",
        "--most_steps=20",
        f"--checkpoints_dir={tmp_path / 'weights'}",
        f"--output_dir={tmp_path / 'ergebnisse ö'}",
    )


def test_from_images_and_again_from_their_statistics(run, flags, pair_folder, tmp_path):
    images = ("--dataset=csv", f"--data_dir={pair_folder / 'pairs.csv'}")
    done = run(*flags, *images)
    assert done.status == 0, done.stderr
    assert "learned - lpips-alex" in done.stdout
    assert "3 references x 1152 channels" in done.stderr
    first = load_relevance("mine", checkpoints_dir=tmp_path / "weights")
    assert list(first.weights) == [f"relu{number}" for number in range(1, 6)]
    statistics = tmp_path / "ergebnisse ö" / "statistics"
    stored = (f"--statistics_dir={statistics}", "--dataset=pairs")  # as the file is called
    again = run(*flags, *stored, "--readout=unit_root")
    assert again.status == 0, again.stderr
    second = load_relevance("mine", checkpoints_dir=tmp_path / "weights")
    assert (
        np.abs(np.asarray(first.weights["relu3"]) - np.asarray(second.weights["relu3"])).max() > 0
    )
    record = json.loads((tmp_path / "ergebnisse ö" / "run.json").read_text())
    assert record["settings"]["readout"] == "unit_root"
    assert record["settings"]["scheme"]["strengths"] == [0.01, 0.1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ((), "expected statistics_dir, or dataset and data_dir"),
        (("--data_dir=nowhere",), "expected --dataset as well, which says how the folder is read"),
        (("--statistics_dir=/nowhere", "--dataset=x"), "has no statistics of alexnet on x; it has"),
        (("--statistics_dir=/nowhere", "--strengths=a"), "--strengths: expected numbers, got a"),
        (("--bootstrap=50",), "use --interval=bootstrap --resamples=50"),
        (
            (
                *("--statistics_dir=/nowhere", "--score_direction=lower", "--allow_partial"),
                *("--exclude_references=a", "--limit=3", "--precision=high", "--versions=2"),
                "--resize=factor:0.5",
            ),
            "error: --score_direction, --exclude_references, --allow_partial, --limit, "
            "--precision, --resize, --versions: without effect on statistics that are stored "
            "already; add --data_dir, or leave out --score_direction, ",
        ),
        (
            ("--statistics_dir=/nowhere", "--test_dataset=live"),
            "error: --test_dataset: without effect alone; add --test_statistics_dir, or leave out",
        ),
    ],
)
def test_errors_are_lines(run, flags, wrong, message):
    given = {flag.partition("=")[0] for flag in wrong}
    done = run(*(flag for flag in flags if flag.partition("=")[0] not in given), *wrong)
    assert done.status == 1
    assert done.stderr.startswith("iqa train: error: ")
    assert message in done.stderr

"""Evaluation as a user runs it."""

import csv
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image


def test_evaluation_from_a_shell(iqa, pair_folder, checkpoints, tmp_path):
    flags = (
        "--dataset=csv",
        f"--data_dir={pair_folder / 'pairs.csv'}",
        "--models=alexnet",
        "--layers=relu1,relu5,relu1+relu5",
        "--readouts=l2,unit_root",
        f"--checkpoints_dir={checkpoints}",
        f"--output_dir={tmp_path / 'ergebnisse ö'}",
    )
    done = iqa("evaluate", *flags)
    assert done.status == 0, done.stderr
    assert "alexnet by depth" in done.stdout
    assert "pair/s" in done.stderr
    results = tmp_path / "ergebnisse ö"
    assert {path.name for path in results.iterdir()} == {
        *("correlations.csv", "correlations_by_distortion.csv", "correlations_by_reference.csv"),
        *("scores.csv", "run.json", "correlation_by_layer.png", "parts"),
    }
    with (results / "correlations.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert {row["pairs"] for row in rows} == {"9"}
    assert all(-1 <= float(row["srcc"]) <= 1 for row in rows)
    assert json.loads((results / "run.json").read_text())["settings"]["models"] == ["alexnet"]


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--models=vgg61"], "error: there is no model 'vgg61'; do you mean vgg1"),
        (["--metrics=ssim", "--layers=relu1"], "error: --layers: without effect where no model"),
        (
            ["--metrics=ssim", "--statistics_dir=x", "--precision=high"],
            "error: --statistics_dir, --precision: without effect where no network is run; add",
        ),
        (["--models=alexnet", "--versions=many"], "--versions: expected a number or auto"),
        (["--models=alexnet", "--bootstrap=9"], "use --interval=bootstrap --resamples=9"),
        (["--models=alexnet", "--interval=bca"], "should be one of <jackknife|bootstrap|none>"),
        (["--models=alexnet", "stray"], "expected flags only, got stray"),
        (["--joined_direction=a=lower,b=up"], "expected NAME=higher or NAME=lower, got 'b=up'"),
        (["--models=alexnet", "--precision=half"], "should be one of <highest|high|default|bf16>"),
    ],
)
def test_mistakes_end_without_a_traceback(iqa, flags, complaint, pair_folder, tmp_path):
    data = f"--data_dir={pair_folder / 'pairs.csv'}"
    done = iqa("evaluate", "--dataset=csv", data, f"--output_dir={tmp_path / 'out'}", *flags)
    assert done.status != 0
    assert complaint in done.stderr + done.stdout
    assert not (tmp_path / "out").exists()


@pytest.fixture
def some_work(tmp_path, checkpoints, rng):
    """Flags for 160 pairs, some seconds of work."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = ["reference,distorted,score"]
    for reference in range(40):
        pixels = rng.integers(0, 256, (224, 288, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"r{reference}.png", compress_level=1)
        for version in range(4):
            noisy = np.clip(pixels + rng.normal(0, 10 * (version + 1), pixels.shape), 0, 255)
            name = f"d{reference}_{version}.png"
            Image.fromarray(noisy.astype(np.uint8)).save(folder / name, compress_level=1)
            rows.append(f"r{reference}.png,{name},{9 - version}")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    return (
        *("--dataset=csv", f"--data_dir={folder / 'pairs.csv'}", "--versions=1"),
        *("--models=alexnet", f"--checkpoints_dir={checkpoints}"),
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_ended_continues_and_ends_equal(
    number, iqa, environment, some_work, tmp_path
):
    def flags(output):
        return (*some_work, f"--output_dir={output}")

    def parts(output):
        return sorted(output.glob("parts/alexnet-*/parts/*/*/part-*.npz"))

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    with subprocess.Popen(
        [sys.executable, "-m", "iqa_jax", "evaluate", *flags(killed)],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=environment,
    ) as process:
        deadline = time.monotonic() + 120
        while not parts(killed) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
    assert process.returncode == (75 if number == signal.SIGTERM else -number)
    assert [path.name for path in killed.iterdir()] == ["parts"]
    finished = sum(len(np.load(path)["keys"]) for path in parts(killed))
    assert 0 < finished < 160

    resumed, fresh = iqa("evaluate", *flags(killed)), iqa("evaluate", *flags(whole))
    assert resumed.status == fresh.status == 0, resumed.stderr
    assert f"{finished}/160" in resumed.stderr  # where the progress bar starts
    for name in ("scores.csv", "correlations.csv"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()


def test_scores_of_another_tool_alone(iqa, pair_folder, tmp_path):
    _, *rows = (pair_folder / "pairs.csv").read_text().splitlines()
    names = [row.split(",")[1] for row in rows]
    lines = [f"{name},{number}.5" for number, name in enumerate(names)]
    (pair_folder / "theirs.csv").write_text("\n".join(["distorted,theirs", *lines]) + "\n")
    flags = ("--dataset=csv", f"--data_dir={pair_folder / 'pairs.csv'}", f"--output_dir={tmp_path}")
    done = iqa("evaluate", *flags, f"--scores_csv={pair_folder / 'theirs.csv'}")
    assert done.status == 0, done.stderr
    (row,) = csv.DictReader((tmp_path / "correlations.csv").read_text().splitlines())
    assert row["model"] == "theirs"
    assert row["pairs"] == str(len(names))
    assert (tmp_path / "correlation_by_layer.png").exists()
    assert json.loads((tmp_path / "run.json").read_text())["runs"] == []
    nothing = iqa("evaluate", *flags)
    assert nothing.status == 1
    assert "nothing to evaluate: name at least one model, metric or file" in nothing.stderr

"""The programs as a user runs them."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from golden import draws, writers
from golden.configurations import read_trunk
from golden.formats import FORMATS
from PIL import Image

from iqa_jax.__main__ import VERBS

SCRIPTS = Path(__file__).parents[2] / "scripts"
PACKAGE = Path(__file__).parents[2] / "iqa_jax" / "programs"
PROGRAMS = {
    **{"evaluate": "evaluate", "score": "score", "extract_statistics": "extract"},
    **{"train_relevance": "train", "fetch_weights": "fetch", "convert_weights": "convert"},
    **{"build_demo": "demo", "build_dataset": "build", "verify_dataset": "verify"},
}
"""The verb of each script."""


def command(script, *flags):
    return [sys.executable, str(SCRIPTS / f"{script}.py"), *map(str, flags)]


def run(script, *flags):
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""}
    return subprocess.run(
        command(script, *flags), check=False, capture_output=True, text=True, env=environment
    )


def test_every_program_is_here():
    assert {path.stem for path in SCRIPTS.glob("*.py")} == set(PROGRAMS)
    assert {*PROGRAMS.values(), "models"} == set(VERBS)


@pytest.mark.parametrize("script", PROGRAMS)
def test_help_tells_purpose_example_and_flags(script):
    done = run(script, "--help")
    assert done.returncode == 0
    text = done.stdout
    verb = PROGRAMS[script]
    source = (PACKAGE / f"{VERBS[verb][0].replace('.', '/')}.py").read_text()
    assert source.split('"""')[1].splitlines()[0] in text
    assert f"  iqa {verb} --" in text
    flags = [line.strip().split('"')[1] for line in source.split("flags.DEFINE_")[1:]]
    for flag in flags:
        assert f"--{flag}" in text or f"--[no]{flag}" in text
    if script == "evaluate":
        assert "--precision" in text
        assert "--checkpoints_dir" in text


def test_fetching_twice(tmp_path):
    flags = ("--models=alexnet", f"--checkpoints_dir={tmp_path / 'checkpoints'}")
    first, second = run("fetch_weights", *flags), run("fetch_weights", *flags)
    assert first.returncode == second.returncode == 0, first.stderr
    assert first.stdout.count("converted") == 2
    assert second.stdout.count("already there") == 2
    assert not first.stderr


def test_converting_an_own_checkpoint(tmp_path):
    trunk = "resnet20"
    state = draws.draw(read_trunk(trunk).parameters, seed=5)
    form, path = FORMATS["torchvision"], tmp_path / "own training.pth"
    writers.write(FORMATS["cifar10"].tree(trunk, state), form.kind, path)
    flags = (f"--source={path}", f"--checkpoints_dir={tmp_path / 'checkpoints'}")
    done = run("convert_weights", "--model=resnet20-supervised-cifar10", *flags)
    assert done.returncode == 0, done.stderr
    assert "converted from" in done.stdout
    assert not done.stderr
    wrong = run("convert_weights", "--model=resnet18", *flags)
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("iqa convert: error: own training.pth for resnet18: ")
    assert "Traceback" not in wrong.stderr


def test_evaluation_from_a_shell(pair_folder, checkpoints, tmp_path):
    flags = (
        "--dataset=csv",
        f"--data_dir={pair_folder / 'pairs.csv'}",
        "--models=alexnet",
        "--layers=relu1,relu5,relu1+relu5",
        "--readouts=l2,unit_root",
        f"--checkpoints_dir={checkpoints}",
        f"--output_dir={tmp_path / 'ergebnisse ö'}",
        f"--compilation_cache_dir={tmp_path / 'cache'}",
    )
    done = run("evaluate", *flags)
    assert done.returncode == 0, done.stderr
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
    assert list((tmp_path / "cache").iterdir())


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
        (["--models=alexnet", "--bootstrap=9"], "say --interval=bootstrap --resamples=9"),
        (["--models=alexnet", "--interval=bca"], "should be one of <jackknife|bootstrap|none>"),
        (["--models=alexnet", "stray"], "expected flags only, got stray"),
        (["--joined_direction=a=lower,b=up"], "expected NAME=higher or NAME=lower, got 'b=up'"),
        (["--models=alexnet", "--precision=half"], "should be one of <highest|high|default|bf16>"),
    ],
)
def test_mistakes_end_without_a_traceback(flags, complaint, pair_folder, tmp_path):
    data = f"--data_dir={pair_folder / 'pairs.csv'}"
    done = run("evaluate", "--dataset=csv", data, f"--output_dir={tmp_path / 'out'}", *flags)
    assert done.returncode != 0
    assert complaint in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_killed_run_continues_and_ends_equal(tmp_path, checkpoints, rng):
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

    def flags(output):
        return (
            "--dataset=csv",
            f"--data_dir={folder / 'pairs.csv'}",
            "--models=alexnet",
            f"--checkpoints_dir={checkpoints}",
            f"--output_dir={output}",
            "--versions=1",
        )

    def parts(output):
        return sorted(output.glob("parts/alexnet-*/part-*.npz"))

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    with subprocess.Popen(
        command("evaluate", *flags(killed)), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 120
        while not parts(killed) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert [path.name for path in killed.iterdir()] == ["parts"]
    kept = {path: path.read_bytes() for path in parts(killed)}
    finished = sum(len(np.load(path)["keys"]) for path in kept)
    assert 0 < finished < 160

    resumed, fresh = run("evaluate", *flags(killed)), run("evaluate", *flags(whole))
    assert resumed.returncode == fresh.returncode == 0, resumed.stderr
    assert f"{finished}/160" in resumed.stderr  # where the progress bar starts
    for path, data in kept.items():
        assert path.read_bytes() == data
    for name in ("scores.csv", "correlations.csv"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()


def test_scores_of_two_folders_end_in_one_table(checkpoints, pair_folder, tmp_path):
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
    done = run("score", *flags)
    assert done.returncode == 0, done.stderr
    (row,) = csv.DictReader(output.read_text().splitlines())
    assert list(row) == ["reference", "distorted", "lpips-alex", "psnr", "error"]
    assert float(row["lpips-alex"]) > 0
    assert [path.suffix for path in (tmp_path / "maps").iterdir()] == [".png"]
    again = run("score", *flags)
    assert again.returncode == 1
    assert "is there already; continue it with --resume, or remove it" in again.stderr
    assert "Complete already" in run("score", *flags, "--resume").stdout
    other = run("score", *flags, "--resume", "--resize=short:64")
    assert "was made with different resize" in other.stderr
    assert "Traceback" not in again.stderr + other.stderr


def test_pairs_that_cannot_be_scored_are_told(checkpoints, pair_folder, tmp_path):
    rows = ["reference,distorted", "a.png,a_1.png", "a.png,pairs.csv", "a.png,gone.png"]
    (pair_folder / "some.csv").write_text("\n".join(rows) + "\n")
    output = tmp_path / "scores.csv"
    flags = ("--metrics=psnr", f"--pairs={pair_folder / 'some.csv'}", f"--output={output}")
    done = run("score", *flags)
    assert done.returncode == 1
    assert "2 pairs could not be scored in full; the column 'error' says why" in done.stderr
    good, text, gone = csv.DictReader(output.read_text().splitlines())
    assert good["psnr"]
    assert not good["error"]
    assert "pairs.csv" in text["error"]
    assert "gone.png" in gone["error"]


def test_resuming_looks_at_every_pair(pair_folder, tmp_path):
    """An image that could not be read, a pair that is new, one whose images have two sizes."""
    table, output = pair_folder / "some.csv", tmp_path / "scores.csv"
    data = (pair_folder / "a_2.png").read_bytes()
    (pair_folder / "a_2.png").write_bytes(data[: len(data) // 2])
    rows = ["reference,distorted", "a.png,a_1.png", "a.png,a_2.png", "a.png,b.png"]
    table.write_text("\n".join(rows) + "\n")
    flags = ("--metrics=psnr,ssim", f"--pairs={table}", f"--output={output}", "--resume")
    assert "2 pairs could not be scored" in run("score", *flags).stderr
    first, *_ = lines = output.read_text().splitlines()[1:]
    (pair_folder / "a_2.png").write_bytes(data)
    table.write_text("\n".join([*rows, "a.png,a_3.png"]) + "\n")
    again = run("score", *flags)
    told = (
        "scores.csv: 2 of 4 pairs are scored, 2 are tried again (1 whose images could not be read"
    )
    assert told in again.stderr
    assert "1 pair could not be scored" in again.stderr
    found = output.read_text().splitlines()[1:]
    assert (found[0], found[2]) == (first, lines[2])
    complete = output.read_bytes()
    assert "Complete already" in run("score", *flags).stdout
    (pair_folder / "a_1.png").write_bytes(data)
    refused = run("score", *flags)
    assert refused.returncode == 1
    assert "has scores of images that have changed since" in refused.stderr
    assert refused.stderr.strip().endswith("a_1.png")
    assert output.read_bytes() == complete


def test_one_pair_is_shown_on_the_screen(pair_folder):
    images = (f"--reference={pair_folder / 'a.png'}", f"--distorted={pair_folder / 'a_1.png'}")
    done = run("score", "--metrics=psnr,ssim", *images)
    assert done.returncode == 0, done.stderr
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
def test_flags_of_scoring_that_do_nothing_are_refused(flags, complaint):
    done = run("score", "--metrics=psnr", "--reference=a.png", "--distorted=b.png", *flags)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_compiled_programs_are_kept_unless_not_wanted(pair_folder, tmp_path, monkeypatch):
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    images = (f"--reference={pair_folder / 'a.png'}", f"--distorted={pair_folder / 'a_1.png'}")
    for number, (flags, kept) in enumerate(((["--compilation_cache_dir="], False), ([], True))):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / f"caches {number}"))
        done = run("score", "--metrics=psnr", *images, *flags)
        assert done.returncode == 0, done.stderr
        assert bool(list(tmp_path.glob(f"caches {number}/iqa_jax/*"))) == kept
    (tmp_path / "a file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a file"))
    assert run("score", "--metrics=psnr", *images).returncode == 0


def test_killed_scoring_continues(checkpoints, pair_folder, tmp_path):
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
        command("score", *flags, f"--output={output}"),
        env={**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""},
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
    refused = run("score", *flags, f"--output={output}")
    assert "has been begun; continue it with --resume" in refused.stderr
    resumed = run("score", *flags, f"--output={output}", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert f"{finished}/1800 [00:00<" in resumed.stderr  # where the progress bar starts
    assert run("score", *flags, f"--output={whole}").returncode == 0
    assert output.read_text() == whole.read_text()
    assert not parts.exists()


def test_maps_of_a_finished_table_can_be_drawn_later(pair_folder, tmp_path):
    flags = (
        "--metrics=psnr,ssim",
        f"--pairs={pair_folder / 'pairs.csv'}",
        f"--output={tmp_path / 'scores.csv'}",
    )
    assert run("score", *flags).returncode == 0
    again = run("score", *flags, "--resume", f"--maps_dir={tmp_path / 'maps'}")
    assert again.returncode == 0, again.stderr
    assert "Complete already" in again.stdout
    assert len(list((tmp_path / "maps").glob("*_ssim.png"))) == 9

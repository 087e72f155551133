"""Statistics from a shell."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def flags(checkpoints, tmp_path, rng):
    """Of 160 pairs of photographs' size, each a work unit."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = ["reference,distorted,score"]
    for reference in range(20):
        pixels = rng.integers(0, 256, (160, 240, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"r{reference}.png", compress_level=1)
        for version in range(8):
            noisy = np.clip(pixels + rng.normal(0, 10 * (version + 1), pixels.shape), 0, 255)
            name = f"d{reference}_{version}.png"
            Image.fromarray(noisy.astype(np.uint8)).save(folder / name, compress_level=1)
            rows.append(f"r{reference}.png,{name},{9 - version}")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    return (
        "--dataset=csv",
        f"--data_dir={folder / 'pairs.csv'}",
        "--models=alexnet",
        f"--checkpoints_dir={checkpoints}",
        "--versions=1",
    )


@pytest.fixture
def run(iqa):
    return lambda *flags: iqa("extract", *flags)


def chunks(folder):
    return sorted(folder.glob("pairs/alexnet/*/*/c/*/0"))


def files(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith("__lock")
    }


@pytest.mark.slow
def test_killed_it_continues_and_ends_equal(run, flags, environment, tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    with subprocess.Popen(
        [sys.executable, "-m", "iqa_jax", "extract", *flags, f"--statistics_dir={killed}"],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=environment,
    ) as process:
        deadline = time.monotonic() + 120
        while not chunks(killed) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    kept = chunks(killed)
    resumed = run(*flags, f"--statistics_dir={killed}")
    fresh = run(*flags, f"--statistics_dir={whole}")
    assert resumed.status == fresh.status == 0, resumed.stderr
    assert 0 < len(kept) < len(chunks(whole)) == 10 * 2 * 9
    assert files(killed) == files(whole)
    assert "160 pairs, 9 layers" in fresh.stdout
    assert "pair/s" in fresh.stderr
    again = run(*flags, f"--statistics_dir={whole}")
    assert again.stdout.endswith("160 pairs, 9 layers, all there already\n")
    other = run(*flags, f"--statistics_dir={whole}", "--precision=default", "--resize=factor:0.5")
    assert other.status == 1
    complaint = "was made with precision 'highest', now 'default'; resize None, now 'factor:0.5'."
    assert complaint in other.stderr
    assert files(killed) == files(whole)

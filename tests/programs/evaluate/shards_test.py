"""Scores of a dataset in shards, by one process or several."""

import json
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from etils import epath
from PIL import Image

from iqa_jax.datasets import inspect
from iqa_jax.datasets.pair_lists import from_csv
from iqa_jax.engine import claims as claims_module
from iqa_jax.engine.claims import Claims
from iqa_jax.engine.plan import make_plan
from iqa_jax.engine.programs import Programs
from iqa_jax.engine.run import Outcome
from iqa_jax.engine.shares import ALONE, Share
from iqa_jax.errors import InputError
from iqa_jax.metrics.pixels import PixelScores
from iqa_jax.programs.evaluate import shards as module
from iqa_jax.programs.evaluate.shards import ScoreShards

FILES = ("scores.csv", "correlations.csv", "correlations_by_reference.csv")


@pytest.fixture
def small_shards(monkeypatch):
    """Nine pairs make several shards."""
    monkeypatch.setattr(module, "_LEAST_PAIRS", 2)
    monkeypatch.setattr(claims_module, "RENEWED", 0.05)


@pytest.fixture
def made_up(monkeypatch, small_shards):
    """Stands in for the engine: scores that are made up, by the name of the distorted image."""
    scores: dict[str, tuple[float, float]] = {}

    def fill(sink, plan, step, *, programs):
        units = sink.missing(plan.units)
        for unit in units:
            values = np.float32([scores[plan.table.pairs[row].distorted] for row in unit.rows])
            sink.add(unit.rows, dict(zip(step.names, values.T, strict=True)))
        return Outcome(pairs_per_second=1.0 if units else None)

    monkeypatch.setattr(module, "fill", fill)
    return scores


@pytest.fixture
def begin(pair_folder, tmp_path):
    """The shards of nine pairs, scored with PSNR and SSIM."""

    def call(signature="as always"):
        table, headers = inspect(from_csv(epath.Path(pair_folder / "pairs.csv")))
        plan = make_plan(table, headers, versions=2)
        scorer = PixelScores(("psnr", "ssim"))
        return ScoreShards(epath.Path(tmp_path / "parts"), scorer, plan, {"made": signature})

    return call


@pytest.fixture
def distorted(pair_folder):
    _, *rows = (pair_folder / "pairs.csv").read_text().splitlines()
    return [row.split(",")[1] for row in rows]


def test_scores_come_back_to_the_bit_in_the_order_of_the_table(made_up, begin, distorted, rng):
    expected = rng.standard_normal((9, 2)).astype(np.float32) / 3
    expected[2, 0], expected[3] = np.nan, (np.inf, -0.0)
    made_up |= dict(zip(distorted, expected.tolist(), strict=True))
    shards = begin()
    assert shards.left() == 4
    assert shards.fill(ALONE, Programs()) == 1.0
    assert shards.left() == 0
    found = shards.collect()
    assert list(found) == ["psnr", "ssim"]
    np.testing.assert_array_equal(np.stack([*found.values()], axis=-1), expected)
    again = begin()
    assert again.fill(ALONE, Programs()) is None
    np.testing.assert_array_equal(again.collect()["psnr"], expected[:, 0])


def test_another_signature_has_a_folder_of_its_own(made_up, begin, distorted):
    made_up |= dict.fromkeys(distorted, (1.0, 2.0))
    begin().fill(ALONE, Programs())
    assert begin("in another way").left() == 4


def test_what_another_process_works_on_is_left_to_it(made_up, begin, distorted, tmp_path):
    made_up |= dict.fromkeys(distorted, (1.0, 2.0))
    first, second = begin(), begin()
    (folder,) = epath.Path(tmp_path / "parts").iterdir()
    other = Claims(folder / "claims", Share(1, 2))
    claim = other.take(1)
    with other.renewed(claim):
        assert first.fill(Share(0, 2), Programs()) == 1.0
    assert first.left() == 1
    with pytest.raises(InputError, match="1 missing shard of 4"):
        first.collect()
    second.fill(Share(1, 2), Programs())
    assert first.left() == second.left() == 0
    np.testing.assert_array_equal(first.collect()["ssim"], np.full(9, 2, np.float32))


def test_shards_of_an_earlier_run_are_compared_with_the_images(
    made_up, begin, distorted, pair_folder
):
    path = pair_folder / "a_1.png"
    pixels = np.asarray(Image.open(path))
    Image.fromarray(pixels).save(path, compress_level=0)
    made_up |= dict.fromkeys(distorted, (1.0, 2.0))
    begin().fill(ALONE, Programs())
    Image.fromarray(255 - pixels).save(path, compress_level=0)  # of the same length
    made_up |= dict.fromkeys(distorted, (3.0, 4.0))
    other = begin()
    assert other.fill(Share(1, 2), Programs()) is None  # it looks at its own shards
    with pytest.raises(InputError, match="1 shard of an earlier run had other images, or were"):
        other.collect()
    again = begin()
    assert again.fill(Share(0, 2), Programs()) == 1.0
    assert again.collect()["psnr"].tolist() == [3, 3, *[1] * 7]


def test_a_damaged_shard_is_computed_again(made_up, begin, distorted, tmp_path):
    made_up |= dict.fromkeys(distorted, (1.0, 2.0))
    begin().fill(ALONE, Programs())
    (path,) = tmp_path.glob("parts/*/shards/00000002.csv")
    text = path.read_text()
    path.write_text(text.replace(",1,", ",7,"))
    again = begin()
    assert again.fill(ALONE, Programs()) == 1.0
    assert path.read_text() == text


@pytest.fixture
def evaluate(iqa, pair_folder, small_shards):
    flags = ("--dataset=csv", f"--data_dir={pair_folder / 'pairs.csv'}", "--metrics=psnr")
    return lambda output, *more: iqa("evaluate", *flags, f"--output_dir={output}", *more)


def record(folder):
    """What a run says of itself, without its speed."""
    found = json.loads((folder / "run.json").read_text())
    for run in found["runs"]:
        del run["pairs_per_second"]
    del found["settings"]["output_dir"]
    return found


def test_the_last_process_writes_the_results(evaluate, tmp_path):
    whole, shared = tmp_path / "whole", tmp_path / "shared"
    assert evaluate(whole).status == 0
    shutil.copytree(whole, shared)
    for name in (*FILES, "run.json"):
        (shared / name).unlink()
    (folder,) = epath.Path(shared / "parts").iterdir()
    (folder / "shards" / "00000001.csv").unlink()
    other = Claims(folder / "claims", Share(1, 2))
    claim = other.take(1)
    with other.renewed(claim):
        first = evaluate(shared, "--process_index=0", "--process_count=2")
    assert first.status == 0
    assert first.stderr.startswith("process 0 of 2 (flags)\n")
    assert f"1 shard left to other processes; the last of them writes {shared}" in first.stdout
    assert not (shared / "run.json").exists()
    last = evaluate(shared, "--process_index=1", "--process_count=2")
    assert last.status == 0
    assert f"Written: {shared}" in last.stdout
    for name in FILES:
        assert (shared / name).read_bytes() == (whole / name).read_bytes()
    assert record(shared) == record(whole)


@pytest.mark.slow
def test_a_process_that_is_killed_and_started_again(shell, environment, pair_folder, tmp_path):
    header, *rows = (pair_folder / "pairs.csv").read_text().splitlines()
    many = pair_folder / "many.csv"
    many.write_text("\n".join([header, *(rows * 200)]) + "\n")
    flags = ("--dataset=csv", f"--data_dir={many}", "--metrics=psnr,ssim", "--versions=8")
    shared, whole = tmp_path / "shared", tmp_path / "whole"

    def start(index):
        share = (f"--process_index={index}", "--process_count=2")
        command = [sys.executable, "-m", "iqa_jax", "evaluate", *flags, *share]
        return subprocess.Popen(
            [*command, f"--output_dir={shared}"], env=environment, stderr=subprocess.PIPE, text=True
        )

    first, second = map(start, (0, 1))
    while first.poll() is None and not list(shared.glob("parts/*/shards/*.csv")):
        time.sleep(0.01)
    first.kill()
    third = start(0)
    for process in (first, second, third):
        _, said = process.communicate(timeout=300)
        assert process is first or process.returncode == 0, said
    assert len(list(shared.glob("parts/*/shards/*.csv"))) > 5
    assert shell("evaluate", *flags, f"--output_dir={whole}").returncode == 0
    for name in FILES:
        assert (shared / name).read_bytes() == (whole / name).read_bytes()
    assert record(shared) == record(whole)

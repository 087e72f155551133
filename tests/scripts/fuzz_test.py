"""fuzz.py finds no fault in our readers, and finds every planted one."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from iqa_jax.datasets import Pair
from iqa_jax.errors import InputError

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"
FUZZ = BENCHMARKS / "fuzz.py"
PLANTED = Path(__file__).with_name("planted_formats.py")


def run(script, *flags):
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""}
    command = [sys.executable, str(script), *flags]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def table(text):
    """The rows by format, numbers by column."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    header, _, *rows = lines
    return {row[0]: dict(zip(header[1:], map(int, row[1:]), strict=True)) for row in rows}


def test_readers_refuse_or_read_damaged_files():
    done = run(FUZZ, "--mutants=200", "--workers=1")
    assert done.returncode == 0, done.stdout + done.stderr
    found = table(done.stdout)
    assert len(found) >= 20
    assert all(counts["mutants"] == 200 for counts in found.values())
    assert found["png"]["other content"] == 0


@pytest.fixture(scope="module")
def planted():
    return run(PLANTED, "--mutants=1000", "--mutant_seconds=1", "--workers=2")


def test_every_planted_fault_is_found_and_the_rest_is_read(planted):
    assert planted.returncode == 1
    assert table(planted.stdout)["planted"] == {
        "bytes": 3,
        "mutants": 3 * 255,
        "refused": 255 - 6,
        "same content": 255,
        "other content": 255,
        "tracebacks": 2,
        "crashes": 2,
        "hangs": 1,
        "memory": 1,
    }


@pytest.mark.parametrize(
    ("fault", "said", "place"),
    [
        (1, "crash (SIGSEGV)", "string_at"),
        (2, "crash (exit status 3)", "an unknown place"),
        (3, "hang (1 s)", "planted_formats.py"),
        (4, "traceback (KeyError)", "planted_formats.py"),
        (5, "traceback (SystemExit)", "planted_formats.py"),
        (6, "memory (MemoryError)", "planted_formats.py"),
    ],
)
def test_a_fault_is_reported_with_its_place_and_byte(planted, fault, said, place):
    (line,) = (line for line in planted.stdout.splitlines() if line.endswith(f"--only=0:{fault}"))
    assert line.startswith(f"* 1 x {said} at ")
    assert place in line


def test_a_fault_can_be_seen_again():
    done = run(PLANTED, "--formats=planted", "--only=0:4")
    assert done.returncode == 1
    assert table(done.stdout)["planted"]["mutants"] == 1
    assert "Traceback" in done.stdout
    assert "KeyError: 'no such key'" in done.stdout


def test_an_unknown_format():
    done = run(PLANTED, "--formats=gone")
    assert done.returncode == 1
    assert done.stderr.startswith("planted_formats.py: error: --formats: there is no gone; there")


@pytest.fixture
def mutants(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from fuzzing import mutants

    return mutants


def test_mutants_are_all_different_and_come_back(mutants):
    data = b"abc"
    every = mutants.choose(data, 10_000, 0)
    assert len(set(every)) == len(every) == 3 * 255
    assert all(mutant.value != data[mutant.position] for mutant in every)
    assert mutants.choose(data, 100, 1) == mutants.choose(data, 100, 1)
    assert mutants.choose(data, 100, 1) != mutants.choose(data, 100, 2)


def test_mutants_are_read_as_they_are_written(mutants):
    mutant = mutants.Mutant(2, 255)
    assert mutants.parse(str(mutant), b"abc") == mutant
    for text in ("2", "2:", ":1", "-1:0", "3:0", "0:256", "a:b"):
        with pytest.raises(InputError, match="expected"):
            mutants.parse(text, b"abc")


@pytest.mark.parametrize(
    "other", [{"a": np.ones(2, np.float64)}, {"a": np.ones((2, 1), np.float32)}, {"b": 1.0}, [], {}]
)
def test_different_contents_have_different_digests(mutants, other):
    content = {"a": np.ones(2, np.float32)}
    assert mutants.digest(content) == mutants.digest({"a": np.ones(2, np.float32)})
    assert mutants.digest(content) != mutants.digest(other)


def test_contents_with_nan_are_equal(mutants):
    pair = Pair("a", "b", math.nan)
    assert mutants.digest([pair]) == mutants.digest([Pair("a", "b", float("nan"))])
    assert mutants.digest([pair]) != mutants.digest([Pair("a", "b", 0.0)])

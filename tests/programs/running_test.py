"""Flags, errors and exit statuses, which all programs have in common."""

import subprocess
import sys

import jax
import pytest
from absl import flags
from etils.epath.backend import fsspec_backend

from iqa_jax.programs import running
from iqa_jax.programs.running import MEANINGS, ExitStatus
from iqa_jax.programs.score import command as score
from iqa_jax.programs.settings import ProcessSettings


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "expected --dataset and --output_dir; see --help"),
        (["--modles=a"], "Unknown command line flag 'modles'. Did you mean: models ?; see --help"),
        (["--dataset=csv", "--output_dir=x", "a", "b"], "expected flags only, got a b; see --help"),
        (["--limit=0"], "flag --limit=0: "),
    ],
)
def test_errors_are_one_line_and_status_1(iqa, arguments, complaint):
    ended = iqa("evaluate", *arguments)
    assert ended.status == ExitStatus.INPUT == 1
    assert ended.stderr.startswith(f"iqa evaluate: error: {complaint}")
    assert len(ended.stderr.splitlines()) == 1
    assert not ended.stdout


def test_operating_system_errors_name_the_file(iqa):
    ended = iqa("build", "--dataset=csv", "--data_dir=/nowhere/a.csv", "--tfds_dir=/proc/nowhere")
    assert ended.status == 1
    assert ended.stderr.startswith("iqa build: error: ")
    assert "/nowhere" in ended.stderr


def test_flags_of_a_program_are_there_while_it_runs(iqa):
    before = set(flags.FLAGS)
    assert iqa("models").status == 0
    assert iqa("evaluate", "--limit=0").status == 1
    assert set(flags.FLAGS) >= before
    assert not {"manifest", "models", "limit"} & set(flags.FLAGS)


def test_every_status_has_a_meaning():
    assert {*MEANINGS, *score.STATUSES} == {*ExitStatus}


def test_without_docstrings_a_program_ends_with_a_message():
    command = [sys.executable, "-OO", "-m", "iqa_jax", "models"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("iqa models: error: python -OO removes the documentation")
    assert not done.stdout


def test_compiled_programs_are_kept_unless_not_wanted(shell, environment, pair_folder, tmp_path):
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    images = (f"--reference={pair_folder / 'a.png'}", f"--distorted={pair_folder / 'a_1.png'}")
    for number, (given, kept) in enumerate(((["--compilation_cache_dir="], False), ([], True))):
        environment["XDG_CACHE_HOME"] = str(tmp_path / f"caches {number}")
        done = shell("score", "--metrics=psnr", *images, *given)
        assert done.returncode == 0, done.stderr
        assert bool(list(tmp_path.glob(f"caches {number}/iqa_jax/*"))) == kept
    (tmp_path / "a file").touch()
    environment["XDG_CACHE_HOME"] = str(tmp_path / "a file")
    assert shell("score", "--metrics=psnr", *images).returncode == 0


def test_a_compilation_cache_in_a_bucket_is_that_of_jax_alone(monkeypatch):
    """XLA's own cache, of measurements on GPUs, cannot be in a bucket."""
    settings = {}
    monkeypatch.setattr(jax.config, "update", settings.__setitem__)
    for folder, alone in (("gs://bucket/compiled", True), ("/some/where", False), ("", False)):
        settings.clear()
        running._keep_compiled_programs(ProcessSettings(compilation_cache_dir=folder))
        assert settings["jax_compilation_cache_dir"] == (folder or None)
        assert ("jax_persistent_cache_enable_xla_caches" in settings) == alone


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (ImportError("Please install gcsfs"), "paths in buckets need gcsfs; pip install"),
        (type("HttpError", (Exception,), {"__module__": "gcsfs.retry"})("busy"), "answers: busy"),
    ],
)
def test_errors_of_buckets_are_one_line(iqa, monkeypatch, error, complaint):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(fsspec_backend, "exists", fail)
    ended = iqa("merge", "--output=gs://bucket/scores")
    assert ended.status == 1
    assert ended.stderr.startswith("iqa merge: error: ")
    assert complaint in ended.stderr
    assert len(ended.stderr.splitlines()) == 1

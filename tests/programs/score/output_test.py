"""The pairs of a stored dataset, scored without its image files."""

import pytest

from iqa_jax.images import sources


@pytest.fixture
def build(iqa, pair_folder, tmp_path):
    """Stores the dataset in the folder ``tfds``."""
    flags = (f"--data_dir={pair_folder / 'pairs.csv'}", f"--tfds_dir={tmp_path / 'tfds'}")
    return lambda *more: iqa("build", "--dataset=csv", *flags, *more)


@pytest.fixture
def score(iqa, tmp_path):
    """Scores pairs into an output; by default those that are stored."""
    stored = ("--dataset=csv", f"--tfds_dir={tmp_path / 'tfds'}")

    def call(output, *where):
        return iqa("score", "--metrics=psnr", *(where or stored), f"--output={tmp_path / output}")

    return call


def test_scores_are_those_of_the_files_to_the_bit(build, score, pair_folder, tmp_path, monkeypatch):
    assert score("files.csv", f"--pairs={pair_folder / 'pairs.csv'}").status == 0
    build()
    for path in pair_folder.glob("*_2.png"):
        path.rename(path.with_suffix(".hidden"))
    encoded = score("encoded.csv")
    assert encoded.status == 0, encoded.stderr
    for path in pair_folder.glob("*.hidden"):
        path.rename(path.with_suffix(".png"))
    build("--decoded")
    monkeypatch.setattr(sources, "decode_image", lambda data, name: pytest.fail(f"{name}: decoded"))
    decoded = score("decoded.csv")
    assert decoded.status == 0, decoded.stderr
    for suffix in (".csv", ".csv.json"):
        files = (tmp_path / f"files{suffix}").read_bytes()
        assert (tmp_path / f"encoded{suffix}").read_bytes() == files
        assert (tmp_path / f"decoded{suffix}").read_bytes() == files


def test_a_folder_is_filled_from_a_stored_dataset(build, score, tmp_path):
    build("--decoded")
    assert score("whole.csv").status == 0
    shared = score("shared")
    assert shared.status == 0, shared.stderr
    assert (tmp_path / "shared/scores.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_wrong_places_are_said(build, score, tmp_path):
    tfds_dir = f"--tfds_dir={tmp_path / 'tfds'}"
    build()
    for where, complaint in {
        (tfds_dir,): "or --dataset and --tfds_dir; see --help",
        (tfds_dir, "--dataset=csv", "--pairs=pairs.csv"): "expected --reference and --distorted",
        (tfds_dir, "--dataset=tid2013"): "expected tid2013 1.2.0 in it, found csv 1.2.0",
        (tfds_dir, "--dataset=tid"): "there is no dataset 'tid'",
        ("--dataset=csv", f"--tfds_dir={tmp_path}"): "found no stored dataset; build it with",
    }.items():
        for output in ("scores.csv", "scores"):
            refused = score(output, *where)
            assert refused.status == 1
            assert complaint in refused.stderr

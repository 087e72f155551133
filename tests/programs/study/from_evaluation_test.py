"""From an evaluation to the study, by the files that the one writes and the other reads."""

import csv

import numpy as np
import pytest
from PIL import Image

REFERENCES, VERSIONS = 10, 2


@pytest.fixture
def pairs(tmp_path, rng):
    """A csv dataset of ten references."""
    rows = ["reference,distorted,score,distortion,reference_id"]
    for reference in range(REFERENCES):
        pixels = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{reference}.png")
        for version in range(VERSIONS):
            noise = rng.normal(0, 20 + 5 * version, pixels.shape)
            noisy = np.clip(pixels + noise, 0, 255).astype(np.uint8)
            name = f"{reference}_{version}.png"
            Image.fromarray(noisy).save(tmp_path / name)
            rows.append(f"{reference}.png,{name},{rng.normal(9 - version)},noise,{reference}")
    (tmp_path / "pairs.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "pairs.csv"


def rows_of(path):
    with path.open(newline="") as file:
        return [*csv.DictReader(file)]


@pytest.mark.slow
def test_what_an_evaluation_writes_is_studied(iqa, pairs, checkpoints, tmp_path):
    results, output = tmp_path / "results", tmp_path / "study"
    ended = iqa(
        *("evaluate", "--dataset=csv", f"--data_dir={pairs}", f"--output_dir={results}"),
        *("--models=alexnet,vgg13", "--layers=input,relu1,pool2", "--readouts=l2"),
        *("--metrics=psnr", "--allow_absent", f"--checkpoints_dir={checkpoints}"),
    )
    assert ended.status == 0, ended.stderr
    ended = iqa("study", f"--results={results}", f"--output_dir={output}")
    assert ended.status == 0, ended.stderr

    evaluated = {row["column"]: row for row in rows_of(results / "correlations.csv")}
    studied = {
        (row["model"], row["quantity"], row["measure"]): row
        for row in rows_of(output / "study_models.csv")
    }
    for key, column in {
        ("alexnet", "last"): "alexnet/pool2/l2",
        ("alexnet", "stage_4"): "alexnet/relu1/l2",
        ("psnr", "metric"): "psnr",
        ("pixels", "input"): "pixels/input/l2",
    }.items():
        found, wanted = studied[*key, "spearman"], evaluated[column]
        for name, published in {"value": "srcc", "low": "srcc_low", "high": "srcc_high"}.items():
            assert float(found[name]) == pytest.approx(float(wanted[published]), abs=1e-6)
    row = studied["alexnet", "last", "pearson"]
    assert float(row["value"]) == pytest.approx(
        float(evaluated["alexnet/pool2/l2"]["plcc"]), abs=1e-6
    )
    assert (row["family"], row["trunk"], row["depth"]) == ("alexnet", "alexnet", "5")
    assert (row["goal_family"], row["environment"]) == ("supervised", "imagenet1k")
    assert (row["references"], row["pairs"]) == (str(REFERENCES), str(REFERENCES * VERSIONS))
    text = (output / "study.md").read_text()
    assert "absent: vgg13" in text
    assert {row["verdict"] for row in rows_of(output / "study_claims.csv")} == {"not tested"}

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

from iqa_jax.zoo import MODELS, RELEVANCES
from iqa_jax.zoo.listing import FACTS, as_csv, as_json, facts, manifest

STORED = Path(__file__).parents[2] / "checkpoints" / "MANIFEST.json"


def test_python_m_lists_all():
    command = [sys.executable, "-m", "iqa_jax.zoo"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    names = [line.split()[0].rstrip("*") for line in lines[2 : 2 + len(MODELS)]]
    assert names == list(MODELS)
    assert sum(line.split()[0].endswith("*") for line in lines if line.startswith("  ")) == 46
    (resnet,) = [line for line in lines if line.split()[:1] == ["resnet50*"]]
    assert resnet.split()[1:] == [
        *("supervised", "imagenet1k", "resnet50", "torchvision", "download"),
        *("49", "90", "224", "23.51", "76.1", "76.1"),
    ]
    assert f"{len(MODELS)} networks" in done.stdout
    assert not done.stderr


def test_csv_and_json_have_all_facts_about_every_network():
    rows = list(csv.DictReader(io.StringIO(as_csv())))
    entries = json.loads(as_json())
    assert [row.pop("model") for row in rows] == list(entries) == list(MODELS)
    for row, (name, model) in zip(rows, MODELS.items(), strict=True):
        assert entries[name] == facts(model)
        assert tuple(row) == (*FACTS, "weights")
        shown = {
            key: f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)
            for key, value in entries[name].items()
        }
        assert row == shown
    alexnet = entries["alexnet-colorization-yfcc100m"]
    assert alexnet["family"] == "alexnet"
    assert alexnet["goal_family"] == "pretext"
    assert alexnet["luminance_only"] is True


def test_the_stored_manifest_is_current():
    """To update it: ``iqa models --manifest > checkpoints/MANIFEST.json``."""
    assert STORED.read_text() == manifest()


def test_the_manifest_lists_the_sources_of_everything():
    entries = json.loads(manifest())
    trained = {name for name, model in MODELS.items() if model.conversions}
    assert set(entries) == trained | set(RELEVANCES)
    (first, *_) = entries["resnet50"]
    assert first["url"] == "https://download.pytorch.org/models/resnet50-0676ba61.pth"
    assert first["sha256"] == "0676ba61"
    assert all(each["licence"] and each["citation"] for every in entries.values() for each in every)

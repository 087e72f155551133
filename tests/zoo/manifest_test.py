import json
from pathlib import Path

from iqa_jax.zoo import MODELS, RELEVANCES
from iqa_jax.zoo.manifest import manifest

STORED = Path(__file__).parents[2] / "checkpoints" / "MANIFEST.json"


def test_the_stored_manifest_is_current():
    """Else: ``iqa models --manifest > checkpoints/MANIFEST.json``."""
    assert STORED.read_text() == manifest()


def test_tells_the_sources_of_everything():
    entries = json.loads(manifest())
    trained = {name for name, model in MODELS.items() if model.conversions}
    assert set(entries) == trained | set(RELEVANCES)
    (first, *_) = entries["resnet50"]
    assert first["url"] == "https://download.pytorch.org/models/resnet50-0676ba61.pth"
    assert first["sha256"] == "0676ba61"
    assert all(each["licence"] and each["citation"] for every in entries.values() for each in every)

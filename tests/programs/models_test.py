"""The list of networks as a user sees it."""

import json

from iqa_jax.metrics import list_metrics
from iqa_jax.zoo import list_models


def test_every_network_has_a_line(iqa):
    listed = iqa("models")
    assert listed.status == 0
    names = {line.split()[0].rstrip("*") for line in listed.stdout.splitlines() if line.strip()}
    assert names >= set(list_models())


def test_manifest_is_json(iqa):
    assert json.loads(iqa("models", "--manifest").stdout)


def test_every_metric_has_a_line(iqa):
    listed = iqa("models", "--metrics")
    assert listed.status == 0
    found = {line.split()[0]: line for line in listed.stdout.splitlines() if line.strip()}
    assert found.keys() >= set(list_metrics())
    assert "distance" in found["flip"].split()


def test_one_list_at_a_time(iqa):
    refused = iqa("models", "--metrics", "--manifest")
    assert refused.status == 1
    assert "expected manifest or metrics, got both" in refused.stderr

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


def test_csv_and_json(iqa):
    listed = iqa("models", "--format=csv").stdout.splitlines()
    assert [line.partition(",")[0] for line in listed] == ["model", *list_models()]
    assert list(json.loads(iqa("models", "--format=json").stdout)) == list_models()


def test_the_manifest_has_one_form(iqa):
    refused = iqa("models", "--manifest", "--format=csv")
    assert refused.status == 1
    assert "--format" in refused.stderr

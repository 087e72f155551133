"""The list of networks as a user sees it."""

import json

from iqa_jax.zoo import list_models


def test_every_network_has_a_line(iqa):
    listed = iqa("models")
    assert listed.status == 0
    names = {line.split()[0].rstrip("*") for line in listed.stdout.splitlines() if line.strip()}
    assert names >= set(list_models())


def test_manifest_is_json(iqa):
    assert json.loads(iqa("models", "--manifest").stdout)

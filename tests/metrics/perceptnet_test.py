"""PerceptNet against its authors' program."""

import json
from pathlib import Path

import numpy as np
import pytest
from etils import epath
from golden import deep_pairs, drawn_files

import iqa_jax
from iqa_jax import zoo

NAME = "perceptnet-ratings-tid2008"
GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "perceptnet.json").read_text())[
    "scores"
]


@pytest.fixture(scope="module")
def metric(tmp_path_factory):
    """The metric with drawn weights."""
    folder = epath.Path(tmp_path_factory.mktemp("perceptnet"))
    path = epath.Path(drawn_files.write(NAME, folder))
    zoo.convert_file(NAME, path, directory=folder)
    return iqa_jax.load_metric("perceptnet", checkpoints_dir=folder)


@pytest.mark.parametrize("pair", GOLDEN)
def test_distances_are_its_authors(pair, metric):
    reference, distorted = deep_pairs.pair(pair)
    found = metric(reference[None], distorted[None])
    # One level of difference loses digits in float32, the precision of the activations.
    tolerance = 1e-4 if pair.startswith("one level") else 1e-5
    np.testing.assert_allclose(found, [GOLDEN[pair]], rtol=tolerance)
    assert metric(reference[None], reference[None]).tolist() == [0.0]

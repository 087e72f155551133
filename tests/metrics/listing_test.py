import math

import pytest

from iqa_jax.metrics import list_metrics, load_metric
from iqa_jax.metrics.listing import HEADER, facts, table
from iqa_jax.metrics.speed import SPEEDS


def test_every_metric_has_a_line():
    lines = table().splitlines()
    assert [line.split()[0] for line in lines[2 : 2 + len(list_metrics())]] == list_metrics()
    for speed, most in list(SPEEDS.items())[:-1]:
        assert f"{speed} up to {most:g}" in table()


def test_facts():
    assert dict(zip(HEADER[1:], facts("flip"), strict=True)) == {
        "direction": "distance",
        "range": "0 to 1",
        "speed": "medium",
        "computed from": "pixels",
        "publications": (
            "Andersson et al., Proc. ACM Computer Graphics and Interactive Techniques 2020 (HPG)"
        ),
    }
    assert facts("psnr")[-1] == "-"
    assert facts("lpips-alex")[3].startswith("alexnet/relu1+")


def test_the_range_is_that_of_the_metric():
    expected = {
        "ssim": "-1 to 1",
        "mdsi": "0 to 0.873",
        "vif": "0 or more",
        "ssimulacra2": "100 or less",
    }
    for name, ends in expected.items():
        assert facts(name)[1] == ends
        numbers = [float(word) for word in ends.split() if word not in ("to", "or", "more", "less")]
        known = [end for end in load_metric(name).score_range if math.isfinite(end)]
        assert numbers == pytest.approx(known, abs=5e-4)

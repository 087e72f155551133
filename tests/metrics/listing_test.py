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
    for name in ("ssim", "mdsi", "vif", "ssimulacra2"):
        shown = repr(load_metric(name))
        low, _, high = facts(name)[1].partition("to")
        assert all(end.strip() in shown for end in (low, high))

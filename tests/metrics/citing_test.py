from iqa_jax.metrics import list_metrics
from iqa_jax.metrics.citing import READOUT_PUBLICATIONS, uses_of
from iqa_jax.readouts import READOUTS


def test_every_published_metric_is_cited_for_something():
    assert {name for name in list_metrics() if not any(uses_of(name).values())} == {"psnr"}


def test_presets_are_cited_as_their_metric():
    assert uses_of("ssim:matlab") == {"metric ssim:matlab": ("wang2004image",)}
    assert uses_of("ms-ssim") == {"metric ms-ssim": ("wang2003multiscale",)}


def test_a_readout_is_cited_part_by_part():
    assert uses_of("lpips-vgg") == {
        "network vgg16": ("simonyan2015very",),
        "read-out unit": ("zhang2018unreasonable",),
        "relevance lpips-vgg": ("zhang2018unreasonable",),
    }
    assert uses_of("edges.py:edges/across/l2@mine") == {
        "network edges.py:edges": (),
        "read-out l2": (),
        "relevance mine": (),
    }


def test_published_readouts_are_readouts():
    assert set(READOUT_PUBLICATIONS) < set(READOUTS)

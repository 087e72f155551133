import pytest

from iqa_jax.metrics.pixels import PIXEL_METRICS
from iqa_jax.metrics.registry import READOUT_METRICS
from iqa_jax.metrics.speed import SPEEDS, speed_class


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_class_ends_at_its_bound(speed):
    assert speed_class(SPEEDS[speed]) == speed
    assert speed_class(0.9 * SPEEDS[speed]) == speed


def test_every_metric_has_a_class():
    assert {each.speed for each in (*PIXEL_METRICS.values(), *READOUT_METRICS.values())} <= set(
        SPEEDS
    )

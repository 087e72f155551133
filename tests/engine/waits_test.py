"""What limits the speed of a run."""

import time

import pytest

from iqa_jax import progress
from iqa_jax.engine import waits as module
from iqa_jax.engine.waits import WAITS, Waits, saying_what_limits


def test_time_is_added_to_what_is_waited_for():
    waits = Waits(images=1.0)
    with waits.on("images"):
        time.sleep(0.01)
    with pytest.raises(KeyError), waits.on("values"):
        raise KeyError
    assert waits.images >= 1.01
    assert waits.values > 0
    assert waits.transfer == 0


@pytest.mark.parametrize(
    ("waits", "limit"),
    [
        (Waits(31.4, 0.6, 5), "waited 31 s for images, 1 s for transfer, 5 s for values: decoding"),
        (Waits(1, 9, 5), "1 s for images, 9 s for transfer, 5 s for values: transfer"),
        (Waits(1, 0, 5), "1 s for images, 0 s for transfer, 5 s for values: the devices"),
    ],
)
def test_the_longest_wait_limits(waits, limit):
    assert f"{limit} limited the speed" in str(waits)


@pytest.mark.parametrize(("seconds", "said"), [(9, False), (11, True)])
def test_only_long_waits_are_worth_a_message(seconds, said, monkeypatch, capsys):
    monkeypatch.setattr(WAITS, "images", 100.0)
    with progress.shown(), saying_what_limits():
        WAITS.images += seconds
    waited = f"waited {seconds} s for images"
    assert (waited in capsys.readouterr().err) == said


def test_a_run_that_fails_says_nothing(monkeypatch, capsys):
    monkeypatch.setattr(module, "_LONG", 0.0)
    monkeypatch.setattr(WAITS, "images", 100.0)

    def fail():
        with progress.shown(), saying_what_limits(), WAITS.on("images"):
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert not capsys.readouterr().err

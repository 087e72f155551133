import pytest

from iqa_jax.engine.unsaved import save_all, saved_in_the_end


class Sink:
    def __init__(self):
        self.finished = 0

    def finish(self):
        self.finished += 1


def test_running_sinks_are_saved_on_demand_and_in_the_end():
    first, second = Sink(), Sink()
    with saved_in_the_end(first), saved_in_the_end(second):
        save_all()
        assert (first.finished, second.finished) == (1, 1)
    assert (first.finished, second.finished) == (2, 2)
    save_all()
    assert (first.finished, second.finished) == (2, 2)


def test_an_error_saves_as_well():
    sink = Sink()

    def fail():
        with saved_in_the_end(sink):
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert sink.finished == 1

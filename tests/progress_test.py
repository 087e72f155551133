import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from iqa_jax.progress import bar, inform, shown, warn


def work():
    inform("two items")
    assert list(bar(range(2), desc="items")) == [0, 1]


def test_nothing_is_printed_unless_it_is_asked_for(capfd, caplog):
    caplog.set_level(logging.INFO, "iqa_jax")
    work()
    with shown(wanted=False):
        work()
    assert capfd.readouterr() == ("", "")
    assert caplog.messages == ["two items"] * 2


def test_messages_and_bars_are_shown_on_stderr(capfd, caplog):
    with shown(), shown(wanted=False):
        work()
        warn("mind this")
    out, err = capfd.readouterr()
    assert not out
    assert err.startswith("two items\n")
    assert "mind this\n" in err
    assert "items: 100%" in err
    assert not caplog.messages


def test_a_warning_is_logged_as_one(caplog):
    warn("mind this")
    assert [(each.levelname, each.name) for each in caplog.records] == [("WARNING", "iqa_jax")]


def test_what_is_shown_ends_with_the_block_and_is_of_one_thread(capfd):
    with shown(), ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
    with pytest.raises(KeyError), shown():
        raise KeyError
    work()
    assert capfd.readouterr() == ("", "")

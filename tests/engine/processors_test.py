import os

import pytest

from iqa_jax.engine import processors
from iqa_jax.engine.processors import processor_count


@pytest.fixture
def quota(tmp_path, monkeypatch):
    """Writes the quota of a container with 64 processors."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    path = tmp_path / "cpu.max"
    monkeypatch.setattr(processors, "_QUOTA", path)
    return path.write_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("max 100000", 64), ("350000 100000", 4), ("20000 100000", 1), ("9900000 100000", 64)],
)
def test_in_a_container(quota, text, expected):
    quota(f"{text}\n")
    assert processor_count() == expected


def test_without_a_container(quota):
    assert processor_count() == 64


def test_where_no_process_is_bound(quota, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert processor_count() == 3

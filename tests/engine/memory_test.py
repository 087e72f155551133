import pytest

from iqa_jax.engine import memory

MEMINFO = "MemTotal:  100 kB\nMemAvailable:   40 kB\nHugePages_Total:       0\n"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """The kernel's files."""
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CGROUPS", (tmp_path / "two", tmp_path / "one"))
    (tmp_path / "meminfo").write_text(MEMINFO)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    return tmp_path


def test_memory_of_the_machine(machine):
    assert memory.available() == 40 * 1024


def test_unknown_memory(machine):
    (machine / "meminfo").unlink()
    assert memory.available() is None


@pytest.mark.parametrize(
    ("folder", "limit", "usage", "reclaimable"),
    [
        ("two", "memory.max", "memory.current", "inactive_file"),
        ("one", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ],
)
def test_memory_of_the_container(folder, limit, usage, reclaimable, machine):
    (machine / folder / limit).write_text("9000\n")
    (machine / folder / usage).write_text("5000\n")
    assert memory.available() == 4000
    (machine / folder / "memory.stat").write_text(f"anon 10\n{reclaimable} 3000\n")
    assert memory.available() == 7000
    (machine / folder / limit).write_text("max\n")
    assert memory.available() == 40 * 1024

"""TPU hosts that work without each other."""

import pytest

from iqa_jax.errors import InputError
from iqa_jax.programs import independent_hosts
from iqa_jax.programs.independent_hosts import make_independent


@pytest.fixture
def chips(tmp_path, monkeypatch):
    """``chips(4)``: a machine with as many TPU chips."""

    def make(count):
        for number in range(count):
            (tmp_path / f"{number}").touch()
        (tmp_path / "vfio").touch()
        devices = (("/nowhere", "accel[0-9]*"), (str(tmp_path), "[0-9]*"))
        monkeypatch.setattr(independent_hosts, "_DEVICES", devices)

    return make


@pytest.mark.parametrize(
    ("count", "bounds"), [(1, "1,1,1"), (2, "1,2,1"), (4, "2,2,1"), (8, "2,4,1")]
)
def test_the_chips_of_a_host_become_a_slice(count, bounds, chips):
    chips(count)
    environ = {}
    make_independent(environ)
    assert environ == {"TPU_PROCESS_BOUNDS": "1,1,1", "TPU_CHIPS_PER_PROCESS_BOUNDS": bounds}


def test_a_known_arrangement_is_kept(chips):
    chips(0)
    environ = {"TPU_CHIPS_PER_HOST_BOUNDS": "1,4,1", "TPU_PROCESS_BOUNDS": "4,1,1"}
    make_independent(environ)
    assert environ["TPU_CHIPS_PER_PROCESS_BOUNDS"] == "1,4,1"
    assert environ["TPU_PROCESS_BOUNDS"] == "1,1,1"
    environ = {"TPU_CHIPS_PER_PROCESS_BOUNDS": "4,1,1"}
    make_independent(environ)
    assert environ["TPU_CHIPS_PER_PROCESS_BOUNDS"] == "4,1,1"


@pytest.mark.parametrize("count", [0, 3])
def test_an_unknown_arrangement_is_refused(count, chips, iqa):
    chips(count)
    with pytest.raises(InputError, match=f"found {count}; set TPU_CHIPS_PER_PROCESS_BOUNDS, or"):
        make_independent({})
    refused = iqa("score", "--metrics=psnr", "--independent_hosts")
    assert refused.status == 1
    assert "expected a host with 1, 2, 4, 8 TPU chips" in refused.stderr

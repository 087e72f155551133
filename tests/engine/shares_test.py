"""The share of a process, as engines describe it in their variables."""

import pytest

from iqa_jax.engine.shares import Share, find_share
from iqa_jax.errors import InputError


def array(number, low, high, count, step, **more):
    names = ("ID", "MIN", "MAX", "COUNT", "STEP")
    values = (number, low, high, count, step)
    texts = {
        f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in zip(names, values, strict=True)
    }
    return {**texts, **more}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "process 0 of 1"),
        ({"JOB_COMPLETION_INDEX": "5"}, "process 5 (Kubernetes)"),
        ({"SLURM_PROCID": "3", "SLURM_NTASKS": "8"}, "process 3 of 8 (SLURM)"),
        (
            {"SLURM_PROCID": "1", "SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "2"},
            "process 1 of 2 (SLURM)",
        ),
        (array(3, 0, 7, 8, 1), "process 3 of 8 (SLURM array)"),
        (array(7, 1, 13, 5, 3), "process 2 of 5 (SLURM array)"),
        (array(7, 1, 9, 3, 1), "process 7 (SLURM array)"),  # --array=1,7,9
        ({"SLURM_ARRAY_TASK_ID": "4"}, "process 4 (SLURM array)"),
        (
            array(2, 1, 4, 4, 1, SLURM_PROCID="1", SLURM_NTASKS="2"),
            "process 3 of 8 (SLURM array of 2 tasks each)",
        ),
        (
            {"TPU_WORKER_ID": "1", "TPU_WORKER_HOSTNAMES": "a,b,c,d"},
            "process 1 of 4 (TPU workers)",
        ),
        (
            {
                **{"TPU_WORKER_ID": "1", "TPU_WORKER_HOSTNAMES": "a,b"},
                **{"MEGASCALE_SLICE_ID": "2", "MEGASCALE_NUM_SLICES": "3"},
            },
            "process 5 of 6 (TPU workers)",
        ),
        ({"TPU_WORKER_ID": "1"}, "process 0 of 1"),
    ],
)
def test_engines_are_recognised(environ, expected):
    assert str(find_share(environ)) == expected


def test_flags_come_first():
    share = find_share({"JOB_COMPLETION_INDEX": "5"}, index=1, count=2)
    assert str(share) == "process 1 of 2 (flags)"
    assert not share.is_alone
    assert find_share({}).is_alone


@pytest.mark.parametrize(
    ("environ", "flags", "complaint"),
    [
        ({}, {"index": 1}, "expected --process_index and --process_count, found --process_index"),
        ({}, {"count": 1}, "expected --process_index and --process_count, found --process_count"),
        ({}, {"index": 2, "count": 2}, "at least 0 and less than 2, found 2 .flags."),
        ({"JOB_COMPLETION_INDEX": ""}, {}, "JOB_COMPLETION_INDEX: expected a number, found ''"),
        ({"JOB_COMPLETION_INDEX": "-1"}, {}, "at least 0, found -1 .Kubernetes."),
        ({"SLURM_PROCID": "x"}, {}, "SLURM_PROCID: expected a number, found 'x'"),
        (array(9, 0, 7, 8, 1), {}, "less than 8, found 9 .SLURM array."),
        ({"TPU_WORKER_ID": "2", "TPU_WORKER_HOSTNAMES": "a,b"}, {}, "less than 2, found 2"),
    ],
)
def test_impossible_shares_are_refused(environ, flags, complaint):
    with pytest.raises(InputError, match=complaint):
        find_share(environ, **flags)


@pytest.mark.parametrize("count", [1, 2, 3, None])
@pytest.mark.parametrize("pieces", [0, 1, 7])
def test_every_process_looks_at_every_piece_once(pieces, count):
    for index in range(count or 3):
        assert sorted(Share(index, count).order(pieces)) == list(range(pieces))


def test_own_pieces_come_first():
    assert list(Share(1, 3).order(8)) == [1, 4, 7, 6, 5, 3, 2, 0]


def test_processes_of_an_unknown_number_start_in_different_places():
    starts = {next(Share(index, None).order(1000)) for index in range(20)}
    assert len(starts) > 15

"""deploy/slurm_array.sbatch on a real SLURM."""

import os
import re
from pathlib import Path

import pytest
from cluster.slurm_cluster import PROGRAMS, queue, run, slurm_cluster, which
from cluster.waiting import wait_until

SCRIPT = Path(__file__).parents[2] / "deploy" / "slurm_array.sbatch"


@pytest.fixture
def slurm(work):
    """Variables of a shell with a cluster; where CI has installed SLURM, it must be there."""
    missing = [program for program in PROGRAMS if not which(program)]
    if missing and "IQA_JAX_SLURM" not in os.environ:
        pytest.skip(f"there is no SLURM here: no {', '.join(missing)}")
    with slurm_cluster() as environment:
        yield {**work.environment, **environment}


def restarts(slurm, task):
    described = run(slurm, "scontrol", "--oneliner", "show", "job", task)
    assert " JobState=COMPLETED " in described
    return int(re.search(r" Restarts=(\d+) ", described)[1])


@pytest.mark.slow
def test_tasks_that_are_stopped_half_way_are_queued_again(slurm, work, tmp_path, monkeypatch):
    """One by the administrator, or for a job of more importance; one at the limit of its time."""
    monkeypatch.chdir(tmp_path)
    array = run(slurm, "sbatch", "--parsable", SCRIPT, *work.flags, f"--output={work.folder}")
    tasks = [f"{array}_{number}" for number in range(4)]
    logs = [tmp_path / f"iqa-{task}.log" for task in tasks]

    def are_at_work():
        assert queue(slurm), [log.read_text() for log in logs]
        return work.finished and all(
            log.exists() and f"process {number} of 4 (SLURM array)\n" in log.read_text()
            for number, log in enumerate(logs[:2])
        )

    wait_until(are_at_work, "the first two tasks")
    first, second = (run(slurm, "squeue", "-h", "-o", "%A", "-j", task) for task in tasks[:2])
    run(slurm, "scancel", "--signal=TERM", f"{second}.0")  # for a whole task it is sent again
    run(slurm, "scontrol", "requeue", first)
    wait_until(lambda: not queue(slurm), "the end of the array")
    said = [log.read_text() for log in logs]
    assert [restarts(slurm, task) for task in tasks] == [1, 1, 0, 0], said
    assert "interrupted; what is done is kept" in said[1]
    assert "process 3 of 4 (SLURM array)\n" in said[3]
    assert work.merged == work.whole()

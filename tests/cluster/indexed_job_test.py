"""deploy/indexed_job.yaml: valid for Kubernetes, and its pods as processes of this machine."""

import re
import signal
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from cluster.waiting import PATIENCE, wait_until

JOB = yaml.safe_load((Path(__file__).parents[2] / "deploy" / "indexed_job.yaml").read_text())
CONTAINER = JOB["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize("version", ["1.29", kubernetes_validate.latest_version()])
def test_the_job_is_valid(version):
    kubernetes_validate.validate(JOB, version, strict=True)


def test_an_unknown_field_is_not():
    spec = {**JOB["spec"], "backoffLimitPerPod": 3}
    with pytest.raises(kubernetes_validate.ValidationError, match="backoffLimitPerPod"):
        kubernetes_validate.validate({**JOB, "spec": spec}, "1.29", strict=True)


def action(status):
    """What the job does after a pod has ended with a status; Count if no rule applies."""
    for rule in JOB["spec"]["podFailurePolicy"]["rules"]:
        codes = rule.get("onExitCodes", {"operator": "In", "values": []})
        assert codes["operator"] == "In"
        if status in codes["values"]:
            return rule["action"]
    return "Count"


def test_what_is_interrupted_is_tried_again_and_what_is_wrong_is_not():
    assert [action(status) for status in (75, 137, 1, 2)] == ["Ignore", "Count", *["FailIndex"] * 2]


class Pod:
    """A process with an index."""

    def __init__(self, index, work):
        command = [*CONTAINER["command"], *work.flags, f"--output={work.folder}"]
        environment = {**work.environment, "JOB_COMPLETION_INDEX": str(index)}
        self.log = work.folder.with_name(f"pod{index}.log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, env=environment, stderr=log)

    def end(self):
        status = self.process.wait(PATIENCE)
        assert self.is_at_work, self.log.read_text()
        return status

    @property
    def is_at_work(self):
        return re.match(r"process \d \(Kubernetes\)\n", self.log.read_text())


def test_the_flags_of_the_file_are_those_that_are_tried():
    flags = [argument.partition("=")[0] for argument in CONTAINER["args"]]
    assert flags == ["--metrics", "--pairs", "--output", "--checkpoints_dir"]


@pytest.mark.slow
def test_pods_that_are_preempted_are_replaced(work):
    """One is given notice, one is not; each is replaced by one of the same index."""
    pods = [Pod(index, work) for index in range(3)]
    wait_until(lambda: work.finished and all(pod.is_at_work for pod in pods), "the first shard")
    pods[0].process.send_signal(signal.SIGTERM)
    pods[1].process.kill()
    assert action(pods[0].end()) == "Ignore"
    assert pods[1].end() == -signal.SIGKILL
    pods[:2] = Pod(0, work), Pod(1, work)
    assert [pod.end() for pod in pods] == [0, 0, 0]
    assert work.merged == work.whole()

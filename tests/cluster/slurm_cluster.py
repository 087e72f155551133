"""A SLURM cluster of one node on this machine, beside any other that it may have."""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from cluster.waiting import PATIENCE, wait_until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "scancel", "squeue")
SLOTS = 2
CONFIGURATION = """\
ClusterName=iqa
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
# A job that is queued again waits until its credential has expired.
AuthInfo=socket={folder}/munge.socket,cred_expire=20
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={slots} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def which(program: str) -> str | None:
    """Path of a program; daemons are where a user's shell may not look."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin")


def run(environment: Mapping[str, str], *command: object) -> str:
    """What one of SLURM's programs prints."""
    arguments = [str(each) for each in command]
    done = subprocess.run(
        arguments, env={**os.environ, **environment}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout.strip()


def queue(environment: Mapping[str, str]) -> list[str]:
    """States of the jobs that are not over."""
    return run(environment, "squeue", "--noheader", "--array", "--format=%i %T %r").splitlines()


@contextmanager
def slurm_cluster() -> Iterator[Mapping[str, str]]:
    """Yields the variables with which SLURM's programs find the cluster."""
    host = socket.gethostname().partition(".")[0]
    # Names of sockets are short; pytest's folders may be too long.
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    folder.chmod(0o755)
    configuration = folder / "slurm.conf"
    controller_port, node_port = _free_ports(2)
    names = {"host": host, "user": getpass.getuser(), "folder": folder, "slots": SLOTS}
    configuration.write_text(
        CONFIGURATION.format(**names, controller_port=controller_port, node_port=node_port)
    )
    (folder / "state").mkdir()
    (folder / "spool").mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(64))
    key.chmod(0o400)
    environment = {"SLURM_CONF": str(configuration)}
    files = [f"--key-file={key}", f"--socket={folder / 'munge.socket'}"]
    files += [f"--{each}-file={folder / f'munge.{each}'}" for each in ("log", "pid", "seed")]
    try:
        with ExitStack() as daemons:
            daemons.enter_context(_daemon(["munged", "--foreground", "--force", *files]))
            wait_until((folder / "munge.socket").exists, "munged")
            for each in (["slurmctld", "-D"], ["slurmd", "-D", "-N", host]):
                daemons.enter_context(_daemon(each, environment))
            wait_until(lambda: _is_idle(environment), f"the node\n{_logs(folder)}")
            try:
                yield environment
            finally:
                run(environment, "scancel", f"--user={names['user']}")
                wait_until(lambda: not queue(environment), "the end of all jobs")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _daemon(command: list[str], environment: Mapping[str, str] | None = None) -> Iterator[None]:
    program, *arguments = command
    process = subprocess.Popen(
        [which(program) or program, *arguments],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_idle(environment: Mapping[str, str]) -> bool:
    command = ["sinfo", "--noheader", "--format=%T"]  # fails while the controller starts
    done = subprocess.run(
        command, env={**os.environ, **environment}, check=False, capture_output=True, text=True
    )
    return done.stdout.strip() == "idle"


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _logs(folder: Path) -> str:
    return "\n".join(path.read_text(errors="replace")[-1000:] for path in folder.glob("*.log"))

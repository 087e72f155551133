import subprocess
import sys

from iqa_jax.zoo import MODELS


def test_python_m_lists_all():
    command = [sys.executable, "-m", "iqa_jax.zoo"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    names = [line.split()[0].rstrip("*") for line in lines[2 : 2 + len(MODELS)]]
    assert names == list(MODELS)
    assert sum(line.split()[0].endswith("*") for line in lines if line.startswith("  ")) == 46
    (resnet,) = [line for line in lines if line.split()[:1] == ["resnet50*"]]
    assert resnet.split()[1:] == [
        *("resnet50", "supervised", "imagenet1k", "download", "23.51", "76.1", "76.1")
    ]
    assert f"{len(MODELS)} networks" in done.stdout
    assert not done.stderr

"""Two processes, each with batches of its own."""

import socket
import subprocess
import sys
from dataclasses import astuple

import numpy as np
import pytest

import iqa_jax

PROGRAM = """
import sys
from dataclasses import astuple

import jax
import numpy as np

process, port = int(sys.argv[1]), sys.argv[2]
jax.distributed.initialize(f"localhost:{port}", num_processes=2, process_id=process)
assert jax.process_count() == 2

import iqa_jax

images = np.random.default_rng(0).random((2, 5, 16, 16, 3), np.float32)
stream = iqa_jax.stream("psnr", "ssim")
for place in range(5)[process::2]:  # three of the pairs, and two
    stream = stream.update(images[0, place, None], images.mean(0)[place, None])
print(*(n for each in stream.merge_processes().compute().values() for n in astuple(each)))
"""


def test_processes_join_their_totals():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(process), port],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for process in range(2)
    ]
    outputs = [run.communicate(timeout=600) for run in runs]
    for run, (_, errors) in zip(runs, outputs, strict=True):
        assert run.returncode == 0, errors
    first, second = (stdout.splitlines()[-1].split() for stdout, _ in outputs)
    assert first == second
    images = np.random.default_rng(0).random((2, 5, 16, 16, 3), np.float32)
    whole = iqa_jax.stream("psnr", "ssim").update(images[0], images.mean(0)).compute()
    expected = [number for each in whole.values() for number in astuple(each)]
    assert [float(number) for number in first] == pytest.approx(expected, rel=1e-6)

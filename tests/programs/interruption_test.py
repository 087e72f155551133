"""Programs that are ended by a signal."""

import hashlib
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from iqa_jax import __main__
from iqa_jax.programs import interruption
from iqa_jax.programs.interruption import SIGNALS, ending_on_signals
from iqa_jax.programs.running import ExitStatus

SLOW = '''
"""A network that takes minutes to compile for images lower than 64 pixels."""
import jax


def net(images):
    x = images
    for number in range(5000 if images.shape[1] < 64 else 1):
        x = jax.lax.sort(x, dimension=1 + number % 2)
    return {"sorted": x}
'''


@pytest.fixture(autouse=True)
def foreground():
    """A process that does not ignore SIGINT, as a background job does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_interrupts_and_the_next_does_not(number):
    before = signal.getsignal(number)
    ended = []

    def work():
        with ending_on_signals(lambda: ended.append("by the watcher")):
            try:
                signal.raise_signal(number)
            finally:
                signal.raise_signal(number)
                ended.append("saved")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert ended == ["saved"]
    assert signal.getsignal(number) is before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_block_that_does_not_return_to_python_is_ended(monkeypatch):
    monkeypatch.setattr(interruption, "_SECONDS", 0.01)
    ended = threading.Event()

    def work():
        with ending_on_signals(ended.set):
            threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGTERM)).start()
            hashlib.pbkdf2_hmac("sha256", b"", b"", 3_000_000)  # about a second

    with pytest.raises(KeyboardInterrupt):
        work()
    assert ended.is_set()


def test_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with ending_on_signals(lambda: pytest.fail("the process goes on")):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_leave_signals_alone():
    handlers = [signal.getsignal(number) for number in SIGNALS]
    found = []

    def work():
        with ending_on_signals(lambda: None):
            found.extend(signal.getsignal(number) for number in SIGNALS)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == handlers


def test_what_is_computed_is_saved_while_something_else_compiles(environment, tmp_path, rng):
    rows = ["reference,distorted,score"]
    for number, (height, width) in enumerate([(96, 64), (32, 48)]):
        for image in (f"r{number}", f"d{number}"):
            pixels = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{image}.png")
        rows.append(f"r{number}.png,d{number}.png,{number}")
    (tmp_path / "pairs.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "slow.py").write_text(SLOW)
    command = [
        *(sys.executable, "-m", "iqa_jax", "evaluate", "--dataset=csv"),
        *(f"--data_dir={tmp_path / 'pairs.csv'}", f"--models={tmp_path / 'slow.py'}:net"),
        *(f"--output_dir={tmp_path / 'out'}", "--compilation_cache_dir="),
    ]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**environment, "JAX_LOG_COMPILES": "1"}
    ) as process:
        started = []
        for line in process.stderr:
            if "Compiling jit(run)" in line:
                started.append(line)
            if len(started) == 2:
                break
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
    assert process.returncode == ExitStatus.INTERRUPTED == 75
    assert "interrupted; what is done is kept, run again to continue" in said
    assert "Finished XLA compilation" not in said
    (part,) = (tmp_path / "out").rglob("part-*.npz")
    assert len(np.load(part)["keys"]) == 1


COMMAND = """
import atexit, os, signal, sys
from iqa_jax import __main__
from iqa_jax.programs import running

def run(*_):
    {meanwhile}
    return 75

atexit.register(os.kill, os.getpid(), signal.SIGTERM)
running.run = run
sys.argv = ["iqa", "models"]
sys.exit(__main__.main())
"""


@pytest.mark.parametrize("meanwhile", ["pass", "os.kill(os.getpid(), signal.SIGINT); 1 / 0"])
def test_a_signal_before_or_after_the_program_has_the_same_status(meanwhile):
    code = COMMAND.format(meanwhile=meanwhile)
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == __main__._INTERRUPTED == ExitStatus.INTERRUPTED

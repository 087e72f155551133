"""Programs in this process, which is much faster than in their own, and pages in Chromium."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from programs.browser import Browser, Opened

from iqa_jax.__main__ import main
from iqa_jax.programs import running


@dataclass(frozen=True)
class Ended:
    """A program that has ended."""

    status: int
    stdout: str
    stderr: str


@pytest.fixture
def iqa(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ended]:
    """``iqa("score", "--metrics=psnr", ...)`` in this process; no compiled program is kept."""
    monkeypatch.setattr(running, "_keep_compiled_programs", lambda settings: None)

    def call(*arguments: object) -> Ended:
        capsys.readouterr()
        status = main([str(each) for each in arguments])
        return Ended(status, *capsys.readouterr())

    return call


@pytest.fixture
def environment() -> Mapping[str, str]:
    """The environment of a user's shell on a machine without accelerators."""
    return {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""}


@pytest.fixture
def shell(environment: Mapping[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``shell("score", "--metrics=psnr", ...)`` in a process of its own."""

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "iqa_jax", *map(str, arguments)]
        return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)

    return call


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser without a network.

    Its driver keeps an event loop running, which tests of other modules would stumble over.
    """
    program = os.environ.get("IQA_JAX_CHROMIUM") or shutil.which("chromium")
    if not program:
        pytest.skip("IQA_JAX_CHROMIUM is not set, and there is no chromium on the path")
    with Browser.started(program) as started:
        yield started


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """``opened(file, width=1280)``; ends with an error if a page has logged one."""
    pages = []

    def call(file: Path, *, width: int = 1280) -> Opened:
        pages.append(browser.open(file, width))
        return pages[-1]

    yield call
    for each in pages:
        each.close()

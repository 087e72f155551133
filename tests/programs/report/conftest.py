"""Pages in Debian's headless Chromium."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from programs.report import made_up
from programs.report.browser import Browser, Opened


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


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small evaluation; no test writes into it."""
    return made_up.results(tmp_path_factory.mktemp("evaluation"))

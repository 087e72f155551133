"""The results of an evaluation for a report."""

from pathlib import Path

import pytest
from programs.report import made_up


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small evaluation; no test writes into it."""
    return made_up.results(tmp_path_factory.mktemp("evaluation"))

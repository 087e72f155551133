"""The page of the evaluation that was made up."""

import pytest
from PIL import Image
from programs.report.page.seen import GREEN, rows_of

from iqa_jax.__main__ import main


@pytest.fixture(scope="session")
def file(results, tmp_path_factory):
    """The page of the evaluation that was made up, with a map of every pair."""
    folder = tmp_path_factory.mktemp("page")
    maps = folder / "maps"
    maps.mkdir()
    for number, row in enumerate(rows_of(results), start=1):
        stem = row["distorted"].removesuffix(".png")
        Image.new("RGB", (64, 48), GREEN).save(maps / f"{number:06d}_{stem}_ssim.png")
    output = folder / "out" / "page.html"
    arguments = [f"--results={results}", f"--output={output}", f"--maps_dir={maps}"]
    assert main(["report", *arguments]) == 0
    return output


@pytest.fixture(scope="session")
def rows(results):
    return rows_of(results)


@pytest.fixture
def view(opened, file):
    return opened(file)

"""What the tests of datasets share."""

from pathlib import Path

import pytest
from datasets import trees


@pytest.fixture
def empty_image(tmp_path_factory: pytest.TempPathFactory) -> trees.SaveImage:
    """Makes images of no bytes, quickly: of all of them there is one file."""
    image: Path = tmp_path_factory.mktemp("empty") / "image"
    image.touch()
    return trees.links_to(image)

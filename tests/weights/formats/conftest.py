import pytest
from etils import epath

from iqa_jax.weights.formats.reading import read_checkpoint


@pytest.fixture
def read(tmp_path):
    """Reads bytes as a file."""

    def read(data):
        path = epath.Path(tmp_path) / "a.pth"
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        return read_checkpoint(path)

    return read

import pytest
from etils import epath

from iqa_jax.engine.store.layout import file_name, store_path

NAMES = ("vgg16", "layer2.3", "mine.py:net", "a/b", "a_b", "a%2Fb", "..", ".", "Größe 2")


def test_different_names_are_different_files_in_one_folder():
    files = [file_name(name) for name in NAMES]
    assert len(set(files)) == len(NAMES)
    assert not any("/" in name or name in (".", "..") for name in files)
    assert files[:2] == ["vgg16", "layer2.3"]


@pytest.mark.parametrize("folder", ["stores", "gs://bucket/stores"])
def test_the_folder_of_a_store(folder):
    found = store_path(folder, "tid2013", "mine.py:net")
    assert found == epath.Path(folder) / "tid2013" / "mine.py%3Anet"

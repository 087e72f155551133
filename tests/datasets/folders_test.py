from pathlib import Path

import pytest
from etils import epath

from iqa_jax.datasets.folders import FolderIndex, files_below, image_in
from iqa_jax.errors import DatasetError
from iqa_jax.files import write_text


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Images" / "deep").mkdir(parents=True)
    for name in ("I01.BMP", "i02.bmp", "I02.bmp"):
        (tmp_path / "Images" / name).touch()
    (tmp_path / "scores.txt").touch()
    return epath.Path(tmp_path)


def test_names_are_found_regardless_of_case(folder):
    index = FolderIndex(folder / "Images")
    assert index.find("i01.bmp") == "I01.BMP"
    assert index.find("i03.bmp") is None
    assert index.require("i01.bmp") == folder / "Images" / "I01.BMP"
    assert index.entries == ["I01.BMP", "I02.bmp", "deep", "i02.bmp"]


def test_an_exact_name_is_unambiguous_and_any_other_is_not(folder):
    index = FolderIndex(folder / "Images")
    assert index.find("i02.bmp") == "i02.bmp"
    with pytest.raises(DatasetError, match="I02.BMP could be any of I02.bmp, i02.bmp"):
        index.find("I02.BMP")


def test_one_of_several_names(folder):
    index = FolderIndex(folder)
    assert index.find("pictures", "images") == "Images"
    with pytest.raises(DatasetError, match="has Images and scores.txt, but only one"):
        index.require("images", "scores.txt")
    with pytest.raises(DatasetError, match="expected a or b in it, found Images, scores.txt$"):
        index.require("a", "b")


def test_images_are_named_from_the_first_folder(folder):
    index = FolderIndex(folder).enter("images")
    assert index.image("i01.bmp") == "Images/I01.BMP"
    assert index.image("missing.bmp") == "Images/missing.bmp"
    assert index.enter("DEEP").image("x.bmp") == "Images/deep/x.bmp"


def test_one_image_in_one_of_several_folders(folder):
    index = FolderIndex(folder)
    (folder / "other").mkdir()
    folders = [FolderIndex(folder).enter("other"), index.enter("images")]
    assert image_in(folders, "i01.bmp") == "Images/I01.BMP"
    assert image_in(folders, "missing.bmp") == "other/missing.bmp"
    (folder / "other" / "I01.bmp").touch()
    folders[0] = FolderIndex(folder).enter("other")
    with pytest.raises(DatasetError, match="any of other/I01.bmp, Images/I01.BMP; keep one"):
        image_in(folders, "i01.bmp")


def test_paths_that_are_not_folders(folder):
    with pytest.raises(DatasetError, match="there is no folder .*nowhere"):
        FolderIndex(folder / "nowhere")
    with pytest.raises(DatasetError, match="scores.txt: expected a folder, found a file"):
        FolderIndex(folder).enter("scores.txt")
    Path(folder / "loop").symlink_to(folder / "loop")
    with pytest.raises(DatasetError, match="loop: cannot be listed .*symbolic links"):
        FolderIndex(folder).enter("loop")


def test_listings_of_large_folders_are_cut(folder):
    for number in range(20):
        (folder / f"{number:02d}.txt").touch()
    with pytest.raises(DatasetError, match=r"found 00.txt, .*09.txt, \.\.\.$"):
        FolderIndex(folder).require("x")


def test_folders_in_a_bucket(bucket):
    for name in ("Images/A.png", "Images/deep/b.png", "scores.csv"):
        write_text(bucket / name, name)
    index = FolderIndex(bucket)
    assert index.require("images") == bucket / "Images"
    assert sorted(files_below(bucket)) == [
        bucket / name for name in ("Images/A.png", "Images/deep/b.png", "scores.csv")
    ]
    with pytest.raises(DatasetError, match="there is no folder gs://bucket/.*/none"):
        list(files_below(bucket / "none"))

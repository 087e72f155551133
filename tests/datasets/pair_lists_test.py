import tempfile
from pathlib import Path

import pytest
from etils import epath

from iqa_jax.datasets import pair_lists
from iqa_jax.errors import DatasetError


@pytest.fixture
def folders(tmp_path):
    for name in ("clean/a.png", "clean/deep er/b.PNG", "coded/a.jpg", "coded/deep er/b.webp"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "coded" / "notes.txt").touch()
    return epath.Path(tmp_path)


def test_folders_are_matched_by_path_and_stem(folders):
    table = pair_lists.two_folders(folders / "clean", folders / "coded")
    found = {(pair.reference, pair.distorted) for pair in table.pairs}
    assert found == {
        (str(folders / "clean/a.png"), str(folders / "coded/a.jpg")),
        (str(folders / "clean/deep er/b.PNG"), str(folders / "coded/deep er/b.webp")),
    }


def test_images_of_one_stem_are_matched_by_their_whole_names(folders):
    for folder in ("clean", "coded"):
        for name in ("e.png", "e.jpg"):
            (folders / folder / name).touch()
    table = pair_lists.two_folders(folders / "clean", folders / "coded")
    found = [pair for pair in table.pairs if "/e." in pair.reference]
    assert len(found) == 2
    for pair in found:
        assert pair.reference.replace("clean", "coded") == pair.distorted


def test_images_without_a_partner_are_listed(folders):
    (folders / "clean" / "c.png").touch()
    (folders / "coded" / "deep er" / "d.png").touch()
    (folders / "coded" / "a.png").touch()
    with pytest.raises(DatasetError) as error:
        pair_lists.two_folders(folders / "clean", folders / "coded")
    text = str(error.value)
    assert text.startswith("3 names cannot be matched:")
    assert f"c: only in {folders / 'clean'}" in text
    assert f"deep er/d: only in {folders / 'coded'}" in text
    assert "a.jpg" in text
    assert "have the same name" in text


def test_long_lists_are_cut(folders, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(folders))
    for number in range(50):
        (folders / "clean" / f"{number}.png").touch()
    with pytest.raises(DatasetError, match=r"50 names .*(?s:.*)and 30 more; all are in .*\n"):
        pair_lists.two_folders(folders / "clean", folders / "coded")


def test_circular_links_are_not_followed_for_ever(folders):
    plain = pair_lists.two_folders(folders / "clean", folders / "coded")
    for folder in ("clean", "coded"):
        for name in ("self", "again"):
            Path(folders / folder / name).symlink_to(".")
        Path(folders / folder / "deep er" / "up").symlink_to("..")
    found = pair_lists.two_folders(folders / "clean", folders / "coded")
    assert repr(found) == repr(plain)  # scores are NaN


def test_one_folder_of_references_may_have_several_names(folders):
    for name in ("jpeg", "blur"):
        (folders / "all" / name).mkdir(parents=True)
        (folders / "all" / name / "a.jpg").touch()
        (folders / "references").mkdir(exist_ok=True)
        (folders / "original").mkdir(exist_ok=True)
        Path(folders / "references" / name).symlink_to("../original")
    (folders / "original" / "a.png").touch()
    table = pair_lists.two_folders(folders / "references", folders / "all")
    assert [pair.reference.split("/")[-2] for pair in table.pairs] == ["blur", "jpeg"]


def test_exploding_links_are_refused(folders):
    for level in range(11):
        (folders / "links" / str(level)).mkdir(parents=True)
        for name in ("one", "other"):
            Path(folders / "links" / str(level) / name).symlink_to(f"../{level + 1}")
    with pytest.raises(DatasetError, match="links lead to it by more than 1000 paths"):
        pair_lists.two_folders(folders / "links" / "0", folders / "coded")


def test_wrong_folders(folders):
    with pytest.raises(DatasetError, match="no: there is no such folder"):
        pair_lists.two_folders(folders / "no", folders / "coded")
    (folders / "empty").mkdir()
    with pytest.raises(DatasetError, match="empty: has no images"):
        pair_lists.two_folders(folders / "clean", folders / "empty")


def test_a_table(folders):
    path = folders / "pairs.csv"
    path.write_text("reference,distorted\nclean/a.png,coded/a.jpg\n")
    table = pair_lists.from_csv(path)
    assert (table.pairs[0].reference, table.pairs[0].distorted) == ("clean/a.png", "coded/a.jpg")
    assert table.images.root == folders
    path.write_text("reference,distorted\n")
    with pytest.raises(DatasetError, match="has no rows"):
        pair_lists.from_csv(path)
    path.write_text("reference,image\n")
    with pytest.raises(DatasetError, match="has no column distorted; expected reference,distorted"):
        pair_lists.from_csv(path)
    path.write_text("reference,distorted,distorted\nclean/a.png,coded/a.jpg,b.jpg\n")
    with pytest.raises(DatasetError, match="2 columns are called distorted"):
        pair_lists.from_csv(path)

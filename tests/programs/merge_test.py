"""``iqa merge``; see also ``score/sharing_test.py``."""

import json

import pytest
from programs.report.made_up import data_of


def test_only_folders_of_shards_are_merged(iqa, tmp_path):
    refused = iqa("merge", f"--output={tmp_path}")
    assert refused.status == 1
    assert refused.stderr == (
        f"iqa merge: error: {tmp_path}: expected a folder that iqa score has begun to fill\n"
    )
    missing = iqa("merge")
    assert "expected --output; see --help" in missing.stderr


@pytest.fixture
def merge(iqa, pair_folder, tmp_path):
    """Merges the scores of three pairs, one of which has none."""
    rows = ["reference,distorted", "a.png,a_1.png", "a.png,a_4.png", "a.png,gone.png"]
    (pair_folder / "some.csv").write_text("\n".join(rows) + "\n")
    output = f"--output={tmp_path / 'scores'}"
    iqa("score", "--metrics=psnr", f"--pairs={pair_folder / 'some.csv'}", output)
    return lambda *more: iqa("merge", output, *more)


def test_pairs_without_scores_and_beyond_limits_end_as_in_score(merge):
    unscored = merge()
    assert unscored.status == 2
    assert "iqa merge: 1 pair could not be scored in full; the column 'err" in unscored.stderr
    beyond = merge("--fail_beyond=psnr:99")
    assert beyond.status == 3
    assert "iqa merge: 2 pairs beyond psnr:99\n" in beyond.stderr
    assert "ssim is not computed; expected one of psnr" in merge("--fail_beyond=ssim:1").stderr


def test_a_page_shows_images_where_their_folder_is_named(merge, pair_folder, tmp_path):
    page = tmp_path / "pages" / "page.html"
    merge(f"--html={page}")
    assert data_of(page.read_text())["pictures"]["sources"] == {}
    merge(f"--html={page}", f"--images_dir={pair_folder}")
    sources = data_of(page.read_text())["pictures"]["sources"]
    assert {*sources} == {"a.png", "a_1.png", "a_4.png"}
    assert (page.parent / sources["a_1.png"]).samefile(pair_folder / "a_1.png")
    refused = merge(f"--html={page}", f"--images_dir={page.parent}")
    assert refused.status == 1
    assert f"--images_dir: there is no {page.parent / 'a.png'}; expected" in refused.stderr
    assert "--images_dir: without effect where no page" in merge("--images_dir=x").stderr


def test_scores_of_other_programs_are_not_reported(merge, tmp_path):
    path = tmp_path / "scores" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "metrics": {}}))
    refused = merge("--fail_beyond=psnr:99")
    assert refused.status == 1
    assert "has no scores of iqa score, which reports are about" in refused.stderr


def test_a_page_that_cannot_be_written_ends_before_the_merge(merge, tmp_path):
    table = tmp_path / "scores" / "scores.csv"
    table.unlink()
    refused = merge(f"--html={tmp_path}")
    assert refused.status == 1
    assert refused.stderr == f"iqa merge: error: {tmp_path}: Is a directory\n"
    assert not table.exists()

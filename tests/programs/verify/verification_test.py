import dataclasses
import math
import shutil

import pytest
from datasets import trees
from PIL import Image

from iqa_jax.datasets import fingerprint, inspect, load_dataset
from iqa_jax.programs.verify.checks import Verdict
from iqa_jax.programs.verify.verification import verify


def found(verification):
    return {check.subject: check.found for check in verification.checks}


def test_a_whole_dataset_has_no_problem(table):
    verification = verify(table)
    assert not verification.problems
    assert verification.table is table
    assert len(verification.headers) == 15
    assert verification.fingerprint == fingerprint(*inspect(table))
    assert found(verification)["PSNR against scores (Spearman)"] > 0.8


def test_headers_only_gives_the_same_fingerprint(table):
    quick = verify(table, headers_only=True)
    assert not quick.problems
    assert quick.fingerprint == verify(table).fingerprint
    unchecked = [check for check in quick.checks if check.verdict is Verdict.NOT_CHECKED]
    assert len(unchecked) == 4


def test_scores_of_the_other_direction_are_a_problem(table, tmp_path):
    few = verify(dataclasses.replace(table, higher_is_better=False))
    assert not few.problems
    for path in tmp_path.glob("*.png"):
        shutil.copy(path, tmp_path / f"again_{path.name}")
    again = [
        dataclasses.replace(
            pair, reference=f"again_{pair.reference}", distorted=f"again_{pair.distorted}"
        )
        for pair in table.pairs
    ]
    table = dataclasses.replace(table, pairs=[*table.pairs, *again], published_pairs=24)
    assert not verify(table).problems
    turned = verify(dataclasses.replace(table, higher_is_better=False))
    assert [check.subject for check in turned.problems] == ["PSNR against scores (Spearman)"]


def test_without_an_image_there_is_no_fingerprint(table, tmp_path):
    (tmp_path / "b_2.png").unlink()
    verification = verify(table)
    assert verification.fingerprint is None
    assert [check.items for check in verification.problems] == [["b_2.png"]]


def test_damaged_images_have_a_fingerprint(table, tmp_path):
    data = (tmp_path / "b_2.png").read_bytes()
    (tmp_path / "b_2.png").write_bytes(data[:-20] + bytes(8) + data[-12:])
    verification = verify(table)
    assert [check.subject for check in verification.problems] == ["images that do not decode"]
    assert verification.fingerprint == fingerprint(*inspect(table))


def test_an_empty_table(table):
    verification = verify(dataclasses.replace(table, pairs=[]))
    assert [check.subject for check in verification.problems] == ["pairs"]
    assert verification.fingerprint is None


def test_all_problems_are_reported_at_once(table, replace_row, tmp_path):
    (tmp_path / "a.png").unlink()
    (tmp_path / "a_1.png").write_bytes(b"")
    Image.new("RGB", (5, 5)).save(tmp_path / "b_1.png")
    table = replace_row(replace_row(table, 11, score=math.nan), 10, score=99.0)
    table = replace_row(table, 9, distorted="c_1.png")
    assert {check.subject for check in verify(table).problems} == {
        "rows without a finite score",
        "scores",
        "rows that repeat another",
        "images missing",
        "images unreadable",
        "pairs of unequal size",
    }


def test_a_tree_with_one_file_removed(tmp_path):
    rows = [("5.5", "I01_01_1.bmp"), ("4.5", "i01_02_2.bmp"), ("3.25", "i02_01_1.bmp")]
    trees.make_tid(tmp_path, rows, save_image=trees.save_small)
    (tmp_path / "distorted_images" / "i01_02_2.bmp").unlink()
    (tmp_path / "reference_images" / "I02.BMP").unlink()
    verification = verify(load_dataset("tid2013", data_dir=tmp_path, allow_partial=True))
    assert [(check.subject, check.items) for check in verification.problems] == [
        ("pairs", ()),
        ("images missing", ["distorted_images/i01_02_2.bmp", "reference_images/I02.BMP"]),
    ]


@pytest.mark.parametrize(
    ("dataset", "counts", "one"),
    [
        ("tid2008", (1700, 25), "distorted_images/I01_01_1.bmp"),
        ("tid2013", (3000, 25), "reference_images/I25.BMP"),
        ("kadid10k", (10125, 81), "images/I81_25_05.png"),
        ("csiq", (866, 30), "dst_imgs/jpeg2000/1600.jpeg2000.1.png"),
        ("live", (779, 29), "jp2k/img2.bmp"),
    ],
)
def test_the_published_counts_are_confirmed(dataset, counts, one, tmp_path, test_data):
    pairs, references = counts
    tables = test_data / "mos_tables"
    trees.make_published(dataset, tmp_path, tables, save_image=trees.save_small)
    verification = verify(load_dataset(dataset, data_dir=tmp_path))
    assert not verification.problems
    assert found(verification)["pairs"] == pairs
    assert found(verification)["pairs of identical pixels"] == pairs
    assert len({pair.reference for pair in verification.table.pairs}) == references
    assert len(verification.headers) == pairs + references
    (tmp_path / one).unlink()
    (problem,) = verify(load_dataset(dataset, data_dir=tmp_path), headers_only=True).problems
    assert (problem.subject, problem.items) == ("images missing", [one])

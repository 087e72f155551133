import dataclasses
import json
import math

import numpy as np
from PIL import Image
from triplets import Triplet, triplet_table

from iqa_jax.programs.verify.report import to_json, to_text
from iqa_jax.programs.verify.verification import verify


def block(text, first):
    """The lines from the one that starts with ``first`` to the next empty one."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(first))
    return lines[start : lines.index("", start)]


def test_text_of_a_whole_dataset(table):
    verification = verify(table)
    text = to_text(verification)
    lines = text.splitlines()
    assert lines[-1] == "noisy: no problem found"
    for expected in (
        "  licence      free",
        "  citation     Noise et al., 2024",
        "  protocol     opinion, 12 judgements",
        "  scores       mean opinion score, higher is better",
        "  references   3, each with 4 versions",
        "  images       15",
        "  distortions  1 type",
        "  deviations   not stated",
        f"  fingerprint  {verification.fingerprint}",
    ):
        assert expected in lines
    assert block(text, "  width x height") == [
        "  width x height  images",
        "  --------------  ------",
        "  16x12               15",
    ]
    checks = block(text, "  check")
    assert len(checks) == 2 + len(verification.checks)
    assert checks[2].split() == ["pairs", "12", "12", "ok"]
    assert checks[4].split() == ["scores", "1", "to", "4", "0", "to", "9", "ok"]
    assert len({len(line) for line in checks}) == 1
    assert "PROBLEM" not in text
    assert "NOTE" not in text


def test_triplets_are_counted_as_judgements(table):
    triplets = [Triplet("a.png", "a_1.png", f"a_{n}.png", 0.4) for n in (2, 3, 4)]
    text = to_text(verify(triplet_table("choice", triplets, table.images)))
    assert "  protocol     two alternatives, 3 judgements" in text.splitlines()
    assert "triplets where PSNR agrees (share)" in text


def test_problems_come_before_notes_and_say_what_to_do(table, tmp_path):
    (tmp_path / "a_2.png").unlink()
    (tmp_path / "b_2.png").write_bytes((tmp_path / "b.png").read_bytes())
    text = to_text(verify(table))
    problem = block(text, "PROBLEM: images missing")
    assert "Unpack the dataset again" in problem[1]
    assert problem[2:] == ["    a_2.png"]
    assert block(text, "NOTE: pairs of identical pixels")[-1] == "    row 6: b_2.png"
    assert text.index("PROBLEM: images missing") < text.index("NOTE: ")
    assert text.endswith("\nnoisy: 1 of the checks found a problem (images missing)")


def test_twenty_are_named_then_counted(table, tmp_path):
    for path in tmp_path.glob("*.png"):
        path.unlink()
    pairs = [*table.pairs, *(dataclasses.replace(table.pairs[0], distorted=n) for n in "defghijkl")]
    verification = verify(dataclasses.replace(table, pairs=pairs))
    missing = block(to_text(verification), "PROBLEM: images missing")
    assert len(missing) == 2 + 20 + 1
    assert missing[-1] == "    and 4 more"
    assert "none: some images cannot be read" in to_text(verification)
    (check,) = (
        check
        for check in json.loads(to_json(verification))["checks"]
        if check["subject"] == "images missing"
    )
    assert len(check["items"]) == check["found"] == 24


def test_the_most_frequent_sizes_come_first(table, tmp_path):
    for width in range(1, 25):
        Image.new("RGB", (width, 9)).save(tmp_path / f"w{width}.png")
    pairs = [
        dataclasses.replace(table.pairs[0], distorted=f"w{width}.png") for width in range(1, 25)
    ]
    text = to_text(verify(dataclasses.replace(table, pairs=[*table.pairs, *pairs])))
    sizes = block(text, "  width x height")
    assert sizes[2].split() == ["16x12", "15"]
    assert len(sizes) == 2 + 20 + 1
    assert sizes[-1].split() == ["5", "others", "5"]


def test_a_report_mentions_checks_that_were_not_made(table):
    text = to_text(verify(table, headers_only=True))
    assert text.endswith("noisy: no problem found; 4 checks not made")
    assert block(text, "  check")[-1].endswith("not checked")


def test_unknown_facts_are_reported_as_such(table):
    bare = dataclasses.replace(
        table,
        licence="",
        citation="",
        published_pairs=None,
        score_range=(0.0, math.nan),
        pairs=[dataclasses.replace(pair, distortion="") for pair in table.pairs],
    )
    text = to_text(verify(bare))
    for fact in ("licence", "citation", "distortions", "deviations"):
        assert f"  {fact:<11}  not stated" in text
    checks = block(text, "  check")
    assert checks[2].split() == ["pairs", "12", "-", "ok"]
    assert checks[4].split()[-4:] == ["0", "to", "any", "ok"]
    empty = to_text(verify(dataclasses.replace(bare, pairs=[])))
    assert "references   0, each with 0 versions" in empty


def test_json_holds_the_same(table, tmp_path):
    (tmp_path / "a_2.png").write_bytes(b"")
    verification = verify(dataclasses.replace(table, score_range=(-math.inf, 9.0)))
    found = json.loads(to_json(verification))
    checks = {check.pop("subject"): check for check in found.pop("checks")}
    assert found == {
        "dataset": "noisy",
        "licence": "free",
        "citation": "Noise et al., 2024",
        "target": "mean opinion score",
        "protocol": "opinion",
        "higher_is_better": True,
        "pairs": 12,
        "published_pairs": 12,
        "references": 3,
        "images": 15,
        "sizes": {"16x12": 14},
        "fingerprint": None,
        "problems": 1,
    }
    assert list(checks) == [check.subject for check in verification.checks]
    assert checks["images unreadable"]["verdict"] == "problem"
    assert checks["images unreadable"]["items"] == ["a_2.png: is an empty file"]
    assert checks["scores"] == {
        "verdict": "ok",
        "found": [1.0, 4.0],
        "expected": [None, 9.0],
        "items": [],
        "explanation": "",
    }
    assert np.isfinite(checks["PSNR against scores (Spearman)"]["found"])

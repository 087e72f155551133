"""``iqa study`` on results that were made up."""

import csv
import json
import re

import numpy as np
import pytest
from programs.study import made_up


@pytest.fixture
def folder(tmp_path):
    return made_up.results(tmp_path)


def rows_of(path):
    with path.open(newline="") as file:
        return [*csv.DictReader(file)]


def test_files(iqa, folder, tmp_path):
    output = tmp_path / "study"
    ended = iqa("study", f"--results={folder}", f"--output_dir={output}")
    assert ended.status == 0, ended.stderr
    written = re.search(r"Written: .*\{(.*)\}", ended.stdout)
    assert {path.name for path in output.iterdir()} == set(written[1].split(","))
    (why,) = re.findall(r"^.*: 10 trained networks are needed, found 3$", ended.stdout, re.M)
    assert why.startswith("tid2013, C1a, C1b")
    claims = rows_of(output / "study_claims.csv")
    by_claim = {row["claim"]: row for row in claims}
    assert len(by_claim) == len(claims)
    assert by_claim["C1a"]["reason"] == "10 trained networks are needed, found 3"
    assert by_claim["C8"]["verdict"] in ("supported", "undecided")
    assert by_claim["C1a"]["p_holm"] == ""
    assert {row["claim"] for row in rows_of(output / "study_contrasts.csv")} == {"C8", "C14"}
    apparent = [
        row for row in rows_of(output / "study_models.csv") if row["quantity"] == "best_apparent"
    ]
    assert {row["low"] for row in apparent} == {""}
    with np.load(output / "study_pseudovalues.npz") as arrays:
        assert arrays["tid2013/spearman/psi"].shape == (20, 10)
    record = json.loads((output / "run.json").read_text())
    assert record["settings"]["results"] == [str(folder)]
    assert (record["readout"], record["settings"]["readout"]) == ("l2", None)
    text = (output / "study.md").read_text()
    assert "### C8. The best layer is generally not the last." in text
    for name in re.findall(r"!\[.*?\]\((.*?)\)", text):
        assert (output / name).read_bytes().startswith(b"\x89PNG")
    page = (output / "study.html").read_text()
    assert page.count("<h1>The claims, tested</h1>") == 1
    table = (output / "study_claims.tex").read_text()
    assert table.startswith(r"\begin{tabular}")
    body = table.partition(r"\midrule")[2].partition(r"\bottomrule")[0]
    lines = [line for line in body.splitlines() if line]
    assert all(line.endswith(r" \\") for line in lines)
    assert {line.count(" & ") for line in lines} == {6}
    assert not re.search(r"(?<!\\)[_%#$]", body)


def test_a_folder_without_results_is_an_error(iqa, tmp_path):
    ended = iqa("study", f"--results={tmp_path}", f"--output_dir={tmp_path / 'study'}")
    assert ended.status == 1
    assert "there is no run.json" in ended.stderr
    assert not (tmp_path / "study").exists()

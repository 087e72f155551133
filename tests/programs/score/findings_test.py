"""Reports about scores: the page, the JUnit file, the limits and the exit status."""

from xml.etree import ElementTree

import pytest
from programs.report.made_up import data_of


@pytest.fixture
def flags(pair_folder):
    rows = ["reference,distorted", "a.png,a_1.png", "a.png,a_4.png", "a.png,gone.png"]
    (pair_folder / "some.csv").write_text("\n".join(rows) + "\n")
    (pair_folder / "whole.csv").write_text("\n".join(rows[:3]) + "\n")
    return lambda name: ("score", "--metrics=psnr", f"--pairs={pair_folder / name}")


@pytest.fixture
def between(iqa, flags):
    """A limit that the second pair exceeds and the first does not."""
    lines = iqa(*flags("whole.csv")).stdout.splitlines()[-2:]
    return sum(float(line.split()[-1]) for line in lines) / 2


def test_a_pair_beyond_a_limit_ends_with_3(iqa, flags, between):
    ended = iqa(*flags("whole.csv"), f"--fail_beyond=psnr:{between}")
    assert ended.status == 3
    assert f"1 pair beyond psnr:{between}" in ended.stderr
    assert iqa(*flags("whole.csv"), "--fail_beyond=psnr:1").status == 0


def test_a_limit_counts_more_than_a_pair_without_a_score(iqa, flags, between):
    assert iqa(*flags("some.csv"), "--fail_beyond=psnr:1").status == 2
    assert iqa(*flags("some.csv"), f"--fail_beyond=psnr:{between}").status == 3


def test_a_limit_is_checked_before_anything_is_scored(iqa, flags, tmp_path):
    output = tmp_path / "scores.csv"
    ended = iqa(*flags("whole.csv"), f"--output={output}", "--fail_beyond=ssim:0.5")
    assert ended.status == 1
    assert "ssim is not computed" in ended.stderr
    assert not output.exists()


@pytest.mark.parametrize(
    ("flag", "complaint"),
    [
        ("--html={}/whole.csv/page.html", "whole.csv: File exists"),
        ("--junit={}", "Is a directory"),
        ("--maps_dir={}/whole.csv", "whole.csv: File exists"),
    ],
)
def test_reports_are_tried_before_anything_is_scored(iqa, flags, tmp_path, flag, complaint):
    output = tmp_path / "scores.csv"
    _, _, pairs = flags("whole.csv")
    folder = pairs.removeprefix("--pairs=").removesuffix("/whole.csv")
    more = (pairs, f"--output={output}", flag.format(folder))
    ended = iqa("score", "--metrics=ssim", *more)
    assert ended.status == 1
    assert complaint in ended.stderr
    assert not output.exists()


def test_a_test_case_for_each_pair_and_limit(iqa, flags, between, tmp_path):
    file = tmp_path / "new" / "junit.xml"
    ended = iqa(*flags("some.csv"), f"--junit={file}", f"--fail_beyond=psnr:{between}")
    assert f"Written: {file}" in ended.stdout
    suite = ElementTree.parse(file).getroot().find("testsuite")
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        **{"tests": "3", "failures": "1", "errors": "1", "skipped": "0"},
    }
    good, worse, gone = suite.findall("testcase")
    assert (good.get("classname"), good.get("name")) == ("psnr", "a_1.png against a.png")
    assert [each.tag for each in good] == ["properties"]
    assert worse.find("failure").get("message").startswith("psnr is ")
    assert "gone.png" in gone.find("error").get("message")


def test_a_test_case_for_each_pair_without_limits(iqa, flags, tmp_path):
    file = tmp_path / "junit.xml"
    iqa(*flags("some.csv"), f"--junit={file}")
    cases = ElementTree.parse(file).getroot().findall("testsuite/testcase")
    assert [case.get("classname") for case in cases] == ["iqa score"] * 3
    assert [case.find("error") is not None for case in cases] == [False, False, True]
    score = cases[0].find("properties/property")
    assert score.get("name") == "psnr"
    assert 10 < float(score.get("value")) < 40


def test_names_that_xml_cannot_hold(iqa, pair_folder, tmp_path):
    (pair_folder / "odd.csv").write_text("reference,distorted\na.png,\x01<&.png\n")
    file = tmp_path / "junit.xml"
    iqa("score", "--metrics=psnr", f"--pairs={pair_folder / 'odd.csv'}", f"--junit={file}")
    (case,) = ElementTree.parse(file).getroot().findall("testsuite/testcase")
    assert case.get("name") == "\ufffd<&.png against a.png"


def test_the_page_lists_the_worst_pairs(iqa, flags, between, tmp_path):
    file = tmp_path / "pages" / "worst.html"
    iqa(*flags("some.csv"), f"--html={file}", f"--fail_beyond=psnr:{between}")
    text = file.read_text()
    data = data_of(text)
    assert data["worst"] == [[1, 0]]
    assert data["axes"][0]["values"][2] is None
    assert not data["hasOpinion"]
    good, worse, gone = data["pairs"]["note"]
    assert not good
    assert worse.startswith("psnr is ")
    assert "gone.png" in gone
    assert f"Beyond psnr:{between:g}" in text
    sources = data["pictures"]["sources"]
    assert {*sources} == {"a.png", "a_1.png", "a_4.png"}
    assert (file.parent / sources["a_1.png"]).exists()


def test_the_page_shows_maps(iqa, pair_folder, tmp_path):
    file, maps = tmp_path / "page.html", tmp_path / "maps"
    ended = iqa(
        *("score", "--metrics=ssim", f"--reference={pair_folder / 'b.png'}"),
        *(f"--distorted={pair_folder / 'b_1.png'}", f"--maps_dir={maps}", f"--html={file}"),
    )
    assert ended.status == 0, ended.stderr
    (of_pair,) = data_of(file.read_text())["pictures"]["maps"].values()
    assert (file.parent / of_pair["ssim"]).exists()

"""Verification as a user runs it: one report, an exit status, never a traceback."""

import json
import shutil

import pytest


@pytest.fixture
def run(iqa):
    return lambda *flags: iqa("verify", *flags)


def test_good_then_with_one_file_removed(run, pair_folder, tmp_path):
    table = f"--data_dir={pair_folder / 'pairs.csv'}"
    output = tmp_path / "new" / "report.json"
    good = run("--dataset=csv", table, f"--output={output}")
    assert good.status == 0, good.stderr
    assert good.stdout.endswith("\npairs: no problem found\n")
    assert "image/s" in good.stderr
    assert json.loads(output.read_text())["problems"] == 0
    (pair_folder / "a_2.png").unlink()
    bad = run("--dataset=csv", table, f"--output={output}", "--headers_only")
    assert bad.status == 1
    assert "\n    a_2.png\n" in bad.stdout
    assert bad.stdout.endswith("\npairs: 1 of the checks found a problem (images missing)\n")
    assert not bad.stderr
    assert json.loads(output.read_text())["problems"] == 1


def test_the_place_of_the_report_is_tried_before_images_are_read(run, pair_folder):
    file = pair_folder / "pairs.csv"
    done = run("--dataset=csv", f"--data_dir={file}", f"--output={file / 'report.json'}")
    assert done.status == 1
    assert f"{file}: " in done.stderr
    assert "image/s" not in done.stderr
    assert not done.stdout


def test_a_stored_dataset_gives_the_same_checks(run, iqa, pair_folder, tmp_path):
    data, tfds = f"--data_dir={pair_folder / 'pairs.csv'}", f"--tfds_dir={tmp_path / 'tfds'}"
    assert iqa("build", "--dataset=csv", data, tfds).status == 0
    reports = []
    for number, where in enumerate((data, tfds)):
        output = tmp_path / f"{number}.json"
        done = run("--dataset=csv", where, f"--output={output}")
        assert done.status == 0, done.stderr
        reports.append(json.loads(output.read_text()))
    assert reports[0]["pairs"] == 9
    assert reports[0]["fingerprint"]
    assert reports[0] == reports[1]


def test_one_place_has_to_be_given(run, pair_folder):
    for given in ((), (f"--data_dir={pair_folder / 'pairs.csv'}", "--tfds_dir=tfds")):
        done = run("--dataset=csv", *given)
        assert done.status == 1
        assert "error: expected either data_dir or tfds_dir" in done.stderr


def test_direction_can_be_set(run, pair_folder):
    header, *lines = (pair_folder / "pairs.csv").read_text().splitlines()
    for path in pair_folder.glob("a*.png"):
        for other in "defg":
            shutil.copy(path, path.with_name(path.name.replace("a", other, 1)))
    more = [line.replace("a", other) for other in "defg" for line in lines[:4]]
    (pair_folder / "pairs.csv").write_text("\n".join([header, *lines, *more]) + "\n")
    data = f"--data_dir={pair_folder / 'pairs.csv'}"
    turned = run("--dataset=csv", data, "--score_direction=lower")
    assert turned.status == 1
    assert "found a problem (PSNR against scores (Spearman))" in turned.stdout


def test_a_bad_tree_gives_one_clear_error(run, tmp_path):
    for folder in ("reference_images", "distorted_images"):
        (tmp_path / folder).mkdir()
    (tmp_path / "mos_with_names.txt").write_text("5.5 ../I01_01_1.bmp\n")
    done = run("--dataset=tid2013", f"--data_dir={tmp_path}")
    assert done.status == 1
    assert done.stderr.startswith("iqa verify: error: ")
    assert "1 malformed row" in done.stderr
    assert not done.stdout

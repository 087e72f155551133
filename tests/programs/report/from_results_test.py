import json
import shutil

import numpy as np
import pytest
from etils import epath
from programs.report.made_up import COLUMNS, column, data_of

from iqa_jax.errors import InputError
from iqa_jax.programs.report.from_results import MOST_COLUMNS, page_of
from iqa_jax.programs.report.stored import read_results


@pytest.fixture
def stored(results):
    return read_results(epath.Path(results))


def test_the_column_that_agrees_best_is_shown_first(stored):
    page = page_of(stored)
    agreement = [each.spearman for each in page.columns]
    assert agreement == sorted(agreement, reverse=True)
    assert {each.name for each in page.columns} == set(COLUMNS)
    assert [each.higher_is_better for each in page.columns if each.name == "psnr"] == [True]
    assert not page.remarks


def test_columns_are_those_that_are_named(stored):
    page = page_of(stored, ["psnr", column("conv2")])
    assert [each.name for each in page.columns] == ["psnr", column("conv2")]
    assert page.remarks == ["Scores of 2 of 5 columns are in the page; --columns names others."]
    assert len(page.tables[0].rows) == 5
    with pytest.raises(InputError, match="columns: there is no column dists"):
        page_of(stored, ["dists"])


def test_many_layers_are_left_out_before_any_metric(stored):
    layers = {f"net/layer{n}/l2": COLUMNS[column("conv1")] for n in range(2 * MOST_COLUMNS)}
    record = {**stored.record, "columns": {**layers, "psnr": COLUMNS["psnr"]}}
    scores = [{**row, **dict.fromkeys(layers, "1.0")} for row in stored.scores]
    many = type(stored)(record, scores, stored.correlations, (), ())
    page = page_of(many)
    assert len(page.columns) == MOST_COLUMNS
    assert "psnr" in {each.name for each in page.columns}


def test_ceilings_are_those_of_each_distortion(stored):
    (network, metrics) = page_of(stored).heat_maps
    assert network.name == "net, l2"
    assert network.ceilings == metrics.ceilings
    overall, *others = network.ceilings
    assert overall == 0.981
    assert all(0.9 < each < 1 for each in others)


def test_tables_leave_out_what_is_empty(stored):
    (table,) = page_of(stored).tables
    assert table.header[0] == "column"
    assert not {"in_sample", "srcc_low", "dataset"} & set(table.header)


def test_pairs_and_scores_are_those_of_the_table(stored):
    page = page_of(stored)
    assert [pair.distorted for pair in page.pairs] == [row["distorted"] for row in stored.scores]
    first = page.columns[0]
    expected = [float(row[first.name]) for row in stored.scores]
    np.testing.assert_array_equal(first.values, expected)


def test_forced_choices_have_a_table_of_their_own(stored):
    rows = [{"dataset": "b", "model": "psnr", "column": "psnr", "subset": "cnn", "score": "0.75"}]
    page = page_of(type(stored)(stored.record, stored.scores, (), (), rows))
    (table,) = page.tables
    assert table.name == "Agreement with choices"
    assert table.rows == [["psnr", "cnn", 0.75]]
    assert not page.heat_maps


def test_the_program_from_an_evaluation(iqa, pair_folder, tmp_path):
    """Scores of the evaluation are those of the page, and its images are found."""
    made, output = tmp_path / "results", tmp_path / "pages" / "page.html"
    ended = iqa(
        *("evaluate", "--dataset=csv", f"--data_dir={pair_folder / 'pairs.csv'}"),
        *("--metrics=psnr", f"--output_dir={made}"),
    )
    assert ended.status == 0, ended.stderr
    ended = iqa("report", f"--results={made}", f"--output={output}")
    assert ended.status == 0, ended.stderr
    assert ended.stdout.startswith(f"Written: {output} (0.")
    data = data_of(output.read_text())
    assert [each["name"] for each in data["axes"]] == ["psnr", "score"]
    assert len(data["axes"][0]["values"]) == 9
    assert (output.parent / data["pictures"]["sources"]["a_1.png"]).exists()


def test_embedding_says_under_which_licence(iqa, results, tmp_path):
    output = tmp_path / "page.html"
    ended = iqa("report", f"--results={results}", f"--output={output}", "--images=embed")
    assert ended.status == 0, ended.stderr
    assert "Licence of the dataset: none is stated" in ended.stdout
    sources = data_of(output.read_text())["pictures"]["sources"]
    assert len(sources) == 40
    assert all(url.startswith("data:image/jpeg;base64,") for url in sources.values())


def test_the_size_is_bounded(iqa, results, tmp_path):
    output = tmp_path / "page.html"
    ended = iqa(
        *("report", f"--results={results}", f"--output={output}", "--images=embed"),
        "--most_megabytes=1",
    )
    assert ended.status == 0
    assert output.stat().st_size < 1_000_000


def test_images_that_have_moved(iqa, results, tmp_path):
    copy = shutil.copytree(results, tmp_path / "copy")
    record = json.loads((copy / "run.json").read_text())
    there = record["settings"]["data_dir"]
    record["settings"]["data_dir"] = "gone/pairs.csv"
    (copy / "run.json").write_text(json.dumps(record))
    flags = ("report", f"--results={copy}", f"--output={tmp_path / 'page.html'}")
    ended = iqa(*flags)
    assert ended.status == 1
    assert "gone/pairs.csv" in ended.stderr
    assert "--data_dir" in ended.stderr
    assert iqa(*flags, f"--data_dir={there}").status == 0
    assert iqa(*flags, "--images=none").status == 0
    assert not data_of((tmp_path / "page.html").read_text())["pictures"]["sources"]


def test_the_place_of_the_page_is_tried_before_images_are_read(iqa, results, tmp_path):
    file = tmp_path / "file"
    file.touch()
    ended = iqa(
        *("report", f"--results={results}", f"--output={file / 'page.html'}"),
        "--data_dir=gone/pairs.csv",
    )
    assert ended.status == 1
    assert f"{file}: " in ended.stderr


def test_results_without_images(iqa, results, tmp_path):
    copy = shutil.copytree(results, tmp_path / "copy")
    record = json.loads((copy / "run.json").read_text())
    record["settings"]["data_dir"] = None
    (copy / "run.json").write_text(json.dumps(record))
    ended = iqa("report", f"--results={copy}", f"--output={tmp_path / 'page.html'}")
    assert ended.status == 1
    assert "were made without images" in ended.stderr


def test_flags_without_effect_are_refused(iqa, results, tmp_path):
    flags = ("report", f"--results={results}", f"--output={tmp_path / 'page.html'}")
    assert "add --images=embed" in iqa(*flags, "--most_megabytes=3").stderr
    assert "leave out --images=none" in iqa(*flags, "--images=none", "--maps_dir=x").stderr
    assert "expected the name of an HTML file" in iqa(*flags[:2], f"--output={tmp_path}").stderr

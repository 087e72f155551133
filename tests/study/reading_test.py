"""Results are read, joined and oriented; what does not fit is refused with what to do."""

import json

import numpy as np
import pytest
from etils import epath
from study import made_up, truths

from iqa_jax.errors import InputError
from iqa_jax.study.reading import read_results

COLUMNS = [*made_up.layers("net", (0.6, 0.7)), made_up.Planted("ssim", 0.7, direction="higher")]


@pytest.fixture
def table():
    return made_up.drawn(references=4, types=2)


def write(path, table, columns=COLUMNS, **settings):
    models = {"net": made_up.network(), "other": made_up.network(absent="no weights")}
    return epath.Path(made_up.write(path, table, columns, models, **settings))


def test_distances_and_scores_are_oriented(tmp_path, table):
    distances = made_up.distances(table, COLUMNS)
    (results,), gains = read_results([write(tmp_path / "a", table, values=distances)])
    assert not gains
    assert results.human == pytest.approx(table.human, rel=1e-6)
    assert results.distances == pytest.approx(distances, rel=1e-6)
    assert [column.kind for column in results.columns] == ["layer", "layer", "metric"]
    assert results.columns[0].relative_depth == 0.5
    assert results.networks["other"].absent == "no weights"
    assert results.is_complete


def test_scores_of_impairment_are_turned(tmp_path, table):
    turned = made_up.Table(table.name, table.references, table.distortions, table.human, False)
    (results,), _ = read_results([write(tmp_path / "a", turned)])
    assert results.human == pytest.approx(table.human, rel=1e-6)


def test_runs_of_a_dataset_are_joined_by_pair(tmp_path, table):
    first = write(tmp_path / "a", table, COLUMNS[:2])
    distances = made_up.distances(table, COLUMNS[2:])
    second = write(tmp_path / "b", table, COLUMNS[2:], values=distances)
    header, *rows = (second / "scores.csv").read_text().splitlines()
    (second / "scores.csv").write_text("\n".join([header, *reversed(rows)]) + "\n")
    (results,), _ = read_results([first, second])
    assert [column.name for column in results.columns] == [column.name for column in COLUMNS]
    assert results.distances[:, 2] == pytest.approx(distances[:, 0], rel=1e-6)


def test_sizes_and_datasets_stay_apart(tmp_path, table):
    other = made_up.drawn("csiq", references=4, types=2)
    folders = [
        write(tmp_path / "a", table),
        write(tmp_path / "b", table, resize="factor:0.5"),
        write(tmp_path / "c", other),
    ]
    found, _ = read_results(folders)
    assert [(each.dataset, each.resize) for each in found] == [
        ("tid2013", ""),
        ("tid2013", "factor:0.5"),
        ("csiq", ""),
    ]


def test_another_copy_of_a_dataset_is_refused(tmp_path, table):
    folders = [write(tmp_path / "a", table), write(tmp_path / "b", table.some(np.arange(20)))]
    with pytest.raises(InputError, match="evaluate both on the same copy of tid2013"):
        read_results(folders)


def test_a_column_that_is_not_finite_is_left_out(tmp_path, table):
    distances = made_up.distances(table, COLUMNS)
    distances[3, 0] = np.nan
    (results,), _ = read_results([write(tmp_path / "a", table, values=distances)])
    assert [*results.left_out] == ["net/layer0/l2"]
    assert len(results.columns) == 2


def test_part_of_a_dataset_is_not_complete(tmp_path, table):
    (results,), _ = read_results([write(tmp_path / "a", table.some(np.arange(20)))])
    assert not results.is_complete


def test_gains_of_a_training(tmp_path):
    _, gains = read_results([epath.Path(truths.write_training(tmp_path / "t", 0.03))])
    assert {(each.part, each.measure) for each in gains} == {("pooled", "plcc"), ("pooled", "srcc")}
    assert gains[0].value == 0.03


def test_folders_that_are_no_results(tmp_path, table):
    with pytest.raises(InputError, match="there is no run.json"):
        read_results([epath.Path(tmp_path)])
    folder = write(tmp_path / "a", table)
    (folder / "scores.csv").unlink()
    with pytest.raises(InputError, match="there is no scores.csv"):
        read_results([folder])
    (folder / "run.json").write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        read_results([folder])
    (folder / "run.json").write_text(json.dumps({"settings": {}}))
    with pytest.raises(InputError, match="there is no report.csv"):
        read_results([folder])

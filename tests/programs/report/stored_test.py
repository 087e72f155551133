import json
import shutil

import pytest
from etils import epath
from programs.report.made_up import COLUMNS

from iqa_jax.errors import InputError
from iqa_jax.programs.report.stored import read_results


def test_all_tables_are_read(results):
    stored = read_results(epath.Path(results))
    assert [*stored.columns] == [*COLUMNS]
    assert len(stored.scores) == 36
    assert len(stored.correlations) == len(COLUMNS)
    assert not stored.forced_choices


@pytest.fixture
def copy(results, tmp_path):
    return epath.Path(shutil.copytree(results, tmp_path / "copy"))


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"there is no run\.json; expected a folder of iqa eval"):
        read_results(epath.Path(tmp_path))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("{", "is damaged"), ("[]", "is not the record"), ('{"columns": {}}', "is not the record")],
)
def test_another_record_is_refused(copy, text, complaint):
    (copy / "run.json").write_text(text)
    with pytest.raises(InputError, match=complaint):
        read_results(copy)


def test_a_column_without_scores_is_refused(copy):
    record = json.loads((copy / "run.json").read_text())
    record["columns"]["dists"] = record["columns"]["psnr"]
    (copy / "run.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="dists"):
        read_results(copy)


def test_a_table_without_rows_is_refused(copy):
    header, *_ = (copy / "scores.csv").read_text().splitlines()
    (copy / "scores.csv").write_text(header + "\n")
    with pytest.raises(InputError, match="has no rows"):
        read_results(copy)

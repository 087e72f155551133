"""Tables of scores read back as they were written."""

import numpy as np
import pytest
from etils import epath

from iqa_jax.datasets import pair_lists
from iqa_jax.files import write_text
from iqa_jax.programs.score.files import to_csv
from iqa_jax.programs.score.finished import FinishedTable
from iqa_jax.programs.score.scores import Scores


@pytest.mark.parametrize("place", ["disk", "bucket"])
def test_rows_are_those_that_were_written(place, request, tmp_path, rng):
    folder = request.getfixturevalue("bucket") if place == "bucket" else epath.Path(tmp_path)
    names = 'a, "b".png', "two\nlines ü.png"
    value = rng.standard_normal(1, np.float32)
    values = {"psnr": value, "flip": np.full(1, np.nan, np.float32)}
    write_text(
        folder / "scores.csv",
        to_csv(Scores(pair_lists.one_pair(*names), values, ["too small"])),
    )
    table = FinishedTable(folder / "scores.csv", {"flip": False, "psnr": True})
    (row,) = table.rows()
    assert row.image_names == names
    assert [*row.values] == table.metrics == ["psnr", "flip"]
    assert row.values["psnr"] == value[0]
    assert np.isnan(row.values["flip"])
    assert row.error == "too small"
    assert len([*table.rows()]) == 1

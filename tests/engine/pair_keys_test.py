import numpy as np
from etils import epath

from iqa_jax.datasets.pair_lists import from_csv
from iqa_jax.engine.pair_keys import PairKeys


def test_keys_depend_on_names_and_contents(pair_folder):
    table = from_csv(epath.Path(pair_folder) / "pairs.csv")
    rows = np.arange(len(table.pairs))
    before = PairKeys(table)[rows]
    assert before.dtype == np.uint64
    assert len(set(before)) == len(PairKeys(table)) == 9
    assert PairKeys(table)[rows[3:5]].tolist() == before[3:5].tolist()
    (pair_folder / "a_2.png").write_bytes((pair_folder / "a_1.png").read_bytes())
    (pair_folder / "a_3.png").unlink()
    changed = PairKeys(table)[rows] != before
    assert changed.tolist() == [False, True, True, *[False] * 6]

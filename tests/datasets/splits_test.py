from collections import Counter

import pytest
from etils import epath

from iqa_jax.datasets.splits import content_folds, write_folds
from iqa_jax.errors import DatasetError

CONTENTS = [f"I{number:02d}" for number in range(1, 26)]


def test_folds_are_of_equal_size():
    folds = content_folds(CONTENTS, 4, seed=0)
    assert set(folds) == set(CONTENTS)
    assert sorted(Counter(folds.values()).values()) == [6, 6, 6, 7]
    assert set(folds.values()) == {0, 1, 2, 3}


def test_folds_are_the_same_on_every_machine():
    """Computed by hand: SHA-256 of "seed<tab>name" sorts the names."""
    assert content_folds("abcdef", 3, seed=7) == {"a": 1, "b": 0, "c": 1, "d": 2, "e": 0, "f": 2}


def test_order_and_repetition_do_not_matter():
    folds = content_folds(CONTENTS, 5, seed=3)
    assert content_folds([*CONTENTS[::-1], *CONTENTS], 5, seed=3) == folds


def test_seeds_give_other_folds():
    found = [tuple(content_folds(CONTENTS, 5, seed=seed)[c] for c in CONTENTS) for seed in range(9)]
    assert len(set(found)) == 9


def test_every_content_can_be_a_fold():
    assert sorted(content_folds(CONTENTS, 25, seed=0).values()) == list(range(25))


@pytest.mark.parametrize("folds", [26, 1, 0, -1])
def test_impossible_folds(folds):
    with pytest.raises(DatasetError, match=f"found {folds} folds and 25 references"):
        content_folds(CONTENTS * 2, folds, seed=0)


def test_folds_are_written_in_the_order_of_their_references(tmp_path):
    path = epath.Path(tmp_path) / "folds.csv"
    write_folds(path, {"b": 0, 'mit "ö", mit komma': 1, "a": 2})
    assert path.read_text() == 'reference_id,fold\na,2\nb,0\n"mit ""ö"", mit komma",1\n'

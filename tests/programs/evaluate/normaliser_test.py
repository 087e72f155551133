import pytest
from engine.store import made_up

from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import InputError
from iqa_jax.programs.evaluate.normaliser import check_normaliser, open_normalisers
from iqa_jax.readouts import ReadoutName

MODEL = made_up.SIGNATURE["model"]


def named(*texts):
    return [ReadoutName.parse(f"{MODEL}/{text}") for text in texts]


@pytest.fixture
def store(tmp_path):
    table = made_up.make_table()
    made_up.fill(made_up.make_writer(tmp_path, table), table)
    return StatisticsStore.open(tmp_path, MODEL)


def test_fits_what_was_made_in_the_same_way(store):
    check_normaliser(store, named("last/normalized", "input+last/balanced"), made_up.SIGNATURE)
    check_normaliser(store, named("last/unit"), made_up.SIGNATURE)


@pytest.mark.parametrize(
    ("name", "value"),
    [("weights_sha256", "cd"), ("precision", "bf16"), ("resize", "short:64"), ("model", "vgg16")],
)
def test_refuses_what_was_made_in_another_way(name, value, store):
    signature = {**made_up.SIGNATURE, name: value}
    with pytest.raises(InputError, match=f"expected the {name} {value}, found"):
        check_normaliser(store, named("last/normalized"), signature)


def test_refuses_what_lacks_a_layer(tmp_path):
    table = made_up.make_table()
    made_up.fill(made_up.make_writer(tmp_path, table, made_up.ARRAYS[:2]), table)
    store = StatisticsStore.open(tmp_path, MODEL)
    check_normaliser(store, named("input/balanced"), made_up.SIGNATURE)
    with pytest.raises(InputError, match="has no squared_error of last to compare with"):
        check_normaliser(store, named("input+last/balanced"), made_up.SIGNATURE)


def test_a_normaliser_of_nothing_is_an_error(tmp_path):
    with pytest.raises(InputError, match="nothing asked for compares with a dataset"):
        open_normalisers(tmp_path, named("last/l2"))
    with pytest.raises(InputError, match="has no statistics of mine.py:net"):
        open_normalisers(tmp_path, named("last/l2", "last/balanced"))

import pytest

from iqa_jax.errors import InputError
from iqa_jax.programs.layers import resolve

MODELS = {"one": ("input", "a", "layer1.0", "layer1.1"), "two": ("input", "b", "c")}


def test_all_are_the_single_layers():
    assert resolve(["all"], MODELS) == {
        "one": [("input",), ("a",), ("layer1.0",), ("layer1.1",)],
        "two": [("input",), ("b",), ("c",)],
    }


def test_cumulative_are_the_first_layers_joined_without_the_input():
    found = resolve(["cumulative"], MODELS)
    assert found["one"] == [("a",), ("a", "layer1.0"), ("a", "layer1.0", "layer1.1")]
    assert found["two"] == [("b",), ("b", "c")]


def test_names_are_full_in_the_order_asked_for_and_each_once():
    assert resolve(["c+b", "layer1", "all", "layer1.1"], MODELS) == {
        "one": [("layer1.1",), ("input",), ("a",), ("layer1.0",)],
        "two": [("c", "b"), ("input",), ("b",), ("c",)],
    }


def test_layers_on_request_must_be_named():
    further = {"one": ("a.attention",)}
    assert resolve(["all"], MODELS, further) == resolve(["all"], MODELS)
    assert resolve(["cumulative"], MODELS, further) == resolve(["cumulative"], MODELS)
    found = resolve(["a.attention+layer1", "a.attention"], MODELS, further)
    assert found == {"one": [("a.attention", "layer1.1"), ("a.attention",)], "two": []}
    with pytest.raises(InputError, match=r"one: input, a, layer1\.0, layer1\.1, a\.attention"):
        resolve(["b.attention"], MODELS, further)


def test_a_layer_that_one_model_has_is_enough():
    assert resolve(["a"], MODELS) == {"one": [("a",)], "two": []}


@pytest.mark.parametrize(
    ("layers", "complaint"),
    [
        (["a", "d"], r"no model has the layer d; there are:\n  one: input, a, .*\n  two: input, b"),
        (["a+b"], r"no model has the layer a\+b"),
        (["a++"], "different layers"),
    ],
)
def test_refuses_what_no_model_has(layers, complaint):
    with pytest.raises(InputError, match=complaint):
        resolve(layers, MODELS)

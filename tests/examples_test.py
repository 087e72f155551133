"""The examples in the docstrings of everything public run and print what they say."""

import doctest
import inspect

import pytest

import iqa_jax


def returned_classes():
    """The classes of this package that exported functions return, and exported classes."""
    found = {}
    for name in iqa_jax.__all__:
        value = getattr(iqa_jax, name)
        returned = value if inspect.isclass(value) else value.__annotations__.get("return")
        if inspect.isclass(returned) and returned.__module__.startswith("iqa_jax."):
            found[returned.__name__] = returned
    return found


def public_members(cls):
    return {
        f"{cls.__name__}.{name}": member
        for name, member in vars(cls).items()
        if (not name.startswith("_") or name == "__call__")
        and (inspect.isfunction(member) or isinstance(member, property))
    }


EXPORTED = {name: getattr(iqa_jax, name) for name in iqa_jax.__all__}
CLASSES = returned_classes()
MEMBERS = {name: each for cls in CLASSES.values() for name, each in public_members(cls).items()}
RETURNED = {**CLASSES, **MEMBERS}


def example_of(name, value):
    """The examples in a docstring as one doctest; None if there are none."""
    docstring = inspect.getdoc(value) or ""
    examples = doctest.DocTestParser().get_doctest(docstring, {}, name, None, None)
    return examples if examples.examples else None


def run(example):
    output = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=output.append)
    return "".join(output)


@pytest.fixture(autouse=True)
def the_weights_are_at_hand_and_nothing_else(checkpoints, tmp_path, monkeypatch):
    monkeypatch.setenv("IQA_JAX_CHECKPOINTS", str(checkpoints))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", EXPORTED)
def test_what_is_exported_has_an_example_that_runs(name):
    example = example_of(name, EXPORTED[name])
    assert example, "has no example"
    assert not run(example)


@pytest.mark.parametrize(
    "name", [name for name, each in RETURNED.items() if example_of(name, each)]
)
def test_examples_of_what_is_returned_run(name):
    assert not run(example_of(name, RETURNED[name]))


def test_a_wrong_example_fails():
    def wrong():
        """Adds.

        Example:
          >>> 1 + 1
          3
        """

    assert "Expected:\n    3\nGot:\n    2" in run(example_of("wrong", wrong))


def test_metrics_and_backbones_are_among_the_classes():
    assert {"Metric", "Backbone"} <= set(CLASSES)
    assert {"Metric.map", "Metric.__call__", "Backbone.with_layers"} <= set(MEMBERS)

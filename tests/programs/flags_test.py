"""Flags are the fields of settings, with their defaults and documentation."""

import importlib
import re
import typing
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import ClassVar, Literal

import pytest
from absl import flags

from iqa_jax.__main__ import VERBS
from iqa_jax.agreement.intervals import FEW_REFERENCES, LEAST_REFERENCES, METHODS, RESAMPLES
from iqa_jax.backbones import PRECISIONS
from iqa_jax.datasets import DATASETS, DIRECTIONS
from iqa_jax.errors import InputError
from iqa_jax.images.resize import FORMS as RESIZES
from iqa_jax.metrics import list_metrics
from iqa_jax.programs.evaluate.settings import EvaluateSettings
from iqa_jax.programs.extract.settings import ExtractSettings
from iqa_jax.programs.flags import as_text, define, read, settings_of
from iqa_jax.programs.score.settings import ScoreSettings
from iqa_jax.programs.train.settings import TrainSettings
from iqa_jax.readouts import READOUTS
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.relevance import FORMS, LOSSES


@dataclass(frozen=True, kw_only=True)
class Inner:
    """Inner settings.

    Attributes:
      folder: Where they are.
      depth: How deep.
    """

    folder: str | None = None
    depth: int = field(default=2, metadata={"at_least": 1})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a test.

    Attributes:
      name: The name
        of it.
      words: Words.
      numbers: Numbers.
      pairs: Pairs.
      count: Count.
      share: Share.
      kind: Kind.
      quick: Whether it is quick.
      inner: Inner settings.
      folder: Another folder.
    """

    former: ClassVar = {"title": "say --name={value}"}

    name: str
    words: tuple[str, ...] = ("a", "b")
    numbers: tuple[float, ...] = (0.5, 1.0)
    pairs: tuple[str, ...] = field(default=(), metadata={"repeated": True})
    count: int | None = field(default=None, metadata={"none": "auto"})
    share: float = 0.25
    kind: Literal["red", "blue"] | None = None
    quick: bool = False
    inner: Inner | None = field(default=None, metadata={"given_by": ("folder",)})
    folder: str | None = None

    def idle(self):
        if self.quick:
            yield ("share",), "where it is quick; add --noquick"


def parse(*arguments):
    defined = define(Settings)
    defined(["program", *arguments])
    return read(Settings, defined)


def test_defaults_are_those_of_the_fields():
    assert parse("--name=x") == Settings(name="x")


def test_values_have_the_types_of_the_fields():
    found = parse(
        *("--name=x", "--words=c", "--numbers=1,2e-3", "--pairs=a=1,b=2", "--pairs=c=3"),
        *("--count=7", "--share=0.5", "--kind=blue", "--quick=false", "--folder=f", "--depth=3"),
    )
    assert found == Settings(
        name="x",
        words=("c",),
        numbers=(1.0, 0.002),
        pairs=("a=1", "b=2", "c=3"),
        count=7,
        share=0.5,
        kind="blue",
        inner=Inner(folder="f", depth=3),
        folder="f",
    )
    assert parse("--name=x", "--count=auto", "--words=").words == ()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--words=c"], "expected --name; see --help"),
        (["--name=x", "--numbers=1,a"], "--numbers: expected numbers, got 1,a"),
        (["--name=x", "--count=many"], "--count: expected a number or auto, got many"),
        (["--name=x", "--title=y"], "--title is gone; say --name=y"),
        (["--title", "--name=x"], "--title is gone; say --name=NUMBER"),
        (
            ["--name=x", "--quick", "--share=0.25"],
            "--share: without effect where it is quick; add --noquick, or leave out --share",
        ),
    ],
)
def test_mistakes(arguments, complaint):
    with pytest.raises(InputError) as error:
        parse(*arguments)
    assert str(error.value) == complaint


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("--depth=0", "a whole number of at least 1"),
        ("--depth=1.5", "a whole number of at least 1"),
        ("--share=nan", "a number"),
        ("--share=half", "a number"),
    ],
)
def test_a_number_that_cannot_be_used_is_refused_in_words(argument, expected):
    with pytest.raises(flags.IllegalFlagValueError) as error:
        parse("--name=x", argument)
    assert str(error.value) == f"flag {argument}: expected {expected}"


def test_a_list_that_is_given_twice_is_refused():
    with pytest.raises(flags.IllegalFlagValueError, match="--words=d: already defined as"):
        parse("--name=x", "--words=c", "--words=d")


def test_a_field_without_documentation_is_an_error():
    @dataclass(frozen=True)
    class Bare:
        """Nothing about the field."""

        field: str = ""

    with pytest.raises(TypeError, match="Bare.field has no documentation"):
        settings_of(Bare)


def leaves(kind):
    """The fields of a dataclass and of those inside it, by name."""
    hints = typing.get_type_hints(kind)
    found, groups = {}, []
    for each in fields(kind):
        inner = [hints[each.name], *typing.get_args(hints[each.name])]
        groups += [part for part in inner if is_dataclass(part)]
        if not any(map(is_dataclass, inner)):
            found[each.name] = each
    for group in groups:
        found = {**leaves(group), **found}
    return found


@pytest.mark.parametrize("verb", VERBS)
def test_flags_are_the_fields_of_every_program(verb):
    main = importlib.import_module(f"iqa_jax.programs.{VERBS[verb][0]}").main
    kind = typing.get_type_hints(main)["settings"]
    defined = define(kind)
    expected = leaves(kind)
    assert set(defined) == {*expected, *getattr(kind, "former", ())}
    for name, each in expected.items():
        flag = defined[name]
        assert re.search(r"\w{3,}.*\.", flag.help)
        if each.default in (MISSING, None):
            assert flag.default == each.metadata.get("none")
        elif isinstance(each.default, tuple):
            assert tuple(flag.default) == tuple(map(as_text, each.default))
        else:
            assert flag.default == each.default


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        (EvaluateSettings, "precision", PRECISIONS),
        (EvaluateSettings, "score_direction", DIRECTIONS),
        (EvaluateSettings, "interval", METHODS),
        (TrainSettings, "readout", FORMS),
        (TrainSettings, "loss", LOSSES),
    ],
)
def test_choices_are_those_that_exist(kind, name, values):
    assert typing.get_args(settings_of(kind)[name].kind) == tuple(values)


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        (EvaluateSettings, "dataset", DATASETS),
        (EvaluateSettings, "readouts", READOUTS),
        (EvaluateSettings, "metrics", list_metrics()),
        (EvaluateSettings, "resize", [RESIZES]),
        (EvaluateSettings, "interval", [f"least {LEAST_REFERENCES} ", f"below {FEW_REFERENCES} "]),
        (EvaluateSettings, "resamples", [f"{RESAMPLES}."]),
        (ScoreSettings, "metrics", list_metrics()),
        (ExtractSettings, "statistics", STATISTICS),
    ],
)
def test_documentation_lists_all_choices(kind, name, words):
    text = settings_of(kind)[name].text
    for word in words:
        assert word in text

import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

import iqa_jax
from iqa_jax.errors import InputError
from iqa_jax.library.keywords import refuse_idle, settings_from, takes_settings
from iqa_jax.programs.evaluate.settings import EvaluateSettings
from iqa_jax.programs.flags import settings_of
from iqa_jax.programs.settings import ModelSettings, ProgramSettings
from iqa_jax.programs.train.settings import TrainSettings


@dataclass(frozen=True, kw_only=True)
class Made(ProgramSettings):
    """Made up.

    Attributes:
      folder: A folder.
      names: Some names, of which there may be so many that their documentation takes more than one
        line.
      steps: Some steps.
      share: A share.
      numbers: Some numbers.
      kind: A kind.
      is_quick: Whether it is quick.
      room: A number or auto.
    """

    folder: str | None
    names: tuple[str, ...] = ()
    steps: int = field(default=3, metadata={"at_least": 1})
    share: float = 0.5
    numbers: tuple[float, ...] = (0.1,)
    kind: Literal["a", "b"] = "a"
    is_quick: bool = False
    room: int | None = field(default=None, metadata={"none": "auto"})

    def idle(self):
        if not self.names:
            yield ("kind", "share"), "where nothing is named; add --names"


def made(**given):
    settings = settings_from(Made, given, fixed={"folder": None})
    refuse_idle(settings, given)
    return settings


def test_values_of_any_natural_type():
    found = made(
        **{"names": ["x", Path("y")], "steps": np.int64(2), "share": 1, "numbers": np.float32(2)},
        **{"kind": "b", "is_quick": np.True_, "room": "auto"},
    )
    assert found == Made(
        **{"folder": None, "names": ("x", "y"), "steps": 2, "share": 1.0, "numbers": (2.0,)},
        **{"kind": "b", "is_quick": True, "room": None},
    )
    assert [type(each) for each in (found.steps, found.share, found.numbers[0])] == [
        *(int, float, float)
    ]
    assert made(names="one").names == ("one",)
    assert made(numbers=np.array([1.0, 2.0])).numbers == (1.0, 2.0)
    assert made(room=7).room == 7
    assert made() == Made(folder=None)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"steps": 0}, "steps: expected at least 1, got 0"),
        ({"steps": 1.5}, "steps: expected a whole number, got 1.5"),
        ({"steps": True}, "steps: expected a whole number, got True"),
        ({"steps": None}, "steps: expected a whole number, got None"),
        ({"share": "half"}, "share: expected a number, got 'half'"),
        ({"kind": "c"}, "kind: expected one of a, b, got 'c'"),
        ({"is_quick": 1}, "is_quick: expected True or False, got 1"),
        ({"names": [1]}, "names: expected a string, got 1"),
        ({"names": None}, "names: expected a sequence in which each item is a string, got None"),
        ({"room": "much"}, "room: expected a whole number, got 'much'"),
        ({"share": 1, "names": ()}, "^share: without effect where nothing is named; add names, or"),
    ],
)
def test_values_that_cannot_be_used(given, complaint):
    with pytest.raises(InputError, match=complaint):
        made(**given)


def test_a_function_takes_the_settings_of_a_class():
    @takes_settings(Made, without=("folder",))
    def work(first, *, progress=False, **settings):
        """Works.

        Args:
          first: The first.
          **settings: Others.
          progress: Whether to show it.
        """
        return first, progress, settings

    assert str(inspect.signature(work)).startswith(
        "(first, *, names: tuple[str, ...] = (), steps: int = 3, share: float = 0.5"
    )
    assert "room: int | None = None, progress=False)" in str(inspect.signature(work))
    assert work(1, steps=4) == (1, False, {"steps": 4})
    assert work(1, progress=True, names="a") == (1, True, {"names": "a"})
    documented = inspect.getdoc(work).splitlines()
    assert documented[4].startswith("  names: Some names, of which there may be so many that")
    assert documented[5].startswith("    ")
    assert documented[6] == "  steps: Some steps."
    assert "**settings" not in work.__doc__
    for wrong in ({"folder": "x"}, {"stepps": 4}):
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            work(1, **wrong)
    with pytest.raises(TypeError, match="missing a required argument: 'first'"):
        work()


@pytest.mark.parametrize(
    ("function", "kind", "added", "left_out"),
    [
        (
            iqa_jax.evaluate,
            EvaluateSettings,
            {"progress"},
            {"output_dir", "process_count", "process_index"},
        ),
        (
            iqa_jax.train_relevance,
            TrainSettings,
            {"progress"},
            {"output_dir", "name", "export", "licence"},
        ),
        (iqa_jax.score, ModelSettings, {"pairs", "metrics", "progress"}, set()),
    ],
)
def test_keywords_are_the_fields(function, kind, added, left_out):
    parameters = inspect.signature(function).parameters
    fields = settings_of(kind)
    assert set(parameters) == fields.keys() - left_out | added
    assert len(parameters) == len(set(parameters))
    for name in fields.keys() & parameters.keys() - {"dataset"}:
        parameter, setting = parameters[name], fields[name]
        has_default = parameter.default is not inspect.Parameter.empty
        assert has_default != setting.is_required, name
        assert not has_default or parameter.default == setting.field.default
        words = setting.text.split()
        assert name in ("models", "metrics") or " ".join(words) in " ".join(
            function.__doc__.split()
        )
    assert max(map(len, function.__doc__.splitlines())) <= 100

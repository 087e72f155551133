"""The help of every program."""

import importlib
import typing

import pytest

from iqa_jax.__main__ import VERBS
from iqa_jax.programs.flags import settings_of


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_purpose_example_flags_and_statuses(iqa, verb):
    shown = iqa(verb, "--help")
    assert shown.status == 0
    program = importlib.import_module(f"iqa_jax.programs.{VERBS[verb][0]}")
    assert shown.stdout.startswith(program.__doc__.splitlines()[0])
    assert f"\nExample:\n  iqa {verb}" in shown.stdout
    settings = settings_of(typing.get_type_hints(program.main)["settings"])
    for name, setting in settings.items():
        assert f"\n  --[no]{name}\n" in shown.stdout or f"\n  --{name}=" in shown.stdout
        assert (f"--{name}=" in shown.stdout.split("Usage:")[1].splitlines()[0]) == (
            setting.is_required
        )
    statuses = shown.stdout.split("\nExit status:\n")[1].splitlines()
    assert [line[:5] for line in statuses] == [
        *("  0  ", "  1  ", *["  2  ", "  3  "] * (verb in {"score", "merge"}), "  75 ")
    ]
    assert "iqa_jax." not in shown.stdout


def test_programs_explain_their_own_statuses(iqa):
    score, verify = (iqa(verb, "--help").stdout for verb in ("score", "verify"))
    assert "\n  2   some pairs could not be scored; the others were\n" in score
    assert "\n  3   some pairs are beyond a limit of --fail_beyond\n  75  interrupted" in score
    assert "\n  0   everything requested was done\n" in score
    assert "\n  0   no problem was found\n  1   a problem was found, or a flag " in verify


def test_flags_are_grouped_by_subject(iqa):
    groups = [line for line in iqa("evaluate", "--help").stdout.splitlines() if line[-1:] == ":"]
    assert groups == [
        *("Example:", "Flags:", "The dataset:", "Networks:", "Intervals:"),
        *("Several processes:", "An earlier run:", "The process:", "Exit status:"),
    ]


def test_defaults_are_shown(iqa):
    shown = iqa("train", "--help").stdout
    assert "\n  --loss=pearson|ranking|spearman  (default: pearson)\n" in shown
    assert "\n  --strengths=NUMBER,...  (default: 0.0001,0.001,0.01,0.1)\n" in shown
    assert "\n  --seed=NUMBER  (default: 0)\n" in shown
    assert "\n  --versions=NUMBER|auto  (default: auto)\n" in shown
    assert "\n  --model=TEXT  (required)\n" in shown


def test_full_help_has_the_flags_of_absl(iqa):
    shown = iqa("models", "--helpfull")
    assert shown.status == 0
    assert "--[no]manifest" in shown.stdout
    assert "--verbosity" in shown.stdout

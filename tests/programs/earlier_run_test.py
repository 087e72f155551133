"""Flags that are not given have the values of an earlier run."""

import json

import pytest

from iqa_jax.errors import InputError
from iqa_jax.programs.earlier_run import take_settings
from iqa_jax.programs.evaluate.settings import EvaluateSettings
from iqa_jax.programs.flags import define, read


def record(folder, **settings):
    (folder / "run.json").write_text(json.dumps({"settings": settings}))
    return str(folder)


def settings_like(path, *arguments):
    defined = define(EvaluateSettings)
    defined(["iqa", *arguments])
    take_settings(path, EvaluateSettings, defined)
    return read(EvaluateSettings, defined)


EARLIER = {
    "dataset": "tid2013",
    "data_dir": "tid2013",
    "output_dir": "earlier",
    "models": ["alexnet", "vgg16"],
    "versions": 3,
    "precision": "high",
    "limit": None,
    "allow_absent": True,
    "joined_direction": ["mine=higher", "yours=lower"],
}


def test_flags_that_are_not_given_are_those_of_the_record(tmp_path):
    found = settings_like(record(tmp_path, **EARLIER), "--output_dir=new")
    assert found == EvaluateSettings(
        dataset="tid2013",
        data_dir="tid2013",
        output_dir="new",
        models=("alexnet", "vgg16"),
        versions=3,
        precision="high",
        allow_absent=True,
        joined_direction=("mine=higher", "yours=lower"),
    )


def test_flags_that_are_given_count(tmp_path):
    found = settings_like(
        f"{record(tmp_path, **EARLIER)}/run.json",
        *("--output_dir=new", "--models=alexnet", "--versions=auto", "--noallow_absent"),
        "--joined_direction=mine=lower",
    )
    assert found.models == ("alexnet",)
    assert found.versions is None
    assert not found.allow_absent
    assert found.joined_direction == ("mine=lower",)


def test_the_folder_for_results_is_asked_for(tmp_path):
    with pytest.raises(InputError, match="expected --output_dir"):
        settings_like(record(tmp_path, **EARLIER))


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"depth_of_field": 3}, "does not know: depth_of_field; leave out --like and give the"),
        ({"precision": "half"}, "has precision=half: .*; give --precision"),
        ({"limit": 0}, "has limit=0: "),
    ],
)
def test_settings_that_no_flag_takes(tmp_path, settings, complaint):
    with pytest.raises(InputError, match=complaint):
        settings_like(record(tmp_path, **settings), "--dataset=csv", "--output_dir=new")


def test_records_that_are_none(tmp_path):
    with pytest.raises(InputError, match="there is no .*run.json; expected the folder of an earl"):
        settings_like(str(tmp_path))
    for text in ("{", "{}", "[]"):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(InputError, match="is not the record of a run"):
            settings_like(str(tmp_path))


def test_an_evaluation_is_repeated(iqa, pair_folder, tmp_path):
    first, again = tmp_path / "first", tmp_path / "again"
    done = iqa(
        *("evaluate", "--dataset=csv", f"--data_dir={pair_folder / 'pairs.csv'}"),
        *("--metrics=psnr", "--limit=8", f"--output_dir={first}"),
    )
    assert done.status == 0, done.stderr
    done = iqa("evaluate", f"--like={first}", f"--output_dir={again}")
    assert done.status == 0, done.stderr
    assert (again / "scores.csv").read_bytes() == (first / "scores.csv").read_bytes()
    settings = [json.loads((each / "run.json").read_text())["settings"] for each in (first, again)]
    assert settings[0] | {"output_dir": str(again)} == settings[1]

"""What people install, and what the documents say of it."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

import iqa_jax
from iqa_jax import revisions

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "BUILD.md", "Makefile", "pyproject.toml", ".ci/run")),
    *(ROOT / "checkpoints").glob("*.md"),
    *(ROOT / "deploy").iterdir(),
    *(path for path in (ROOT / "docs").rglob("*") if path.suffix in {".md", ".yml"}),
]


def test_the_distribution_has_a_name_of_its_own():
    assert PROJECT["project"]["name"] == revisions.DISTRIBUTION == "jax-iqa"
    assert PROJECT["project"]["scripts"] == {"iqa": "iqa_jax.__main__:main"}


def test_the_version_is_written_once():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "iqa_jax.revisions.VERSION"
    }
    assert iqa_jax.__version__ == revisions.VERSION
    assert f"\nversion: {revisions.VERSION}\n" in (ROOT / "CITATION.cff").read_text()


def test_types_are_part_of_the_package():
    assert PROJECT["tool"]["setuptools"]["package-data"] == {
        "iqa_jax": ["py.typed", "references.bib"],
        "iqa_jax.programs.report": ["page/*", "vendored/*"],
        "iqa_jax.programs.study": ["page/*"],
    }
    assert (ROOT / "iqa_jax" / "py.typed").exists()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_is_sent_to_the_distribution_of_somebody_else(path):
    """It is called iqa-jax, and an underscore is the same to pip."""
    text = re.sub(r" #.*", "", path.read_text())
    assert not re.search(r"pip install.*\biqa[-_.]jax\b", text, re.I)
    assert not re.search(r"\biqa[-_.]jax *([\[<>~!]|==)", text, re.I)


def test_the_extra_for_tests_asks_for_this_distribution():
    assert "jax-iqa[demo]" in PROJECT["project"]["optional-dependencies"]["test"]


WORKFLOW = (ROOT / "docs" / "github_actions.yml").read_text()


def test_the_workflow_installs_caches_fetches_and_scores_in_this_order():
    steps = ["pip install", "actions/cache@", "iqa fetch", "iqa score"]
    places = [WORKFLOW.index(step) for step in steps]
    assert places == sorted(places)
    assert "steps.version.outputs.iqa" in WORKFLOW
    assert "continue-on-error" not in WORKFLOW
    assert "\t" not in WORKFLOW


@pytest.mark.skipif(importlib.util.find_spec("yaml") is None, reason="there is no reader of YAML")
def test_the_workflow_is_yaml():
    import yaml

    (job,) = yaml.safe_load(WORKFLOW)["jobs"].values()
    assert all({"run", "uses"} & step.keys() for step in job["steps"])

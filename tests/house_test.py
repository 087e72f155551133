"""The house rules: what a folder, a module and a message may be called."""

import ast
import re
from pathlib import Path

import pytest

import iqa_jax

PACKAGE = Path(iqa_jax.__file__).parent
ROOT = PACKAGE.parent
TOP = {
    "__init__",
    "__main__",
    "_renamed",
    "compilation",
    "errors",
    "files",
    "pytrees",
    "revisions",
    "text",
}
MODULES = [
    pytest.param(path, id=str(path.relative_to(PACKAGE))) for path in sorted(PACKAGE.rglob("*.py"))
]
FOLDERS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
EXPORTED = {"evaluate", "fetch", "score", "train_relevance", *iqa_jax.__all__}


def test_at_the_top_are_the_folders_and_what_all_of_them_need():
    assert {path.stem for path in PACKAGE.glob("*.py")} <= TOP


def test_no_module_of_the_top_hides_what_is_exported():
    names = {path.stem for path in (*PACKAGE.glob("*.py"), *FOLDERS)}
    assert not names & EXPORTED


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_says_in_a_line_what_it_holds(folder):
    first, *rest = (ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or "").split(
        "\n"
    )
    assert re.fullmatch(r"[A-Z].*\.", first)
    assert not rest or not rest[0]


def test_the_readme_lists_the_folders():
    listed = re.findall(r"^ {6}(\w+)/ {2,}\S", (ROOT / "README.md").read_text(), re.M)
    assert sorted(listed) == [folder.name for folder in FOLDERS]


@pytest.mark.parametrize("path", MODULES)
def test_no_function_is_called_like_its_module(path):
    functions = {
        node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)
    }
    assert path.stem not in functions


@pytest.mark.parametrize("path", MODULES)
def test_nobody_is_sent_to_a_script(path):
    """They are not installed; the benchmarks are run from a clone and named as such."""
    found = re.findall(r"scripts/(?!benchmarks/)\S*|\b\w+\.py --", path.read_text())
    assert not found, found

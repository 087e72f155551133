"""The house rules: what a folder, a module and a message may be called."""

import ast
import inspect
import itertools
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

import iqa_jax

PACKAGE = Path(iqa_jax.__file__).parent
ROOT = PACKAGE.parent
TOP = {"__init__", "__main__", "_renamed", "bibliography", "buckets", "compilation", "errors"}
TOP |= {"files", "progress", "pytrees", "revisions", "text"}
MODULES = [
    pytest.param(path, id=str(path.relative_to(PACKAGE))) for path in sorted(PACKAGE.rglob("*.py"))
]
FOLDERS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
EXPORTED = set(iqa_jax.__all__)

FRAGMENT = re.compile(r"(Of|By|As|Likewise)\b")
ENTRY = re.compile(r" +\*{0,2}\w+: (.*)")
SECTIONS = {"Args:", "Attributes:", "Raises:", "Returns:", "Yields:"}
OUT = re.compile(
    r"\b(tells?(?! no sha256)|told|brings?|brought|stands?(?!-in)|stood|likewise|nobody|whoever"
    r"|in the place of)\b",
    re.IGNORECASE,
)
"""Words that a native engineer would not write here. "Stand-in" is fine, and "tells no sha256" is
part of a value in stored provenance."""


def documents(source: str) -> Iterator[str]:
    """Docstrings of modules, classes, functions and attributes."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield inspect.cleandoc(text)


def beginnings(document: str) -> Iterator[str]:
    """Beginnings of a docstring and of all entries of its sections."""
    first, *lines = document.split("\n")
    yield first
    for before, line in itertools.pairwise(["", *lines]):
        if entry := ENTRY.fullmatch(line):
            yield entry[1]
        elif before in SECTIONS:
            yield line.strip()


def words(path: Path) -> Iterator[str]:
    """Comments and strings of a module, docstrings and messages among them."""
    names = ("COMMENT", "STRING", "FSTRING_MIDDLE")
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if tokenize.tok_name[token.type] in names:
                yield token.string


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


@pytest.mark.parametrize("path", MODULES)
def test_docs_begin_with_a_noun_phrase_or_a_verb(path):
    """ "Name of the dataset." is one, "Of the dataset." is not."""
    found = [
        beginning
        for document in documents(path.read_text())
        for beginning in beginnings(document)
        if FRAGMENT.match(beginning)
    ]
    assert not found, found


@pytest.mark.parametrize("path", MODULES)
def test_some_words_are_out(path):
    found = [match[0] for text in words(path) for match in OUT.finditer(text)]
    assert not found, found


def test_fragments_are_found_in_every_place():
    document = """Of a dataset.

    Attributes:
      name: By name.
      pairs: Number of pairs.

    Returns:
      As given.
    """
    found = list(filter(FRAGMENT.match, beginnings(inspect.cleandoc(document))))
    assert found == ["Of a dataset.", "By name.", "As given."]

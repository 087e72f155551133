"""The pages that are made from the package: nothing that the package has is missing."""

import inspect
import re

import generate
import pytest

import iqa_jax
from iqa_jax import zoo
from iqa_jax.__main__ import VERBS
from iqa_jax.datasets import DATASETS
from iqa_jax.metrics import list_metrics
from iqa_jax.readouts import READOUTS

PAGES = generate.pages()


def first_cells(page):
    rows = [line for line in PAGES[page].splitlines() if line.startswith("| ")][2:]
    return [row.split(" | ")[0].removeprefix("| ") for row in rows]


@pytest.mark.parametrize("verb", VERBS)
def test_programs(iqa_help, verb):
    page = PAGES[f"programs/{verb}.md"]
    shown = iqa_help(verb)
    assert page.startswith(f"# iqa {verb}\n")
    assert f"[`iqa {verb}`]({verb}.md)" in PAGES["programs/index.md"]
    flags = re.findall(r"^  (--\S+)", shown, re.M)
    assert re.findall(r"^`(--[^`]+)`", page, re.M) == flags
    assert re.findall(r"^## (.+)$", page, re.M)[-1] == "Exit status"
    listings = "\n".join(re.findall(r"```sh\n(.*?)\n```", page, re.S))
    for line in re.findall(r"^  (iqa \S.*)$", shown, re.M):
        assert line in listings


def test_the_exports():
    documented = re.findall(r"^\.\. auto(?:function|class):: (\S+)$", PAGES["api.md"], re.M)
    for name in iqa_jax.__all__:
        value = getattr(iqa_jax, name)
        kind = f"{value.__module__}.{value.__qualname__}"
        assert (kind if inspect.isclass(value) else f"iqa_jax.{name}") in documented
    classes = {name.rpartition(".")[2] for name in documented}
    assert {"Backbone", "Metric", "EvaluationResult", "LearnedRelevance"} <= classes
    assert {"Fetched", "Stream", "Summary", "Relevance"} <= classes
    assert len(documented) == len(set(documented))


def test_networks():
    names = [cell.removesuffix("\\*").strip("`") for cell in first_cells("networks.txt")]
    assert names == list(zoo.MODELS)
    assert sum(cell.endswith("\\*") for cell in first_cells("networks.txt")) == 46


def test_every_checkpoint_has_a_licence_and_publications():
    trained = [name for name, model in zoo.MODELS.items() if model.conversions]
    assert [cell.strip("`") for cell in first_cells("weights.txt")] == [*trained, *zoo.RELEVANCES]
    for row in PAGES["weights.txt"].splitlines():
        assert all(cell.strip() for cell in row.strip("| ").split(" | "))


def test_metrics_and_readouts():
    assert [cell.strip("`") for cell in first_cells("metrics.txt")] == list_metrics()
    assert [cell.strip("`") for cell in first_cells("readouts.txt")] == list(READOUTS)
    rows = PAGES["metrics.txt"].splitlines()
    assert next(row for row in rows if row.startswith("| `ssim` ")).count("similarity") == 1
    assert next(row for row in rows if row.startswith("| `dists` ")).count("distance") == 1


def test_datasets():
    text = PAGES["datasets.txt"]
    for name in DATASETS:
        assert f"`{name}`" in text
    (kadid,) = [row for row in text.splitlines() if "`kadid10k`" in row.split(" | ")[1]]
    assert "10,125" in kadid
    uses = PAGES["dataset_uses.txt"].splitlines()
    (live,) = [row for row in uses if row.startswith("| `live`")]
    assert "`tid2008`, `tid2013`" in live
    (kadid,) = [row for row in uses if row.startswith("| `kadid10k`")]
    assert "DISTS was trained on the scores of KADID-10k" in kadid


@pytest.mark.parametrize("page", [name for name in PAGES if name.endswith(".txt")])
def test_rows_are_whole(page):
    rows = PAGES[page].splitlines()
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1


def test_texts_are_shown_as_they_are():
    assert generate.escaped("a*b_c|d <e> [f] #g") == r"a\*b\_c\|d \<e\> \[f\] \#g"


def test_pages_are_written_once(tmp_path):
    generate.write(tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert {str(path.relative_to(tmp_path)) for path in written} == set(PAGES)
    (tmp_path / "api.md").write_text("old")
    generate.write(tmp_path)
    assert (tmp_path / "api.md").read_text() == PAGES["api.md"]
    kept = {path for path, time in written.items() if path.stat().st_mtime_ns == time}
    assert kept == set(written) - {tmp_path / "api.md"}


@pytest.fixture
def iqa_help(capsys):
    from iqa_jax.__main__ import main

    def call(verb):
        assert main([verb, "--help"]) == 0
        return capsys.readouterr().out

    return call

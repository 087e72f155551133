"""The site is built without a warning, its links lead somewhere, and it needs no network."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from docs.conftest import DOCS

pytest.importorskip("sphinx", reason="the extra docs is not installed")
ROOT = DOCS.parent
NEEDED = ("README.md", "BUILD.md", "CHANGELOG.md", "docs", "iqa_jax", "scripts")


class Page(HTMLParser):
    """The links, anchors and files of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.files: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value for name, value in attrs if value}
        self.anchors |= {named[name] for name in ("id", "name") if name in named}
        if tag == "a" and "href" in named:
            self.links.append(named["href"])
        if tag in ("script", "img", "link") and ("src" in named or "href" in named):
            self.files.append(named.get("src") or named["href"])


def build(source: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    return subprocess.run(
        [*command, str(source / "docs"), str(folder)],
        check=False,
        capture_output=True,
        text=True,
        cwd=source,
    )


def copied(folder: Path) -> Path:
    """A copy of all that the site is made from, as several tests may run at a time."""
    for name in NEEDED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = build(copied(tmp_path_factory.mktemp("source")), folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def parsed(site):
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


@pytest.mark.slow
def test_all_pages_are_there(site):
    pages = [path for path in DOCS.iterdir() if path.suffix in (".md", ".ipynb")]
    assert len(pages) >= 12
    for page in pages:
        assert (site / page.name).with_suffix(".html").exists()
    assert (site / "_images" / "demo.png").exists()
    assert "demo.png" in (site / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_notebook_is_shown_with_its_pictures(site, parsed):
    stored = json.loads((DOCS / "first_steps.ipynb").read_text(encoding="utf-8"))
    outputs = [each for cell in stored["cells"] for each in cell.get("outputs", ())]
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    shown = [file for file in parsed[site / "first_steps.html"].files if "_images/" in file]
    assert len(shown) == pictures >= 5


@pytest.mark.slow
def test_links_lead_somewhere(site, parsed):
    checked = 0
    for path, page in parsed.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            assert target.exists(), f"{path.relative_to(site)}: {link}"
            if anchor and target in parsed:
                assert anchor in parsed[target].anchors, f"{path.relative_to(site)}: {link}"
            checked += 1
    assert checked > 500


@pytest.mark.slow
def test_nothing_is_loaded_from_elsewhere(site, parsed):
    for path, page in parsed.items():
        assert not [file for file in page.files if re.match(r"(https?:)?//", file)], path
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", sheet.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_flags_keep_their_hyphens(site):
    text = (site / "generated" / "programs" / "score.html").read_text(encoding="utf-8")
    assert "--resume" in text
    assert "–" not in text.partition("<article")[2].partition("</article>")[0]


@pytest.mark.slow
def test_a_broken_link_and_a_notebook(tmp_path):
    """A warning is an error; a notebook is shown with the outputs that it is stored with."""
    copied(tmp_path)
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "id": "a",
        "metadata": {},
        "source": "print(6 * 7)",
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "stored, not run\n"}],
    }
    title = {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "# A notebook"}
    language = {"name": "python", "pygments_lexer": "ipython3"}
    notebook = {
        "cells": [title, cell],
        "metadata": {"language_info": language},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "docs" / "first_steps.ipynb").write_text(json.dumps(notebook))
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "site" / "first_steps.html").read_text()
    assert "stored, not run" in text
    assert not [file for file in Page(text).files if file.startswith("http")]
    with (tmp_path / "docs" / "citing.md").open("a") as file:
        file.write("\n[nowhere](nowhere.md)\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert "nowhere" in done.stderr

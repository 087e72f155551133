"""The documents, and a folder in which what they show can be run."""

import re
from pathlib import Path

import pytest
from etils import epath

from iqa_jax.datasets.adapters import demo

DOCS = Path(__file__).parents[2] / "docs"


def listings(page: str, language: str) -> list[str]:
    """The listings of a page in one language."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text, re.M | re.S)
    return [re.sub(rf"^{indent}", "", code, flags=re.M) for indent, code in found]


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds ``demo/data``."""
    folder = tmp_path_factory.mktemp("documents")
    demo.build(epath.Path(folder / "demo" / "data"))
    return folder


@pytest.fixture
def workplace(demo_folder: Path, checkpoints: epath.Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: the demo and the weights of AlexNet, VGG-16 and LPIPS are at hand."""
    monkeypatch.chdir(demo_folder)
    monkeypatch.setenv("IQA_JAX_CHECKPOINTS", str(checkpoints))
    return demo_folder

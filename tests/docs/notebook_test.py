"""The notebook runs from nothing, in a quick form, and is stored with its outputs."""

import json
import os

import pytest

pytest.importorskip("nbclient", reason="the extra docs is not installed")

import nbformat
from run_notebook import NOTEBOOK, executed

QUICK = """
photographs = ["cat", "coffee", "rocket"]
levels = [1, 5]
steps = 10
"""
FACTS = """
import json

print(json.dumps({
    "checkpoints": [each.name for each in fetched],
    "pairs": len(pairs),
    "errors": scores["error"].tolist(),
    "map": list(where.shape),
    "trained": evaluation.correlations.query("model == 'alexnet'")["srcc"].tolist(),
    "pixels": evaluation.correlations.query("model == 'pixels'")["srcc"].item(),
    "mine": mine.correlations["srcc"].tolist(),
    "theirs": evaluation.correlations.set_index("model").loc[["psnr", "ssim"], "srcc"].tolist(),
    "weights": gains["weights"].tolist(),
    "held out": gains["value"].tolist(),
    "loss": [float(learned(original, each)[0]) for each in (blurred, image)],
    "descent": descent.loc[:, learned.metric.name].tolist(),
    "count": stream.compute()["psnr"].count,
    "mean": stream.compute()["psnr"].mean,
    "psnr": scores["psnr"].mean(),
}))
"""
STORED = nbformat.read(NOTEBOOK, as_version=4)
CODE = [cell for cell in STORED.cells if cell.cell_type == "code"]


def outputs(cells):
    return [output for cell in cells for output in cell.outputs]


@pytest.mark.slow
def test_runs_from_nothing(tmp_path):
    """Every cell runs without a message, and its results are what the text says of them."""
    environment = {name: each for name, each in os.environ.items() if name != "XLA_FLAGS"}
    environment["XDG_CACHE_HOME"] = str(tmp_path)
    done = executed(NOTEBOOK, parameters=QUICK, last=FACTS, environment=environment)
    *of_the_text, last = (cell for cell in done.cells if cell.cell_type == "code")
    assert not [each for each in outputs(of_the_text) if each.output_type == "stream"]
    found = json.loads(last.outputs[0].text)
    assert found["checkpoints"] == ["alexnet", "lpips-alex"]
    assert found["pairs"] == 30
    assert not any(found["errors"])
    assert found["map"] == [1, 256, 384]
    assert len(found["trained"]) == 8
    assert min(found["trained"]) > found["pixels"]
    assert found["mine"] == pytest.approx(found["theirs"])
    assert found["weights"] == ["uniform", "learned", "lpips-alex", "learned", "learned"]
    assert min(found["held out"][:3]) > 0.5
    assert found["loss"][1] < 0.8 * found["loss"][0]
    assert found["descent"] == pytest.approx(found["loss"], rel=0.05)  # rounded to 8 bits
    assert found["count"] == 30
    assert found["mean"] == pytest.approx(found["psnr"], rel=1e-5)


def test_is_stored_as_it_ran():
    assert [cell.execution_count for cell in CODE] == list(range(1, len(CODE) + 1))
    assert sum("image/png" in output.get("data", {}) for output in outputs(CODE)) >= 5
    assert not [each for each in outputs(CODE) if each.output_type in ("stream", "error")]
    assert NOTEBOOK.stat().st_size < 1_000_000
    texts = [str(output) for output in outputs(CODE)]
    for place in (str(NOTEBOOK.parent), "/home", "/root", "/tmp", "site-packages"):
        assert not [text for text in texts if place in text]
    assert sum("parameters" in cell.metadata.get("tags", ()) for cell in CODE) == 1

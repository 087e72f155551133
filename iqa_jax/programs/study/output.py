"""The files of a study."""

import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.files import write_bytes, write_text
from iqa_jax.programs.study.latex import claims_table, models_table
from iqa_jax.programs.study.markdown import document
from iqa_jax.programs.study.page_model import study_page
from iqa_jax.programs.study.settings import StudySettings
from iqa_jax.revisions import versions_with
from iqa_jax.study.models_table import ModelRow
from iqa_jax.study.published import PublishedRow
from iqa_jax.study.rows import ClaimRow, ContrastRow
from iqa_jax.study.whole import Study
from iqa_jax.text import csv_text

DOCUMENT, PAGE, RECORD = "study.md", "study.html", "run.json"


def write(study: Study, settings: StudySettings, folder: epath.Path) -> list[str]:
    """Writes the tables, the document, the page and the figures of a study, each file whole.

    Args:
      study: The study.
      settings: Its settings.
      folder: The folder, created if necessary.

    Returns:
      Names of the files.
    """
    from iqa_jax.programs.study.figures import figures_of  # noqa: PLC0415  Matplotlib

    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "study_claims.csv": _csv(ClaimRow._fields, study.claims),
        "study_contrasts.csv": _csv(ContrastRow._fields, study.contrasts),
        "study_models.csv": _csv(ModelRow._fields, study.models),
        "study_published.csv": _csv(PublishedRow._fields, study.published),
        "study_claims.tex": claims_table(study),
        "study_models.tex": models_table(study),
    }
    record = {
        "settings": asdict(settings),
        "claims": study.digest,
        "readout": study.readout,
        "software": versions_with("numpy", "scipy", "statsmodels"),
    }
    texts[RECORD] = json.dumps(record, indent=2) + "\n"
    figures = {name: figure.png() for name, figure in figures_of(study).items()}
    texts[DOCUMENT] = document(study, figures)
    texts[PAGE] = study_page(study)
    for name, text in texts.items():
        write_text(folder / name, text)
    arrays = io.BytesIO()
    np.savez_compressed(arrays, allow_pickle=False, **study.pseudovalues)
    write_bytes(folder / "study_pseudovalues.npz", arrays.getvalue())
    for name, png in figures.items():
        write_bytes(folder / name, png)
    return [*texts, "study_pseudovalues.npz", *figures]


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table in which a number that does not exist is an empty cell."""
    return csv_text(
        header,
        (
            [None if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in row]
            for row in rows
        ),
    )

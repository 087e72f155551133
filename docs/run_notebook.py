"""Runs the notebook and stores it with its outputs; ``make notebook`` does."""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent / "first_steps.ipynb"


def executed(
    path: Path,
    *,
    parameters: str | None = None,
    last: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> nbformat.NotebookNode:
    """Runs a notebook in an empty folder and returns it with its outputs.

    Args:
      path: The notebook.
      parameters: Code that replaces the cell with the tag ``parameters``.
      last: Code of a cell that is run after the others.
      environment: Variables of the environment; None for those of this process.

    Raises:
      CellExecutionError: If a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if parameters is not None and "parameters" in cell.metadata.get("tags", ()):
            cell.source = parameters
    if last is not None:
        notebook.cells.append(nbformat.v4.new_code_cell(last))
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=None,
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": folder}},
        )
        client.execute(**({} if environment is None else {"env": dict(environment)}))
    return notebook


def main() -> None:
    """Runs the notebook of the documentation and replaces its outputs."""
    notebook = executed(NOTEBOOK)
    notebook.metadata.language_info = {"name": "python"}  # without the version
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    sys.exit(main())

"""Evaluation of distances on a dataset, with pandas frames as results."""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from etils import epath

from iqa_jax.datasets import DATASETS, PairTable
from iqa_jax.errors import InputError
from iqa_jax.library.frames import frame
from iqa_jax.library.keywords import refuse_idle, settings_from, takes_settings
from iqa_jax.library.memory import find_backbones, find_metrics
from iqa_jax.library.pairs import table_from
from iqa_jax.programs.evaluate import tables
from iqa_jax.programs.evaluate.evaluation import Evaluation
from iqa_jax.programs.evaluate.evaluation import evaluate as run
from iqa_jax.programs.evaluate.report import best_layers, report_text
from iqa_jax.programs.evaluate.settings import EvaluateSettings
from iqa_jax.programs.loaded import Loaded
from iqa_jax.progress import shown
from iqa_jax.text import as_json, counted

if TYPE_CHECKING:
    from pandas import DataFrame

    from iqa_jax.programs.pictures import Picture


class EvaluationResult:
    """Agreement of distances with human scores.

    Frames have the columns of the files of ``iqa evaluate``, which the README describes. Positive
    correlations mean that smaller distances go with better scores.

    Args:
      evaluation: The evaluation.
      index: Label of each of its pairs in :attr:`scores`; None for numbers from 0.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.tile(np.arange(64, dtype=np.uint8)[:, None, None], (1, 64, 3))
      >>> distorted = [reference + np.uint8(change) for change in (1, 2, 4)]
      >>> ratings = {"reference": [reference] * 3, "distorted": distorted, "score": [5, 4, 2]}
      >>> evaluation = iqa_jax.evaluate(ratings, metrics="psnr")
      >>> evaluation
      <evaluation of 1 column of scores on pairs: 3 pairs of 1 reference>
      >>> print(evaluation.correlations[["model", "pairs", "srcc"]])
        model  pairs  srcc
      0  psnr      3   1.0
    """

    def __init__(self, evaluation: Evaluation, *, index: Sequence[Any] | None = None):
        self._evaluation = evaluation
        self._index = index

    @cached_property
    def _tables(self) -> Mapping[str, tables.Table]:
        return tables.tables_of(self._evaluation)

    def _frame(self, name: str) -> "DataFrame":
        return frame(*self._tables[name])

    @cached_property
    def correlations(self) -> "DataFrame":
        """Correlations of each model, layer and read-out, and of each metric."""
        return self._frame("correlations.csv")

    @cached_property
    def scores(self) -> "DataFrame":
        """Identifiers, human score and every raw score of each pair; the index of a given frame."""
        return frame(*self._tables["scores.csv"], index=self._index)

    @cached_property
    def by_distortion(self) -> "DataFrame":
        """Correlations within each type and each level of distortion."""
        return self._frame("correlations_by_distortion.csv")

    @cached_property
    def by_reference(self) -> "DataFrame":
        """Spearman's correlation of each column within each reference."""
        return self._frame("correlations_by_reference.csv")

    @cached_property
    def forced_choices(self) -> "DataFrame":
        """Agreement with forced choices by subset; no rows for opinion scores."""
        return self._frame("forced_choice.csv")

    @cached_property
    def chosen_layers(self) -> "DataFrame":
        """Layers chosen on other data, with intervals; no rows without ``layers_from``."""
        return self._frame("chosen_layers.csv")

    @property
    def warnings(self) -> list[str]:
        """Reasons to doubt the numbers, such as scores that seem to have the other direction."""
        return list(self._evaluation.analysis.warnings)

    @property
    def record(self) -> dict[str, Any]:
        """Settings, hashes, devices, versions and warnings: the contents of ``run.json``."""
        return as_json(self._evaluation.record)

    def figure(self) -> "Picture":
        """A new Matplotlib figure of agreement against the depth of the layer.

        A notebook shows it; ``figure().savefig(path)`` saves it.
        """
        from iqa_jax.programs.evaluate.figure import correlation_by_layer  # noqa: PLC0415

        return correlation_by_layer(self._evaluation)

    def report(self) -> str:
        """The report that ``iqa evaluate`` prints."""
        return report_text(self._evaluation)

    def save(self, folder: epath.PathLike) -> list[str]:
        """Writes the files of ``iqa evaluate``.

        Args:
          folder: The folder, created if necessary.

        Returns:
          Names of the files.
        """
        return tables.write(self._evaluation, epath.Path(folder))

    def __repr__(self) -> str:
        found, analysis = self._evaluation.table, self._evaluation.analysis
        columns = len(analysis.results or analysis.forced_choices)
        pairs = counted(len(found.pairs), "pairs")
        return (
            f"<evaluation of {counted(columns, 'columns')} of scores on {found.name}: {pairs} "
            f"of {counted(found.reference_count, 'references')}>"
        )

    def _repr_html_(self) -> str:
        best = [result.column.name for result in best_layers(self._evaluation.analysis.results)]
        shown_here = self.correlations if best else self.forced_choices
        if best:
            shown_here = shown_here.set_index("column").loc[best].reset_index()
            shown_here = shown_here[["model", "layer", "readout", "pairs", "srcc", "plcc", "krcc"]]
        return f"<p>{repr(self)[1:-1]}</p>{shown_here.to_html()}"


@takes_settings(EvaluateSettings, without=("dataset", "output_dir", "models", "metrics"))
def evaluate(
    dataset: Any,
    models: Any = (),
    metrics: Any = (),
    *,
    progress: bool = False,
    **settings: Any,
) -> EvaluationResult:
    """Correlates image distances with human scores, as ``iqa evaluate`` does.

    Nothing is written, unless ``statistics_dir`` asks for statistics to be kept.

    Example:
      >>> import numpy as np
      >>> import iqa_jax
      >>> rng = np.random.default_rng(0)
      >>> references = rng.integers(60, 196, (3, 32, 32, 3))
      >>> ratings = {"reference": [], "distorted": [], "score": []}
      >>> for reference in references.astype(np.uint8):
      ...     for strength in (5, 15, 45):
      ...         noise = rng.normal(0, strength, reference.shape)
      ...         ratings["reference"].append(reference)
      ...         ratings["distorted"].append((reference + noise).clip(0, 255).astype(np.uint8))
      ...         ratings["score"].append(100 - strength)
      >>> evaluation = iqa_jax.evaluate(ratings, metrics=["psnr", "ssim"])
      >>> evaluation
      <evaluation of 2 columns of scores on pairs: 9 pairs of 3 references>
      >>> bool((evaluation.correlations["srcc"] > 0.9).all())
      True

    Args:
      dataset: Name of a dataset, which ``data_dir`` or ``tfds_dir`` locates; or pairs with human
        scores: a pandas frame or a mapping with the columns ``reference``, ``distorted``, ``score``
        and optionally ``score_std``, ``distortion``, ``level`` and ``reference_id``, or the path of
        a CSV file. Images are paths, or arrays ``[H, W, 3]``, RGB: ``uint8``, or floats on the
        8-bit grid (k/255, or whole numbers from 0 to 255).
      models: Networks whose layers are evaluated: names, see :func:`iqa_jax.list_models`
        (``@study46`` and ``@study`` for those of the study, ``@transformers`` for the
        transformers, ``FILE.py:NAME`` for a function in a file), backbones and backbone functions
        in memory; or one of these.
      metrics: Metrics that join the tables: names, see :func:`iqa_jax.list_metrics` (and any
        read-out ``MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]``), and metrics in memory; or one of
        these.
      **settings: The other settings of ``iqa evaluate``, as keywords.
      progress: Whether to show progress bars and messages on stderr.

    Returns:
      Frames, a figure and a report.

    Raises:
      InputError: If the dataset, a model, a layer, a read-out or a setting cannot be used.
      CheckpointError: If weights have not been fetched, or are damaged.
    """
    with shown(progress):
        name, table = find_dataset(dataset, settings)
        precision = settings.get("precision", EvaluateSettings.precision)
        model_names, backbones = find_backbones(models, precision=precision)
        metric_names, objects = find_metrics(metrics)
        chosen = settings_from(
            EvaluateSettings,
            settings,
            fixed={
                "dataset": name,
                "output_dir": None,
                "models": model_names,
                "metrics": metric_names,
            },
        )
        if not objects:  # an object may use settings that names do not reveal
            refuse_idle(chosen, settings)
        found = run(chosen, table=table, loaded=Loaded(backbones, objects))
        return EvaluationResult(found, index=_index(dataset, table, found.table))


def _index(dataset: Any, given: PairTable | None, evaluated: PairTable) -> list[Any] | None:
    """Labels in a given frame of the pairs that were evaluated, some of those of the frame."""
    if given is None or not hasattr(dataset, "columns"):
        return None
    labels = {id(pair): label for pair, label in zip(given.pairs, dataset.index, strict=True)}
    return [labels[id(pair)] for pair in evaluated.pairs]


def find_dataset(dataset: Any, settings: Mapping[str, Any]) -> tuple[str, PairTable | None]:
    """The name of a dataset, and its pairs if they are given.

    Args:
      dataset: A name, or pairs with human scores.
      settings: The settings that were given.

    Returns:
      The name, and the pairs; None for those of the dataset with that name.

    Raises:
      InputError: If the pairs cannot be used, or settings of a named dataset come with them.
    """
    if isinstance(dataset, str) and (dataset in DATASETS or not _is_file(dataset)):
        return dataset, None
    for name in ("data_dir", "tfds_dir"):
        if settings.get(name) is not None:
            raise InputError(
                f"{name}: without effect if the pairs are given; name a dataset, or leave it out"
            )
    direction = settings.get("score_direction")
    table = table_from(dataset, with_scores=True, score_direction=direction)
    return table.name, table


def _is_file(name: str) -> bool:
    return name.lower().endswith(".csv") or os.path.isfile(name)  # noqa: PTH113  also in a bucket

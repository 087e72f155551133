"""Learning which channels matter to people, with a metric as its result."""

import tempfile
from contextlib import ExitStack
from dataclasses import astuple, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from etils import epath

from iqa_jax.errors import InputError
from iqa_jax.library.evaluating import find_dataset
from iqa_jax.library.frames import frame
from iqa_jax.library.keywords import refuse_idle, settings_from, takes_settings
from iqa_jax.metrics import Metric
from iqa_jax.metrics.readout_metric import read_out
from iqa_jax.programs.flags import settings_of
from iqa_jax.programs.settings import DatasetSettings
from iqa_jax.programs.train.learning import UNNAMED, Learned, learn
from iqa_jax.programs.train.settings import TrainSettings
from iqa_jax.programs.train.tables import Relevant, draw_shares, weights_of
from iqa_jax.programs.train.training import export_relevance, store_relevance
from iqa_jax.progress import shown
from iqa_jax.relevance.gains import Gain
from iqa_jax.text import as_json
from iqa_jax.weights import checkpoints
from iqa_jax.zoo import Relevance, load_backbone

if TYPE_CHECKING:
    from pandas import DataFrame

    from iqa_jax.programs.pictures import Picture


class LearnedRelevance:
    """Channel weights learned from human scores, and the metric that they define.

    Args:
      learned: The weights and their value.
      settings: Settings of the training.
    """

    def __init__(self, learned: Learned, settings: TrainSettings):
        self._learned = learned
        self._settings = settings

    def __call__(
        self, reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray
    ) -> jax.Array:
        """Distance of each distorted image from its reference.

        Args:
          reference: ``uint8``, or float32 in [0, 1], ``[B, H, W, 3]``, RGB.
          distorted: Images of the same shape.

        Returns:
          float32 ``[B]``; differentiable, also at identical images.
        """
        return self.metric(reference, distorted)

    @cached_property
    def metric(self) -> Metric:
        """The metric: a pytree and a function, to be compiled and differentiated."""
        made = self._learned.origin["statistics"]
        layers = list(self.relevance.weights)
        with jax.ensure_compile_time_eval():  # the first use may be inside a function being traced
            backbone = load_backbone(
                self.relevance.model,
                checkpoints_dir=self._settings.checkpoints_dir,
                precision=made["precision"],
            )
            return read_out(backbone, layers, self._settings.readout, relevance=self.relevance)

    @property
    def relevance(self) -> Relevance:
        """The weights, ``[channels]`` by layer."""
        return self._learned.relevance

    @cached_property
    def weights(self) -> "DataFrame":
        """A row for each channel: layer, number, weight, and share in the mean distance."""
        return frame(Relevant._fields, weights_of(self._learned))

    @cached_property
    def gains(self) -> "DataFrame":
        """Agreement with people under uniform, learned and published weights, with intervals.

        Everything is measured on images that the weights were not learned from. Columns are the
        attributes of :class:`iqa_jax.relevance.gains.Gain`.
        """
        rows = [astuple(row) for row in self._learned.rows]
        return frame([each.name for each in fields(Gain)], rows)

    @property
    def record(self) -> dict[str, Any]:
        """Everything that the weights depend on: the contents of ``run.json``."""
        return as_json(self._learned.record)

    def figure(self) -> "Picture":
        """A new Matplotlib figure of the shares of layers and channels."""
        return draw_shares(self._learned)

    def report(self) -> str:
        """The report that ``iqa train`` prints."""
        return self._learned.report

    def save(self, name: str, checkpoints_dir: epath.PathLike | None = None) -> epath.Path:
        """Stores the relevance for use in metrics, as ``MODEL/LAYERS/READOUT@NAME``.

        Args:
          name: Name of the relevance; an earlier one of that name is replaced, as by
            ``iqa train --name``, with a warning if its weights were others.
          checkpoints_dir: Folder of all checkpoints; None for that of the training.

        Returns:
          Folder of the relevance.

        Raises:
          InputError: If the name cannot be used.
        """
        directory = checkpoints.resolve_directory(checkpoints_dir or self._settings.checkpoints_dir)
        store_relevance(self._learned, name, directory)
        return directory / name

    def export(self, path: epath.PathLike, *, licence: str = "") -> None:
        """Writes the relevance to a file that can be handed on, as ``iqa train --export`` does.

        The file is used as ``MODEL/LAYERS/READOUT@FILE.safetensors``, or alone as a metric:
        ``iqa_jax.load_metric("FILE.safetensors")``. Its card names the model, the dataset and the
        results on images that the weights were not learned from.

        Args:
          path: The file, which must end in ``.safetensors``; an earlier one is replaced.
          licence: Licence of the weights, for the card.

        Raises:
          InputError: If the file has another ending, or cannot be written.
        """
        export_relevance(self._learned, path, licence=licence)

    def __repr__(self) -> str:
        examples, relevance = self._learned.examples, self.relevance
        layers = "+".join(relevance.weights)
        return (
            f"<relevance of {relevance.model}/{layers} for {self._settings.readout}, learned from "
            f"{examples.name}: {len(examples.scores)} pairs of {examples.references} references>"
        )


@takes_settings(TrainSettings, without=("dataset", "output_dir", "name", "export", "licence"))
def train_relevance(
    dataset: Any = None, *, progress: bool = False, **settings: Any
) -> LearnedRelevance:
    """Learns which channels of a network matter to people, as ``iqa train`` does.

    The result is a metric that can be used at once, also as a loss. Nothing is written: statistics
    go to a temporary folder unless ``statistics_dir`` names one that keeps them.

    Example:
      >>> import numpy as np
      >>> import iqa_jax
      >>> rng = np.random.default_rng(0)
      >>> ratings = {"reference": [], "distorted": [], "score": []}
      >>> for reference in rng.integers(60, 196, (4, 32, 32, 3)).astype(np.uint8):
      ...     for strength in (5, 15, 45):
      ...         noise = rng.normal(0, strength, reference.shape)
      ...         ratings["reference"].append(reference)
      ...         ratings["distorted"].append((reference + noise).clip(0, 255).astype(np.uint8))
      ...         ratings["score"].append(100 - strength)
      >>> learned = iqa_jax.train_relevance(
      ...     ratings, model="squeezenet1_1-random-none-seed0", layers="relu1",
      ...     folds=2, seeds=1, strengths=0.01, most_steps=20,
      ... )
      >>> learned(reference[None], reference[None]).tolist()
      [0.0]
      >>> int((learned.weights["layer"] == "relu1").sum())
      64

    Args:
      dataset: Name of a dataset, which ``data_dir`` or ``tfds_dir`` locates, or pairs with human
        scores in any form that :func:`iqa_jax.evaluate` takes. Without images: None, or the name of
        one of several datasets in ``statistics_dir``.
      **settings: The settings of ``iqa train``, as keywords.
      progress: Whether to show progress bars and messages on stderr.

    Returns:
      The weights, their value on images that they were not learned from, and the metric.

    Raises:
      InputError: If the dataset, the statistics, the model, a layer or a setting cannot be used.
      CheckpointError: If weights have not been fetched, or are damaged.
    """
    name, table = (None, None) if dataset is None else find_dataset(dataset, settings)
    fixed = {"dataset": name, "output_dir": None, "name": UNNAMED}
    chosen = settings_from(TrainSettings, settings, fixed=fixed)
    if name is None and not {"data_dir", "tfds_dir"}.isdisjoint(settings):
        raise InputError("dataset: expected its name, which says how the folder is read, got None")
    if table is not None:
        given = {key: settings[key] for key in settings_of(DatasetSettings) if key in settings}
        images = settings_from(DatasetSettings, given, fixed={"dataset": name})
        chosen = replace(chosen, images=images)
    refuse_idle(chosen, settings)
    with shown(progress), ExitStack() as kept:
        folder = chosen.statistics_dir or kept.enter_context(tempfile.TemporaryDirectory())
        return LearnedRelevance(learn(chosen, statistics_dir=folder, table=table), chosen)

"""Settings of a training."""

from dataclasses import dataclass, field
from typing import Literal

from iqa_jax.programs.settings import DatasetSettings, Idle, IntervalSettings, ModelSettings
from iqa_jax.relevance import Recipe, Scheme

_SELECTION = ("score_direction", "exclude_references", "allow_partial", "limit")


@dataclass(frozen=True, kw_only=True)
class LearningSettings(ModelSettings):
    """The statistics to learn from, and the relevance to learn.

    Attributes:
      model: The model; iqa models lists all.
      name: Name under which the relevance is stored among the checkpoints; an earlier relevance of
        that name is replaced, which is said. Not needed with export.
      export: File to write the relevance to, to be handed on: FILE.safetensors, with a card of its
        model, data and results. It is used as READOUT@FILE.safetensors, or alone as a metric.
      licence: Licence of the exported weights, for the card.
      output_dir: Folder for the results.
      statistics_dir: Folder of the statistics, as written by iqa extract; with data_dir the folder
        into which they are extracted. Default then: OUTPUT_DIR/statistics.
      dataset: Name of the dataset whose images are extracted; without data_dir the name of the
        dataset in statistics_dir, if it has several.
      images: Dataset whose statistics are extracted first; None if they exist already.
      layers: Layers whose channels are weighed together, or 'all' for all in the statistics except
        input. Default: the layers of LPIPS if it uses the model, else all.
      readout: The read-out that is weighed.
      test_statistics_dir: Folder with the statistics of the same model on another dataset, to which
        the relevance is transferred.
      test_dataset: Name of the other dataset, if test_statistics_dir has several.
      recipe: Loss and optimisation.
      scheme: Folds, seeds and strengths.
    """

    model: str
    name: str | None = None
    export: str | None = None
    licence: str | None = None
    output_dir: str | None
    statistics_dir: str | None = None
    dataset: str | None = None
    images: DatasetSettings | None = field(
        default=None, metadata={"given_by": ("data_dir", "tfds_dir")}
    )
    layers: tuple[str, ...] = ()
    readout: Literal["l2", "rmse", "unit", "unit_root"] = "unit"
    test_statistics_dir: str | None = None
    test_dataset: str | None = None
    recipe: Recipe = field(default_factory=Recipe)
    scheme: Scheme = field(default_factory=Scheme)


@dataclass(frozen=True, kw_only=True)
class TrainSettings(IntervalSettings, LearningSettings):
    """A training; ``run.json`` has the settings in the order of these fields."""

    def idle(self) -> Idle:
        """Settings of images where their statistics are given, and of a test where none is."""
        if self.images is None:
            yield (
                (*_SELECTION, "precision", "resize", "versions"),
                "on statistics that are stored already; add --data_dir",
            )
        if self.export is None:
            yield ("licence",), "alone; add --export"
        if self.test_statistics_dir is None:
            yield ("test_dataset",), "alone; add --test_statistics_dir"

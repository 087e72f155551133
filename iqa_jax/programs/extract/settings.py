"""Settings of an extraction."""

from dataclasses import dataclass

from iqa_jax.programs.settings import DatasetSettings, ModelSettings, SharingSettings


@dataclass(frozen=True, kw_only=True)
class ExtractSettings(DatasetSettings, ModelSettings, SharingSettings):
    """Statistics to extract.

    Attributes:
      statistics_dir: Folder for the statistics, which go to STATISTICS_DIR/DATASET/MODEL. Existing
        ones are not computed again; a store made with other weights, precision, resize or data is
        refused.
      models: Models, such as alexnet,vgg16; iqa models lists all. '@study46' means the 46 of the
        study, '@study' all that its claims need, with untrained controls, '@transformers' all
        vision transformers; FILE.py:NAME is a backbone function of your own.
      layers: Layers of the models, or 'all'.
      statistics: Statistics to store of each layer: squared_error, unit_squared_error,
        mean_reference, mean_distorted, variance_reference, variance_distorted, difference_mean,
        difference_variance, variance_change, gram_error, wasserstein_error,
        wasserstein_error_16, decorrelation_error; or 'all'. squared_error serves the
        read-outs l2, rmse, balanced and normalized, unit_squared_error unit and unit_root, and
        either of them serves to learn a relevance; the others serve the descriptors.
    """

    statistics_dir: str
    models: tuple[str, ...]
    layers: tuple[str, ...] = ("all",)
    statistics: tuple[str, ...] = ("squared_error", "unit_squared_error")

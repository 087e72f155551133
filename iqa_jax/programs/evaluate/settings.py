"""Settings of an evaluation."""

from dataclasses import dataclass, field
from typing import ClassVar

from iqa_jax.programs.settings import (
    DatasetSettings,
    Idle,
    IntervalSettings,
    ModelSettings,
    SharingSettings,
)


@dataclass(frozen=True, kw_only=True)
class ColumnSettings(DatasetSettings, ModelSettings):
    """The distances that are compared with human scores.

    Attributes:
      output_dir: Folder for the results.
      models: Models whose layers are evaluated, such as alexnet,vgg16; iqa models lists all.
        '@study46' means the 46 of the study, '@study' all that its claims need, with untrained
        controls, '@transformers' all vision transformers; FILE.py:NAME is a backbone function of
        your own.
      layers: Layers of the models, and concatenations of them joined by +; 'all' is every single
        layer, 'cumulative' the first n layers joined, for every n. 'input', the pixels, is a
        baseline: one row for all models. Parts of a transformer's block are named, such as
        block1.attention.
      readouts: Read-outs of each layer: l2, rmse, balanced, normalized, unit, unit_root, cosine,
        mean, std, mean_std, gram, structure_texture, wasserstein, wasserstein_16,
        distance_correlation; with channel weights READOUT@RELEVANCE, such as unit@lpips-vgg or
        unit@FILE.safetensors.
      metrics: Metrics that join the tables: psnr, ssim, ms-ssim, ssim:wang2004, ssim:matlab,
        ssim:rgb, ms-ssim:wang2003, ms-ssim:rgb, gmsd, ms-gmsd, haarpsi, mdsi, nlpd, vif, fsim,
        fsimc, vsi, iw-ssim, flip, flip:ppd=NUMBER, ssimulacra2, lpips-alex, lpips-vgg,
        lpips-squeeze, dists, dists:resize256, deepwsd, deepdc, perceptnet, any read-out
        MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE], and a learned relevance FILE.safetensors.
      statistics_dir: Folder in which the statistics of layers are kept: missing ones are extracted,
        and any other read-out then takes seconds. The read-outs balanced and normalized need it.
      normaliser_from: Folder with the statistics of another dataset, made in the same way: balanced
        and normalized compare with its means. Default: the means of the dataset that is evaluated,
        and such rows are marked transductive.
      scores_csv: Scores of another tool that join the tables: a CSV file with the column distorted
        and a column for each score. A column with the name of a metric has its direction, and the
        others are taken to be distances; see joined_direction.
      joined_direction: Direction of a column of scores_csv: mine=higher says that higher scores
        mean more similar images. Separate several by commas, or give the flag several times.
    """

    output_dir: str | None
    models: tuple[str, ...] = ()
    layers: tuple[str, ...] = ("all",)
    readouts: tuple[str, ...] = ("l2", "unit")
    metrics: tuple[str, ...] = ()
    statistics_dir: str | None = None
    normaliser_from: str | None = None
    scores_csv: str | None = None
    joined_direction: tuple[str, ...] = field(default=(), metadata={"repeated": True})


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings(SharingSettings, IntervalSettings, ColumnSettings):
    """An evaluation; ``run.json`` has the settings in the order of these fields.

    Attributes:
      allow_absent: Leave out the models whose weights have not been fetched, instead of stopping;
        run.json lists them.
      layers_from: Source of the best layer of each model and read-out, which then has an interval;
        either the folder of an earlier evaluation of another dataset, or 'split' (half of the
        references, by a hash of their names, choose; the others score).
    """

    is_recorded: ClassVar[bool] = True

    allow_absent: bool = False
    layers_from: str | None = None

    def idle(self) -> Idle:
        """Settings of networks where none is run."""
        from iqa_jax.metrics import parse_metrics  # noqa: PLC0415  loads JAX

        if not self.models:
            yield ("layers", "readouts"), "where no model is named; add --models"
            if not any(metric.readout for metric in parse_metrics(self.metrics)):
                yield (
                    ("statistics_dir", "precision"),
                    "where no network is run; add --models, or metrics that have one",
                )

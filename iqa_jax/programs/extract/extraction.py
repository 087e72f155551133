"""A network over a dataset, once: the statistics of its layers, into a store."""

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import jax
import jax.numpy as jnp
from etils import epath
from tqdm import tqdm

from iqa_jax.backbones import Backbone, aliases
from iqa_jax.datasets import PairTable, fingerprint
from iqa_jax.engine import run as engine
from iqa_jax.engine.capacity import check_memory
from iqa_jax.engine.devices import Programs, UnitRunner, programs_together
from iqa_jax.engine.plan import Plan, plan
from iqa_jax.engine.store import LayerShape, StatisticsStore, StatisticsWriter
from iqa_jax.errors import InputError
from iqa_jax.images.decode import Header
from iqa_jax.images.resize import Resize, Size
from iqa_jax.metrics.layer_statistics import FeatureStatistics
from iqa_jax.programs.settings import DatasetSettings, ModelSettings
from iqa_jax.readouts import parse_layers
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.zoo import model_layers

ALL = "all"

Arrays = Sequence[tuple[str, str]]
"""Layer and statistic of each."""


@dataclass(frozen=True)
class Extracted:
    """A store that has what was asked for.

    Attributes:
      store: The store.
      pairs_per_second: Of those that were computed now, compilation included; None if none were.
    """

    store: StatisticsStore
    pairs_per_second: float | None


def ensure_store(
    table: PairTable,
    headers: Mapping[str, Header],
    model: str,
    arrays: Arrays,
    *,
    statistics_dir: epath.PathLike,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
    resize: Resize | None = None,
    versions: int | None = None,
    programs: Programs | None = None,
) -> Extracted:
    """Extracts the statistics that a store does not have yet; what it has is not computed again.

    A killed run continues where it was. Images are opened only if something is missing.

    Args:
      table: The dataset.
      headers: Of each of its images, by name.
      model: Name of the model.
      arrays: Layer and statistic of those that are wanted; a layer may have its short name.
      statistics_dir: Where stores are: ``STATISTICS_DIR/DATASET/MODEL``.
      checkpoints_dir: As for ``load_backbone``.
      precision: As for ``load_backbone``.
      resize: Applied to every image first.
      versions: V, the number of versions in a work unit; None for the cheapest.
      programs: Programs of the run so far; None for none.

    Raises:
      InputError: If there is no such model or layer, images are too small for a layer, or the store
        was made with other weights, precision, resize or data, or is damaged.
      ImageError: If an image cannot be decoded; what was extracted before it is kept.
      CheckpointError: If weights have not been fetched, or are damaged.
    """
    outline = FeatureStatistics.outline(
        model, arrays, checkpoints_dir=checkpoints_dir, precision=precision
    )
    work = plan(table, headers, versions=versions, resize=resize)
    for size in work.sizes:
        outline.check_size(*size)
    statistics = outline.fill(checkpoints_dir=checkpoints_dir)
    made = statistics.signature
    writer = StatisticsWriter.create_or_continue(
        statistics_dir,
        signature={
            "model": made["model"],
            "weights_sha256": made["weights_sha256"],
            "precision": made["precision"],
            "resize": resize.text if resize else None,
            "revisions": made["revisions"],
            "dataset": table.name,
            "higher_is_better": table.higher_is_better,
            "dataset_fingerprint": fingerprint(table, headers),
        },
        made_with={"versions": work.versions, **engine.environment()},
        table=table,
        plan=work,
        layers=lambda: layer_shapes(statistics.backbone, work.sizes),
        arrays=statistics.arrays,
    )
    speed = _fill(
        writer,
        replace(statistics, arrays=writer.arrays),
        table,
        work,
        resize=resize,
        programs=programs,
    )
    return Extracted(StatisticsStore.at(writer.path), speed)


def _fill(
    writer: StatisticsWriter,
    statistics: FeatureStatistics,
    table: PairTable,
    work: Plan,
    *,
    resize: Resize | None,
    programs: Programs | None,
) -> float | None:
    """Computes what is missing; pairs per second, None if nothing was."""
    missing = writer.missing(work.units)
    if not missing:
        return None
    runner = UnitRunner(statistics, programs=programs)
    started_at = time.monotonic()
    try:
        for done in engine.compute(
            table, work, missing, runner, label=statistics.label, resize=resize
        ):
            writer.add(done.unit, done.values)
    finally:
        writer.finish()
    return engine.pairs_per_second(missing, started_at)


@dataclass(frozen=True, kw_only=True)
class Settings(DatasetSettings, ModelSettings):
    """What an extraction is asked for; the flags of the program say what each means."""

    statistics_dir: str
    models: tuple[str, ...]
    layers: tuple[str, ...] = (ALL,)
    statistics: tuple[str, ...] = ("squared_error", "unit_squared_error")


def extract(settings: Settings) -> list[Extracted]:
    """Extracts the statistics of each model; what can be wrong with the input is checked first.

    Raises:
      InputError: If the dataset, a model, a layer or a statistic cannot be used, or as by
        :func:`ensure_store`.
    """
    resize = settings.parsed_resize
    table, headers = settings.inspect_dataset()
    work = plan(table, headers, versions=settings.versions, resize=resize)
    outlines = [
        FeatureStatistics.outline(
            model,
            wanted,
            checkpoints_dir=settings.checkpoints_dir,
            precision=settings.precision,
        )
        for model, wanted in _arrays(settings).items()
    ]
    for outline in outlines:
        for size in work.sizes:
            outline.check_size(*size)
        check_memory(outline, table, work, outline.label)
    left_out = table.pairs_left_out
    note = f"; {left_out} pairs whose images are missing are left out" if left_out else ""
    tqdm.write(f"{table.name}: {len(table.pairs)} pairs{note}", file=sys.stderr)
    programs = Programs()
    extracted = {
        place: ensure_store(
            table,
            headers,
            outlines[place].label,
            outlines[place].arrays,
            statistics_dir=settings.statistics_dir,
            checkpoints_dir=settings.checkpoints_dir,
            precision=settings.precision,
            resize=resize,
            versions=settings.versions,
            programs=programs,
        )
        for place in programs_together(outlines)
    }
    return [extracted[place] for place in range(len(outlines))]


def _arrays(settings: Settings) -> dict[str, Arrays]:
    """Of each model that has one of the layers: layer and statistic of what is wanted."""
    known = {model: model_layers(model) for model in settings.models}
    wanted: dict[str, list[str]] = {model: [] for model in known}
    for text in settings.layers:
        of_model = {
            model: layers if text == ALL else _named(text, layers)
            for model, layers in known.items()
        }
        if not any(of_model.values()):
            there = "".join(f"\n  {model}: {', '.join(layers)}" for model, layers in known.items())
            raise InputError(f"no model has the layer {text}; there are:{there}")
        for model, layers in of_model.items():
            wanted[model] += layers
    statistics = STATISTICS if ALL in settings.statistics else settings.statistics
    return {
        model: [(layer, statistic) for layer in layers for statistic in statistics]
        for model, layers in wanted.items()
        if layers
    }


def _named(text: str, known: Sequence[str]) -> Sequence[str]:
    """The layers of a concatenation where a model has them all."""
    names = parse_layers(text)
    return names if set(names) <= {*known, *aliases(known)} else ()


def layer_shapes(backbone: Backbone, sizes: Iterable[Size]) -> dict[str, LayerShape]:
    """Channels and positions of every layer, in forward order, for images of some sizes."""
    shapes = {
        size: jax.eval_shape(
            Backbone.activations, backbone, jax.ShapeDtypeStruct((1, *size, 3), jnp.float32)
        )
        for size in sizes
    }
    return {
        layer: LayerShape(
            backbone.channels[layer],
            {size: prod(of_size[layer].shape[1:3]) for size, of_size in shapes.items()},
        )
        for layer in backbone.layers
    }

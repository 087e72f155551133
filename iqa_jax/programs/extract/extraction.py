"""A network over a dataset, once: the statistics of its layers, into a store."""

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import jax
import jax.numpy as jnp
from etils import epath
from tqdm import tqdm

from iqa_jax.backbones import Backbone, aliases
from iqa_jax.datasets import PairTable, fingerprint
from iqa_jax.engine import run as engine
from iqa_jax.engine.capacity import check_memory
from iqa_jax.engine.devices import UnitRunner
from iqa_jax.engine.plan import Plan, plan
from iqa_jax.engine.store import LayerShape, StatisticsStore, StatisticsWriter
from iqa_jax.errors import InputError
from iqa_jax.images.decode import Header
from iqa_jax.images.resize import Resize, Size
from iqa_jax.metrics.layer_statistics import Arrays, Reduction, check_arrays
from iqa_jax.programs.extract.settings import ExtractSettings as Settings
from iqa_jax.readouts import parse_layers
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.revisions import revisions
from iqa_jax.zoo import load_backbone, model_layers, outline_backbone

ALL = "all"


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

    Raises:
      InputError: If there is no such model or layer, images are too small for a layer, or the store
        was made with other weights, precision, resize or data, or is damaged.
      ImageError: If an image cannot be decoded; what was extracted before it is kept.
      CheckpointError: If weights have not been fetched, or are damaged.
    """
    backbone = load_backbone(model, checkpoints_dir=checkpoints_dir, precision=precision)
    work = plan(table, headers, versions=versions, resize=resize)
    wanted = check_arrays(backbone, arrays, work.sizes)
    writer = StatisticsWriter.create_or_continue(
        statistics_dir,
        signature={
            "model": model,
            "weights_sha256": backbone.sha256,
            "precision": precision,
            "resize": resize.text if resize else None,
            "revisions": revisions(
                [*backbone.formulas, *(f"statistic/{name}" for name in STATISTICS)]
            ),
            "dataset": table.name,
            "higher_is_better": table.higher_is_better,
            "dataset_fingerprint": fingerprint(table, headers),
        },
        made_with={"versions": work.versions, **engine.environment()},
        table=table,
        plan=work,
        layers=lambda: layer_shapes(backbone, work.sizes),
        arrays=wanted,
    )
    speed = _fill(writer, Reduction(backbone, writer.arrays), table, work, resize)
    return Extracted(StatisticsStore.at(writer.path), speed)


def _fill(
    writer: StatisticsWriter,
    reduction: Reduction,
    table: PairTable,
    work: Plan,
    resize: Resize | None,
) -> float | None:
    """Computes what is missing; pairs per second, None if nothing was."""
    missing = writer.missing(work.units)
    if not missing:
        return None
    runner = UnitRunner(Reduction.versions, reduction)
    started_at = time.monotonic()
    try:
        for done in engine.compute(
            table, work, missing, runner, label=reduction.backbone.name, resize=resize
        ):
            writer.add(done.unit, done.values)
    finally:
        writer.finish()
    return engine.pairs_per_second(missing, started_at)


def extract(settings: Settings) -> list[Extracted]:
    """Extracts the statistics of each model; what can be wrong with the input is checked first.

    Raises:
      InputError: If the dataset, a model, a layer or a statistic cannot be used, or as by
        :func:`ensure_store`.
    """
    resize = settings.parsed_resize
    table, headers = settings.inspect_dataset()
    work = plan(table, headers, versions=settings.versions, resize=resize)
    arrays = _arrays(settings)
    for model, wanted in arrays.items():
        outline = outline_backbone(model, checkpoints_dir=settings.checkpoints_dir)
        outlined = Reduction(outline, tuple(check_arrays(outline, wanted, work.sizes)))
        check_memory(outlined, table, work, model)
    left_out = table.pairs_left_out
    note = f"; {left_out} pairs whose images are missing are left out" if left_out else ""
    tqdm.write(f"{table.name}: {len(table.pairs)} pairs{note}", file=sys.stderr)
    return [
        ensure_store(
            table,
            headers,
            model,
            wanted,
            statistics_dir=settings.statistics_dir,
            checkpoints_dir=settings.checkpoints_dir,
            precision=settings.precision,
            resize=resize,
            versions=settings.versions,
        )
        for model, wanted in arrays.items()
    ]


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

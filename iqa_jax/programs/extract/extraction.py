"""Runs a network over a dataset once and stores the statistics of its layers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod

from etils import epath

from iqa_jax.backbones import INPUT, Backbone
from iqa_jax.datasets import PairTable, fingerprint
from iqa_jax.engine.capacity import check_memory
from iqa_jax.engine.claims import Claims
from iqa_jax.engine.devices import programs_together
from iqa_jax.engine.plan import Plan, make_plan
from iqa_jax.engine.programs import Programs
from iqa_jax.engine.run import environment, fill, mean_speed
from iqa_jax.engine.shards import shards_to_do
from iqa_jax.engine.shares import ALONE, Share
from iqa_jax.engine.store import LayerShape, StatisticsStore, StatisticsWriter, StoreShards
from iqa_jax.images.resize import Size
from iqa_jax.metrics.layer_statistics import FeatureStatistics
from iqa_jax.programs.extract.settings import ExtractSettings
from iqa_jax.programs.layers import ALL, resolve
from iqa_jax.progress import inform
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.text import counted
from iqa_jax.zoo import layers_on_request, model_layers, weights_sha256

Arrays = Sequence[tuple[str, str]]
"""Pairs of a layer and a statistic."""


@dataclass(frozen=True)
class Extracted:
    """A store with all requested arrays.

    Attributes:
      store: The store.
      pairs_per_second: Speed of the extraction, compilation included; None if nothing was missing.
      shards: Shards of the arrays that were missing, if several processes extract them.
    """

    store: StatisticsStore
    pairs_per_second: float | None
    shards: StoreShards | None = None

    def left(self) -> int:
        """Number of shards that are missing, because other processes are working on them."""
        return self.shards.count - len(self.shards.finished()) if self.shards else 0


def ensure_store(
    plan: Plan,
    model: str,
    arrays: Arrays,
    *,
    statistics_dir: epath.PathLike,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
    programs: Programs | None = None,
    share: Share = ALONE,
) -> Extracted:
    """Extracts the statistics that a store lacks.

    A killed run continues where it stopped. Images are opened and weights are loaded only if
    something is missing.

    Args:
      plan: The pairs, and how they are computed.
      model: Name of the model.
      arrays: Layers and statistics that are needed; layers may have their short names.
      statistics_dir: Folder of the stores, ``STATISTICS_DIR/DATASET/MODEL``.
      checkpoints_dir: See ``load_backbone``.
      precision: See ``load_backbone``.
      programs: Programs of the run so far; None for none.
      share: Share of this process.

    Raises:
      InputError: If the model or a layer is unknown, images are too small for a layer, or the store
        was made with other weights, precision, resize or data, or is damaged.
      ImageError: If an image cannot be decoded; the statistics of the pairs before it are kept.
      CheckpointError: If weights have not been fetched, or are damaged.
    """
    outline = FeatureStatistics.outline(
        model, arrays, checkpoints_dir=checkpoints_dir, precision=precision
    )
    for size in plan.sizes:
        outline.check_size(*size)
    made = outline.signature
    made_with = {"versions": plan.versions, **environment()}
    writer = StatisticsWriter.create_or_continue(
        statistics_dir,
        signature={
            "model": made["model"],
            "weights_sha256": weights_sha256(model, checkpoints_dir=checkpoints_dir),
            "precision": made["precision"],
            "resize": plan.resize.text if plan.resize else None,
            "revisions": made["revisions"],
            "dataset": plan.table.name,
            "higher_is_better": plan.table.higher_is_better,
            "dataset_fingerprint": fingerprint(plan.table, plan.headers),
        },
        made_with=made_with,
        plan=plan,
        layers=lambda: layer_shapes(outline.backbone, plan.sizes),
        arrays=outline.arrays,
    )
    if not writer.arrays:
        return Extracted(StatisticsStore.at(writer.path), None)
    statistics = replace(outline, arrays=tuple(writer.arrays))
    filled = statistics.fill(checkpoints_dir=checkpoints_dir)
    if share.is_alone:
        speed = fill(writer, plan, filled, programs=programs).pairs_per_second
        return Extracted(StatisticsStore.at(writer.path), speed)
    shards, programs = StoreShards(writer.store, writer.arrays), programs or Programs()
    claims = Claims(writer.path.with_name(f"{writer.path.name}.claims"), share)
    speeds = []
    for number in shards_to_do(shards, share, claims):
        chunks = shards.chunks(number)
        some = StatisticsWriter(writer.store, writer.arrays, made_with, only=chunks)
        part = replace(plan, units=tuple(some.missing(plan.units)))
        speeds.append(fill(some, part, filled, programs=programs).pairs_per_second)
    return Extracted(StatisticsStore.at(writer.path), mean_speed(speeds), shards)


def extract(settings: ExtractSettings, *, table: PairTable | None = None) -> list[Extracted]:
    """Extracts the statistics of each model. The input is checked before anything is computed.

    Args:
      settings: Settings of the extraction.
      table: The pairs; None for those of the dataset that the settings name.

    Raises:
      InputError: If the dataset, a model, a layer or a statistic cannot be used; see also
        :func:`ensure_store`.
    """
    share = settings.share
    if not share.is_alone:
        inform(str(share))
    resize = settings.parsed_resize
    plan = make_plan(*settings.inspect_dataset(table), versions=settings.versions, resize=resize)
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
        for size in plan.sizes:
            outline.check_size(*size)
        check_memory(outline, plan)
    left_out = counted(plan.table.pairs_left_out, "pairs with missing images left out")
    note = f"; {left_out}" if plan.table.pairs_left_out else ""
    inform(f"{plan.table.name}: {counted(len(plan.table.pairs), 'pairs')}{note}")
    programs = Programs()
    plan = plan.decoding_once(passes=len(outlines))
    extracted = {
        place: ensure_store(
            plan,
            outlines[place].label,
            outlines[place].arrays,
            statistics_dir=settings.statistics_dir,
            checkpoints_dir=settings.checkpoints_dir,
            precision=settings.precision,
            programs=programs,
            share=share,
        )
        for place in programs_together(outlines)
    }
    return [extracted[place] for place in range(len(outlines))]


def _arrays(settings: ExtractSettings) -> dict[str, Arrays]:
    """The layers and statistics of each model that has one of the layers."""
    wanted = resolve(
        settings.layers,
        {model: model_layers(model) for model in settings.models},
        {model: layers_on_request(model) for model in settings.models},
    )
    statistics = STATISTICS if ALL in settings.statistics else settings.statistics
    return {
        model: [(layer, statistic) for each in layers for layer in each for statistic in statistics]
        for model, layers in wanted.items()
        if layers
    }


def layer_shapes(backbone: Backbone, sizes: Iterable[Size]) -> dict[str, LayerShape]:
    """Channels and positions of every known layer, for images of some sizes."""
    channels = {INPUT: 3, **backbone.network.channels}
    shapes = {size: backbone.shapes(*size) for size in sizes}
    return {
        layer: LayerShape(
            channels[layer],
            {
                size: prod(of_size[layer][:2]) if layer in of_size else 0
                for size, of_size in shapes.items()
            },
        )
        for layer in backbone.known_layers
    }

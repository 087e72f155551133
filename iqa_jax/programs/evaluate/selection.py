"""Turns the user's names of models, layers, read-outs and metrics into columns."""

from collections.abc import Sequence
from dataclasses import replace

from etils import epath

from iqa_jax.backbones import INPUT
from iqa_jax.errors import InputError
from iqa_jax.metrics import MetricName
from iqa_jax.programs.evaluate.columns import PIXELS, ScoreColumn
from iqa_jax.programs.layers import resolve, without_input
from iqa_jax.programs.loaded import NOTHING_LOADED, Loaded
from iqa_jax.readouts import ReadoutName, parse_readout
from iqa_jax.zoo import load_relevance


def select_columns(
    models: Sequence[str],
    *,
    layers: Sequence[str],
    readouts: Sequence[str],
    metrics: Sequence[str] = (),
    checkpoints_dir: epath.PathLike | None = None,
    loaded: Loaded = NOTHING_LOADED,
) -> list[ScoreColumn]:
    """Selects every read-out of every wanted layer of every model that has it, and the metrics.

    The pixels, ``input``, have one column for each read-out, computed with the first model. A
    repeated name has one column.

    Args:
      models: Names of models.
      layers: Layers of the models; see :func:`iqa_jax.programs.layers.resolve`.
      readouts: ``READOUT`` or ``READOUT@RELEVANCE``; the latter only where it weighs the layers.
      metrics: Published metrics, and read-outs ``MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]``.
      checkpoints_dir: Folder of the relevances.
      loaded: Networks and metrics in memory.

    Raises:
      InputError: If a name is unknown, no model has one of the layers, or a relevance weighs none
        of the layers.
    """
    layers_of = {model: loaded.layers(model) for model in models}
    further = {model: loaded.layers_on_request(model) for model in models}
    wanted = resolve(layers, layers_of, further) if models else {}
    parsed = [parse_readout(text) for text in readouts]
    relevances = {
        name: load_relevance(name, checkpoints_dir=checkpoints_dir) for _, name in parsed if name
    }
    names = [
        ReadoutName(model, joined, readout, relevance)
        for model, of_model in wanted.items()
        for joined in of_model
        for readout, relevance in parsed
        if relevance is None or relevances[relevance].weighs(model, joined)
    ]
    idle = [name for name in relevances if name not in {readout.relevance for readout in names}]
    if idle and models:
        raise InputError(f"the relevance {', '.join(idle)} weighs none of the layers asked for")
    columns = [_column(name, layers_of[name.model]) for name in names]
    columns += [
        ScoreColumn(
            metric.name,
            model=metric.name,
            metric=metric,
            higher_is_better=metric.higher_is_better,
        )
        for metric in loaded.parse(metrics)
    ]
    first: dict[str, ScoreColumn] = {}
    for column in columns:
        first.setdefault(column.name, column)
    return list(first.values())


def _column(name: ReadoutName, known: Sequence[str]) -> ScoreColumn:
    if name.layers == (INPUT,):
        label = str(replace(name, model=PIXELS))
        metric = MetricName(label, name)
        return ScoreColumn(label, PIXELS, readout=name.weighted_readout, metric=metric)
    index = known.index(name.layer) if name.layer in known else None
    last = len(known) - 1
    is_cumulative = name.layers == without_input(known)[: len(name.layers)]
    return ScoreColumn(
        name=str(name),
        model=name.model,
        layer=name.layer,
        layer_index=index,
        relative_depth=None if index is None else index / last,
        readout=name.weighted_readout,
        metric=MetricName(str(name), name),
        cumulative_depth=known.index(name.layers[-1]) / last if is_cumulative else None,
    )

"""What is asked for, from the user's words: the read-outs of layers of models, as names."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from etils import epath

from iqa_jax.agreement.columns import PIXELS, Column
from iqa_jax.backbones import INPUT, aliases
from iqa_jax.errors import InputError
from iqa_jax.metrics import MetricName, parse_metrics
from iqa_jax.readouts import ReadoutName, parse_layers, parse_readout
from iqa_jax.zoo import Relevance, load_relevance, model_layers

ALL = "all"
CUMULATIVE = "cumulative"


def select_columns(
    models: Sequence[str],
    *,
    layers: Sequence[str],
    readouts: Sequence[str],
    metrics: Sequence[str] = (),
    checkpoints_dir: epath.PathLike | None = None,
) -> list[Column]:
    """Every read-out of every wanted layer of every model that has it, and the metrics.

    Of ``input``, the pixels, there is one column a read-out, computed with the first model. What
    is named twice stands once.

    Args:
      models: Names of models.
      layers: Names of layers, concatenations joined by ``+``, ``all`` (every single layer) and
        ``cumulative`` (the first n layers joined, ``input`` left out, for every n).
      readouts: ``READOUT`` or ``READOUT@RELEVANCE``; the latter only where it weighs the layers.
      metrics: Published metrics, and read-outs ``MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]``.
      checkpoints_dir: Where the relevances are.

    Raises:
      InputError: If a name is none that there is, a layer is in no model, a relevance weighs none
        of the layers, or nothing is asked for.
    """
    layers_of = {model: model_layers(model) for model in models}
    parsed = [parse_readout(text) for text in readouts]
    relevances = {
        name: load_relevance(name, checkpoints_dir=checkpoints_dir) for _, name in parsed if name
    }
    names = [
        ReadoutName(model, wanted, readout, relevance)
        for model, known in layers_of.items()
        for wanted in _wanted_layers(known, layers)
        for readout, relevance in parsed
        if relevance is None or _weighs(relevances[relevance], model, wanted)
    ]
    _check_layers(layers, layers_of)
    idle = [name for name in relevances if name not in {readout.relevance for readout in names}]
    if idle and models:
        raise InputError(f"the relevance {', '.join(idle)} weighs none of the layers asked for")
    columns = [_column(name, layers_of[name.model]) for name in names]
    columns += [
        Column(
            metric.name,
            model=metric.name,
            metric=metric,
            higher_is_better=metric.higher_is_better,
        )
        for metric in parse_metrics(metrics)
    ]
    if not columns:
        raise InputError("nothing to evaluate: name at least one model or metric")
    first: dict[str, Column] = {}
    for column in columns:
        first.setdefault(column.name, column)
    return list(first.values())


def _wanted_layers(known: Sequence[str], layers: Sequence[str]) -> list[tuple[str, ...]]:
    """Those of the layers asked for that a model with the layers ``known`` has, each once."""
    wanted: list[tuple[str, ...]] = []
    short = aliases(known)
    for text in layers:
        if text == ALL:
            wanted += [(name,) for name in known]
        elif text == CUMULATIVE:
            inner = _inner(known)
            wanted += [inner[: count + 1] for count in range(len(inner))]
        else:
            names = tuple(short.get(name, name) for name in parse_layers(text))
            if set(names) <= set(known):
                wanted.append(names)
    return list(dict.fromkeys(wanted))


def _inner(known: Sequence[str]) -> tuple[str, ...]:
    """The layers without ``input``."""
    return tuple(name for name in known if name != INPUT)


def _weighs(relevance: Relevance, model: str, layers: Sequence[str]) -> bool:
    return relevance.model == model and set(layers) <= set(relevance.weights)


def _check_layers(layers: Sequence[str], layers_of: Mapping[str, Sequence[str]]) -> None:
    for text in layers:
        if layers_of and not any(_wanted_layers(known, [text]) for known in layers_of.values()):
            known = "".join(f"\n  {model}: {', '.join(of)}" for model, of in layers_of.items())
            raise InputError(f"no model has the layer {text}; there are:{known}")


def _column(name: ReadoutName, known: Sequence[str]) -> Column:
    if name.layers == (INPUT,):
        label = str(replace(name, model=PIXELS))
        metric = MetricName(label, name)
        return Column(label, PIXELS, readout=name.weighted_readout, metric=metric)
    index = known.index(name.layer) if len(name.layers) == 1 else None
    last = len(known) - 1
    is_cumulative = name.layers == _inner(known)[: len(name.layers)]
    return Column(
        name=str(name),
        model=name.model,
        layer=name.layer,
        layer_index=index,
        relative_depth=None if index is None else index / last,
        readout=name.weighted_readout,
        metric=MetricName(str(name), name),
        cumulative_depth=known.index(name.layers[-1]) / last if is_cumulative else None,
    )

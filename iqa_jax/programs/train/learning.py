"""Learns a relevance from stored statistics, and measures its value on new images."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from etils import epath

from iqa_jax.agreement.intervals import choose
from iqa_jax.backbones import INPUT
from iqa_jax.datasets import PairTable
from iqa_jax.datasets.overlaps import overlap_warning, trained_on
from iqa_jax.engine.run import environment
from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import InputError
from iqa_jax.programs.extract.extraction import extract
from iqa_jax.programs.extract.settings import ExtractSettings
from iqa_jax.programs.layers import ALL, resolve
from iqa_jax.programs.train.report import report_text
from iqa_jax.programs.train.settings import TrainSettings
from iqa_jax.progress import inform, warn
from iqa_jax.relevance.cross_validation import CrossValidation, Scheme, check_scheme, cross_validate
from iqa_jax.relevance.examples import FORMS, Examples, check_readout, read_examples
from iqa_jax.relevance.gains import Gain, held_out_gains, transfer_gains
from iqa_jax.relevance.losses import check_loss
from iqa_jax.text import counted
from iqa_jax.weights import checkpoints
from iqa_jax.zoo import Relevance, TrainingData, load_relevance
from iqa_jax.zoo.registry import RELEVANCES

UNNAMED = "learned"
"""Name of a relevance that has not been stored."""

_STATISTIC_OF_LPIPS = "unit_squared_error"


@dataclass(frozen=True, eq=False)
class Learned:
    """A learned relevance, and its value on images that it was not learned from.

    Attributes:
      relevance: The weights of all channels.
      examples: The pairs that it was learned from.
      validation: The weights of every fold.
      published: Published weights that it is compared with, ``[channels]`` by name.
      rows: The numbers of the report.
      report: The report as text.
      title: Title of the figure.
      origin: Everything that the weights depend on, as JSON.
      record: Record of the run, as JSON.
    """

    relevance: Relevance
    examples: Examples
    validation: CrossValidation
    published: Mapping[str, np.ndarray]
    rows: Sequence[Gain]
    report: str
    title: str
    origin: Mapping[str, Any]
    record: Mapping[str, Any]


def learn(
    settings: TrainSettings, *, statistics_dir: str, table: PairTable | None = None
) -> Learned:
    """Learns a relevance and measures its value on images that it was not learned from.

    The input is checked before training. Only extracted statistics are written.

    Args:
      settings: Settings of the training.
      statistics_dir: Folder of the statistics.
      table: Pairs whose statistics are extracted; None for those of the settings.

    Raises:
      InputError: If statistics, layers, read-out, loss or scheme cannot be used.
      CheckpointError: If weights have not been fetched, or are damaged.
    """
    directory = checkpoints.resolve_directory(settings.checkpoints_dir)
    check_readout(settings.readout)
    store = _open(settings, statistics_dir, table)
    layers = _layers(settings, store)
    examples = read_examples(store, layers, settings.readout)
    check_loss(settings.recipe.loss, examples)
    check_scheme(settings.scheme, examples)
    method = choose(settings.interval, settings.resamples, references=examples.references)
    published = _published(settings, examples, directory)
    test_store = _open_test(settings, store)
    test = read_examples(test_store, layers, settings.readout) if test_store else None
    _announce(examples, settings.scheme)
    started = time.monotonic()
    validation = cross_validate(examples, settings.recipe, settings.scheme)
    seconds = time.monotonic() - started
    rows = held_out_gains(examples, validation, published, method)
    if test:
        rows += transfer_gains(test, validation.weights, published, method)
    summary = [
        f"{settings.model}, {settings.readout} of {'+'.join(layers)}, learned from {examples.name} "
        f"by the {settings.recipe.loss} loss",
        f"stored weights: all references, strength {validation.strength:g}, "
        f"{validation.steps} steps",
    ]
    notes = [*_notes(examples, test, published), *_edge(validation, settings.scheme)]
    origin = _origin(settings, store, validation)
    return Learned(
        relevance=_relevance(settings, store, examples.by_layer(validation.weights)),
        examples=examples,
        validation=validation,
        published=published,
        rows=rows,
        report="\n".join([*summary, "", report_text(rows, method), *notes]),
        title=f"{settings.model}, {settings.readout}: learned from {examples.name}",
        origin=origin,
        record={
            "settings": asdict(settings),
            "name": settings.name,
            "interval": method.describe(examples.references),
            **origin,
            "test_statistics": test_store.signature if test_store else None,
            "seconds": round(seconds, 3),
            "software": environment(),
        },
    )


def _relevance(
    settings: TrainSettings, store: StatisticsStore, weights: Mapping[str, np.ndarray]
) -> Relevance:
    arrays = {layer: each.astype(np.float32) for layer, each in weights.items()}
    made = store.signature
    return Relevance(
        weights={layer: jnp.asarray(each) for layer, each in arrays.items()},
        name=settings.name or settings.export or UNNAMED,
        model=settings.model,
        sha256=checkpoints.digest(arrays),
        training=TrainingData(made["dataset"], made["dataset_fingerprint"]),
    )


def _open(settings: TrainSettings, statistics_dir: str, table: PairTable | None) -> StatisticsStore:
    """The statistics to learn from; they are extracted first if the images are given."""
    if settings.images is None:
        if settings.statistics_dir is None:
            raise InputError("expected statistics_dir, or dataset and data_dir")
        return StatisticsStore.open(
            settings.statistics_dir, settings.model, dataset=settings.dataset
        )
    (extracted,) = extract(
        ExtractSettings(
            **asdict(settings.images),
            statistics_dir=statistics_dir,
            models=(settings.model,),
            layers=_wanted_layers(settings),
            statistics=(FORMS[settings.readout].statistic,),
            checkpoints_dir=settings.checkpoints_dir,
            precision=settings.precision,
            resize=settings.resize,
            versions=settings.versions,
        ),
        table=table,
    )
    return extracted.store


def _open_test(settings: TrainSettings, store: StatisticsStore) -> StatisticsStore | None:
    if settings.test_statistics_dir is None:
        return None
    test = StatisticsStore.open(
        settings.test_statistics_dir, settings.model, dataset=settings.test_dataset
    )
    if test.signature["weights_sha256"] != store.signature["weights_sha256"]:
        raise InputError(
            f"{test.path}: was made with other weights of {settings.model} than {store.path}; "
            "extract the statistics of both with the same checkpoint"
        )
    return test


def _layers(settings: TrainSettings, store: StatisticsStore) -> list[str]:
    """Full names of the layers to weigh, each once, in forward order."""
    layers = _wanted_layers(settings)
    named = [text for text in layers if text != ALL]
    known = tuple(store.model_layers)
    (joined,) = resolve(named, {store.model: known}).values()
    wanted = {layer for each in joined for layer in each}
    if ALL in layers:
        wanted |= set(store.layers) - {INPUT}
    return [layer for layer in known if layer in wanted]


def _wanted_layers(settings: TrainSettings) -> tuple[str, ...]:
    """The requested layers; otherwise those of LPIPS, or all if LPIPS does not use the model."""
    return settings.layers or _layers_of_lpips(settings.model) or (ALL,)


def _layers_of_lpips(model: str) -> tuple[str, ...]:
    """The layers that LPIPS weighs; none if it does not use the model."""
    return next((each.layers for each in _relevances_of(model).values()), ())


def _relevances_of(model: str) -> Mapping[str, Any]:
    return {
        name: each for name, each in RELEVANCES.items() if each.model == model and each.terms == 1
    }


def _published(
    settings: TrainSettings, examples: Examples, directory: epath.Path
) -> dict[str, np.ndarray]:
    """Fetched weights that are published for the layers and the statistic."""
    if FORMS[settings.readout].statistic != _STATISTIC_OF_LPIPS:
        return {}
    found = {}
    for name, published in _relevances_of(settings.model).items():
        if set(examples.contributions) <= set(published.layers):
            if checkpoints.read_provenance(directory, name) is None:
                warn(
                    f"{name} has not been fetched and is not compared with; fetch it with: "
                    f"iqa fetch --models={name}"
                )
                continue
            weights = load_relevance(name, checkpoints_dir=directory).weights
            found[name] = examples.joined(
                {layer: np.asarray(values, np.float64) for layer, values in weights.items()}
            )
    return found


def _announce(examples: Examples, scheme: Scheme) -> None:
    runs = scheme.folds * scheme.seeds * len(scheme.strengths)
    pairs, channels = examples.matrix.shape
    inform(
        f"{examples.name}: training {counted(runs, 'runs')} on {counted(pairs, 'pairs')} of "
        f"{counted(examples.references, 'references')} x {counted(channels, 'channels')}"
    )


def _notes(
    examples: Examples, test: Examples | None, published: Mapping[str, np.ndarray]
) -> list[str]:
    """Reasons why the comparison is less fair than it looks."""
    tested = [examples.name, *([test.name] if test else [])]
    notes = [trained_on(name, dataset) for name in published for dataset in tested]
    if test:
        notes.append(overlap_warning(examples.name, test.name))
    return [note for note in notes if note]


def _edge(learned: CrossValidation, scheme: Scheme) -> Iterator[str]:
    """A note if a strength outside the range tried may be better."""
    for end, more in ((min(scheme.strengths), "smaller"), (max(scheme.strengths), "larger")):
        if learned.strength == end > 0 and len(scheme.strengths) > 1:
            yield f"{end:g} is the last of the strengths tried: {more} ones may do better."


def _origin(
    settings: TrainSettings, store: StatisticsStore, learned: CrossValidation
) -> dict[str, Any]:
    """Everything that the weights depend on, as JSON."""
    return {
        "statistics": dict(store.signature),
        "readout": settings.readout,
        "recipe": asdict(settings.recipe),
        "scheme": asdict(settings.scheme),
        "strength": learned.strength,
        "steps": learned.steps,
        "folds": [
            {
                "test_references": fold.test,
                "strength": fold.strength,
                "steps": fold.steps.tolist(),
                "validation": fold.validation.tolist(),
            }
            for fold in learned.folds
        ],
    }

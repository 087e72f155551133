"""From stored statistics to a relevance among the checkpoints, and a report of what it is worth."""

import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.agreement.intervals import choose
from iqa_jax.backbones import INPUT
from iqa_jax.datasets.overlaps import overlap_warning, trained_on
from iqa_jax.engine.run import environment
from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import InputError
from iqa_jax.programs.extract.extraction import extract
from iqa_jax.programs.extract.settings import ExtractSettings
from iqa_jax.programs.layers import ALL, resolve
from iqa_jax.programs.train import tables
from iqa_jax.programs.train.report import report_text
from iqa_jax.programs.train.settings import TrainSettings
from iqa_jax.relevance.cross_validation import CrossValidation, Scheme, check_scheme, cross_validate
from iqa_jax.relevance.examples import FORMS, Examples, check_readout, read_examples
from iqa_jax.relevance.gains import Gain, held_out_gains, transfer_gains
from iqa_jax.relevance.losses import check_loss
from iqa_jax.text import counted
from iqa_jax.weights import checkpoints
from iqa_jax.zoo import load_relevance
from iqa_jax.zoo.origins import DOWNLOADS
from iqa_jax.zoo.registry import MODELS, RELEVANCES

_NAME = re.compile(r"\w[\w.-]*")
_KIND = "relevance"
_STATISTIC_OF_LPIPS = "unit_squared_error"


@dataclass(frozen=True, eq=False)
class Learned:
    """What was learned.

    Attributes:
      checkpoint: The folder of the relevance.
      rows: The numbers of the report.
      report: The report as text.
    """

    checkpoint: epath.Path
    rows: Sequence[Gain]
    report: str


def train_relevance(settings: TrainSettings) -> Learned:
    """Learns a relevance, says what it is worth on images not learned from, and stores both.

    What can be wrong is looked for before training, and nothing is written before all is known; the
    checkpoint appears last.

    Raises:
      InputError: If statistics, layers, read-out, loss, scheme or name cannot be used.
      CheckpointError: If weights have not been fetched, or are damaged.
    """
    directory = checkpoints.resolve_directory(settings.checkpoints_dir)
    _check_name(settings.name, directory)
    check_readout(settings.readout)
    store = _open(settings)
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
    learned = cross_validate(examples, settings.recipe, settings.scheme)
    seconds = time.monotonic() - started
    rows = held_out_gains(examples, learned, published, method)
    if test:
        rows += transfer_gains(test, learned.weights, published, method)
    summary = [
        f"{settings.model}, {settings.readout} of {'+'.join(layers)}, learned from {examples.name} "
        f"by the {settings.recipe.loss} loss",
        f"stored weights: all references, strength {learned.strength:g}, {learned.steps} steps",
    ]
    notes = [*_notes(examples, test, published), *_edge(learned, settings.scheme)]
    report = "\n".join([*summary, "", report_text(rows, method), *notes])
    origin = _origin(settings, store, learned)
    record = {
        "settings": asdict(settings),
        "name": settings.name,
        "interval": method.describe(examples.references),
        **origin,
        "test_statistics": test_store.signature if test_store else None,
        "seconds": round(seconds, 3),
        "software": environment(),
    }
    tables.write(
        epath.Path(settings.output_dir),
        examples=examples,
        learned=learned,
        published=published,
        title=f"{settings.model}, {settings.readout}: learned from {examples.name}",
        rows=rows,
        report=report,
        record=record,
    )
    checkpoints.save(
        directory,
        settings.name,
        {
            layer: weights.astype(np.float32)
            for layer, weights in examples.by_layer(learned.weights).items()
        },
        {"kind": _KIND, "model": settings.model, "source": origin, "licence": "", "citation": ""},
    )
    return Learned(directory / settings.name, rows, report)


def _check_name(name: str, directory: epath.Path) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(
            f"name: expected letters, digits, '_', '.' and '-', not beginning with the last two, "
            f"got {name!r}"
        )
    if name in MODELS or name in RELEVANCES or name == DOWNLOADS:
        raise InputError(f"name: {name} is taken by what iqa fetch brings; choose another")
    record = checkpoints.read_provenance(directory, name)
    if record and record["kind"] != _KIND:
        raise InputError(f"name: {directory / name} holds a {record['kind']}; choose another")


def _open(settings: TrainSettings) -> StatisticsStore:
    """The statistics to learn from; extracted first, if the dataset's images are given."""
    if settings.images is None:
        if settings.statistics_dir is None:
            raise InputError("expected --statistics_dir, or --dataset and --data_dir")
        return StatisticsStore.open(
            settings.statistics_dir, settings.model, dataset=settings.dataset
        )
    folder = settings.statistics_dir or str(epath.Path(settings.output_dir) / "statistics")
    (extracted,) = extract(
        ExtractSettings(
            **asdict(settings.images),
            statistics_dir=folder,
            models=(settings.model,),
            layers=_wanted_layers(settings),
            statistics=(FORMS[settings.readout].statistic,),
            checkpoints_dir=settings.checkpoints_dir,
            precision=settings.precision,
            resize=settings.resize,
            versions=settings.versions,
        )
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
            f"{test.path}: is of other weights of {settings.model} than {store.path}; extract the "
            "statistics of both with the same checkpoint"
        )
    return test


def _layers(settings: TrainSettings, store: StatisticsStore) -> list[str]:
    """Full names of the layers to be weighed, each once, in forward order."""
    layers = _wanted_layers(settings)
    named = [text for text in layers if text != ALL]
    known = tuple(store.model_layers)
    (joined,) = resolve(named, {store.model: known}).values()
    wanted = {layer for each in joined for layer in each}
    if ALL in layers:
        wanted |= set(store.layers) - {INPUT}
    return [layer for layer in known if layer in wanted]


def _wanted_layers(settings: TrainSettings) -> tuple[str, ...]:
    """The layers asked for; else those of LPIPS, or all where LPIPS does not use the model."""
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
    """Published weights for the layers and the statistic, as far as they were fetched."""
    if FORMS[settings.readout].statistic != _STATISTIC_OF_LPIPS:
        return {}
    found = {}
    for name, published in _relevances_of(settings.model).items():
        if set(examples.contributions) <= set(published.layers):
            if checkpoints.read_provenance(directory, name) is None:
                print(
                    f"{name} has not been fetched and is not compared with; fetch it with: "
                    f"iqa fetch --models={name}",
                    file=sys.stderr,
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
    print(
        f"{examples.name}: training {counted(runs, 'runs')} on {counted(pairs, 'pairs')} of "
        f"{counted(examples.references, 'references')} x {counted(channels, 'channels')}",
        file=sys.stderr,
    )


def _notes(
    examples: Examples, test: Examples | None, published: Mapping[str, np.ndarray]
) -> list[str]:
    """What makes the comparison less fair than it looks."""
    tested = [examples.name, *([test.name] if test else [])]
    notes = [trained_on(name, dataset) for name in published for dataset in tested]
    if test:
        notes.append(overlap_warning(examples.name, test.name))
    return [note for note in notes if note]


def _edge(learned: CrossValidation, scheme: Scheme) -> Iterator[str]:
    """A note if the best strength may be one that was not tried."""
    for end, more in ((min(scheme.strengths), "smaller"), (max(scheme.strengths), "larger")):
        if learned.strength == end > 0 and len(scheme.strengths) > 1:
            yield f"{end:g} is the last of the strengths tried: {more} ones may do better."


def _origin(
    settings: TrainSettings, store: StatisticsStore, learned: CrossValidation
) -> dict[str, Any]:
    """What the weights depend on, as JSON."""
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

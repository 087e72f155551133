"""Simulates how often intervals over references, nominally 95 %, cover the truth.

Example:
  python scripts/benchmarks/coverage.py --draws=400

Datasets are drawn with the variance components of TID2013: types and levels of distortion
are fixed, contents are random. A content has its own effect on scores and on logarithms of
distances, another with each type, and another with each pair. The truth is the correlation in the
population that the contents are drawn from. Prints two tables in Markdown: coverage of the
percentile bootstrap and of the jackknife for one distance, for the difference of two, and for two
alternatives; and coverage for the best of twelve equally good layers, chosen on the same pairs, on
half of the references, and on another dataset.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import special

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.correlation import spearman
from iqa_jax.agreement.forced_choice import agreeing
from iqa_jax.agreement.intervals import BOOTSTRAP, Method
from iqa_jax.agreement.layer_choice import Source, choose_layers
from iqa_jax.datasets import Pair, PairTable
from iqa_jax.images.sources import ImageFolder
from iqa_jax.programs import running
from iqa_jax.programs.settings import ProgramSettings


@dataclass(frozen=True, kw_only=True)
class Settings(ProgramSettings):
    """Datasets to draw.

    Attributes:
      draws: Number of datasets drawn for each number of references.
      bootstrap_resamples: Number of resamples of each bootstrap.
      references: Numbers of references.
      layer_references: Number of references for the choice of layers.
    """

    draws: int = field(default=400, metadata={"at_least": 1})
    bootstrap_resamples: int = field(default=300, metadata={"at_least": 1})
    references: tuple[int, ...] = (5, 10, 25, 81)
    layer_references: int = field(default=25, metadata={"at_least": 10})


TYPES, LEVELS = 24, 5
TYPE, LEVEL, CONTENT, TYPE_X_CONTENT, RESIDUAL = 0.58, 0.87, 0.05, 0.35, 0.30
"""Standard deviations of the components of TID2013's scores, from its 3,000 mean opinions (that of
the content is nearly zero: the experiment compares versions of one content)."""

DISTANCE_TYPE, DISTANCE_CONTENT, DISTANCE_TYPE_X_CONTENT, DISTANCE_RESIDUAL = 0.5, 0.35, 0.35, 0.2
"""Standard deviations of the components of the logarithm of a distance."""

SHARED = 0.6
"""Share of their variance that two distances have in common; for the interaction of types and
contents, that a distance and the scores have in common."""

LAYERS = 12
TRIPLETS = 12
POPULATIONS = 4
CONTENTS_OF_TRUTH = 4000

Values = Mapping[str, float]


@dataclass(frozen=True)
class Sample:
    """A dataset: ``scores`` ``[pairs]``, ``distances`` ``[pairs, columns]``, ``contents``."""

    scores: np.ndarray
    distances: np.ndarray
    contents: np.ndarray


class Population:
    """Types and levels, with fixed effects on scores and distances.

    Args:
      seed: Seed of the effects.
      columns: Number of distances; all have the same effects and differ by chance alone.
      differing: Whether each distance has its own effects of types.
    """

    def __init__(self, seed: int, columns: int, *, differing: bool):
        random = np.random.default_rng((7, seed))
        self._columns = columns
        level = np.linspace(-1, 1, LEVELS) * LEVEL / np.linspace(-1, 1, LEVELS).std()
        steepness = random.uniform(0.6, 1.4, TYPES)
        self._scores = TYPE * random.normal(size=(TYPES, 1)) - steepness[:, None] * level
        types = random.normal(size=(TYPES, 1, columns if differing else 1))
        self._distances = 0.9 * steepness[:, None, None] * level[:, None] + DISTANCE_TYPE * types

    def draw(self, random: np.random.Generator, references: int) -> Sample:
        """Draws a dataset with ``references`` contents."""
        shape = (references, TYPES, LEVELS)
        met = random.normal(size=(references, TYPES, 1))
        scores = (
            self._scores
            + CONTENT * random.normal(size=(references, 1, 1))
            + TYPE_X_CONTENT * met
            + RESIDUAL * random.normal(size=shape)
        )

        def partly(*size: int, shared: np.ndarray | None = None) -> np.ndarray:
            """Standard normal values, partly shared by all columns."""
            common = random.normal(size=(*size, 1)) if shared is None else shared
            own = random.normal(size=(*size, self._columns))
            return np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * own

        logarithms = (
            self._distances
            + DISTANCE_CONTENT * partly(references, 1, 1)
            + DISTANCE_TYPE_X_CONTENT * partly(references, TYPES, 1, shared=-met[..., None])
            + DISTANCE_RESIDUAL * partly(*shape)
        )
        contents = np.repeat([f"r{number:05}" for number in range(references)], TYPES * LEVELS)
        return Sample(scores.ravel(), np.exp(logarithms).reshape(-1, self._columns), contents)


def agreement_in_triplets(sample: Sample, random: np.random.Generator) -> np.ndarray:
    """Share of observers that agree on randomly drawn versions, ``[triplets, columns]``."""
    references = len(sample.scores) // (TYPES * LEVELS)
    first, second = random.integers(TYPES * LEVELS, size=(2, references, TRIPLETS))
    start = np.arange(references)[:, None] * TYPES * LEVELS
    one, other = (start + first).ravel(), (start + second).ravel()
    prefer = special.ndtr(sample.scores[one] - sample.scores[other])[:, None]
    return agreeing(sample.distances[one], sample.distances[other], prefer, 1 - prefer)


def truth(population: Population) -> Values:
    """Agreement of the first distance, and its lead over the second, in a very large dataset."""
    random = np.random.default_rng(11)
    sample = population.draw(random, CONTENTS_OF_TRUTH)
    first_two = sample.distances.T[:2]
    found = {
        "Pearson": [float(np.corrcoef(-each, sample.scores)[0, 1]) for each in first_two],
        "Spearman": [spearman(-each, sample.scores) for each in first_two],
        "2AFC": agreement_in_triplets(sample, random).mean(axis=0),
    }
    return {
        **{name: float(values[0]) for name, values in found.items()},
        **{f"{name}, difference": float(values[0] - values[1]) for name, values in found.items()},
    }


def intervals(
    sample: Sample, method: Method, random: np.random.Generator
) -> Iterator[tuple[str, float, float]]:
    """Name, lower and upper end of every interval that should contain :func:`truth`."""
    weightings = method.weightings(sample.contents.tolist())
    found = weightings.correlations(sample.distances, sample.scores, higher_is_better=True)
    agreed = agreement_in_triplets(sample, random)
    names = sample.contents[:: TYPES * LEVELS].repeat(TRIPLETS)
    of_triplets = method.weightings(names.tolist())
    shares = of_triplets.sums(agreed) / of_triplets.pairs[:, None]
    for name, values in {"Pearson": found.plcc, "Spearman": found.srcc, "2AFC": shares}.items():
        low, high = method.ends(values, correlations=name != "2AFC")
        yield name, float(low[0]), float(high[0])
        (low,), (high,) = method.ends(values[:, :1] - values[:, 1:2])
        yield f"{name}, difference", float(low), float(high)


def coverage(references: int, methods: Sequence[Method], draws: int) -> list[dict[str, float]]:
    """Coverage of each method's intervals, by name of the estimated quantity."""
    populations = [Population(seed, 2, differing=True) for seed in range(POPULATIONS)]
    truths = [truth(population) for population in populations]
    covered: list[dict[str, list[bool]]] = [{name: [] for name in truths[0]} for _ in methods]
    for draw in range(draws):
        which = draw % POPULATIONS
        sample = populations[which].draw(np.random.default_rng((references, draw)), references)
        for method, of_method in zip(methods, covered, strict=True):
            random = np.random.default_rng((13, references, draw))
            for name, low, high in intervals(sample, method, random):
                of_method[name].append(low <= truths[which][name] <= high)
    return [{name: float(np.mean(each)) for name, each in found.items()} for found in covered]


def layer_coverage(references: int, draws: int) -> dict[str, float]:
    """Coverage of the Spearman correlation of the best of several equally good layers."""
    populations = [Population(seed, LAYERS, differing=False) for seed in range(POPULATIONS)]
    truths = [truth(population)["Spearman"] for population in populations]
    columns = [Column(f"{n}", "net", f"layer{n}", n, readout="l2") for n in range(1, LAYERS + 1)]
    covered: dict[str, list[bool]] = {}
    for draw in range(draws):
        which = draw % POPULATIONS
        random = np.random.default_rng((17, references, draw))
        here, elsewhere = (populations[which].draw(random, references) for _ in range(2))
        sources = {
            "on the pairs that score it": _source(here, columns),
            "by half of the references": Source("split"),
            "on another dataset": _source(elsewhere, columns),
        }
        pairs = [
            Pair(name, "d", score, reference_id=name)
            for name, score in zip(here.contents.tolist(), here.scores, strict=True)
        ]
        table = PairTable("simulated", pairs, ImageFolder(), higher_is_better=True)
        distances = {c.name: here.distances[:, n] for n, c in enumerate(columns)}
        for name, source in sources.items():
            (chosen,) = choose_layers(table, columns, distances, source, Method())
            covered.setdefault(name, []).append(
                chosen.srcc_low <= truths[which] <= chosen.srcc_high
            )
    return {name: float(np.mean(each)) for name, each in covered.items()}


def _source(sample: Sample, columns: Sequence[Column]) -> Source:
    """A source that chooses layers by all pairs of a dataset."""
    places = [(column.model, column.layer, column.readout) for column in columns]
    srcc = [spearman(-each, sample.scores) for each in sample.distances.T]
    return Source("simulated", dict(zip(places, srcc, strict=True)))


def main(settings: Settings) -> None:
    """Simulates and prints the tables."""
    methods = [Method(BOOTSTRAP, settings.bootstrap_resamples), Method()]
    by_size = [coverage(size, methods, settings.draws) for size in settings.references]
    print(f"| coverage of 95 %, {settings.draws} draws | method |", end="")
    print("".join(f" {size} references |" for size in settings.references))
    print("|---|---|" + "---|" * len(settings.references))
    for name in by_size[0][0]:
        for number, method in enumerate(methods):
            cells = "".join(f" {found[number][name]:.3f} |" for found in by_size)
            print(f"| {name} | {method.name} |{cells}")
    print(
        f"\n| best of {LAYERS} equal layers, {settings.layer_references} references, chosen | ",
        end="",
    )
    print("coverage of the jackknife, Spearman |\n|---|---|")
    for name, share in layer_coverage(settings.layer_references, settings.draws).items():
        print(f"| {name} | {share:.3f} |")


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))

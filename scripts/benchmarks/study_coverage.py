"""Simulates the intervals and decisions of a study: how often they cover the truth, or are wrong.

Example:
  python scripts/benchmarks/study_coverage.py --draws=400

Datasets are those of coverage.py, with the variance components of TID2013. Prints four tables in
Markdown: intervals over images of a correlation and of a planted difference, with the shares that
are called different and equivalent; the best of twelve equal layers; intervals over networks with
and without an effect; and intervals by ranks.
"""

import functools
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import coverage

from iqa_jax.agreement.correlation import spearman
from iqa_jax.programs import running
from iqa_jax.programs.settings import ProgramSettings
from iqa_jax.study.accuracy import tau_estimate
from iqa_jax.study.estimates import ALPHA
from iqa_jax.study.networks import Side, networks_estimate
from iqa_jax.study.pseudovalues import PEARSON, SPEARMAN, Part, Pseudovalues, Sample
from iqa_jax.study.quantities import View, layers_elsewhere
from iqa_jax.study.results import Column, Network, Results

MARGIN = 0.02
LAYERS = 12
DIFFERENCES = (0.0, 0.01, 0.05)
_BISECTIONS = 12
_SERIES = (5, 4, 2, 2)
"""Networks of SimCLR, SwAV, PIRL and Barlow Twins that differ in their epochs alone."""


@dataclass(frozen=True, kw_only=True)
class Settings(ProgramSettings):
    """Datasets to draw.

    Attributes:
      draws: Number of datasets drawn for each row.
      network_draws: Number of draws for each row over networks, which costs little.
      references: Numbers of references.
    """

    draws: int = field(default=400, metadata={"at_least": 1})
    network_draws: int = field(default=4000, metadata={"at_least": 1})
    references: tuple[int, ...] = (25, 81)


def results_of(
    sample: coverage.Sample, distances: np.ndarray, *, dataset: str = "simulated"
) -> Results:
    """A drawn dataset as the results of an evaluation: layers of one network.

    Args:
      sample: The dataset.
      distances: Distances ``[pairs, columns]``.
      dataset: Name of the dataset.
    """
    count = distances.shape[1]
    columns = [
        Column(f"layer{n}", "layer", "net", (f"layer{n}",), "l2", relative_depth=(n + 1) / count)
        for n in range(count)
    ]
    return Results(
        *(dataset, "", "", "highest", sample.scores, sample.contents),
        distortions=np.full(len(sample.scores), ""),
        columns=columns,
        distances=distances,
        networks={"net": Network("net", goal_family="supervised")},
    )


@functools.cache
def planted(difference: float) -> tuple[float, float, float]:
    """Noise that lowers a column by a difference, and the true correlations of the first column.

    Args:
      difference: True difference of Spearman's correlations.

    Returns:
      Deviation of the noise that is added to the logarithm of a distance, Spearman's and Pearson's
      correlation of the column without it.
    """
    sample, noise = _population_of_truth()
    clean = sample.distances[:, 0]
    whole = spearman(-clean, sample.scores)
    pearson = float(np.corrcoef(-clean, sample.scores)[0, 1])
    if difference == 0:
        return 0.0, whole, pearson
    low, high = 0.0, 3.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        found = whole - spearman(-_blurred(sample.distances[:, 1], noise, middle), sample.scores)
        low, high = (middle, high) if found < difference else (low, middle)
    return (low + high) / 2, whole, pearson


@functools.cache
def _population_of_truth() -> tuple[coverage.Sample, np.ndarray]:
    random = np.random.default_rng(23)
    sample = _population().draw(random, coverage.CONTENTS_OF_TRUTH)
    return sample, random.normal(size=len(sample.scores))


@functools.cache
def _population() -> coverage.Population:
    return coverage.Population(0, 2, differing=False)


def _blurred(distances: np.ndarray, noise: np.ndarray, deviation: float) -> np.ndarray:
    return distances * np.exp(deviation * noise)


def differences(references: int, difference: float, draws: int) -> dict[str, float]:
    """Shares of draws whose intervals cover the truth, and that are called different or equivalent.

    Args:
      references: Number of references.
      difference: True difference of Spearman's correlations of two columns.
      draws: Number of datasets.
    """
    deviation, spearman_truth, pearson_truth = planted(difference)
    found: dict[str, list[float]] = {}

    def count(**events: float) -> None:
        for name, value in events.items():
            found.setdefault(name, []).append(value)

    weights = np.array([1.0, -1.0])
    for draw in range(draws):
        random = np.random.default_rng((29, references, draw))
        sample = _population().draw(random, references)
        distances = sample.distances.copy()
        noise = random.normal(size=len(distances))
        distances[:, 1] = _blurred(distances[:, 1], noise, deviation)
        dataset = Pseudovalues(results_of(sample, distances))
        first = np.array([1.0, 0.0])
        whole = dataset.sample(SPEARMAN).correlation(first)
        pearson = dataset.sample(PEARSON).correlation(first)
        lead = dataset.sample(SPEARMAN).contrast(weights)
        count(
            spearman=math.tanh(whole.low) <= spearman_truth <= math.tanh(whole.high),
            pearson=math.tanh(pearson.low) <= pearson_truth <= math.tanh(pearson.high),
            difference=lead.low <= difference <= lead.high,
            better=lead.p() < ALPHA and lead.value > 0,
            worse=lead.p() < ALPHA and lead.value < 0,
            equivalent=lead.p_equivalent(MARGIN) < ALPHA,
            beyond=2 * min(lead.p_above(MARGIN), lead.p_below(-MARGIN)) < ALPHA,
            error=lead.error,
        )
    return {name: float(np.mean(values)) for name, values in found.items()}


def best_layer(references: int, draws: int) -> float:
    """Coverage of the best of equal layers, chosen on another source.

    Args:
      references: Number of references.
      draws: Number of datasets.
    """
    population = coverage.Population(0, LAYERS, differing=False)
    truth = coverage.truth(population)["Spearman"]
    covered = []
    for draw in range(draws):
        random = np.random.default_rng((31, references, draw))
        here, other = (
            Pseudovalues(results_of(each, each.distances, dataset=name))
            for name, each in (
                ("here", population.draw(random, references)),
                ("elsewhere", population.draw(random, references)),
            )
        )
        view = View(here.sample(SPEARMAN), "l2", layers_elsewhere([other.sample(SPEARMAN)]))
        weights = view.best(view.networks[0])
        assert weights is not None
        z = here.sample(SPEARMAN).correlation(weights)
        covered.append(math.tanh(z.low) <= truth <= math.tanh(z.high))
    return float(np.mean(covered))


def sample_of(psi: np.ndarray) -> Sample:
    """Correlations that have given pseudo-values.

    Args:
      psi: Pseudo-values ``[references, columns]``.
    """
    part = Part(psi.mean(axis=0), psi)
    made_up: Any = Pseudovalues.__new__(Pseudovalues)
    made_up.__dict__["whole"] = {SPEARMAN: part}
    return Sample(made_up, SPEARMAN)


def networks(
    sizes: Sequence[int], effect: float, draws: int, *, references: int = 25
) -> dict[str, float]:
    """Coverage and false decisions of intervals over networks and over images.

    Networks differ by .02, images add .03 to all networks of a side alike and .02 to each.

    Args:
      sizes: Number of networks on each side.
      effect: True difference, or true mean with one side.
      draws: Number of draws.
      references: Number of references.
    """
    covered, false, false_images = [], [], []
    for draw in range(draws):
        random = np.random.default_rng((37, *sizes, draw))
        sides, columns, start = [], [], 0
        total = sum(sizes)
        scale = math.sqrt(references)
        for number, size in enumerate(sizes):
            truth = (effect if number == 0 else 0.0) + 0.02 * random.normal(size=size)
            common = 0.03 * scale * random.normal(size=(references, 1))
            columns.append(truth + common + 0.02 * scale * random.normal(size=(references, size)))
            weights = [np.eye(total)[start + each] for each in range(size)]
            sides.append(Side(1.0 if number == 0 else -1.0, weights))
            start += size
        sample = sample_of(np.concatenate(columns, axis=1))
        found = networks_estimate(sample, sides)
        assert found is not None
        covered.append(found.low <= effect <= found.high)
        false.append(found.p() < ALPHA)
        values = [sample.value(each) for each in sides[0].weights]
        alone = float(np.asarray(stats.ttest_1samp(values, effect))[1]) if len(sizes) == 1 else 1.0
        false_images.append(alone < ALPHA)
    return {
        "covered": float(np.mean(covered)),
        "decided": float(np.mean(false)),
        "t over networks alone": float(np.mean(false_images)),
    }


def ranks(count: int, slope: float, draws: int) -> dict[str, float]:
    """Coverage of Theil and Sen's slope and of Kendall's tau.

    Args:
      count: Number of families, or of networks.
      slope: True slope of normal values on normal values.
      draws: Number of draws.
    """
    tau = 2 / math.pi * math.asin(slope / math.sqrt(1 + slope**2))
    covered: Mapping[str, list[bool]] = {"slope": [], "tau": []}
    for draw in range(draws):
        random = np.random.default_rng((41, count, draw))
        x = random.normal(size=count)
        y = slope * x + random.normal(size=count)
        low, high = np.asarray(stats.theilslopes(y, x, alpha=0.95))[2:4].tolist()
        covered["slope"].append(bool(low <= slope <= high))
        found = tau_estimate(float(np.asarray(stats.kendalltau(x, y))[0]), count)
        covered["tau"].append(found.low <= tau <= found.high)
    return {name: float(np.mean(each)) for name, each in covered.items()}


def series(sizes: Sequence[int], slope: float, draws: int) -> float:
    """Coverage of Kendall's tau of pairs within several series.

    Args:
      sizes: Number of networks in each series.
      slope: True slope of normal values on normal values, the same in all series.
      draws: Number of draws.
    """
    tau = 2 / math.pi * math.asin(slope / math.sqrt(1 + slope**2))
    covered = []
    for draw in range(draws):
        random = np.random.default_rng((43, *sizes, draw))
        concordant: list[float] = []
        for size in sizes:
            x = random.normal(size=size)
            y = slope * x + random.normal(size=size)
            one, other = np.triu_indices(size, 1)
            concordant += np.sign((x[one] - x[other]) * (y[one] - y[other])).tolist()
        found = tau_estimate(float(np.mean(concordant)), sum(sizes) + 2 - 2 * len(sizes))
        covered.append(found.low <= tau <= found.high)
    return float(np.mean(covered))


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    print(f"| {' | '.join(header)} |")
    print("|" + "---|" * len(header))
    for row in rows:
        cells = (f"{each:.3f}" if isinstance(each, float) else str(each) for each in row)
        print(f"| {' | '.join(cells)} |")
    print()


def main(settings: Settings) -> None:
    """Simulates and prints the tables."""
    rows = []
    for references in settings.references:
        for difference in DIFFERENCES:
            found = differences(references, difference, settings.draws)
            rows.append((references, difference, *found.values()))
    names = ("references", "planted", "Spearman", "Pearson", "difference", "better", "worse")
    _table((*names, "equivalent", "beyond", "standard error"), rows)
    layers = [(each, best_layer(each, settings.draws)) for each in settings.references[:1]]
    _table(("references", "best of twelve equal layers, chosen on another source"), layers)
    draws = settings.network_draws
    sides = [
        (*(sizes, effect), *networks(sizes, effect, draws).values())
        for sizes in ((3,), (8,), (3, 3), (2, 10), (4, 4))
        for effect in (0.0, 0.05)
    ]
    _table(("networks", "effect", "covered", "decided", "t over networks alone"), sides)
    by_rank = [
        (*(count, slope), *ranks(count, slope, draws).values())
        for count in (5, 6, 9, 13)
        for slope in (0.0, 1.0)
    ]
    _table(("units", "true slope", "Theil and Sen", "Kendall's tau"), by_rank)
    within = [(str(_SERIES), slope, series(_SERIES, slope, draws)) for slope in (0.0, 1.0)]
    _table(("series of networks", "true slope", "Kendall's tau within series"), within)


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))

"""Effect of the precision on scores and on their correlation with human scores.

Example:
  iqa fetch --models=alexnet,vgg16
  iqa convert --model=squeezenet1_1-supervised-imagenet1k-caffe \
      --source=squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5
  python scripts/benchmarks/precisions.py --dataset=tid2013 --data_dir=tid2013 --allow_partial

Scores every pair with each metric in each precision and compares with `highest`: the largest and
the median relative difference of the scores, and Spearman's correlation with the human scores. On a
CPU, high and default are the same as highest: their differences are 0.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.compilation import convolution_library
from iqa_jax.library.evaluating import evaluate
from iqa_jax.programs import running
from iqa_jax.programs.settings import CheckpointSettings, DatasetSettings

_SQUEEZENET = (
    "squeezenet1_1-supervised-imagenet1k-caffe/relu1+fire3+fire5+fire6+fire7+fire8+fire9/unit"
)
_EXACT = "highest"
_PRECISIONS = (_EXACT, "high", "default", "bf16")
_HEADER = (
    *("metric", "precision", "pairs", "largest relative difference"),
    *("median relative difference", "Spearman", "Spearman - that of highest"),
)


@dataclass(frozen=True, kw_only=True)
class Settings(DatasetSettings, CheckpointSettings):
    """Scores to compare.

    Attributes:
      metrics: Metrics that have a network.
    """

    metrics: tuple[str, ...] = ("lpips-alex", "lpips-vgg", _SQUEEZENET)


def main(settings: Settings) -> None:
    """Prints a row for each metric and precision."""
    kind = jax.devices()[0].device_kind
    print(f"{settings.dataset} on {kind}, convolutions of {convolution_library()}\n")
    for row in (_HEADER, ["---"] * len(_HEADER)):
        print(f"| {' | '.join(row)} |")
    for metric in settings.metrics:
        found = {precision: _scores(metric, precision, settings) for precision in _PRECISIONS}
        exact, exact_spearman = found[_EXACT]
        for precision, (scores, spearman) in found.items():
            changes = relative_differences(scores, exact)
            figures = (f"{changes.max():.1e}", f"{np.median(changes):.1e}")
            correlations = (f"{spearman:.4f}", f"{spearman - exact_spearman:+.4f}")
            row = (metric, precision, str(len(scores)), *figures, *correlations)
            print(f"| {' | '.join(row)} |", flush=True)


def relative_differences(scores: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Absolute differences as parts of the exact scores; 0 where both are 0."""
    differences = np.abs(scores - exact)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(differences == 0, 0, differences / np.abs(exact))


def _scores(metric: str, precision: str, settings: Settings) -> tuple[np.ndarray, float]:
    """Scores of the pairs, and Spearman's correlation, oriented so that 1 is best."""
    evaluation = evaluate(
        settings.dataset,
        metrics=metric,
        data_dir=settings.data_dir,
        tfds_dir=settings.tfds_dir,
        allow_partial=settings.allow_partial,
        exclude_references=settings.exclude_references,
        limit=settings.limit,
        checkpoints_dir=settings.checkpoints_dir,
        precision=precision,
        interval="none",
        **({"score_direction": settings.score_direction} if settings.score_direction else {}),
    )
    return evaluation.scores[metric].to_numpy(np.float64), evaluation.correlations["srcc"].item()


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))

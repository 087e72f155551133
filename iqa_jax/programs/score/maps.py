"""Local scores and their pictures."""

import io
from collections.abc import Callable, Iterator

import jax
import numpy as np
from etils import epath
from matplotlib.image import imsave

from iqa_jax.files import write_bytes
from iqa_jax.metrics.pair_function import PairFunction, Values
from iqa_jax.programs.score.scores import Job, Scores
from iqa_jax.progress import bar


def local_scores(job: Job, scores: Scores) -> Iterator[tuple[int, str, np.ndarray]]:
    """Local scores of the pairs that could be scored, for the metrics that have them.

    Args:
      job: The pairs and metrics.
      scores: Their scores.

    Yields:
      Row of the pair, metric, and map, float32 ``[H, W]``; maps of one image size are
      consecutive.
    """
    rows = [job.rows[row] for unit in job.plan.units for row in unit.rows]
    size, compute_maps = None, _maps_of_one_size()
    for row in bar(rows, desc="maps", unit="pair"):
        scored = {
            name for name in job.scorers.mapped_metrics if np.isfinite(scores.values[name][row])
        }
        if not scored:
            continue
        pair = job.table.pairs[row]
        images = [job.plan.pixels(name) for name in (pair.reference, pair.distorted)]
        if size != images[0].shape:
            size, compute_maps = images[0].shape, _maps_of_one_size()
        for group, scorer in job.scorers.groups:
            wanted = [metric for metric in group if metric.name in scored]
            if not wanted:
                continue
            possible = scorer.only([metric.computed for metric in wanted])
            maps = compute_maps(possible, *(image[None] for image in images))
            by_name = dict(zip(possible.mapped, maps, strict=True))
            for metric in wanted:
                yield row, metric.name, np.asarray(by_name[metric.computed][0])


def _maps_of_one_size() -> Callable[..., Values]:
    """A function ``(scorer, reference, distorted)`` -> maps, which owns what it compiles."""

    def maps(scorer: PairFunction, reference: jax.Array, distorted: jax.Array) -> Values:
        return scorer.maps(reference, distorted)

    return jax.jit(maps)


def draw_map(values: np.ndarray, path: epath.Path, *, higher_is_better: bool) -> None:
    """Writes local scores ``[H, W]`` as a picture.

    Distances are dark at 0 and bright at their maximum; similarities are bright at 1 and dark at 0,
    or at their minimum if that is negative.

    Args:
      values: The map; the file records the ends of its scale as the text ``Description``.
      path: The PNG file, which appears whole.
      higher_is_better: Whether the scores are similarities.
    """
    low, high = (min(0.0, values.min()), 1.0) if higher_is_better else (0.0, values.max())
    scale = {"vmin": low, "vmax": high, "cmap": "magma"}
    ends = f"dark: {low:g}, bright: {high:g}"
    image = io.BytesIO()
    imsave(image, values, format="png", metadata={"Description": ends}, **scale)
    write_bytes(path, image.getvalue())

"""Scores of pairs of images as a frame."""

from typing import TYPE_CHECKING, Any

from iqa_jax.errors import InputError
from iqa_jax.library.frames import frame
from iqa_jax.library.keywords import refuse_idle, settings_from, takes_settings
from iqa_jax.library.memory import find_metrics
from iqa_jax.library.pairs import table_from
from iqa_jax.programs.loaded import Loaded
from iqa_jax.programs.score.scores import load_job, run_job
from iqa_jax.programs.score.settings import ScoreSettings
from iqa_jax.programs.settings import ModelSettings
from iqa_jax.progress import shown

if TYPE_CHECKING:
    from pandas import DataFrame


@takes_settings(ModelSettings, without=())
def score(pairs: Any, metrics: Any, *, progress: bool = False, **settings: Any) -> "DataFrame":
    """Scores pairs of images with perceptual metrics, as ``iqa score`` does.

    Networks run on all devices, once over each image however many named metrics use them, and once
    over a reference for all its versions. Nothing is written.

    Example:
      >>> import numpy as np
      >>> import iqa_jax
      >>> images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
      >>> pairs = [(images[0], images[1]), (images[0], images[2]), (images[0], images[0])]
      >>> scores = iqa_jax.score(pairs, metrics=["psnr", "ssim"])
      >>> list(scores.columns)
      ['reference', 'distorted', 'psnr', 'ssim', 'error']
      >>> float(scores["ssim"][2])
      1.0

    Args:
      pairs: A pandas frame or a mapping with the columns ``reference`` and ``distorted``, a list of
        ``(reference, distorted)``, a tuple of two arrays ``[N, H, W, 3]`` or of two lists, or the
        path of a CSV file. Images are paths, or arrays ``[H, W, 3]``, RGB: ``uint8``, or floats on
        the 8-bit grid (k/255, or whole numbers from 0 to 255).
      metrics: Names of metrics, see :func:`iqa_jax.list_metrics` (and any read-out
        ``MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]``), and metrics in memory; or one of these.
      **settings: Settings of networks, as keywords.
      progress: Whether to show progress bars and messages on stderr.

    Returns:
      A frame with a row for each pair and the index of a given frame: the names of the images
      (arrays are named after their column and row, ``distorted[3]``), the score of each metric in
      its own direction, and ``error``: why a score is missing (NaN), otherwise empty.

    Raises:
      InputError: If the pairs, a metric or a setting cannot be used.
      CheckpointError: If weights have not been fetched, or are damaged.
    """
    names, objects = find_metrics(metrics)
    if not names:
        raise InputError("metrics: expected at least one, got none; see iqa_jax.list_metrics()")
    with shown(progress):
        chosen = settings_from(ScoreSettings, settings, fixed={"metrics": names})
        if not objects:  # an object may use settings that names do not reveal
            refuse_idle(chosen, settings)
        table = table_from(pairs)
        found = run_job(load_job(table, chosen, loaded=Loaded(metrics=objects)))
    columns = [values.tolist() for values in found.values.values()]
    return frame(
        ("reference", "distorted", *found.values, "error"),
        (
            (*pair.image_names, *scores, error)
            for pair, *scores, error in zip(table.pairs, *columns, found.errors, strict=True)
        ),
        index=getattr(pairs, "index", None) if hasattr(pairs, "columns") else None,
    )

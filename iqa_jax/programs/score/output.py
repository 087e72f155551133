"""Output of a scoring: a table in a file or on the screen, and pictures."""

import csv
import io
import re
import sys
import tempfile
from pathlib import PurePath

from etils import epath

from iqa_jax.datasets import load_dataset, pair_lists
from iqa_jax.datasets.pair_pieces import ListPieces, Pieces, TablePieces
from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import InputError
from iqa_jax.files import check_writable
from iqa_jax.metrics import parse_metric
from iqa_jax.programs.score.files import Kept, ScoreFiles, to_csv
from iqa_jax.programs.score.findings import Findings
from iqa_jax.programs.score.finished import FinishedTable
from iqa_jax.programs.score.limits import parse_limits
from iqa_jax.programs.score.reports import check_reports, write_reports
from iqa_jax.programs.score.scores import Job, Scores, load_job, run_job
from iqa_jax.programs.score.settings import ScoreSettings
from iqa_jax.programs.score.sharing import score_shards
from iqa_jax.text import aligned


def score(settings: ScoreSettings) -> Findings:
    """Scores pairs and writes their table, or prints it if no file is named.

    Returns:
      Number of pairs that could not be scored in full, and of those beyond a limit.

    Raises:
      InputError: If the settings, the pairs or an earlier output cannot be used.
      OSError: If a file cannot be written; reports are tried before anything is computed.
    """
    directions = {metric: parse_metric(metric).higher_is_better for metric in settings.metrics}
    parse_limits(settings.fail_beyond, directions)
    if settings.has_shared_output:
        check_reports(settings)
        return score_shards(_pieces(settings), settings)
    job = load_job(_pairs(settings), settings)
    if settings.maps_dir and not job.scorers.mapped_metrics:
        raise InputError(
            "--maps_dir: none of the metrics has maps; SSIM, FLIP, LPIPS and the read-outs "
            "unit have them"
        )
    check_reports(settings)
    if settings.maps_dir:
        check_writable(epath.Path(settings.maps_dir) / "map.png")
    with tempfile.TemporaryDirectory() as folder:
        path = epath.Path(settings.output or f"{folder}/scores.csv")
        scores = _into_file(job, path, settings) if settings.output else _onto_screen(job, path)
        _write_maps(job, scores, settings)
        table = FinishedTable(path, directions, job.table.images)
        beyond = write_reports(table, settings, maps_dir=settings.maps_dir)
    return Findings(sum(map(bool, scores.errors)), beyond)


def _pairs(settings: ScoreSettings) -> PairTable:
    match (
        (settings.reference, settings.distorted),
        (settings.reference_dir, settings.distorted_dir),
        settings.pairs,
        (settings.dataset, settings.tfds_dir),
    ):
        case (str(reference), str(distorted)), (None, None), (), (None, None):
            return pair_lists.one_pair(reference, distorted)
        case (None, None), (str(reference), str(distorted)), (), (None, None):
            return pair_lists.two_folders(epath.Path(reference), epath.Path(distorted))
        case (None, None), (None, None), (_, *_) as paths, (None, None):
            return pair_lists.from_csv(*map(epath.Path, paths))
        case (None, None), (None, None), (), (str(dataset), str(tfds_dir)):
            return load_dataset(dataset, tfds_dir=tfds_dir, allow_partial=True)
    raise InputError(
        "expected --reference and --distorted, or --reference_dir and --distorted_dir, or --pairs, "
        "or --dataset and --tfds_dir; see --help"
    )


def _pieces(settings: ScoreSettings) -> Pieces:
    files = (settings.reference, settings.distorted)
    folders = (settings.reference_dir, settings.distorted_dir, settings.dataset, settings.tfds_dir)
    if settings.pairs and not any((*files, *folders)):
        return ListPieces([*map(epath.Path, settings.pairs)])
    return TablePieces(_pairs(settings))


def _into_file(job: Job, path: epath.Path, settings: ScoreSettings) -> Scores:
    files = ScoreFiles(path)
    files.claim(job.scorers.signature, resume=settings.resume)
    kept = files.read(job.table, job.images, job.scorers.names)
    if kept.rows or kept.tried_again:
        _announce(kept, path)
    scores = run_job(job, files.parts, kept=kept.rows)
    if kept.is_complete:
        files.remove_parts()
        print(f"Already complete: {path}")
    else:
        files.finish(scores)
        print(f"Written: {path}")
    return scores


def _announce(kept: Kept, path: epath.Path) -> None:
    again = kept.tried_again + kept.missing
    reasons = {
        "whose images could not be read, were too large or have changed": kept.tried_again,
        "that the table lacks or has only in part": kept.missing,
    }
    why = ", ".join(f"{number} {reason}" for reason, number in reasons.items() if number)
    print(
        f"{path}: {len(kept.rows)} of {len(kept.rows) + again} pairs are scored, "
        f"{again} are tried again{f' ({why})' if why else ''}",
        file=sys.stderr,
    )


def _onto_screen(job: Job, path: epath.Path) -> Scores:
    scores = run_job(job, path.parent / "parts")
    text = to_csv(scores)
    path.write_text(text)
    header, *rows = csv.reader(io.StringIO(text))
    print("\n".join(aligned(header, rows, text_columns=2)))
    return scores


def _write_maps(job: Job, scores: Scores, settings: ScoreSettings) -> None:
    if not settings.maps_dir:
        return
    from iqa_jax.programs.score.maps import draw_map, local_scores  # noqa: PLC0415  loads Matplotlib

    folder = epath.Path(settings.maps_dir)
    folder.mkdir(parents=True, exist_ok=True)
    for row, metric, values in local_scores(job, scores):
        stem = PurePath(scores.table.pairs[row].distorted).stem
        safe = re.sub(r"[^\w.@+-]", "_", metric)
        path = folder / f"{row + 1:06d}_{stem}_{safe}.png"
        draw_map(values, path, higher_is_better=parse_metric(metric).higher_is_better)
    print(f"Written: {folder}")

"""Scores pairs of images with perceptual metrics.

Example:
  iqa score --metrics=lpips-alex,ssim --reference=a.png --distorted=b.png
  iqa score --metrics=lpips-vgg --reference_dir=clean --distorted_dir=coded
  iqa score --metrics=psnr,lpips-alex --pairs=pairs.csv --output=scores.csv --resume

Metrics: psnr, ssim, ms-ssim, lpips-alex, lpips-vgg, lpips-squeeze, dists, and any read-out
MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]. A pair that cannot be scored gets its reason in the
column 'error', the others are scored, and the exit status is 1. Beside --output stands a file
.json that says what the scores depend on, image by image: with --resume, what is scored stays, and
pairs are scored that are new, that were not reached, or whose images could not be read or were too
large for the memory.
"""

import csv
import io
import re
import sys
import tempfile
from pathlib import PurePath

from absl import flags
from etils import epath

from iqa_jax.datasets import pair_lists
from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import InputError
from iqa_jax.metrics import list_metrics, parse_metric, parse_metrics
from iqa_jax.programs import flags as program
from iqa_jax.programs.score.files import Kept, ScoreFiles, to_csv
from iqa_jax.programs.score.scores import Job, Scores, Settings, load_job, run_job
from iqa_jax.text import aligned

METRICS = flags.DEFINE_list(
    "metrics", None, f"{', '.join(list_metrics())}, and any read-out.", required=True
)
REFERENCE = flags.DEFINE_string("reference", None, "One reference image.")
DISTORTED = flags.DEFINE_string("distorted", None, "One distorted image.")
REFERENCE_DIR = flags.DEFINE_string(
    "reference_dir", None, "Folder of references, matched by path and name without suffix."
)
DISTORTED_DIR = flags.DEFINE_string("distorted_dir", None, "Folder of distorted images.")
PAIRS = flags.DEFINE_string(
    "pairs", None, "CSV file with the columns reference,distorted; paths relative to the file."
)
OUTPUT = flags.DEFINE_string("output", None, "CSV file to write. Default: a table on the screen.")
MAPS_DIR = flags.DEFINE_string(
    "maps_dir",
    None,
    "Folder for pictures of where the images differ, a PNG for each pair and each metric that has "
    "maps: SSIM (bright at 1, dark where they differ), LPIPS and the read-outs unit (dark at 0, "
    "bright where they differ most: each has its own scale, which its PNG tells as Description).",
)
RESUME = flags.DEFINE_bool(
    "resume",
    False,
    "Continue --output: what is scored stays; pairs are scored that are new, that a killed run did "
    "not reach, or whose images could not be read or were too large for the memory. Images that "
    "have changed since are refused.",
)

flags.adopt_module_key_flags(program)


def main() -> None:
    """Scores what the flags name."""
    _refuse_idle()
    settings = Settings(
        metrics=tuple(dict.fromkeys(METRICS.value)),
        **program.model_values(),
    )
    job = load_job(_pairs(), settings)
    if MAPS_DIR.value and not job.mapped_metrics:
        raise InputError(
            "--maps_dir: none of the metrics has maps; SSIM, LPIPS and the read-outs unit have them"
        )
    if OUTPUT.value:
        failed = _score_into(job, ScoreFiles(epath.Path(OUTPUT.value)))
    else:
        failed = _score_onto_screen(job)
    if failed:
        pairs = "1 pair" if failed == 1 else f"{failed} pairs"
        sys.exit(f"iqa score: {pairs} could not be scored in full; the column 'error' says why")


def _refuse_idle() -> None:
    if not OUTPUT.value:
        program.refuse_idle(RESUME, reason="on a table on the screen; add --output")
    if not any(metric.readout for metric in parse_metrics(METRICS.value)):
        program.refuse_idle(
            program.PRECISION, reason="where no network is run; add metrics that have one"
        )


def _pairs() -> PairTable:
    match (
        (REFERENCE.value, DISTORTED.value),
        (REFERENCE_DIR.value, DISTORTED_DIR.value),
        PAIRS.value,
    ):
        case (str(reference), str(distorted)), (None, None), None:
            return pair_lists.one_pair(reference, distorted)
        case (None, None), (str(reference), str(distorted)), None:
            return pair_lists.two_folders(epath.Path(reference), epath.Path(distorted))
        case (None, None), (None, None), str(path):
            return pair_lists.from_csv(epath.Path(path))
    raise InputError(
        "expected --reference and --distorted, or --reference_dir and --distorted_dir, or --pairs; "
        "see --help"
    )


def _score_into(job: Job, files: ScoreFiles) -> int:
    files.claim(job.signature, resume=RESUME.value)
    kept = files.read(job.table, job.images, job.metrics)
    if kept.rows or kept.tried_again:
        _tell(kept)
    scores = run_job(job, files.parts, kept=kept.rows)
    if kept.is_complete:
        files.remove_parts()
        print(f"Complete already: {OUTPUT.value}")
    else:
        files.finish(scores)
        print(f"Written: {OUTPUT.value}")
    _write_maps(job, scores)
    return sum(map(bool, scores.errors))


def _tell(kept: Kept) -> None:
    again = kept.tried_again + kept.missing
    reasons = {
        "whose images could not be read, were too large or have changed": kept.tried_again,
        "that the table lacks or has not whole": kept.missing,
    }
    why = ", ".join(f"{number} {reason}" for reason, number in reasons.items() if number)
    print(
        f"{OUTPUT.value}: {len(kept.rows)} of {len(kept.rows) + again} pairs are scored, "
        f"{again} are tried again{f' ({why})' if why else ''}",
        file=sys.stderr,
    )


def _write_maps(job: Job, scores: Scores) -> None:
    if not MAPS_DIR.value:
        return
    from iqa_jax.programs.score.maps import draw_map, local_scores  # noqa: PLC0415  Matplotlib

    folder = epath.Path(MAPS_DIR.value)
    folder.mkdir(parents=True, exist_ok=True)
    for row, metric, values in local_scores(job, scores):
        stem = PurePath(scores.table.pairs[row].distorted).stem
        safe = re.sub(r"[^\w.@+-]", "_", metric)
        path = folder / f"{row + 1:06d}_{stem}_{safe}.png"
        draw_map(values, path, higher_is_better=parse_metric(metric).higher_is_better)
    print(f"Written: {folder}")


def _score_onto_screen(job: Job) -> int:
    with tempfile.TemporaryDirectory() as folder:
        scores = run_job(job, epath.Path(folder))
        _write_maps(job, scores)
    header, *rows = csv.reader(io.StringIO(to_csv(scores)))
    print("\n".join(aligned(header, rows, text_columns=2)))
    return sum(map(bool, scores.errors))

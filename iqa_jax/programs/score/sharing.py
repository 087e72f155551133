"""Scoring by several processes that fill a folder of shards together."""

from etils import epath

from iqa_jax.datasets.pair_pieces import Pieces
from iqa_jax.engine.programs import Programs
from iqa_jax.engine.shards import shards_to_do
from iqa_jax.programs.score.findings import Findings
from iqa_jax.programs.score.finished import FinishedTable
from iqa_jax.programs.score.reports import write_reports
from iqa_jax.programs.score.scorers import load_scorers
from iqa_jax.programs.score.scores import make_job, run_job
from iqa_jax.programs.score.settings import ScoreSettings
from iqa_jax.programs.score.shard_folder import ShardFolder
from iqa_jax.progress import bar, inform
from iqa_jax.text import counted


def score_shards(pieces: Pieces, settings: ScoreSettings) -> Findings:
    """Scores the pieces that no other process works on.

    If the table is complete, it is merged, and the reports about it are written.

    Args:
      pieces: The pairs.
      settings: Settings of the scoring, with a folder as output.

    Returns:
      What was found in the whole table if it is complete, else the number of pairs that this
      process could not score in full.

    Raises:
      InputError: If the folder is of another run, or a piece cannot be read.
    """
    share = settings.share
    inform(str(share))
    folder = ShardFolder(epath.Path(settings.output or ""))
    scorers = load_scorers(settings)
    folder.begin({**scorers.signature, "pairs": pieces.signature}, pieces.count)
    programs = [Programs() for _ in scorers.groups]
    failed = 0

    def work(number: int) -> None:
        nonlocal failed
        job = make_job(pieces.table(number), scorers)
        kept = folder.earlier(number, scorers.names).keep(job.table, job.images)
        if folder.is_finished(number) and kept.is_complete:
            return
        scores = run_job(job, folder.parts(number), kept=kept.rows, programs=programs)
        folder.finish(number, scores)
        failed += sum(map(bool, scores.errors))

    finished = folder.finished()
    if settings.resume:
        for number in bar(sorted(filter(share.owns, finished)), desc="finished", unit="shard"):
            work(number)
    with bar(total=folder.count, initial=len(finished), desc=str(share), unit="shard") as progress:
        for number in shards_to_do(folder, share, folder.claims(share)):
            work(number)
            progress.update()
        finished = folder.finished()
        progress.update(len(finished) - progress.n)  # with those of the others
    if left := folder.count - len(finished):
        print(f"{counted(left, 'shards')} of {folder.count} are claimed by other processes")
        return Findings(failed)
    merged = folder.merge()
    print(f"Written: {merged.path}")
    table = FinishedTable(merged.path, folder.directions, pieces.images)
    return Findings(merged.failed, write_reports(table, settings))

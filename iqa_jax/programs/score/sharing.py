"""Scoring by several processes that fill a folder of shards together."""

from etils import epath

from iqa_jax.datasets.pair_pieces import Pieces
from iqa_jax.engine.programs import Programs
from iqa_jax.engine.shards import shards_to_do
from iqa_jax.programs.score.scorers import load_scorers
from iqa_jax.programs.score.scores import make_job, run_job
from iqa_jax.programs.score.settings import ScoreSettings
from iqa_jax.programs.score.shard_folder import ShardFolder
from iqa_jax.progress import bar, inform
from iqa_jax.text import counted


def score_shards(pieces: Pieces, settings: ScoreSettings) -> int:
    """Scores the pieces that no other process works on, and merges the table if it is complete.

    Args:
      pieces: The pairs.
      settings: Settings of the scoring, with a folder as output.

    Returns:
      Number of pairs that could not be scored in full: of the whole table if it is complete, else
      of those that this process has scored.

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
        progress.update(len(folder.finished()) - progress.n)  # with those of the others
    return _merged(folder, failed)


def _merged(folder: ShardFolder, failed: int) -> int:
    left = folder.count - len(folder.finished())
    if left:
        print(f"{counted(left, 'shards')} of {folder.count} are claimed by other processes")
        return failed
    merged = folder.merge()
    print(f"Written: {merged.path}")
    return merged.failed

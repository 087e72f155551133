"""Several processes that fill a folder of scores with the same command line."""

import json
import subprocess
import sys
import time

import pytest
from programs.report.made_up import data_of

from iqa_jax import buckets
from iqa_jax.datasets import pair_pieces
from iqa_jax.files import modified_in, names, remove, write_text
from iqa_jax.programs.score import sharing
from iqa_jax.programs.score.shard_folder import ShardFolder


@pytest.fixture
def score(iqa, pair_folder, tmp_path, monkeypatch):
    """Scores nine pairs in pieces of about two."""
    monkeypatch.setattr(pair_pieces, "_LEAST_BYTES", 80)
    monkeypatch.setattr(pair_pieces, "_LEAST_ROWS", 2)
    flags = ("--metrics=psnr,ssim", f"--pairs={pair_folder / 'pairs.csv'}")
    return lambda output, *more: iqa("score", *flags, f"--output={tmp_path / output}", *more)


def test_a_folder_ends_with_the_table_of_a_file(score, iqa, tmp_path):
    assert score("whole.csv").status == 0
    done = score("scores", "--process_index=1", "--process_count=2")
    assert done.status == 0, done.stderr
    assert done.stderr.startswith("process 1 of 2 (flags)\n")
    assert "Written: " in done.stdout
    folder = tmp_path / "scores"
    assert len(list(folder.glob("shards/*.csv"))) > 3
    whole = (tmp_path / "whole.csv").read_bytes()
    assert (folder / "scores.csv").read_bytes() == whole
    assert not list((folder / "parts").iterdir())
    (folder / "scores.csv").unlink()
    merged = iqa("merge", f"--output={folder}")
    assert merged.stdout == f"Written: {folder / 'scores.csv'}, 9 pairs\n"
    assert (folder / "scores.csv").read_bytes() == whole


def test_what_is_finished_stays_and_the_rest_is_done(score, iqa, tmp_path):
    folder = tmp_path / "scores"
    assert score("scores/").status == 0
    whole = (folder / "scores.csv").read_bytes()
    first, second, *_ = sorted(folder.glob("shards/*.csv"))
    first.unlink()
    kept = second.stat().st_mtime_ns
    refused = iqa("merge", f"--output={folder}")
    assert refused.status == 1
    assert "1 missing shard of " in refused.stderr
    assert "0: claimed by process 0 of 1 on " in refused.stderr
    assert score("scores").status == 0
    assert (folder / "scores.csv").read_bytes() == whole
    assert second.stat().st_mtime_ns == kept


def test_the_bar_ends_with_what_others_have_finished(score, tmp_path, monkeypatch):
    assert score("scores").status == 0
    shard, hidden = tmp_path / "scores/shards/00000000.csv", tmp_path / "hidden"
    shard.rename(hidden)

    def done_by_another(*_):
        hidden.rename(shard)
        yield from ()

    monkeypatch.setattr(sharing, "shards_to_do", done_by_another)
    assert "process 0 of 1: 100%" in score("scores").stderr


def test_the_share_comes_from_the_engine(score, monkeypatch):
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "5")
    assert score("scores").stderr.startswith("process 5 (Kubernetes)\n")
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "five")
    refused = score("scores")
    assert refused.status == 1
    assert "JOB_COMPLETION_INDEX: expected a number, found 'five'" in refused.stderr


def test_other_settings_are_refused(score):
    assert score("scores").status == 0
    refused = score("scores", "--resize=short:64")
    assert refused.status == 1
    assert (
        "scores: was begun with different resize (see run.json); choose another" in refused.stderr
    )


def test_pairs_that_cannot_be_scored_are_counted(score, pair_folder):
    (pair_folder / "a_1.png").unlink()
    done = score("scores")
    assert done.status == 2
    assert "1 pair could not be scored in full" in done.stderr


def test_who_merges_reports_as_a_process_alone_does(score, iqa, pair_folder, tmp_path):
    """The page, the JUnit file and the exit status are those of a table in a file."""
    (pair_folder / "a_1.png").unlink()

    def reported(run, output, *more):
        reports = {kind: tmp_path / f"{output}.{kind}" for kind in ("html", "junit")}
        flags = (f"--{kind}={path}" for kind, path in reports.items())
        done = run(output, *flags, "--fail_beyond=ssim:0.9,psnr:20", *more)
        assert f"Written: {reports['html']}\n" in done.stdout
        return done.status, *(path.read_bytes() for path in reports.values())

    whole = reported(score, "whole.csv")
    assert whole[0] == 3
    assert reported(score, "scores", "--process_index=1", "--process_count=2") == whole
    images = f"--images_dir={pair_folder}"
    folder = f"--output={tmp_path / 'scores'}"
    assert reported(lambda _, *more: iqa("merge", folder, *more), "merged", images) == whole


def test_who_does_not_merge_does_not_report(score, tmp_path, monkeypatch):
    monkeypatch.setattr(ShardFolder, "finished", lambda _: {0})
    monkeypatch.setattr(sharing, "shards_to_do", lambda *_: ())
    page = tmp_path / "page.html"
    done = score("scores", f"--html={page}", "--fail_beyond=psnr:99")
    assert done.status == 0, done.stderr
    assert "are claimed by other processes" in done.stdout
    assert not page.exists()


def test_resuming_looks_at_the_images_of_what_is_finished(score, pair_folder, tmp_path):
    assert score("scores").status == 0
    whole = (tmp_path / "scores/scores.csv").read_bytes()
    assert score("scores", "--resume").status == 0
    images = {name: (pair_folder / name).read_bytes() for name in ("a_1.png", "b_1.png")}
    (pair_folder / "a_1.png").write_bytes(images["a_1.png"][:-30])
    changed = score("scores", "--resume")
    assert changed.status == 1
    assert "00000000.csv: has scores of images that have changed since; delete it" in changed.stderr
    (tmp_path / "scores/shards/00000000.csv").unlink()
    assert score("scores").status == 2
    (pair_folder / "a_1.png").write_bytes(images["a_1.png"])
    assert score("scores").status == 2
    assert score("scores", "--resume").status == 0
    assert (tmp_path / "scores/scores.csv").read_bytes() == whole


def test_two_folders_can_be_shared_too(iqa, pair_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(pair_pieces, "_LEAST_ROWS", 2)
    flags = ("--metrics=psnr", f"--reference_dir={pair_folder}", f"--distorted_dir={pair_folder}")
    assert iqa("score", *flags, f"--output={tmp_path / 'whole.csv'}").status == 0
    assert iqa("score", *flags, f"--output={tmp_path / 'scores'}").status == 0
    assert (tmp_path / "scores/scores.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert len(list(tmp_path.glob("scores/shards/*.csv"))) == 6


@pytest.mark.parametrize(
    ("output", "flags", "complaint"),
    [
        ("scores", ["--maps_dir=x"], "--maps_dir: without effect on a folder of scores"),
        ("scores", ["--fail_beyond=lpips:1"], "lpips is not computed; expected one of psnr, ssim"),
        (
            "scores.csv",
            ["--process_index=0", "--process_count=2"],
            "--process_index, --process_count: without effect where a process works alone; name a",
        ),
        ("scores", ["--process_index=1"], "expected --process_index and --process_count, found"),
    ],
)
def test_flags_that_make_no_sense_are_refused(score, output, flags, complaint):
    refused = score(output, *flags)
    assert refused.status == 1
    assert complaint in refused.stderr


@pytest.fixture
def pair_bucket(pair_folder, bucket):
    """The pairs in a bucket: their list, and the images beside it."""
    for path in pair_folder.iterdir():
        buckets.upload(path, bucket / "pairs" / path.name)
    return bucket / "pairs"


def test_a_bucket_ends_with_the_table_of_a_folder(iqa, pair_folder, pair_bucket, tmp_path):
    local, *flags = (f"--pairs={pair_folder / 'pairs.csv'}", "--metrics=psnr")
    assert iqa("score", local, *flags, f"--output={tmp_path / 'whole.csv'}").status == 0
    whole = (tmp_path / "whole.csv").read_bytes()
    flags = (*flags, f"--pairs={pair_bucket / 'pairs.csv'}")
    shared = pair_bucket.parent / "scores"
    done = iqa("score", *flags, f"--output={shared}", "--process_index=0", "--process_count=2")
    assert done.status == 0, done.stderr
    assert sorted(names(shared)) == ["claims", "run.json", "scores.csv", "shards"]
    assert (shared / "scores.csv").read_bytes() == whole
    before = modified_in(shared, "scores.csv".__eq__)
    merged = iqa("merge", f"--output={shared}")
    assert merged.stdout == f"Written: {shared / 'scores.csv'}, 9 pairs\n"
    assert modified_in(shared, "scores.csv".__eq__) == before
    page = shared / "pages" / "worst.html"
    reported = iqa("merge", f"--output={shared}", f"--html={page}", f"--images_dir={pair_bucket}")
    assert reported.status == 0, reported.stderr
    assert data_of(page.read_text())["pictures"]["sources"]["a.png"] == "../../pairs/a.png"
    alone = pair_bucket.parent / "alone.csv"
    assert iqa("score", *flags, f"--output={alone}").status == 0
    assert alone.read_bytes() == whole
    assert iqa("score", *flags, f"--output={alone}", "--resume").stdout.startswith("Already comp")


def test_the_images_of_a_list_may_be_in_a_bucket(iqa, pair_bucket, pair_folder, tmp_path):
    pairs = ["reference,distorted", f"{pair_bucket / 'a.png'},{pair_folder / 'a_1.png'}"]
    (tmp_path / "list.csv").write_text("\n".join(pairs) + "\n")
    done = iqa("score", "--metrics=psnr", f"--pairs={tmp_path / 'list.csv'}")
    assert done.status == 0, done.stderr
    missing = pair_bucket / "none.png"
    (tmp_path / "list.csv").write_text("\n".join([*pairs, f"{missing},a_1.png"]) + "\n")
    refused = iqa("score", "--metrics=psnr", f"--pairs={tmp_path / 'list.csv'}")
    assert refused.status == 2
    assert "none.png: there is no such file" in refused.stdout


def test_shards_that_are_missing_in_a_bucket_are_named(iqa, bucket, pair_bucket):
    flags = ("--metrics=psnr", f"--pairs={pair_bucket / 'pairs.csv'}")
    assert iqa("score", *flags, f"--output={bucket / 'scores'}").status == 0
    remove(bucket / "scores" / "shards")
    refused = iqa("merge", f"--output={bucket / 'scores'}")
    assert refused.status == 1
    assert "0: claimed by process 0 of 1 on " in refused.stderr
    nothing = iqa("merge", f"--output={bucket / 'nothing'}")
    assert "expected a folder that iqa score has begun to fill" in nothing.stderr


@pytest.mark.slow
def test_two_processes_fill_a_bucket(iqa, environment, store_environment, pair_bucket, tmp_path):
    header, *rows = (pair_bucket / "pairs.csv").read_text().splitlines()
    write_text(pair_bucket / "many.csv", "\n".join([header, *(rows * 100)]) + "\n")
    flags = ("--metrics=psnr,ssim", f"--pairs={pair_bucket / 'many.csv'}")
    shared = pair_bucket.parent / "scores"
    cache = pair_bucket.parent / "compiled"
    processes = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "iqa_jax", "score", *flags, f"--output={shared}"),
                *(f"--process_index={index}", "--process_count=2"),
                f"--compilation_cache_dir={cache}",
            ],
            env={**environment, **store_environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    for process in processes:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
    assert iqa("score", *flags, f"--output={tmp_path / 'whole.csv'}").status == 0
    whole = (tmp_path / "whole.csv").read_bytes()
    assert (shared / "scores.csv").read_bytes() == whole
    remove(shared / "scores.csv")
    assert iqa("merge", f"--output={shared}").status == 0
    assert (shared / "scores.csv").read_bytes() == whole
    holders = {json.loads(path.read_text())["process"] for path in (shared / "claims").iterdir()}
    assert holders == {process.pid for process in processes}
    assert any(name.endswith("-cache") for name in names(cache))


@pytest.mark.slow
@pytest.mark.parametrize("indices", [(0, 1), (0, 0)])
def test_a_process_that_is_killed_and_started_again(
    indices, iqa, environment, pair_folder, tmp_path
):
    header, *rows = (pair_folder / "pairs.csv").read_text().splitlines()
    many = pair_folder / "many.csv"
    many.write_text("\n".join([header, *(rows * 100)]) + "\n")
    flags = ("--metrics=psnr,ssim", f"--pairs={many}")
    folder = tmp_path / "scores"

    def start(index):
        share = (f"--process_index={index}", "--process_count=2")
        command = [sys.executable, "-m", "iqa_jax", "score", *flags, f"--output={folder}", *share]
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    first, second = map(start, indices)
    while first.poll() is None and not list(folder.glob("shards/*.csv")):
        time.sleep(0.01)
    first.kill()
    third = start(indices[0])
    for process in (first, second, third):
        _, said = process.communicate(timeout=120)
        assert process is first or process.returncode == 0, said
    assert iqa("score", *flags, f"--output={tmp_path / 'whole.csv'}").status == 0
    assert (folder / "scores.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert len(list(folder.glob("shards/*.csv"))) > 5

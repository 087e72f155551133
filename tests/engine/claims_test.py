"""Claims on pieces of work, in a folder that several processes share."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from etils import epath

from iqa_jax.engine import claims as module
from iqa_jax.engine.claims import STALE, Claims
from iqa_jax.engine.shares import Share
from iqa_jax.files import names


@pytest.fixture
def folder(tmp_path):
    return epath.Path(tmp_path) / "new" / "claims"


@pytest.fixture
def claims(folder):
    return Claims(folder, Share(3, 8, "SLURM"))


def make_older(path, seconds):
    before = Path(path).stat().st_mtime - seconds
    os.utime(path, (before, before))


def give_to_another(path):
    """Makes a claim that of a process that runs on this machine."""
    path.write_text(json.dumps({**json.loads(path.read_text()), "process": 1}))


def test_a_claim_says_who_made_it(claims, folder):
    assert claims.find(7) is None
    path = claims.take(7)
    assert path == folder / "00000007.0"
    found = claims.find(7)
    assert str(found).startswith("process 3 of 8 (SLURM) on ")
    assert found.process == os.getpid()
    assert 0 <= found.age < 5
    assert not found.is_abandoned
    assert [each.name for each in folder.iterdir()] == ["00000007.0"]


def test_a_claimed_piece_is_not_taken_again(claims, folder):
    assert claims.take(7)
    assert claims.take(7) is None
    assert Claims(folder, Share(0, 1)).take(7) is None
    assert claims.take(8)


def test_threads_of_a_process_look_at_a_claim_at_once(claims, folder):
    claims.take(7)
    with ThreadPoolExecutor(8) as pool:
        ages = list(pool.map(lambda _: claims.find(7).age, range(2000)))
    assert max(ages) < STALE
    assert [each.name for each in folder.iterdir()] == ["00000007.0"]


def test_of_many_that_claim_at_once_one_succeeds(folder):
    several = [Claims(folder, Share(index, 8)) for index in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for piece in range(10):
            taken = [each for each in pool.map(lambda each: each.take(piece), several) if each]  # noqa: B023
            assert len(taken) == 1


def test_a_stale_claim_is_taken_over_once(claims, folder):
    first = claims.take(7)
    give_to_another(first)
    make_older(first, STALE / 2)
    assert claims.take(7) is None
    make_older(first, STALE)
    other = Claims(folder, Share(4, 8))
    assert other.take(7) == folder / "00000007.1"
    assert claims.take(7) is None
    assert first.exists()
    assert str(claims.find(7)).startswith("process 4 of 8")


def test_what_a_process_has_given_up_is_free_at_once(claims):
    path = claims.take(7)
    with claims.renewed(path):
        assert claims.take(7) is None
    assert claims.take(7)


def test_the_claim_of_a_process_that_has_ended_is_free_at_once(claims, folder):
    command = [sys.executable, "-c", "import os; print(os.getpid())"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    path = claims.take(7)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "process": int(done.stdout)}))
    assert claims.find(7).is_abandoned
    assert claims.take(7) == folder / "00000007.1"


def test_a_process_with_the_same_number_on_another_machine_may_live(claims):
    path = claims.take(7)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "host": "elsewhere", "process": 2**22 + 1}))
    assert not claims.find(7).is_abandoned


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_damaged_claim_is_honoured_until_it_is_stale(text, claims):
    path = claims.take(7)
    path.write_text(text)
    assert claims.take(7) is None
    make_older(path, STALE + 5)
    assert claims.take(7)


def test_a_claim_is_renewed_while_the_work_goes_on(claims, monkeypatch):
    monkeypatch.setattr(module, "RENEWED", 0.02)
    path = claims.take(7)
    make_older(path, STALE + 5)
    with claims.renewed(path):
        time.sleep(0.2)
        assert claims.find(7).age < STALE
    make_older(path, STALE + 5)
    time.sleep(0.1)
    assert claims.find(7).age > STALE


def test_the_clock_of_the_machine_does_not_matter(claims, monkeypatch):
    claims.take(7)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert claims.find(7).age < 5


def test_one_of_two_claimants_wins_in_a_bucket(bucket):
    several = [Claims(bucket / "claims", Share(index, 2)) for index in range(2)]
    with ThreadPoolExecutor(2) as pool:
        taken = list(pool.map(lambda each: each.take(7), several))
    assert sorted(map(bool, taken)) == [False, True]
    assert names(bucket / "claims") == ["00000007.0"]


@pytest.mark.slow
def test_processes_claim_once_in_a_bucket(bucket, store_environment):
    """The two begin at the same time, and neither knows what the other has found."""
    code = f"""
import sys
from etils import epath
from iqa_jax.engine.claims import Claims
from iqa_jax.engine.shares import Share
claims = Claims(epath.Path("{bucket}"), Share(int(sys.argv[1]), 2))
claims.find(0)
print("ready", flush=True)
sys.stdin.readline()
print([piece for piece in range(5) if claims.take(piece)], flush=True)
sys.stdin.readline()
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(index)],
            env={**os.environ, **store_environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    taken = [json.loads(process.stdout.readline()) for process in processes]
    for process in processes:
        process.communicate("end\n")
    assert sorted([*taken[0], *taken[1]]) == list(range(5))


def test_a_claim_in_a_bucket_is_renewed_and_goes_stale(bucket, monkeypatch):
    monkeypatch.setattr(module, "RENEWED", 0.02)
    claims = Claims(bucket, Share(0, 2))
    path = claims.take(7)
    first = claims.find(7)
    assert 0 <= first.age < STALE
    with claims.renewed(path):
        while claims.find(7).renewed_at == first.renewed_at:
            time.sleep(0.02)
    give_to_another(path)
    assert Claims(bucket, Share(0, 2)).take(7) is None
    monkeypatch.setattr(module, "STALE", 0.0)
    assert Claims(bucket, Share(1, 2)).take(7) == bucket / "00000007.1"

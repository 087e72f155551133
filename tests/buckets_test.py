import os
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from etils import epath
from etils.epath.backend import fsspec_backend
from object_store import BUCKET

from iqa_jax import buckets


def write_elsewhere(path, data):
    """Writes an object as another machine does, of which the client here knows nothing."""
    name = str(path).removeprefix(f"gs://{BUCKET}/")
    address = f"{os.environ['STORAGE_EMULATOR_HOST']}/upload/storage/v1/b/{BUCKET}/o"
    with urllib.request.urlopen(f"{address}?uploadType=media&name={name}", data):
        pass


@pytest.mark.parametrize("length", [0, 1000, 6 << 20])
def test_what_is_written_is_there(bucket, rng, tmp_path, length):
    data = rng.bytes(length) + b"\n\r\n\r"[:length]
    buckets.write(bucket / "a", data)
    (tmp_path / "b").write_bytes(data)
    buckets.upload(tmp_path / "b", bucket / "b")
    assert buckets.read(bucket / "a") == (bucket / "b").read_bytes() == data


def test_the_same_bytes_are_not_written_again(bucket, tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    buckets.write(bucket / "a", b"one")
    before = buckets.modified_in(bucket)["a"]
    buckets.write(bucket / "a", b"one")
    buckets.upload(tmp_path / "a", bucket / "a")
    assert buckets.modified_in(bucket)["a"] == before
    buckets.write(bucket / "a", b"two")
    assert buckets.modified_in(bucket)["a"] > before
    assert (bucket / "a").read_bytes() == b"two"


def test_of_many_that_create_an_object_one_succeeds(bucket):
    contents = [b"%d" % each for each in range(8)]
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(lambda data: buckets.create(bucket / "a", data), contents))
    assert created.count(True) == 1
    assert (bucket / "a").read_bytes() == contents[created.index(True)]


def test_an_object_is_touched_by_the_clock_of_the_store(bucket):
    buckets.write(bucket / "a", b"one")
    before = buckets.modified_in(bucket)["a"]
    buckets.touch(bucket / "a")
    assert buckets.modified_in(bucket)["a"] > before
    assert (bucket / "a").read_bytes() == b"one"


def test_listings_show_what_other_machines_write(bucket):
    assert buckets.names(bucket) == []
    write_elsewhere(bucket / "a", b"one")
    assert buckets.names(bucket) == ["a"]
    write_elsewhere(bucket / "b" / "c", b"two")
    assert sorted(buckets.names(bucket)) == ["a", "b"]
    assert list(bucket.glob("*/c")) == [bucket / "b" / "c"]
    write_elsewhere(bucket / "a", b"longer")
    assert (bucket / "a").read_bytes() == b"longer"


def test_folders_and_objects_are_removed(bucket):
    for name in ("a", "ab", "b/c", "b/d/e"):
        buckets.write(bucket / name, b"")
    buckets.remove(bucket / "a")
    buckets.remove(bucket / "b")
    buckets.remove(bucket / "none")
    assert buckets.names(bucket) == ["ab"]


@pytest.mark.parametrize("use", [buckets.read, buckets.touch])
def test_an_object_that_is_missing(bucket, use):
    with pytest.raises(FileNotFoundError):
        use(bucket / "none")


def test_objects_that_are_read_together(bucket, monkeypatch):
    for name in "ab":
        buckets.write(bucket / name, name.encode())
    paths = [bucket / name for name in ("b", "none", "a")]
    assert buckets.read_all(paths) == [b"b", b"", b"a"]
    client = fsspec_backend.fs(bucket)
    busy = {str(path).removeprefix("gs://"): OSError("busy") for path in paths}
    monkeypatch.setattr(client, "cat", lambda *_, **__: busy)
    with pytest.raises(OSError, match="busy"):
        buckets.read_all(paths)


def test_a_bucket_that_is_missing(bucket):
    path = epath.Path("gs://elsewhere/a")
    for use in (buckets.write, buckets.create):
        with pytest.raises(FileNotFoundError):
            use(path, b"")


def test_errors_of_clients_are_those_of_the_system(bucket, monkeypatch):
    client = fsspec_backend.fs(bucket)
    monkeypatch.setattr(client, "pipe_file", lambda *_, **__: {}["status"])
    with pytest.raises(OSError, match=r"gs://bucket/.*/a: 'status'"):
        buckets.create(bucket / "a", b"")


def test_errors_of_clients_are_known():
    from gcsfs.retry import HttpError

    assert buckets.is_client_error(HttpError({"code": 503, "message": "busy"}))
    assert not buckets.is_client_error(ValueError())

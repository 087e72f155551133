"""Downloads from a real HTTP server on loopback; each test scripts its misbehaviour."""

import contextlib
import hashlib
import json
import re
import signal
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from etils import epath

from iqa_jax import files
from iqa_jax.errors import CheckpointError
from iqa_jax.weights import download, transfers
from iqa_jax.weights.download import UrlFile, file_sha256

CONTENT = bytes(range(256)) * 1200
SIZE = len(CONTENT)
HALF = SIZE // 2
SHA256 = hashlib.sha256(CONTENT).hexdigest()
DATE = "Tue, 03 Jan 2023 10:00:00 GMT"


class Server(ThreadingHTTPServer):
    """Serves one file; ``script`` holds other responses for the first requests."""

    daemon_threads = False  # closing waits for every response

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.version = {"ETag": '"one"'}
        self.script = []
        self.requests = []
        self.sent = []
        self.is_over = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/models/net-a%20b.pth?raw=1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        server = self.server
        server.requests.append((self.path, dict(self.headers)))
        (server.script.pop(0) if server.script else serve)(self)

    def log_message(self, *_):
        pass

    def head(self, status, **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), str(value))
        self.end_headers()

    def body(self, data):
        self.wfile.write(data)
        self.server.sent.append(len(data))


def serve(handler, end=None, ranges=True):
    """A well-behaved response; ``end`` cuts it off after that many bytes of the file."""
    server, start = handler.server, 0
    asked = handler.headers.get("Range")
    if asked and ranges and handler.headers["If-Range"] in server.version.values():
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
    size = len(server.content)
    if start >= size:
        handler.head(416, Content_Range=f"bytes */{size}")
        return
    partial = {"Content_Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
    handler.head(206 if start else 200, Content_Length=size - start, **partial, **server.version)
    handler.body(server.content[start:end])


def drops_half_way(handler):
    serve(handler, end=HALF)


def ignores_ranges(handler):
    serve(handler, ranges=False)


def does_not_answer(handler):
    handler.server.is_over.wait()


def stalls_half_way(handler):
    drops_half_way(handler)
    handler.server.is_over.wait()


def hangs_up(handler):
    handler.close_connection = True


def answers(status, **headers):
    return lambda handler: handler.head(status, Content_Length=0, **headers)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    """Short pauses, no proxies from the environment, and a server without a certificate."""
    monkeypatch.setattr(transfers, "ENCRYPTED", ("https", "http"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(download, "PAUSES", (0.01, 0.02))


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.is_over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def file(server):
    return UrlFile(server.url)


@pytest.fixture
def directory(tmp_path):
    return epath.Path(tmp_path) / "downloads"


def names(directory):
    return sorted(entry.name for entry in directory.iterdir())


def is_whole(file, directory):
    return names(directory) == [file.name] and (directory / file.name).read_bytes() == CONTENT


PART = ["net-a b.pth.part", "net-a b.pth.part.json"]


def test_sha256_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(CONTENT)
    assert file_sha256(epath.Path(tmp_path) / "a") == SHA256


@pytest.mark.parametrize(
    ("size", "sha256"),
    [
        (None, SHA256),
        (None, SHA256[:8]),
        (None, SHA256[:8].upper()),
        (SIZE, ""),
        (None, ""),
    ],
)
def test_downloads_once(size, sha256, server, directory, capsys):
    file = UrlFile(server.url, size)
    assert file.name == "net-a b.pth"
    assert file.find(directory) is None
    path = file.fetch(directory, sha256)
    assert path == file.find(directory) == directory / "net-a b.pth"
    assert is_whole(file, directory)
    assert file.fetch(directory, sha256) == path
    assert len(server.requests) == 1
    assert capsys.readouterr() == ("", "")


def test_uses_a_file_placed_by_hand(server, file, directory):
    directory.mkdir()
    (directory / file.name).write_bytes(CONTENT)
    assert file.fetch(directory, SHA256[:8]) == directory / file.name
    assert not server.requests


@pytest.mark.parametrize(("size", "sha256"), [(None, SHA256), (None, SHA256[:8]), (9, "")])
def test_refuses_a_wrong_file_placed_by_hand(size, sha256, server, directory):
    directory.mkdir()
    (directory / "net-a b.pth").write_bytes(b"another")
    with pytest.raises(CheckpointError, match=r"net-a b.pth: is not the .*expected .*found .*move"):
        UrlFile(server.url, size).fetch(directory, sha256)
    assert (directory / "net-a b.pth").read_bytes() == b"another"
    assert not server.requests


@pytest.mark.parametrize(
    ("size", "sha256", "complaint"),
    [
        (None, "0" * 64, f"expected sha256 {'0' * 64}, found {SHA256}; nothing was kept"),
        (None, "0badf00d", rf"expected sha256 0badf00d\.\.\., found {SHA256}; nothing was kept"),
        (5, "", f"the server would send {SIZE} bytes, expected 5"),
        (SIZE + 1, SHA256, f"the server would send {SIZE} bytes, expected {SIZE + 1}"),
    ],
)
def test_keeps_no_wrong_file(size, sha256, complaint, server, directory):
    with pytest.raises(CheckpointError, match=complaint):
        UrlFile(server.url, size).fetch(directory, sha256)
    assert not names(directory)


@pytest.mark.parametrize("version", [{"ETag": '"one"'}, {"ETag": 'W/"1"', "Last-Modified": DATE}])
def test_requests_the_rest_after_an_interruption(version, server, file, directory):
    server.version, server.script = version, [drops_half_way]
    file.fetch(directory, "")
    assert is_whole(file, directory)
    assert server.sent == [HALF, SIZE - HALF]
    first, second = (headers for _, headers in server.requests)
    assert "Range" not in first
    assert second["Range"] == f"bytes={HALF}-"
    assert second["If-Range"] in ('"one"', DATE)


def test_a_later_run_resumes(server, file, directory):
    server.script = [drops_half_way, answers(503), hangs_up]
    with pytest.raises(CheckpointError, match=r"Remote.*; run again to resume it"):
        file.fetch(directory, SHA256)
    assert names(directory) == PART
    file.fetch(directory, SHA256)
    assert is_whole(file, directory)
    assert sum(server.sent) == SIZE


def test_a_later_run_only_verifies_a_complete_file(server, file, directory, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(download, "file_sha256", interrupt)
        with pytest.raises(KeyboardInterrupt):
            file.fetch(directory, SHA256)
    assert names(directory) == PART
    file.fetch(directory, SHA256)
    assert is_whole(file, directory)
    assert len(server.requests) == 1


@pytest.mark.parametrize("version", [{}, {"ETag": 'W/"1"'}])
def test_starts_over_if_the_server_gives_no_version(version, server, file, directory):
    server.version, server.script = version, [drops_half_way]
    file.fetch(directory, SHA256)
    assert is_whole(file, directory)
    assert not any("Range" in headers for _, headers in server.requests)


def test_keeps_nothing_that_cannot_be_resumed(server, file, directory):
    server.version, server.script = {}, [drops_half_way] * 3
    with pytest.raises(CheckpointError, match=r"bytes too early; download it elsewhere"):
        file.fetch(directory, SHA256)
    assert not names(directory)


def test_starts_over_if_ranges_are_ignored(server, file, directory):
    server.script = [drops_half_way, ignores_ranges]
    file.fetch(directory, SHA256)
    assert is_whole(file, directory)
    assert server.sent == [HALF, SIZE]


def continues(start=HALF, size=SIZE, **headers):
    """A partial response to any request."""

    def answer(handler):
        span = f"bytes {start}-{size - 1}/{size}"
        handler.head(206, Content_Range=span, Content_Length=size - start, **headers)
        handler.body(CONTENT[start:size])

    return answer


CHANGES = {
    "respects the condition": serve,
    "ignores the condition": continues(ETag='"two"'),
    "states a different size": continues(size=HALF + 1, ETag='"one"'),
    "states no version": continues(),
    "starts elsewhere": continues(start=7, ETag='"one"'),
    "states no range": answers(206),
    "has become shorter": answers(416, Content_Range="bytes */7"),
}


@pytest.mark.parametrize("answer", CHANGES.values(), ids=CHANGES)
def test_never_joins_two_versions(answer, server, file, directory):
    server.content = b"x" * SIZE

    def change(handler):
        server.content, server.version = CONTENT, {"ETag": '"two"'}
        answer(handler)

    server.script = [drops_half_way, change]
    file.fetch(directory, "")
    assert is_whole(file, directory)
    assert "Range" in server.requests[1][1]
    assert len(server.requests) == 2 or "Range" not in server.requests[2][1]


def test_starts_over_if_the_unfinished_file_is_too_long(server, file, directory):
    directory.mkdir()
    (directory / PART[0]).write_bytes(b"x" * (SIZE + 1))
    record = {"url": server.url, "version": '"one"', "size": SIZE}
    (directory / PART[1]).write_text(json.dumps(record))
    file.fetch(directory, "")
    assert is_whole(file, directory)
    assert len(server.requests) == 2


def test_a_partial_response_need_not_repeat_the_date(server, file, directory):
    server.version, server.script = {"Last-Modified": DATE}, [drops_half_way, continues()]
    file.fetch(directory, SHA256)
    assert is_whole(file, directory)
    assert len(server.requests) == 2


@pytest.mark.parametrize("record", ["", '{"url": "http', '{"url": "http://elsewhere/a"}'])
def test_resumes_nothing_of_unknown_origin(record, server, file, directory):
    directory.mkdir()
    (directory / PART[0]).write_bytes(b"x" * HALF)
    (directory / PART[1]).write_text(record)
    file.fetch(directory, "")
    assert is_whole(file, directory)


def test_a_body_of_unstated_length(server, file, directory):
    def serve_without_length(handler):
        handler.head(200)
        handler.body(CONTENT)

    server.script = [serve_without_length]
    file.fetch(directory, SHA256)
    assert is_whole(file, directory)


def sends_without_end(handler, **headers):
    handler.head(200, **headers)
    with contextlib.suppress(ConnectionError):
        while not handler.server.is_over.is_set():
            handler.body(CONTENT)


@pytest.mark.parametrize("most", ["registered", "for any"])
def test_an_endless_body_is_cut_off(most, server, directory, monkeypatch):
    monkeypatch.setattr(download, "MOST_BYTES", SIZE)
    server.script = [sends_without_end]
    file = UrlFile(server.url, SIZE if most == "registered" else None)
    with pytest.raises(CheckpointError, match="sends more bytes than expected or allowed"):
        file.fetch(directory, SHA256)
    assert not names(directory)


def test_an_excessive_body_is_not_begun(server, file, directory):
    server.script = [lambda handler: handler.head(200, Content_Length=2**50)]
    with pytest.raises(CheckpointError, match=f"would send {2**50} bytes, .* at most 8589934592"):
        file.fetch(directory, SHA256)
    assert not names(directory)


def test_a_rest_that_is_too_long_is_cut_off_at_the_size_of_the_file(server, file, directory):
    def sends_a_long_rest(handler):
        headers = {"Content_Range": f"bytes {HALF}-{SIZE - 1}/{SIZE}", "Content_Length": 10 * SIZE}
        handler.head(206, **headers, **server.version)
        handler.body(CONTENT[HALF:] + CONTENT)

    server.script = [drops_half_way, sends_a_long_rest]
    file.fetch(directory, SHA256)
    assert is_whole(file, directory)
    assert len(server.requests) == 2


@pytest.mark.parametrize("sha256", ["", SHA256[:8]])
def test_unencrypted_downloads_need_a_full_hash(sha256, server, file, directory, monkeypatch):
    monkeypatch.setattr(transfers, "ENCRYPTED", ("https",))
    with pytest.raises(CheckpointError, match=r"not encrypted.*place it at .*net-a b.pth"):
        file.fetch(directory, sha256)
    assert not server.requests
    assert not directory.exists()
    file.fetch(directory, SHA256)
    file.fetch(directory, sha256)  # already downloaded
    assert len(server.requests) == 1


def test_does_not_follow_a_redirect_to_an_unencrypted_url(server, directory, monkeypatch):
    """A server that counts as encrypted redirects to one that does not."""
    moved = UrlFile(f"http://127.0.0.1:{server.server_port}/old/net.pth")
    server.script = [answers(302, Location=server.url)]
    monkeypatch.setattr(transfers, "ENCRYPTED", ("https",))
    monkeypatch.setattr(download, "is_encrypted", lambda url: url == moved.url)
    with pytest.raises(
        CheckpointError, match=f"redirects to {re.escape(server.url)}, which is not"
    ):
        moved.fetch(directory, SHA256[:8])
    assert len(server.requests) == 1
    assert not names(directory)


def test_broken_chunks(server, file, directory):
    def serve_a_chunk(handler):
        handler.head(200, Transfer_Encoding="chunked", **server.version)
        handler.body(b"%x\r\n%b\r\n" % (HALF, CONTENT[:HALF]))

    server.script = [serve_a_chunk]
    file.fetch(directory, "")
    assert is_whole(file, directory)


def test_follows_redirects(server, directory):
    moved = UrlFile(f"http://127.0.0.1:{server.server_port}/old/net.pth")
    redirect = answers(302, Location=server.url)
    server.script = [redirect, drops_half_way, redirect]
    moved.fetch(directory, SHA256)
    assert is_whole(moved, directory)
    assert server.sent == [HALF, SIZE - HALF]


@pytest.mark.parametrize("passing", [answers(500), answers(429), hangs_up])
def test_retries_passing_errors(passing, server, file, directory):
    server.script = [passing, passing]
    file.fetch(directory, SHA256)
    assert is_whole(file, directory)
    assert len(server.requests) == 3


def test_retries_any_error_after_an_interruption(server, file, directory):
    server.script = [drops_half_way, answers(403)]
    file.fetch(directory, SHA256)
    assert is_whole(file, directory)
    assert sum(server.sent) == SIZE


def place(directory):
    return re.escape(f"download it elsewhere and place it at {directory / 'net-a b.pth'} (or give")


@pytest.mark.parametrize(
    ("answer", "reason", "requests"),
    [
        (answers(404), "the server answers 404 Not Found", 1),
        (answers(403), "the server answers 403 Forbidden", 1),
        (answers(500), "the server answers 500 Internal Server Error", 3),
        (answers(204), "the server answers with status 204", 1),
        (answers(200, Content_Type="text/html; charset=utf-8"), "sends a web page", 1),
        (hangs_up, "closed connection without response", 3),
    ],
)
def test_the_error_says_which_file_to_place_where(answer, reason, requests, server, directory):
    file = UrlFile(server.url)
    server.script = [answer] * 3
    with pytest.raises(CheckpointError, match=f"{reason}.*; {place(directory)}") as raised:
        file.fetch(directory, SHA256)
    assert str(raised.value).startswith(f"{server.url}: cannot be downloaded: ")
    assert len(server.requests) == requests
    assert not names(directory)


def test_an_empty_response_is_not_a_file(server, file, directory):
    server.script = [answers(200)]
    with pytest.raises(CheckpointError, match="expected some bytes, found 0"):
        file.fetch(directory, "")
    assert not names(directory)


def test_a_refused_connection(directory):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(CheckpointError, match=f"Connection refused; {place(directory)}"):
        UrlFile(f"http://127.0.0.1:{port}/net-a%20b.pth").fetch(directory, "")
    assert not names(directory)


def test_an_unknown_host(directory, monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(CheckpointError, match=f"Name or service not known; {place(directory)}"):
        UrlFile("https://weights.invalid/net-a%20b.pth").fetch(directory, "")


def test_does_not_wait_forever_for_a_response(server, file, directory, monkeypatch):
    monkeypatch.setattr(transfers, "TIMEOUT", 0.1)
    server.script = [does_not_answer]
    start = time.monotonic()
    with pytest.raises(CheckpointError, match=f"no answer within 0.1 seconds; {place(directory)}"):
        file.fetch(directory, SHA256)
    assert time.monotonic() - start < 5
    assert not names(directory)


def test_does_not_wait_forever_for_the_rest(server, file, directory, monkeypatch):
    monkeypatch.setattr(transfers, "TIMEOUT", 0.1)
    server.script = [stalls_half_way, does_not_answer, does_not_answer]
    with pytest.raises(CheckpointError, match=r"no answer .*; run again to resume it"):
        file.fetch(directory, SHA256)
    assert names(directory) == PART
    server.script = [stalls_half_way]
    file.fetch(directory, SHA256)
    assert is_whole(file, directory)


def test_uses_the_proxy_from_the_environment(server, directory, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    url = "http://weights.invalid/net.pth"
    UrlFile(url).fetch(directory, SHA256)
    assert [path for path, _ in server.requests] == [url]


def test_concurrent_fetches_download_once(server, file, directory):
    has_begun = threading.Event()
    may_go_on = threading.Event()

    def serve_slowly(handler):
        has_begun.set()
        may_go_on.wait()
        serve(handler)

    server.script = [serve_slowly]
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(file.fetch(directory, SHA256)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    has_begun.wait()
    time.sleep(0.05)  # for the others to reach the lock
    may_go_on.set()
    for thread in threads:
        thread.join()
    assert found == [directory / file.name] * 3
    assert is_whole(file, directory)
    assert len(server.requests) == 1


def test_a_process_that_waited_verifies_too(server, file, directory):
    has_begun = threading.Event()

    def serve_slowly(handler):
        has_begun.set()
        time.sleep(0.05)  # for the other to reach the lock
        serve(handler)

    server.script = [serve_slowly]
    thread = threading.Thread(target=file.fetch, args=(directory, SHA256))
    thread.start()
    has_begun.wait()
    with pytest.raises(
        CheckpointError, match=r"net-a b.pth: is not the .*expected sha256 0badf00d"
    ):
        file.fetch(directory, "0badf00d")
    thread.join()
    assert is_whole(file, directory)


def test_an_interrupt_keeps_the_unfinished_file(server, file, directory):
    def serve_half_and_interrupt(handler):
        drops_half_way(handler)
        part = directory / PART[0]
        while not (part.exists() and part.stat().length):
            time.sleep(0.001)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        handler.server.is_over.wait()

    server.script = [serve_half_and_interrupt]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    try:
        with pytest.raises(KeyboardInterrupt):
            file.fetch(directory, SHA256)
    finally:
        signal.signal(signal.SIGINT, before)
    assert names(directory) == PART
    file.fetch(directory, SHA256)
    assert is_whole(file, directory)
    assert "Range" in server.requests[1][1]


def test_a_folder_that_cannot_be_created(server, file, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"net-a b.pth: cannot be read or written \(.*file"):
        file.fetch(epath.Path(tmp_path) / "file" / "folder", SHA256)
    assert not server.requests


@pytest.mark.skipif(not epath.Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk(server, file, tmp_path):
    (tmp_path / PART[0]).symlink_to("/dev/full")
    with pytest.raises(CheckpointError, match=r"cannot be read or written \(.*No space left"):
        file.fetch(epath.Path(tmp_path), SHA256)
    assert len(server.requests) == 1
    assert not list(tmp_path.iterdir())


def test_to_a_bucket(server, file, bucket):
    server.script = [drops_half_way]
    assert file.fetch(bucket, SHA256) == bucket / file.name
    assert is_whole(file, bucket)
    assert file.fetch(bucket, SHA256) == bucket / file.name
    assert len(server.requests) == 2


def test_nothing_unfinished_is_kept_in_a_bucket(server, file, bucket):
    server.script = [drops_half_way] * 3
    with pytest.raises(CheckpointError, match=r"bytes too early; download it elsewhere"):
        file.fetch(bucket, SHA256)
    assert not files.names(bucket)

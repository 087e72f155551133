"""A store of objects on this machine: an emulator of GCS, with what it lacks.

That is the precondition of a write, listings between two names, the generation of what is read, and
uploads of any bytes.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import HTTPServer
from typing import Any
from unittest import mock

import fsspec
import pytest
from gcp_storage_emulator import server as emulator
from gcp_storage_emulator.handlers import buckets, objects
from gcp_storage_emulator.storage import Storage

BUCKET = "bucket"
"""A bucket that exists."""

_GENERATION_MATCHES = "ifGenerationMatch"

_Handler = Callable[..., None]


class _Server(HTTPServer):
    request_queue_size = 128  # a client opens many connections at once

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client may end before its answer is read."""


@contextmanager
def object_store() -> Iterator[Mapping[str, str]]:
    """Runs a store, which this process uses as ``gs://`` while the block runs.

    Yields:
      Environment in which other processes use it, without credentials and without a search for any.
    """
    logging.getLogger("gcp_storage_emulator").setLevel(logging.CRITICAL)
    storage = Storage(use_memory_fs=True)
    buckets.create_bucket(BUCKET, storage)
    server = _Server(("127.0.0.1", 0), partial(emulator.RequestHandler, storage))
    address = f"http://127.0.0.1:{server.server_port}"
    environment = {
        "STORAGE_EMULATOR_HOST": address,
        "FSSPEC_GCS_TOKEN": "anon",
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        "NO_GCE_CHECK": "true",
        "TENSORSTORE_GCS_HTTP_URL": address,
        "GOOGLE_AUTH_TOKEN_FOR_TESTING": "none",
    }
    threading.Thread(target=server.serve_forever, name="object store", daemon=True).start()
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch.dict(fsspec.config.conf, {"gcs": {"token": "anon"}}),
        mock.patch.object(emulator, "HANDLERS", _handlers()),
        mock.patch.object(emulator, "_read_data", _read_data),
        mock.patch.object(objects, "download", _download),
    ):
        yield environment
    server.shutdown()
    server.server_close()


def count_requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list to which the store adds the method of each request, while a test runs."""
    requests: list[str] = []
    handle = emulator.Router.handle

    def handle_and_note(router: emulator.Router, method: str) -> None:
        requests.append(method)
        handle(router, method)

    monkeypatch.setattr(emulator.Router, "handle", handle_and_note)
    return requests


def _handlers() -> tuple[tuple[str, Mapping[str, _Handler]], ...]:
    """The handlers of the emulator, three of them replaced."""
    own = {objects.insert: _insert, objects.download: _download, objects.ls: _list}
    return tuple(
        (path, {method: own.get(each, each) for method, each in handlers.items()})
        for path, handlers in emulator.HANDLERS
    )


def _read_data(
    handler: Any, query: Mapping[str, Any], *, read_data: Callable[..., Any] = emulator._read_data
) -> Any:
    """The body of a request; the emulator takes an upload of gcsfs for lines of text."""
    kind, _, boundary = handler.headers.get("Content-Type", "").partition("; boundary=")
    if kind != "multipart/related":
        return read_data(handler, query)
    body = handler.rfile.read(int(handler.headers["Content-Length"]))
    _, record, content, _ = body.split(b"--" + boundary.strip('"').encode())
    return {
        "meta": json.loads(record.partition(b"\n\n")[2]),
        "content": content.partition(b"\n\n")[2].removesuffix(b"\n"),
        "content-type": "application/octet-stream",
    }


def _insert(
    request: Any, response: Any, storage: Storage, *, insert: _Handler = objects.insert
) -> None:
    """Writes an object if its generation is the expected one, where 0 is that of none."""
    expected = request.query.get(_GENERATION_MATCHES)
    name = request.query["name"][0] if "name" in request.query else request.data["meta"]["name"]
    found = storage.objects.get(request.params["bucket_name"], {}).get(name, {})
    if expected and expected[0] != found.get("generation", "0"):
        response.status = HTTPStatus.PRECONDITION_FAILED
    else:
        insert(request, response, storage)


def _download(
    request: Any, response: Any, storage: Storage, *, download: _Handler = objects.download
) -> None:
    """Reads an object, whose generation tensorstore wants to know."""
    download(request, response, storage)
    names = request.params["bucket_name"], request.params["object_id"]
    if response.status != HTTPStatus.NOT_FOUND:
        response["x-goog-generation"] = storage.get_file_obj(*names)["generation"]


def _list(request: Any, response: Any, storage: Storage, *, ls: _Handler = objects.ls) -> None:
    """Lists the objects between two names, as tensorstore does."""
    ls(request, response, storage)
    first, end = (request.query.get(each, [""])[0] for each in ("startOffset", "endOffset"))
    if response.status == HTTPStatus.OK:
        found = json.loads(response._content)
        items = found["items"]
        between = [each for each in items if first <= each["name"] < (end or "\U0010ffff")]
        response.json({**found, "items": between})

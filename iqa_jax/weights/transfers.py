"""One answer of a server: asking for a file or the rest of it, and reading what comes.

Proxies are taken from the environment (``http_proxy``, ``https_proxy``, ``no_proxy``).
"""

import re
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

TIMEOUT = 30.0
"""Seconds to wait for a connection, and then for each next piece of the answer."""

ENCRYPTED = ("https",)
"""Schemes over which nobody on the way can change a file."""

_PASSING = (408, 429, 500, 502, 503, 504)
"""HTTP errors after which another try may help."""

_CHUNK = 1 << 18


def is_encrypted(url: str) -> bool:
    """Whether nobody on the way can change what comes from ``url``."""
    return urlsplit(url).scheme in ENCRYPTED


class TryError(Exception):
    """A try that failed; another one may help if it ``is_passing``."""

    def __init__(self, reason: str, *, is_passing: bool = False):
        super().__init__(reason)
        self.is_passing = is_passing


class OutdatedError(TryError):
    """What is there cannot be continued: the next try starts over."""

    def __init__(self, reason: str):
        super().__init__(reason, is_passing=True)


class _Encrypted(urllib.request.HTTPRedirectHandler):
    """Follows a server to no place from which a file comes without encryption."""

    def redirect_request(  # noqa: PLR0917  (as urllib calls it)
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str
    ) -> Any:
        if not is_encrypted(newurl):
            raise TryError(f"the server leads to {newurl}, from where it comes without encryption")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_answer(url: str, there: int, version: str | None, *, plain: bool) -> HTTPResponse:
    """Asks for a file, or for what comes after the first ``there`` bytes of one ``version`` of it.

    Args:
      url: The file.
      there: How many bytes are there; not asked about without a ``version``.
      version: What :func:`version_of` gave for the answer that they are from.
      plain: Whether it may come without encryption.

    Raises:
      TryError: If there is no answer with a file in it.
    """
    # Some servers turn the name that urllib gives itself away.
    request = urllib.request.Request(url, headers={"User-Agent": "iqa_jax"})
    if version:
        request.add_header("Range", f"bytes={there}-")
        request.add_header("If-Range", version)
    try:
        # An opener of its own: the one of urlopen keeps the proxies that it once saw.
        opener = urllib.request.build_opener() if plain else urllib.request.build_opener(_Encrypted)
        response = opener.open(request, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        reason = f"the server answers {error.code} {error.reason}"
        if error.code == 416:  # there is nothing after what was asked for
            raise OutdatedError(reason) from error
        raise TryError(reason, is_passing=error.code in _PASSING) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)  # URLError wraps what happened
        if isinstance(reason, TimeoutError):
            reason = f"no answer within {TIMEOUT:g} seconds"
        is_passing = isinstance(error, ConnectionError)  # it was there, and broke
        raise TryError(str(reason) or repr(reason), is_passing=is_passing) from error
    if response.headers.get_content_type() == "text/html":
        response.close()
        raise TryError("the server sends a web page in its place")
    return response


def body(response: HTTPResponse, size: int | None, most: int) -> Iterator[bytes]:
    """The body as it comes.

    Args:
      response: The answer.
      size: How many bytes are expected; None where the server tells when it has ended.
      most: How many are read at most.

    Raises:
      TryError: If it ends too early, goes on for too long, or does not come.
    """
    left, room = size, most
    while left != 0:
        try:
            chunk = response.read1(_CHUNK if left is None else min(_CHUNK, left))
        except TimeoutError as error:
            reason = f"nothing more came for {TIMEOUT:g} seconds"
            raise TryError(reason, is_passing=True) from error
        except (OSError, HTTPException) as error:
            raise TryError(f"the connection broke ({error})", is_passing=True) from error
        if not chunk:
            break
        room -= len(chunk)
        if room < 0:
            raise TryError("the server sends more than the file has, or may have")
        yield chunk
        left = left and left - len(chunk)
    if left:
        raise TryError(f"the connection ended {left} bytes too early", is_passing=True)


def version_of(response: HTTPResponse) -> str:
    """What ``If-Range`` takes: an ETag that is not weak, else the date of the last change."""
    etag = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified", "")


def continues(response: HTTPResponse, there: int, known: dict[str, Any]) -> bool:
    """Whether a partial answer goes on where the file ends, in the version that is known.

    Args:
      response: The server's.
      there: Number of bytes of the file.
      known: What was told of it when it was begun.
    """
    answer = response.headers.get("Content-Range", "")
    version = version_of(response)
    is_date = not known["version"].startswith('"')  # a partial answer need not repeat that
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer)
    return (
        match is not None
        and int(match[1]) == there
        and match[2] in ("*", str(known["size"]))
        and (version == known["version"] or (is_date and not version))
    )

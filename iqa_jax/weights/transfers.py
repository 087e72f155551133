"""A single request for a file or the rest of it, and the server's response.

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
"""Seconds to wait for a connection, and then for each piece of the response."""

ENCRYPTED = ("https",)
"""Schemes that protect a file from being changed in transit."""

_PASSING = (408, 429, 500, 502, 503, 504)
"""HTTP errors that a retry may overcome."""

_CHUNK = 1 << 18


def is_encrypted(url: str) -> bool:
    """Whether a file from ``url`` cannot be changed in transit."""
    return urlsplit(url).scheme in ENCRYPTED


class TryError(Exception):
    """A failed attempt; another one may succeed if it ``is_passing``."""

    def __init__(self, reason: str, *, is_passing: bool = False):
        super().__init__(reason)
        self.is_passing = is_passing


class OutdatedError(TryError):
    """The partial file cannot be continued: the next attempt starts over."""

    def __init__(self, reason: str):
        super().__init__(reason, is_passing=True)


class _Encrypted(urllib.request.HTTPRedirectHandler):
    """Refuses redirects to unencrypted URLs."""

    def redirect_request(  # noqa: PLR0917  (as urllib calls it)
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str
    ) -> Any:
        if not is_encrypted(newurl):
            raise TryError(f"the server redirects to {newurl}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_answer(url: str, there: int, version: str | None, *, plain: bool) -> HTTPResponse:
    """Requests a file, or the part after the first ``there`` bytes of one ``version`` of it.

    Args:
      url: URL of the file.
      there: Number of bytes already downloaded; ignored without a ``version``.
      version: :func:`version_of` the response that those bytes came from.
      plain: Whether an unencrypted connection is acceptable.

    Raises:
      TryError: If the server does not send a file.
    """
    # Some servers reject urllib's default user agent.
    request = urllib.request.Request(url, headers={"User-Agent": "iqa_jax"})
    if version:
        request.add_header("Range", f"bytes={there}-")
        request.add_header("If-Range", version)
    try:
        # A new opener each time, because urlopen's keeps the proxies that it first found.
        opener = urllib.request.build_opener() if plain else urllib.request.build_opener(_Encrypted)
        response = opener.open(request, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        reason = f"the server answers {error.code} {error.reason}"
        if error.code == 416:  # the requested range is beyond the end of the file
            raise OutdatedError(reason) from error
        raise TryError(reason, is_passing=error.code in _PASSING) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)  # URLError wraps the cause
        if isinstance(reason, TimeoutError):
            reason = f"no answer within {TIMEOUT:g} seconds"
        is_passing = isinstance(error, ConnectionError)  # an established connection broke
        raise TryError(str(reason) or repr(reason), is_passing=is_passing) from error
    if response.headers.get_content_type() == "text/html":
        response.close()
        raise TryError("the server sends a web page instead of the file")
    return response


def body(response: HTTPResponse, size: int | None, most: int) -> Iterator[bytes]:
    """Yields the body of a response as it arrives.

    Args:
      response: The response.
      size: Expected number of bytes; None to read until the server ends the body.
      most: Maximum number of bytes to read.

    Raises:
      TryError: If the body ends too early, is too long, or stops arriving.
    """
    left, room = size, most
    while left != 0:
        try:
            chunk = response.read1(_CHUNK if left is None else min(_CHUNK, left))
        except TimeoutError as error:
            reason = f"nothing arrived for {TIMEOUT:g} seconds"
            raise TryError(reason, is_passing=True) from error
        except (OSError, HTTPException) as error:
            raise TryError(f"the connection broke ({error})", is_passing=True) from error
        if not chunk:
            break
        room -= len(chunk)
        if room < 0:
            raise TryError("the server sends more bytes than expected or allowed")
        yield chunk
        left = left and left - len(chunk)
    if left:
        raise TryError(f"the connection ended {left} bytes too early", is_passing=True)


def version_of(response: HTTPResponse) -> str:
    """The value for ``If-Range``: a strong ETag if there is one, otherwise ``Last-Modified``."""
    etag = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified", "")


def continues(response: HTTPResponse, there: int, known: dict[str, Any]) -> bool:
    """Whether a partial response continues the unfinished file, in the same version.

    Args:
      response: The server's response.
      there: Number of bytes already downloaded.
      known: The version and size recorded when the download began.
    """
    answer = response.headers.get("Content-Range", "")
    version = version_of(response)
    is_date = not known["version"].startswith('"')  # a partial response need not repeat the date
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer)
    return (
        match is not None
        and int(match[1]) == there
        and match[2] in ("*", str(known["size"]))
        and (version == known["version"] or (is_date and not version))
    )

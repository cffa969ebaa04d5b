"""Downloads over unreliable connections, with resume, retries and a timeout."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from boxwright.io.faults import translating_os_errors
from boxwright.io.files import put

SILENCE = 20.0  # seconds without data before a connection is closed
WAITS = (1.0, 2.0, 4.0, 8.0)  # seconds before each retry after an attempt without progress
LARGEST = 1 << 29  # bytes; published archives are less than half of this
BLOCK = 1 << 16
TRANSIENT = {408, 429, 500, 502, 503, 504}  # status codes worth a retry
RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")

Progress = Callable[[int, int | None], None]


class DownloadError(Exception):
    """The download failed; the message is a phrase with the reason."""


class UnreachableError(DownloadError):
    """The server sent nothing, or not the whole file."""


class SomethingElseError(DownloadError):
    """The server sent something other than the file."""


class _BrokenError(Exception):
    """A failure that a retry may solve."""


def download(url: str, target: Path, progress: Progress = lambda received, total: None) -> None:
    """Download `url` to `target` and resume a partial download.

    A broken connection is retried as long as data arrives, and a few times more. After a failure
    the partial file stays in `target`, where the next call resumes it.

    Args:
        url: http or https. Redirects to other schemes, or from https to http, are refused.
        target: a file that only this process writes (see `boxwright.io.files.locked`).
        progress: called with bytes received and total bytes, None if unknown.

    Raises:
        UnreachableError: the server sent nothing, or not the whole file.
        SomethingElseError: the server sent a web page, or too many bytes.
        SystemFaultError: BW902, BW903 `target` cannot be written.
    """
    furthest, waits = _size(target), iter(WAITS)
    while True:
        try:
            _attempt(url, target, progress)
            return
        except _BrokenError as broken:
            if _size(target) > furthest:
                furthest, waits = _size(target), iter(WAITS)
            wait = next(waits, None)
            if wait is None:
                raise UnreachableError(str(broken)) from broken
            time.sleep(wait)


def _attempt(url: str, target: Path, progress: Progress) -> None:
    begun = _size(target)
    try:
        answer = _ask(url, begun)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and begun:
                if _range(error.headers)[1] == begun:
                    return  # the file is complete
                target.unlink()
                raise _BrokenError("the partial download is longer than the file") from error
            reason = f"the server answers {error.code} {error.reason}"
            kind = _BrokenError if error.code in TRANSIENT else UnreachableError
            raise kind(reason) from error
    with answer:
        if answer.headers.get_content_type() == "text/html":
            raise SomethingElseError("the server sent a web page instead of a file")
        if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
            if _range(answer.headers)[0] != begun:
                target.unlink()
                raise _BrokenError("the server resumed at the wrong position")
        else:  # a server without range support starts over
            begun = 0
        length = answer.headers.get("Content-Length", "")
        total = begun + int(length) if length.isdecimal() else None
        received = _receive(answer, target, begun, total, progress)
    if total is not None and received < total:
        raise _BrokenError(f"the connection ended after {received:,} of {total:,} bytes")


def _receive(
    answer: Any, target: Path, received: int, total: int | None, progress: Progress
) -> int:
    """Append the response to the `received` bytes; returns the new total."""
    with translating_os_errors(target):
        file = target.open("ab" if received else "wb", buffering=0)
    with file:
        for block in _blocks(answer):
            put(block, file, target)
            received += len(block)
            progress(received, total)
            if received > LARGEST:
                file.truncate(0)
                raise SomethingElseError(f"the server sent more than {LARGEST:,} bytes")
    return received


def _blocks(answer: Any) -> Iterator[bytes]:
    try:
        while block := answer.read1(BLOCK):
            yield block
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(_phrase(error)) from error


def _ask(url: str, begun: int) -> Any:
    """The response to a request for the bytes from `begun` on."""
    headers = {"User-Agent": "boxwright", "Accept-Encoding": "identity"}
    if begun:
        headers["Range"] = f"bytes={begun}-"
    # The address is one of the zoo's constants; only tests replace it.
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    try:
        return urllib.request.build_opener(_SafeRedirections).open(request, timeout=SILENCE)
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        # No network, or a proxy in between: a retry would only make the user wait.
        final = isinstance(reason, socket.gaierror | ssl.SSLCertVerificationError)
        raise (UnreachableError if final else _BrokenError)(_phrase(reason)) from error


class _SafeRedirections(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        allowed = ("https:",) if req.type == "https" else ("https:", "http:")
        if not newurl.lower().startswith(allowed):
            fp.close()
            raise UnreachableError(f"the server redirects to {newurl}, which is not safe")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _range(headers: Any) -> tuple[int | None, int | None]:
    """Start of a partial response and total length; None where the header lacks them."""
    found = RANGE.fullmatch(headers.get("Content-Range", ""))
    start, total = found.groups() if found else (None, None)
    return int(start) if start else None, int(total) if total and total != "*" else None


def _phrase(error: object) -> str:
    if isinstance(error, TimeoutError):
        return f"no data came for {SILENCE:g} seconds"
    return str(error) or type(error).__name__


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0

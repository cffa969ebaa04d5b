"""Downloads that outlast a bad connection: gone on with, tried again, never silent for long."""

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

from boxwright.io.files import translating_os_errors

SILENCE = 20.0  # seconds without a byte after which a connection is given up
WAITS = (1.0, 2.0, 4.0, 8.0)  # seconds before each further attempt that may get no further
LARGEST = 1 << 29  # bytes; no published archive is half of this
BLOCK = 1 << 16
TRANSIENT = {408, 429, 500, 502, 503, 504}  # answers after which trying again makes sense
RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")

Progress = Callable[[int, int | None], None]


class DownloadError(Exception):
    """What was asked for did not come; the message is a phrase that says why."""


class UnreachableError(DownloadError):
    """Nothing came, or not all of it."""


class SomethingElseError(DownloadError):
    """What came cannot be what was asked for."""


class _BrokenError(Exception):
    """An attempt that failed in a way that another one may not."""


def download(url: str, target: Path, progress: Progress = lambda received, total: None) -> None:
    """Receive what is at `url` into `target`, going on from what is there already.

    A broken connection is tried again as long as that gets further, and a few times beyond.
    What came stays in `target` when this fails, so that the next call goes on from there.

    Args:
        url: http or https. Redirections keep to these, and never from https to http.
        target: only one process may write there (see `boxwright.io.files.locked`).
        progress: told how many bytes of how many are there; None is a length that is not said.

    Raises:
        UnreachableError: nothing came, or not all of it.
        SomethingElseError: a web page came, or far too much.
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
                    return  # nothing is missing
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
        else:  # a server that knows no ranges begins again
            begun = 0
        length = answer.headers.get("Content-Length", "")
        total = begun + int(length) if length.isdecimal() else None
        received = _receive(answer, target, begun, total, progress)
    if total is not None and received < total:
        raise _BrokenError(f"the connection ended after {received:,} of {total:,} bytes")


def _receive(
    answer: Any, target: Path, received: int, total: int | None, progress: Progress
) -> int:
    """Write the answer's bytes behind the `received` ones; returns how many there are then."""
    with translating_os_errors(target):
        file = target.open("ab" if received else "wb")
    with file:
        for block in _blocks(answer):
            with translating_os_errors(target):
                file.write(block)
                file.flush()
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
    """The server's answer to a request for the bytes from `begun` on."""
    headers = {"User-Agent": "boxwright", "Accept-Encoding": "identity"}
    if begun:
        headers["Range"] = f"bytes={begun}-"
    # The address is one of the zoo's constants; only a test puts another one there.
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    try:
        return urllib.request.build_opener(_SafeRedirections).open(request, timeout=SILENCE)
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        # No network, or somebody in between: another attempt would only keep the user waiting.
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
    """Where a partial answer starts and how long the whole is; None for what is not said."""
    found = RANGE.fullmatch(headers.get("Content-Range", ""))
    start, total = found.groups() if found else (None, None)
    return int(start) if start else None, int(total) if total and total != "*" else None


def _phrase(error: object) -> str:
    if isinstance(error, TimeoutError):
        return f"no data came for {SILENCE:g} seconds"
    return str(error) or type(error).__name__


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0

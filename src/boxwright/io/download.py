"""Downloads over unreliable connections, with resume, retries and a timeout."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Collection, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from boxwright.io.faults import translating_os_errors
from boxwright.io.files import put

SILENCE = 20.0  # seconds without data before a connection is closed
SLOWEST = 1000.0  # bytes per second, over that time, below which it is closed too
MAX_WAIT = 120.0  # seconds that a server can ask to wait before a retry
WAITS = (1.0, 2.0, 4.0, 8.0)  # seconds before each retry after an attempt without progress
LARGEST = 1 << 29  # bytes; published archives are less than half of this
BLOCK = 1 << 18
TRANSIENT = {408, 429, 500, 502, 503, 504}  # status codes worth a retry
RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")

Progress = Callable[[int, int | None], None]


class DownloadError(Exception):
    """The download failed; the message is a phrase with the reason."""


class UnreachableError(DownloadError):
    """The server sent nothing, or not the whole file."""


class SomethingElseError(DownloadError):
    """The server sent something other than the file."""


class ChangedError(DownloadError):
    """The file is another one than when the download began."""


class _BrokenError(Exception):
    """A failure that a retry may solve, after `wait` seconds if the server asks for them."""

    wait = 0.0
    slow = False


class _BeyondError(_BrokenError):
    """More was received than the file has."""


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
            if _size(target) > furthest and not broken.slow:
                furthest, waits = _size(target), iter(WAITS)
            _wait(waits, broken)


class Stream:
    """The bytes of a file as they arrive, over connections that break.

    Each connection resumes where the last one ended. Servers are asked for the rest of the same
    version of the file (`If-Range`); one that sends all of it again is read up to that position.

    Attributes:
        position: the number of bytes that were received, with those before.
        version: the ETag or the date of the file; "" if the server states neither.
        total: the length of the file; None if unknown.
    """

    def __init__(
        self,
        url: str,
        *,
        position: int = 0,
        version: str = "",
        hosts: Collection[str] | None = None,
        max_bytes: int | None = None,
    ) -> None:
        """
        Args:
            url: http or https.
            position, version: where an earlier stream of the file ended, and its version.
            hosts: names that redirects may lead to; None allows all.
            max_bytes: more bytes than these are refused.
        """
        self.position, self.version = position, version
        self.total: int | None = None
        self._url, self._hosts, self._max_bytes = url, hosts, max_bytes

    def __iter__(self) -> Iterator[bytes]:
        """Yield the blocks.

        Raises:
            UnreachableError: the server sent nothing, or not the whole file.
            SomethingElseError: the server sent a web page, or too many bytes.
            ChangedError: the file is of another version than the bytes before.
        """
        waits = iter(WAITS)
        while True:
            before = self.position
            try:
                yield from self._attempt()
                return
            except _BrokenError as broken:
                if self.position > before and not broken.slow:
                    waits = iter(WAITS)
                _wait(waits, broken)

    def _attempt(self) -> Iterator[bytes]:
        begun = self.position
        answer = _response(self._url, begun, self.version, self._hosts)
        if answer is None:
            return
        with answer:
            _refuse_web_page(answer)
            version = _version(answer.headers)
            if begun and self.version and version != self.version:
                raise ChangedError("the file has changed on the server")
            self.version = version
            skipped = begun
            if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
                if _range(answer.headers)[0] != begun:
                    raise _BrokenError("the server resumed at the wrong position")
                skipped = 0
            self.total = _total(answer.headers, begun - skipped)
            for block in _blocks(answer):
                rest, skipped = block[skipped:], max(skipped - len(block), 0)
                self.position += len(rest)
                if self._max_bytes is not None and self.position > self._max_bytes:
                    raise SomethingElseError(f"the server sent more than {self._max_bytes:,} bytes")
                if rest:
                    yield rest
        _refuse_short(self.position, self.total)


def _wait(waits: Iterator[float], broken: _BrokenError) -> None:
    """Wait before a retry. Raises UnreachableError if there were enough."""
    wait = next(waits, None)
    if wait is None:
        raise UnreachableError(str(broken)) from broken
    time.sleep(max(wait, broken.wait))


def _attempt(url: str, target: Path, progress: Progress) -> None:
    begun = _size(target)
    try:
        answer = _response(url, begun)
    except _BeyondError:
        target.unlink()
        raise
    if answer is None:
        return
    with answer:
        _refuse_web_page(answer)
        if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
            if _range(answer.headers)[0] != begun:
                target.unlink()
                raise _BrokenError("the server resumed at the wrong position")
        else:  # a server without range support starts over
            begun = 0
        total = _total(answer.headers, begun)
        received = _receive(answer, target, begun, total, progress)
    _refuse_short(received, total)


def _response(
    url: str, begun: int, version: str = "", hosts: Collection[str] | None = None
) -> Any | None:
    """The response to a request for the bytes from `begun` on; None if there are no more."""
    try:
        return _ask(url, begun, version, hosts)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and begun:
                if _range(error.headers)[1] == begun:
                    return None
                raise _BeyondError("the partial download is longer than the file") from error
            reason = f"the server answers {error.code} {error.reason}"
            if error.code not in TRANSIENT:
                raise UnreachableError(reason) from error
            broken = _BrokenError(reason)
            broken.wait = _asked_wait(error.headers.get("Retry-After", ""))
            raise broken from error


def _asked_wait(text: str) -> float:
    """The seconds that a server asks to wait, which it states as a number or as a date."""
    if text.isdecimal():
        return min(float(text), MAX_WAIT)
    try:
        until = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return min(max(until - time.time(), 0.0), MAX_WAIT)


def _refuse_web_page(answer: Any) -> None:
    if answer.headers.get_content_type() == "text/html":
        raise SomethingElseError("the server sent a web page instead of a file")


def _refuse_short(received: int, total: int | None) -> None:
    if total is not None and received < total:
        raise _BrokenError(f"the connection ended after {received:,} of {total:,} bytes")


def _total(headers: Any, begun: int) -> int | None:
    """The length of the whole file, of which the response has the part from `begun` on."""
    length = headers.get("Content-Length", "")
    return begun + int(length) if length.isdecimal() else None


def _version(headers: Any) -> str:
    """What `If-Range` takes: an ETag that is not weak, or else a date."""
    etag = str(headers.get("ETag", ""))
    return etag if etag.startswith('"') else str(headers.get("Last-Modified", ""))


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
    since, received = time.monotonic(), 0
    try:
        while block := answer.read1(BLOCK):
            yield block
            received += len(block)
            if (seconds := time.monotonic() - since) > SILENCE:
                if received < SLOWEST * seconds:
                    broken = _BrokenError(f"only {received:,} bytes came in {seconds:.0f} seconds")
                    broken.slow = True
                    raise broken
                since, received = time.monotonic(), 0
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(_phrase(error)) from error


def _ask(url: str, begun: int, version: str, hosts: Collection[str] | None) -> Any:
    headers = {"User-Agent": "boxwright", "Accept-Encoding": "identity"}
    if begun:
        headers["Range"] = f"bytes={begun}-"
        if version:
            headers["If-Range"] = version
    # The address is a constant or a setting.
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    try:
        return urllib.request.build_opener(_SafeRedirections(hosts)).open(request, timeout=SILENCE)
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        # No network, or a proxy in between: a retry would only make the user wait.
        final = isinstance(reason, socket.gaierror | ssl.SSLCertVerificationError)
        raise (UnreachableError if final else _BrokenError)(_phrase(reason)) from error


class _SafeRedirections(urllib.request.HTTPRedirectHandler):
    """Refuses redirects to other schemes, and to hosts that are not listed."""

    def __init__(self, hosts: Collection[str] | None = None) -> None:
        self._hosts = hosts

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        allowed = ("https:",) if req.type == "https" else ("https:", "http:")
        if not newurl.lower().startswith(allowed):
            fp.close()
            raise UnreachableError(f"the server redirects to {newurl}, which is not safe")
        host = urllib.parse.urlsplit(newurl).hostname
        if self._hosts is not None and host not in self._hosts:
            fp.close()
            raise UnreachableError(f"the server redirects to another host, {host}")
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

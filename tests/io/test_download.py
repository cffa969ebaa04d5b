"""Downloads from a server that does not always do what it should."""

from __future__ import annotations

import io
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from boxwright.io import download as module
from boxwright.io.download import (
    ChangedError,
    SomethingElseError,
    Stream,
    UnreachableError,
    download,
)
from misbehaving import (
    Behaviour,
    Server,
    cut,
    hang,
    hang_up,
    ignore_range,
    slow,
    status,
    wrong_place,
)

pytestmark = pytest.mark.tiny

CONTENT = np.random.default_rng(0).bytes(200_000)


@pytest.fixture
def target(tmp_path: Path, server: Server) -> Path:
    server.content = CONTENT
    return tmp_path / "file.part"


@pytest.mark.parametrize(
    ("behaviors", "ranges"),
    [
        pytest.param([], [None], id="a good server"),
        pytest.param([status(500), status(503)], [None] * 3, id="500, 503, then fine"),
        pytest.param([hang_up, status(429)], [None] * 3, id="hangs up, too many requests"),
        pytest.param([cut(70_000)], [None, "bytes=70000-"], id="cut off"),
        pytest.param(
            [cut(50_000)] * 3 + [cut(10)],
            [None, "bytes=50000-", "bytes=100000-", "bytes=150000-", "bytes=150010-"],
            id="cut off again and again, but always further",
        ),
        pytest.param([hang], [None, "bytes=100000-"], id="falls silent"),
        pytest.param([cut(9), ignore_range], [None, "bytes=9-"], id="ignores the range"),
        pytest.param([cut(9), wrong_place], [None, "bytes=9-", None], id="goes on elsewhere"),
        pytest.param(
            [status(302, Location="/elsewhere"), status(308, Location="/there")],
            [None] * 3,
            id="redirects",
        ),
    ],
)
def test_it_comes_in_the_end(
    server: Server, target: Path, behaviors: list[Behaviour], ranges: list[str | None]
) -> None:
    server.behaviors = list(behaviors)
    download(server.url, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == ranges


def test_a_later_call_goes_on_from_what_is_there(server: Server, target: Path) -> None:
    target.write_bytes(CONTENT[:150_000])
    told: list[tuple[int, int | None]] = []
    download(server.url, target, lambda received, total: told.append((received, total)))
    assert target.read_bytes() == CONTENT
    assert server.ranges == ["bytes=150000-"]
    assert told[0][0] > 150_000
    assert told[-1] == (200_000, 200_000)


@pytest.mark.parametrize(
    ("there", "ranges"),
    [
        pytest.param(CONTENT, ["bytes=200000-"], id="nothing is missing"),
        pytest.param(CONTENT + b"more", ["bytes=200004-", None], id="of a longer file"),
    ],
)
def test_what_is_there_may_be_all_of_it_or_too_much(
    server: Server, target: Path, there: bytes, ranges: list[str | None]
) -> None:
    target.write_bytes(there)
    download(server.url, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == ranges


@pytest.mark.parametrize(
    ("behaviors", "reason", "requests"),
    [
        pytest.param([status(404)], "404 Not Found", 1, id="not there"),
        pytest.param([status(403)], "403 Forbidden", 1, id="not allowed"),
        pytest.param([status(500)] * 9, "500 Internal Server Error", 4, id="500 for ever"),
        pytest.param([hang_up] * 9, "closed connection", 4, id="hangs up for ever"),
        pytest.param([cut(0)] * 9, "ended after 0 of 200,000 bytes", 4, id="sends nothing"),
        pytest.param(
            [cut(9)] + [cut(0)] * 9, "ended after 9 of 200,000 bytes", 4, id="sends nothing more"
        ),
        pytest.param(
            [status(200, b"short", Content_Length="99")] * 9,
            "ended after 5 of 99 bytes",
            4,
            id="says a wrong length and knows no ranges",
        ),
        pytest.param([status(302, Location="/")] * 99, "infinite loop", 5, id="a circle"),
        pytest.param(
            [status(302, Location="file:///etc/passwd")], "not allowed", 1, id="to a file here"
        ),
        pytest.param([status(302, Location="ftp://host/x")], "not safe", 1, id="to ftp"),
        pytest.param([status(302, Location="data:,x")], "not allowed", 1, id="to data"),
    ],
)
def test_it_gives_up_with_a_reason(
    server: Server, target: Path, behaviors: list[Behaviour], reason: str, requests: int
) -> None:
    server.behaviors = list(behaviors)
    with pytest.raises(UnreachableError, match=reason):
        download(server.url, target)
    assert len(server.ranges) == requests


def test_silence_is_given_up(server: Server, target: Path) -> None:
    server.behaviors = [hang] * 9
    server.content = b"ab"
    with pytest.raises(UnreachableError, match=r"no data came for 0\.3 seconds"):
        download(server.url, target)
    assert target.read_bytes() == b"a"


@pytest.mark.parametrize(
    ("here", "there", "safe"),
    [
        ("https://a.org/x", "https://b.org/y", True),
        ("https://a.org/x", "http://a.org/y", False),
        ("http://a.org/x", "https://b.org/y", True),
        ("http://a.org/x", "http://b.org/y", True),
    ],
)
def test_redirections_never_leave_https(here: str, there: str, safe: bool) -> None:
    handler = module._SafeRedirections()
    request = urllib.request.Request(here)  # noqa: S310

    def redirected() -> urllib.request.Request | None:
        return handler.redirect_request(request, io.BytesIO(), 302, "", {}, there)

    if safe:
        assert redirected() is not None
    else:
        with pytest.raises(UnreachableError, match="not safe"):
            redirected()


def test_a_web_page_does_not_spoil_what_has_come(server: Server, target: Path) -> None:
    target.write_bytes(CONTENT[:1000])
    server.behaviors = [status(200, b"<html>Log in</html>", Content_Type="text/html; charset=x")]
    with pytest.raises(SomethingElseError, match="web page"):
        download(server.url, target)
    assert target.read_bytes() == CONTENT[:1000]


def test_an_endless_answer_is_stopped(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST", 100_000)
    with pytest.raises(SomethingElseError, match="100,000"):
        download(server.url, target)
    assert target.stat().st_size == 0


def test_without_a_server_it_is_said_at_once(server: Server, target: Path) -> None:
    with pytest.raises(UnreachableError):
        download("http://nowhere.invalid/file", target)


def test_a_server_that_trickles_is_left(server: Server, target: Path) -> None:
    server.behaviors = [slow]
    download(server.url, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges[1] not in (None, "bytes=0-")
    server.behaviors = [slow] * 9
    target.unlink()
    with pytest.raises(UnreachableError, match=r"only \d bytes came"):
        download(server.url, target)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("7", 7.0),
        ("100000", 120.0),
        ("soon", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 120.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ],
)
def test_a_busy_server_says_when_to_come_back(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch, asked: str, seconds: float
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(module.time, "sleep", waits.append)
    server.behaviors = [status(503, Retry_After=asked)]
    download(server.url, target)
    assert waits == [seconds]


@pytest.mark.parametrize(
    "behaviors",
    [
        pytest.param([], id="a good server"),
        pytest.param([cut(70_000), cut(9)], id="cut"),
        pytest.param([cut(70_000), ignore_range], id="ignores the range"),
        pytest.param([cut(70_000), wrong_place], id="goes on elsewhere"),
        pytest.param([slow], id="trickles"),
    ],
)
def test_a_stream_is_the_file(server: Server, behaviors: list[Behaviour]) -> None:
    server.content = CONTENT
    server.behaviors = list(behaviors)
    stream = Stream(server.url)
    assert b"".join(stream) == CONTENT
    assert (stream.position, stream.total) == (len(CONTENT), len(CONTENT))
    rest = Stream(server.url, position=150_000, version=stream.version)
    assert b"".join(rest) == CONTENT[150_000:]


def test_a_stream_of_another_version_is_not_continued(server: Server) -> None:
    server.content = CONTENT
    with pytest.raises(ChangedError):
        b"".join(Stream(server.url, position=9, version='"another"'))
    with pytest.raises(SomethingElseError, match="more than 1,000 bytes"):
        b"".join(Stream(server.url, max_bytes=1000))

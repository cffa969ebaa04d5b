"""Clients that are slow, many, or go away: the server stays for the others."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPResponse
from typing import Any

import numpy as np
import pytest
from detecting import Fake, Running, picture, running, until
from PIL import Image

from boxwright.serving.connections import Patience

JPEG = picture()
SOON = Patience(headers=0.4, body=0.6, answer=0.4, connections=4)
HEAD = f"POST /detect HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(JPEG)}\r\n\r\n".encode()


@pytest.fixture
def pets() -> Iterator[Running]:
    with running([Fake().model()], patience=SOON) as server:
        yield server


def repeated_noise() -> bytes:
    """A small PNG that is a large JPEG."""
    tile = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(np.tile(tile, (50, 50, 1))).save(stream, "PNG")
    return stream.getvalue()


def ended(connection: socket.socket) -> bytes:
    """What the server sends until it closes the connection."""
    received = b""
    with suppress(ConnectionError):
        while part := connection.recv(1 << 16):
            received += part
    return received


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "headers"),
        (HEAD[:30], "headers"),
        (HEAD, "body"),
        (HEAD + JPEG[:100], "body"),
    ],
)
def test_a_client_that_sends_too_slowly_is_left(pets: Running, sent: bytes, reason: str) -> None:
    with pets.connected() as connection:
        connection.sendall(sent)
        assert ended(connection) == b""
    assert pets.metric(f'boxwright_closed_connections_total{{reason="{reason}"}}') == 1
    assert pets.detect(JPEG).status == 200


def test_a_byte_now_and_then_is_too_slow_too(pets: Running) -> None:
    with pets.connected() as connection:
        connection.settimeout(0.05)
        connection.sendall(HEAD)
        for byte in JPEG:
            try:
                connection.sendall(bytes([byte]))
                if not connection.recv(1):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            pytest.fail("the server waited for all of the body")
    assert pets.metric('boxwright_closed_connections_total{reason="body"}') == 1


def test_several_requests_on_a_connection_have_their_own_time(pets: Running) -> None:
    with pets.connected() as connection:
        for _ in range(3):
            connection.sendall(HEAD)
            connection.sendall(JPEG)
            response = HTTPResponse(connection)
            response.begin()
            assert (response.status, b"cat" in response.read()) == (200, True)
        connection.sendall(HEAD)
        assert ended(connection) == b""


def test_a_client_that_reads_nothing_is_left(pets: Running) -> None:
    with pets.connected() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        image = repeated_noise()
        head = HEAD.replace(b"Host", b"Accept: image/jpeg\r\nHost")
        request = head.replace(str(len(JPEG)).encode(), str(len(image)).encode()) + image
        with suppress(ConnectionError):
            connection.sendall(request * 10)
        until(lambda: pets.metric('boxwright_closed_connections_total{reason="answer"}'))
    assert pets.detect(JPEG).status == 200


def test_connections_are_capped(pets: Running) -> None:
    held = [pets.connected() for _ in range(4)]
    with pets.connected() as one_too_many:
        assert ended(one_too_many) == b""
    for connection in held:
        assert ended(connection) == b""  # each sent nothing
        connection.close()
    assert pets.detect(JPEG).status == 200
    assert pets.metric('boxwright_closed_connections_total{reason="too many"}') == 1


def test_a_connection_that_comes_while_it_stops_is_not_waited_for(pets: Running) -> None:
    class_of_them: Any = pets.server.config.http_protocol_class
    class_of_them.refuse()
    with pets.connected() as connection:
        assert ended(connection) == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: flood\r\n" % i for i in range(100_000)),
        b"GET /" + b"a" * 200_000,
        b"no HTTP at all\r\n\r\n",
        b"POST /detect HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        HEAD.replace(b"Host", b"Host: a\r\nHost"),
    ],
)
def test_what_is_no_request_is_400(pets: Running, sent: bytes) -> None:
    with pets.connected() as connection:
        with suppress(ConnectionError):  # the server has read enough
            connection.sendall(sent)
        received = ended(connection)
    assert received == b"" or received.startswith(b"HTTP/1.1 400")
    assert pets.detect(JPEG).status == 200


def test_a_client_that_goes_away_is_499_in_the_log_alone(pets: Running) -> None:
    with pets.connected() as connection:
        connection.sendall(HEAD + JPEG[:10])
    until(lambda: any(line.get("status") == 499 for line in pets.lines))
    assert not pets.logged("traceback")

"""Servers that the tests of a file share."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from image_host import Studio
from red_server import Client, serving


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with serving() as client:
        yield client


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with Studio() as studio:
        threading.Thread(target=studio.serve_forever, args=(0.02,)).start()
        yield studio
        studio.shutdown()

"""A server that the tests of a file share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from red_server import Client, serving


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with serving() as client:
        yield client

"""The answers to requests that get no detections."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Refusal(Exception):  # noqa: N818 - the usual case of a full queue is no error
    """Why a request gets no detections; `app.py` turns it into a response.

    Attributes:
        status: 400 not an image or not understood, 401 no token, 404 unknown model or version, 413
            too many bytes or pixels, 415 unsupported media type, 429 the queue is full, 503 not
            ready yet, 504 timed out.
        message: a sentence for the client.
        headers: more headers of the response, such as `Retry-After` in seconds.
    """

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        self.status, self.message, self.headers = status, message, headers
        super().__init__(status, message)

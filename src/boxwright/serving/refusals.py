"""The answers to requests that get no detections."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from boxwright.errors import BoxwrightError

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
STATUS = {  # of an image that is none, of a format that is not opened, with too many pixels
    "BW102": 400,
    "BW167": 415,
    "BW168": 413,
}


class Refusal(Exception):  # noqa: N818 - a full queue is no error
    """Why a request gets no detections; `app.py` turns it into a response.

    Attributes:
        status: 400 not an image or not understood, 401 no token, 403 from elsewhere, 404 unknown
            model or version, 413 too many bytes or pixels, 415 unsupported media type, 429 the
            queue is full, 500 the network fails, 503 not ready yet, 504 timed out.
        message: a sentence for the client.
        headers: more headers of the response, such as `Retry-After` in seconds.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] = NO_HEADERS) -> None:
        self.status, self.message, self.headers = status, message, headers
        super().__init__(status, message)

    @classmethod
    def of(cls, error: BoxwrightError, subject: str) -> Refusal:
        """The refusal for an error about an image.

        Args:
            error: of a detector.
            subject: of the sentence, such as "The image".
        """
        if error.code in STATUS:
            return cls(STATUS[error.code], f"{subject} {error.message}")
        return cls(500, f"{error.code}: {error.message}")

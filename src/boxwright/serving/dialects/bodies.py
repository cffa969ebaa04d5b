"""What requests of several protocols have in common: JSON, base64, and pixels in nested lists."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from math import prod
from typing import Any, TypeVar

import numpy as np
from anyio import CapacityLimiter, to_thread
from numpy.typing import NDArray

from boxwright.serving.refusals import Refusal

MAX_IMAGES = 1000  # of a request
MAX_SHOWN = 60  # characters of a value in a message

_Result = TypeVar("_Result")


class Reader:
    """Reads the bodies of a protocol in a thread, one at a time.

    JSON in memory takes up to 30 times as much as its text.
    """

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(1)

    async def read(self, parse: Callable[..., _Result], *arguments: Any) -> _Result:
        """What `parse` returns for these arguments. Raises as it does."""
        return await to_thread.run_sync(parse, *arguments, limiter=self._limiter)


def json_object(content: bytes) -> dict[str, Any]:
    """The object in a body. Raises Refusal 400."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"The body is not JSON: {shown(error)}.") from error
    return object_of(value, "The body")


def object_of(value: Any, what: str) -> dict[str, Any]:
    """The value if it is an object. Raises Refusal 400."""
    if not isinstance(value, dict):
        raise Refusal(400, f"{what} is not a JSON object but {kind_of(value)}.")
    return value


def list_of(value: Any, what: str) -> list[Any]:
    """The value if it is a list with something in it. Raises Refusal 400."""
    if not isinstance(value, list):
        raise Refusal(400, f"{what} is not a list but {kind_of(value)}.")
    if not value:
        raise Refusal(400, f"{what} is an empty list.")
    return value


def text_of(value: Any, what: str) -> str:
    """The value if it is a text. Raises Refusal 400."""
    if not isinstance(value, str):
        raise Refusal(400, f"{what} is not a text but {kind_of(value)}.")
    return value


def from_base64(value: Any, what: str) -> bytes:
    """The bytes of standard base64 (RFC 4648, section 4), in lines or not. Raises Refusal 400."""
    text = text_of(value, what)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        url_safe = " This is its variant for addresses." if "-" in text or "_" in text else ""
        raise Refusal(400, f"{what} is not standard base64.{url_safe}") from error


def pixels_of(value: Any, what: str) -> NDArray[np.uint8]:
    """Numbers in nested lists as an array of the same shape.

    Raises:
        Refusal: 400 the lists are not of equal length, or a number is not whole or not in 0 to 255.
    """
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError, TypeError) as error:
        raise Refusal(400, f"{what} has lists of different lengths.") from error
    if array.dtype.kind not in "iuf" or not array.size:
        raise Refusal(400, f"{what} is not a list of pixels.")
    if array.min() >= 0 and array.max() <= 255:  # not for NaN
        pixels = array.astype(np.uint8)
        if (pixels == array).all():
            return pixels
    raise Refusal(400, f"{what} has pixels that are not whole numbers from 0 to 255.")


def images_of(pixels: NDArray[np.uint8], what: str) -> list[NDArray[np.uint8]]:
    """The images of an array `(n, H, W, 3)`. Raises Refusal 400."""
    refuse_other_shape(pixels.shape, what)
    return list(pixels)


def refuse_other_shape(shape: tuple[int, ...], what: str) -> None:
    """Refuse what is not `(n, H, W, 3)`, or empty. Raises Refusal 400."""
    if len(shape) != 4 or shape[3] != 3 or not prod(shape):
        told = ", ".join(map(str, shape))
        raise Refusal(400, f"{what} has the shape [{told}], not [n, height, width, 3].")


def refuse_many(images: int) -> None:
    """Raise Refusal 413 for more images than a request may have."""
    if images > MAX_IMAGES:
        raise Refusal(413, f"The request has {images:,} images; the limit is {MAX_IMAGES:,}.")


def shown(value: object) -> str:
    """A value in a message, of limited length."""
    text = str(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def kind_of(value: Any) -> str:
    """What a value of JSON is, in messages."""
    return "missing" if value is None else _KINDS.get(type(value), "another value")


_KINDS: dict[type, str] = {
    bool: "true or false",
    dict: "an object",
    float: "a number",
    int: "a number",
    list: "a list",
    str: "a text",
}

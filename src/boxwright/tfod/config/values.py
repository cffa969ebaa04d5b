"""Single values of a config: numbers, booleans, enum names, strings and paths."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal, get_args, get_origin

from boxwright.io.protobuf_text import Message, Value
from boxwright.structures.labels import closest_name
from boxwright.tfod.config.schema import Range

TRUTHS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
INT32 = Range(-(2**31), 2**32 - 1)  # and uint32
LARGEST = 3.4028235e38  # of float32
MAX_DIGITS = 40  # longer numbers are rejected
# A backslash that does not start an escape of protocol buffers: quote, backslash or octal byte.
_SEPARATOR = re.compile(r"(?<!\\)\\(?![\\'\"]|[0-7]{3})")


class BadValueError(Exception):
    """The field does not accept the value. Has the reason, the wanted value and a similar one."""

    def __init__(self, reason: str, wanted: str, nearest: str | None = None) -> None:
        self.reason, self.wanted, self.nearest = reason, wanted, nearest
        super().__init__(reason)


def converted(value: Value | Message, kind: Any, *, is_path: bool = False) -> Any:
    """Convert a value to a field's type: int, float, bool, str, a Literal or an Annotated number.

    Raises:
        BadValueError: the value does not fit the type.
    """
    if isinstance(value, Message):
        raise BadValueError(
            "has fields between { and }, but needs a single value", "a single value"
        )
    limits = None
    if get_origin(kind) is Annotated:
        kind, limits = get_args(kind)
    if get_origin(kind) is Literal:
        return _name(value, get_args(kind))
    if kind is str:
        return _string(value, is_path=is_path)
    if kind is bool:
        return _truth(value)
    number = _whole(value) if kind is int else _real(value)
    if limits and not limits.low <= number <= limits.high:
        end = "" if limits.high == math.inf else f" and at most {limits.high:g}"
        raise BadValueError(f"is {value.text}", f"a number of at least {limits.low:g}{end}")
    return number


def is_literal_path(value: Value | Message) -> bool:
    """Return True if the backslashes in a string belong to a Windows path, not to escapes."""
    return isinstance(value, Value) and bool(_SEPARATOR.search(value.source))


def _whole(value: Value) -> int:
    text = value.text.lower() if len(value.text) <= MAX_DIGITS else ""
    base = 16 if "x" in text else 8 if re.fullmatch(r"[+-]?0[0-7]+", text) else 10
    digits = re.fullmatch(r"[+-]?(0x[0-9a-f]+|[0-9]+)", text)
    if value.kind == "number" and digits and INT32.low <= int(text, base) <= INT32.high:
        return int(text, base)
    raise BadValueError(f"is {_quote(value)}, not an integer", "an integer, such as 10")


def _real(value: Value) -> float:
    text = value.text.lower().rstrip("f") if value.kind == "number" else ""
    try:
        number = float(int(text, 16)) if text.startswith("0x") else float(text)
    except ValueError:
        number = math.nan
    if not abs(number) <= LARGEST:
        raise BadValueError(f"is {_quote(value)}, not a number", "a number, such as 0.004")
    return number


def _truth(value: Value) -> bool:
    truth = TRUTHS.get(value.text.lower()) if value.kind != "string" else None
    if truth is None:
        raise BadValueError(f"is {_quote(value)}", "true or false")
    return truth


def _name(value: Value, names: tuple[str, ...]) -> str:
    if value.kind == "word" and value.text in names:
        return value.text
    near = closest_name(value.text, names)
    bare = " without quotation marks" if value.kind == "string" else ""
    wanted = f"one of {', '.join(names)}{bare}"
    raise BadValueError(f"is {_quote(value)}", wanted, None if near == value.text else near)


def _string(value: Value, *, is_path: bool) -> str:
    if value.kind != "string":
        raise BadValueError(
            f"is {value.text}, not a string", f'the value in quotation marks: "{value.text}"'
        )
    return value.source[1:-1] if is_path and is_literal_path(value) else value.text


def _quote(value: Value) -> str:
    return f'"{value.text}"' if value.kind == "string" else value.text[:MAX_DIGITS]

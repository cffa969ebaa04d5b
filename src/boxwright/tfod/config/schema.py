"""Declaration of the messages of a pipeline.config as dataclasses with the API's defaults.

A field's annotation is its type. Its default is that of the API's .proto files (proto2); a field
without a default is required. A field declares its support: `only` (other values are not
supported), `unused` (the field is ignored), `refused` (the field is not supported) and `one_of` (a
message that contains exactly one of several).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, NamedTuple, Union, get_args, get_origin, get_type_hints

import numpy as np

from boxwright.io.protobuf_text import Message


class Range(NamedTuple):
    """Allowed range of a number."""

    low: float
    high: float = float("inf")


Count = Annotated[int, Range(0)]
Natural = Annotated[int, Range(1)]
Positive = Annotated[float, Range(0.0)]
Size = Annotated[float, Range(1e-6)]  # a divisor
Fraction = Annotated[float, Range(0.0, 1.0)]


@dataclass(frozen=True, kw_only=True)
class ConfigMessage:
    """A message. Its numbers are float32, as in the API: 0.3333 is 0.33329999446868896.

    `remark` is reported if the message is used and behaves differently from the API.
    """

    remark: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for each in fields(self):
            object.__setattr__(self, each.name, _rounded(getattr(self, each.name)))


class Instead(str):
    """The reason to refuse an alternative, with the nearest thing to write in its place.

    Attributes:
        nearest: the text of the fields to write; empty to leave the alternative out. A function
            gets the fields of the refused one.
    """

    nearest: str | Callable[[Message], str]

    def __new__(cls, reason: str, nearest: str | Callable[[Message], str] = "") -> Instead:
        made = super().__new__(cls, reason)
        made.nearest = nearest
        return made


@dataclass(frozen=True)
class Rule:
    """Support of a field.

    Attributes:
        works: the supported values; all if empty.
        reason: why other values are not supported, or why the field is unused or refused.
        unused: True if the field is ignored.
        refused: True if the field is not supported, whatever its value.
        choices: alternatives of a `one_of`: message class, or the reason why it is not supported.
        inline: True if the alternatives are fields of the outer message.
        is_path: True for the path of a file.
        count: required number of values if the field is given; 0 for any number.
        beside: the field that must be given with it.
        ignored: further values that change nothing, with the reasons.
        first: True if the field may be given several times, and only the first is used; `reason`
            says why.
    """

    works: tuple[Any, ...] = ()
    reason: str = ""
    unused: bool = False
    refused: bool = False
    choices: Mapping[str, type[ConfigMessage] | str] | None = None
    inline: bool = False
    is_path: bool = False
    count: int = 0
    beside: str = ""
    ignored: Mapping[str, str] = field(default_factory=dict)
    first: bool = False


@dataclass(frozen=True)
class Spec:
    """A field of a message: its attribute, type, rule, and default (MISSING: required)."""

    attribute: str
    type: Any
    rule: Rule
    default: Any

    @property
    def single(self) -> Any:
        """Type of one value: X for `tuple[X, ...]` and `X | None`."""
        if get_origin(self.type) in {tuple, Union, UnionType}:
            return next(each for each in get_args(self.type) if each is not NoneType)
        return self.type

    @property
    def repeated(self) -> bool:
        """True if the field may be given several times."""
        return get_origin(self.type) is tuple


def only(default: Any, *more: Any, because: str) -> Any:
    """Declare a field that supports only the default and `more`."""
    return _field(default, Rule(works=(default, *more), reason=because))


def supported(
    *values: Any,
    because: str,
    default: Any = MISSING,
    ignored: Mapping[str, str] | None = None,
) -> Any:
    """Declare a field that supports only `values`, and ignores others with a reason. The default
    may be unsupported."""
    return _field(default, Rule(works=values, reason=because, ignored=ignored or {}))


def first_of(default: Any, because: str) -> Any:
    """Declare a field that may be given several times. Only the first is used."""
    return _field(default, Rule(first=True, reason=because))


def unused(default: Any, because: str) -> Any:
    """Declare a field that is ignored."""
    return _field(default, Rule(unused=True, reason=because))


def refused(because: str) -> Any:
    """Declare a field that is not supported."""
    return _field(None, Rule(refused=True, reason=because))


def several(count: int) -> Any:
    """Declare a field with `count` values or none."""
    return _field((), Rule(count=count))


def given_with(name: str) -> Any:
    """Declare a field that is given together with the field `name`, or not at all."""
    return _field(None, Rule(beside=name))


def path_field() -> Any:
    """Declare a path, which may contain the backslashes of Windows."""
    return _field("", Rule(is_path=True))


def paths_field() -> Any:
    """Declare several paths."""
    return _field((), Rule(is_path=True))


def one_of(
    *,
    default: Any = MISSING,
    inline: bool = False,
    **choices: type[ConfigMessage] | str,
) -> Any:
    """Declare a message that contains exactly one of several: a class, or a reason to refuse."""
    return _field(default, Rule(choices=choices, inline=inline))


@cache
def schema(message: type[Any]) -> dict[str, Spec]:
    """Return the fields of a message by their names in a config."""
    hints = get_type_hints(message, include_extras=True)
    specs: dict[str, Spec] = {}
    for each in fields(message):
        rule = each.metadata.get("rule", Rule())
        default = each.default if each.default_factory is MISSING else each.default_factory()
        spec = Spec(each.name, hints[each.name], rule, _rounded(default))
        names = rule.choices if rule.choices and rule.inline else [each.name]
        specs |= dict.fromkeys(names, spec)
    return specs


def _field(default: Any, rule: Rule) -> Any:
    return field(default=default, metadata={"rule": rule})


def _rounded(value: Any) -> Any:
    """Round numbers to float32."""
    if isinstance(value, tuple):
        return tuple(_rounded(each) for each in value)
    return float(np.float32(value)) if isinstance(value, float) else value

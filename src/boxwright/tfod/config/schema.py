"""How the messages of a pipeline.config are declared: as dataclasses with the API's defaults.

A field's annotation is its type, its default the API's (of its .proto files, proto2); a field
without a default has to be given. What a field means here is said beside it: by `only` (other
values are not supported), `unused` (it changes nothing here), `refused` (it cannot be used at all)
and `one_of` (a message that holds exactly one of several).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, NamedTuple, Union, get_args, get_origin, get_type_hints

import numpy as np


class Range(NamedTuple):
    """The values that a number may have."""

    low: float
    high: float = float("inf")


Count = Annotated[int, Range(0)]
Natural = Annotated[int, Range(1)]
Positive = Annotated[float, Range(0.0)]
Size = Annotated[float, Range(1e-6)]  # what others are divided by
Fraction = Annotated[float, Range(0.0, 1.0)]


@dataclass(frozen=True, kw_only=True)
class ConfigMessage:
    """A message. Its numbers are float32, as in the API: 0.3333 is 0.33329999446868896.

    `remark` is said where one is used that does something else here.
    """

    remark: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for each in fields(self):
            object.__setattr__(self, each.name, _rounded(getattr(self, each.name)))


@dataclass(frozen=True)
class Rule:
    """What there is to know of a field beside its type.

    Attributes:
        works: the values that are supported; all if there are none.
        reason: why other values are not supported, or why the field is unused or refused.
        unused: whether the field changes nothing here.
        refused: whether the field is not supported, whatever it holds.
        choices: the alternatives of a `one_of`: the class of each, or why it is not supported.
        inline: whether the alternatives stand beside the other fields, without a message.
        is_path: whether it is a file's path.
        count: how many values it has if it is given at all; any number if 0.
        beside: the field that has to be given with it.
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


@dataclass(frozen=True)
class Spec:
    """A field of a message: its attribute, type, rule, and default (MISSING: it must be given)."""

    attribute: str
    type: Any
    rule: Rule
    default: Any

    @property
    def single(self) -> Any:
        """The type of one value: `tuple[X, ...]` and `X | None` are X."""
        if get_origin(self.type) in {tuple, Union, UnionType}:
            return next(each for each in get_args(self.type) if each is not NoneType)
        return self.type

    @property
    def repeated(self) -> bool:
        """Whether it may be given several times."""
        return get_origin(self.type) is tuple


def only(default: Any, *more: Any, because: str) -> Any:
    """A field of which only the default and `more` are supported."""
    return _field(default, Rule(works=(default, *more), reason=because))


def supported(*values: Any, because: str, default: Any = MISSING) -> Any:
    """A field of which only `values` are supported, and its default perhaps not."""
    return _field(default, Rule(works=values, reason=because))


def unused(default: Any, because: str) -> Any:
    """A field that changes nothing here."""
    return _field(default, Rule(unused=True, reason=because))


def refused(because: str) -> Any:
    """A field that is not supported."""
    return _field(None, Rule(refused=True, reason=because))


def several(count: int) -> Any:
    """A field with so many values, or none."""
    return _field((), Rule(count=count))


def given_with(name: str) -> Any:
    """A field that is given together with the one of this name, or not at all."""
    return _field(None, Rule(beside=name))


def path_field() -> Any:
    """A path, in which backslashes may stand as Windows has them."""
    return _field("", Rule(is_path=True))


def paths_field() -> Any:
    """Several of them."""
    return _field((), Rule(is_path=True))


def one_of(
    *,
    default: Any = MISSING,
    inline: bool = False,
    **choices: type[ConfigMessage] | str,
) -> Any:
    """A message that holds exactly one of several, each a class or the reason for refusing it."""
    return _field(default, Rule(choices=choices, inline=inline))


@cache
def schema(message: type[Any]) -> dict[str, Spec]:
    """The fields of a message by the names that they have in a config."""
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
    """Numbers as float32 has them."""
    if isinstance(value, tuple):
        return tuple(_rounded(each) for each in value)
    return float(np.float32(value)) if isinstance(value, float) else value

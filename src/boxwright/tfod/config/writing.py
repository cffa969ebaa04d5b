"""Write typed messages as the text of a pipeline.config."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import MISSING
from typing import Any

import numpy as np

from boxwright.io.protobuf_text import Field, Message, Value, write
from boxwright.tfod.config.schema import ConfigMessage, Spec, schema


def config_text(message: ConfigMessage, shown: Collection[str] = ()) -> str:
    """Return the text of a message: required fields, fields that differ from their default, and
    the fields named in `shown`, some with their message: `SsdAnchorGenerator.num_layers`.

    Parsing the text gives an equal message.
    """
    return write(_tree(message, shown))


def _tree(message: ConfigMessage, shown: Collection[str]) -> Message:
    kind: Any = type(message)
    specs = {spec.attribute: spec for spec in schema(kind).values()}
    fields: list[Field] = []
    for spec in specs.values():
        value = getattr(message, spec.attribute)
        names = {spec.attribute, f"{kind.__name__}.{spec.attribute}"}
        if spec.default is MISSING or value != spec.default or not names.isdisjoint(shown):
            values = value if isinstance(value, tuple) else (value,)
            fields += [_field(spec, each, shown) for each in values]
    return Message(tuple(fields))


def _field(spec: Spec, value: Any, shown: Collection[str]) -> Field:
    if spec.rule.choices is None:
        message = isinstance(value, ConfigMessage)
        inner = _tree(value, shown) if message else _value(spec, value)
        return Field(spec.attribute, inner)
    name = next(name for name, kind in spec.rule.choices.items() if kind is type(value))
    chosen = Field(name, _tree(value, shown))
    return chosen if spec.rule.inline else Field(spec.attribute, Message((chosen,)))


def _value(spec: Spec, value: Any) -> Value:
    if isinstance(value, bool):
        return Value(str(value).lower(), "word")
    if isinstance(value, str):
        return Value(value, "string" if spec.single is str else "word")
    return Value(str(np.float32(value) if isinstance(value, float) else value), "number")

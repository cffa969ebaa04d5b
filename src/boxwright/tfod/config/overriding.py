"""Fields that replace those of a pipeline.config, also as `name=value` of --hparams_overrides."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from functools import reduce

from boxwright.errors import FlagError
from boxwright.io.protobuf_text import Field, Message, quoted
from boxwright.structures.labels import closest_name
from boxwright.tfod.config.pipeline import Pipeline

# The API's short names and the fields that they stand for.
SHORT = {
    "load_pretrained": "train_config.fine_tune_checkpoint",
    "batch_size": "train_config.batch_size",
    "train_steps": "train_config.num_steps",
    "num_steps": "train_config.num_steps",
    "fine_tune_checkpoint": "train_config.fine_tune_checkpoint",
    "eval_num_examples": "eval_config.num_examples",
    "train_input_path": "train_input_reader.tf_record_input_reader.input_path",
    "eval_input_path": "eval_input_reader.tf_record_input_reader.input_path",
    "train_input_config": "train_input_reader",
    "eval_input_config": "eval_input_reader",
    "graph_rewriter_config": "graph_rewriter",
}
FLAG = "--hparams_overrides"
_Tree = dict[str, "str | _Tree"]
WORD = re.compile(r"[\w.+-]+|\"[^\"]*\"|'[^']*'")


def overrides(pairs: str) -> str:
    """Return the pairs as the text of a config.

    A name is the dotted path of a field, or one of `SHORT`.

    Raises:
        FlagError: BW702 a pair is malformed, or its name is not a part of a config.
    """
    tree: _Tree = {}
    for pair in re.split(r",(?=\s*[\w.]+\s*=)", pairs) if pairs else ():
        path, value = _parsed(pair)
        if not path:
            continue
        inner = tree
        for outer in path[:-1]:
            below = inner.setdefault(outer, {})
            inner = below if isinstance(below, dict) else {}
        inner[path[-1]] = value
    return _text(tree)


def overridden(tree: Message, other: Message) -> Message:
    """Merge the fields of another tree into a tree. Messages in both are merged."""
    entries = list(tree.entries)
    for name in dict.fromkeys(field.name for field in other.fields):
        own, given = tree.named(name), other.named(name)
        messages = [each.value for each in given if isinstance(each.value, Message)]
        if own and isinstance(own[0].value, Message) and messages:
            inner = reduce(overridden, messages, own[0].value)
            entries[entries.index(own[0])] = replace(own[0], value=inner)
        else:
            entries = [each for each in entries if each not in own]
            entries += map(_without_line, given)
    return Message(tuple(entries))


def _without_line(field: Field) -> Field:
    """Return a field with line 0, because it is not in the file."""
    value = field.value
    if isinstance(value, Message):
        value = Message(tuple(map(_without_line, value.fields)))
    return replace(field, value=value, line=0)


def _parsed(pair: str) -> tuple[list[str], str]:
    """Return the path of a field and its value as config text; an empty path if the pair has no
    effect."""
    name, _, value = (part.strip() for part in pair.partition("="))
    first, *rest = name.split(".")
    path = [*SHORT.get(first, first).split("."), *rest]
    parts = {each.name for each in fields(Pipeline)}
    if not value or path[0] not in parts or len(path) == 1:
        near = closest_name(first, {*parts, *SHORT})
        raise FlagError(
            "BW702",
            f"invalid {FLAG}: '{pair.strip()}' is not a field of the config with a value.",
            nearest=near if near != first else None,
            example="train_config.batch_size=8",
            short=", ".join(SHORT),
        )
    if first == "load_pretrained":  # false means to train from scratch
        return (path, quoted("")) if value.lower() in {"false", "0"} else ([], "")
    return path, value if WORD.fullmatch(value) else quoted(value)


def _text(tree: _Tree) -> str:
    return " ".join(
        f"{name} {{ {_text(value)} }}" if isinstance(value, dict) else f"{name}: {value}"
        for name, value in tree.items()
    )

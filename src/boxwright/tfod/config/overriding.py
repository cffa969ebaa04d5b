"""`name=value,name=value`, as --hparams_overrides takes it, as text of a pipeline.config."""

from __future__ import annotations

import re
from dataclasses import fields

from boxwright.errors import FlagError
from boxwright.io.protobuf_text import quoted
from boxwright.structures.labels import closest_name
from boxwright.tfod.config.pipeline import Pipeline

# The names that the API knows beside those of fields, and the fields that they mean.
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
    """The text of a config that says what the pairs do.

    A name is a field's with all that it stands in, between dots, or one of `SHORT`.

    Raises:
        FlagError: BW702 a pair is none, or its name is not that of a part of a config.
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


def _parsed(pair: str) -> tuple[list[str], str]:
    """The names that lead to a field, and its value as a config has it; no names if nothing is
    to be changed."""
    name, _, value = (part.strip() for part in pair.partition("="))
    first, *rest = name.split(".")
    path = [*SHORT.get(first, first).split("."), *rest]
    parts = {each.name for each in fields(Pipeline)}
    if not value or path[0] not in parts or len(path) == 1:
        near = closest_name(first, {*parts, *SHORT})
        raise FlagError(
            "BW702",
            f"{FLAG} cannot be understood: '{pair.strip()}' is not a field of the config and its "
            "value.",
            nearest=near if near != first else None,
            example="train_config.batch_size=8",
            short=", ".join(SHORT),
        )
    if first == "load_pretrained":  # not to, is to begin without a checkpoint
        return (path, quoted("")) if value.lower() in {"false", "0"} else ([], "")
    return path, value if WORD.fullmatch(value) else quoted(value)


def _text(tree: _Tree) -> str:
    return " ".join(
        f"{name} {{ {_text(value)} }}" if isinstance(value, dict) else f"{name}: {value}"
        for name, value in tree.items()
    )

"""Corrections of a config's syntax tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, replace
from pathlib import Path
from typing import Any, NamedTuple

from boxwright.io.protobuf_text import Comment, Field, Message, Value, parse, quoted
from boxwright.io.shell import quoted as in_shell
from boxwright.structures.labels import closest_name
from boxwright.tfod.config.model import FEATURE_EXTRACTORS, KERAS
from boxwright.tfod.config.schema import Spec, schema
from boxwright.tfod.config.values import BadValueError

PLACEHOLDER = "PATH_TO_BE_CONFIGURED"  # the samples' paths


class Fix(NamedTuple):
    """A correction: the text, which may be empty, in place of a field or at a message's end."""

    at: Field | Message
    text: str


def corrected(tree: Message, fixes: Sequence[Fix]) -> Message:
    """Return a tree with corrections made; of two of the same place the first."""
    return _Corrections(fixes).message(tree)


class _Corrections:
    """Texts by the identity of their place: a config may have equal fields in two places."""

    def __init__(self, fixes: Sequence[Fix]) -> None:
        self._texts = {id(fix.at): fix.text for fix in reversed(fixes)}

    def message(self, tree: Message) -> Message:
        entries = [new for entry in tree.entries for new in self._entry(entry)]
        entries += self._parsed(id(tree), entries[-1].line if entries else 0)
        return Message(tuple(entries))

    def _entry(self, entry: Field | Comment) -> Iterator[Field | Comment]:
        if id(entry) in self._texts and isinstance(entry, Field):
            yield from self._parsed(id(entry), entry.line)
        elif isinstance(entry, Field) and isinstance(entry.value, Message):
            yield replace(entry, value=self.message(entry.value))
        else:
            yield entry

    def _parsed(self, place: int, line: int) -> Iterator[Field]:
        """Yield the fields of a text, as if they stood in a line."""
        for each in parse(self._texts.get(place, ""), "config").fields:
            yield replace(each, line=line, end=line)


def shown(value: Any) -> str:
    """Return a value as a config spells it, without quotation marks."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def written(spec: Spec, value: Any) -> str:
    """Return a value as a config spells it."""
    return quoted(value) if spec.single is str else shown(value)


def nearest_value(spec: Spec, value: Any) -> str:
    """Return the text for a supported value: the default by leaving the field out, or the most
    similar one."""
    works = spec.rule.works
    if not isinstance(spec.default, tuple) and spec.default in works:
        return ""
    near = closest_name(str(value), map(str, works)) or works[0]
    return f"{spec.attribute}: {written(spec, near)}"


def fix_of_value(spec: Spec, field: Field, error: BadValueError) -> Fix | None:
    """Return the value that was meant: a name without its misprint, a string in its marks."""
    if error.nearest:
        return Fix(field, f"{field.name}: {error.nearest}")
    if isinstance(field.value, Value) and spec.single is str:
        return Fix(field, f"{field.name}: {quoted(field.value.text)}")
    return None


def needs_nothing(kind: Any) -> bool:
    """True for a message without required fields."""
    return not isinstance(kind, str) and all(
        spec.default is not MISSING for spec in schema(kind).values()
    )


def sample_command(tree: Message, path: Path) -> str:
    """Return the command that writes the nearest sample with a config's paths. The checkpoint of
    another network is left out."""
    record = "input_reader.tf_record_input_reader.input_path"
    fields = {
        "label_map_path": "train_input_reader.label_map_path",
        "train_record": f"train_{record}",
        "eval_record": f"eval_{record}",
    }
    if _kind(tree) in FEATURE_EXTRACTORS:
        fields["fine_tune_checkpoint"] = "train_config.fine_tune_checkpoint"
    words = ["boxwright tfod sample_config", _nearest_sample(tree)]
    for flag, place in fields.items():
        given = [text for text in _texts(tree, place) if PLACEHOLDER not in text]
        words += [f"--{flag}={in_shell(text)}" for text in given[:1]]
    return " ".join([*words, f"--output_path={in_shell(f'{path.stem}.nearest.config')}"])


def _nearest_sample(tree: Message) -> str:
    """Return the name of the sample that is most like a config."""
    kind = _kind(tree)
    version = "v1" if "_v1" in kind else "v2"
    if "fpn" in kind and version == "v2":
        return "ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8"
    if "fpn" in kind and kind.endswith(KERAS):
        return "ssd_mobilenet_v1_fpn_640x640_coco17_tpu-8"
    if "fpn" in kind:
        return "ssd_mobilenet_v1_fpn_shared_box_predictor_640x640_coco14_sync"
    if kind.endswith(KERAS) and version == "v2":
        return "ssd_mobilenet_v2_320x320_coco17_tpu-8"
    if tree.find("graph_rewriter.quantization"):
        quantized = f"ssd_mobilenet_{version}_quantized_300x300_coco"
        return f"{quantized}14_sync" if version == "v1" else quantized
    lite = "true" in _texts(tree, "model.*.feature_extractor.use_depthwise")
    return f"ssd{'lite' * lite}_mobilenet_{version}_coco"


def _kind(tree: Message) -> str:
    """Return the type of a config's feature extractor."""
    return next(iter(_texts(tree, "model.*.feature_extractor.type")), "")


def _texts(tree: Message, place: str) -> list[str]:
    values = (each.value for each in tree.find(place))
    return [value.text for value in values if isinstance(value, Value)]

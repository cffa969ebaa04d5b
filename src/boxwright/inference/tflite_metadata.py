"""TFLite metadata: the standard description in a .tflite, for any program.

It is a separate flatbuffer in the model buffer that the entry `ENTRY` names.
Here it is a `dict` of fields, such as

    {"name": "SSD", "subgraph_metadata": [{"input_tensor_metadata": [{"name": "image"}]}]}

where a union is the name of its table and that table, `("ImageProperties", {"color_space": 1})`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import flatbuffers
import numpy as np
from flatbuffers import number_types

ENTRY = b"TFLITE_METADATA"
# Bytes 4 to 8, by root table; also the version of the schema's parts that never change.
IDENTIFIERS = MappingProxyType({"ModelMetadata": b"M001", "ObjectDetectorOptions": b"V001"})
MAX_VALUES = 1 << 19  # characters, numbers and tables; 40,000 anchors have half of it

# The schema, version 1.5.0, without text and audio, and MediaPipe's of detectors, version 1.0.0.
# The order of fields is the format.
TABLES: Mapping[str, dict[str, str]] = MappingProxyType(
    {
        "ModelMetadata": {
            "name": "string",
            "description": "string",
            "version": "string",
            "subgraph_metadata": "[SubGraphMetadata]",
            "author": "string",
            "license": "string",
            "associated_files": "[AssociatedFile]",
            "min_parser_version": "string",
        },
        "SubGraphMetadata": {
            "name": "string",
            "description": "string",
            "input_tensor_metadata": "[TensorMetadata]",
            "output_tensor_metadata": "[TensorMetadata]",
            "associated_files": "[AssociatedFile]",
            "input_process_units": "[ProcessUnit]",
            "output_process_units": "[ProcessUnit]",
            "input_tensor_groups": "[TensorGroup]",
            "output_tensor_groups": "[TensorGroup]",
            "custom_metadata": "[CustomMetadata]",
        },
        "CustomMetadata": {"name": "string", "data": "[ubyte]"},
        "TensorMetadata": {
            "name": "string",
            "description": "string",
            "dimension_names": "[string]",
            "content": "Content",
            "process_units": "[ProcessUnit]",
            "stats": "Stats",
            "associated_files": "[AssociatedFile]",
        },
        "TensorGroup": {"name": "string", "tensor_names": "[string]"},
        "AssociatedFile": {
            "name": "string",
            "description": "string",
            "type": "byte",
            "locale": "string",
            "version": "string",
        },
        "Content": {"content_properties": "ContentProperties", "range": "ValueRange"},
        "ValueRange": {"min": "int", "max": "int"},
        "FeatureProperties": {},
        "ImageProperties": {"color_space": "byte", "default_size": "ImageSize"},
        "ImageSize": {"width": "uint", "height": "uint"},
        "BoundingBoxProperties": {"index": "[uint]", "type": "byte", "coordinate_type": "byte"},
        "ProcessUnit": {"options": "ProcessUnitOptions"},
        "NormalizationOptions": {"mean": "[float]", "std": "[float]"},
        "ScoreCalibrationOptions": {"score_transformation": "byte", "default_score": "float"},
        "ScoreThresholdingOptions": {"global_score_threshold": "float"},
        "Stats": {"max": "[float]", "min": "[float]"},
        "ObjectDetectorOptions": {
            "min_parser_version": "string",
            "ssd_anchors_options": "SsdAnchorsOptions",
            "tensors_decoding_options": "TensorsDecodingOptions",
        },
        "SsdAnchorsOptions": {"fixed_anchors_schema": "FixedAnchorsSchema"},
        "FixedAnchorsSchema": {"anchors": "[FixedAnchor]"},
        "FixedAnchor": {
            "x_center": "float",
            "y_center": "float",
            "width": "float",
            "height": "float",
        },
        "TensorsDecodingOptions": {
            "num_classes": "int",
            "num_boxes": "int",
            "num_coords": "int",
            "keypoint_coord_offset": "int",
            "num_keypoints": "int",
            "num_values_per_keypoint": "int",
            "x_scale": "float",
            "y_scale": "float",
            "w_scale": "float",
            "h_scale": "float",
            "apply_exponential_on_box_size": "bool",
            "sigmoid_score": "bool",
        },
    }
)
UNIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ContentProperties": ("FeatureProperties", "ImageProperties", "BoundingBoxProperties"),
        "ProcessUnitOptions": (
            "NormalizationOptions",
            "ScoreCalibrationOptions",
            "ScoreThresholdingOptions",
        ),
    }
)
NUMBERS: Mapping[str, tuple[str, Any]] = MappingProxyType(
    {  # codes of `struct` and `flatbuffers`
        "bool": ("?", number_types.BoolFlags),
        "byte": ("b", number_types.Int8Flags),
        "ubyte": ("B", number_types.Uint8Flags),
        "int": ("i", number_types.Int32Flags),
        "uint": ("I", number_types.Uint32Flags),
        "float": ("f", number_types.Float32Flags),
    }
)


def pack(metadata: Mapping[str, Any], root: str = "ModelMetadata") -> bytes:
    """Encode a root table as a flatbuffer."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(_write_table(builder, root, metadata), IDENTIFIERS[root])
    return bytes(builder.Output())


def unpack(content: bytes, root: str = "ModelMetadata") -> dict[str, Any]:
    """The inverse of `pack`, for bytes of any origin; missing fields are left out.

    Raises:
        ValueError: the bytes are not metadata, or the metadata is too large.
    """
    if content[4:8] != IDENTIFIERS[root]:
        raise ValueError("does not begin with a TFLite metadata header")
    reader = _Reader(content)
    try:
        return reader.table(root, reader.target(0))
    except struct.error as error:
        raise ValueError("points beyond its end") from error


def _slots(kind: str) -> Iterator[tuple[str, str, int]]:
    """Name, kind and slot of a table's fields; for a union, the first of its two slots."""
    slot = 0
    for name, field in TABLES[kind].items():
        yield name, field, slot
        slot += 2 if field in UNIONS else 1


def _write_table(builder: Any, kind: str, values: Mapping[str, Any]) -> int:
    slots = {name: (field, slot) for name, field, slot in _slots(kind)}
    targets = {
        name: _write(builder, slots[name][0], value)
        for name, value in values.items()
        if slots[name][0] not in NUMBERS
    }
    builder.StartObject(len(slots) + sum(field in UNIONS for field, _ in slots.values()))
    for name, value in values.items():
        field, slot = slots[name]
        if field in NUMBERS:
            builder.PrependSlot(NUMBERS[field][1], slot, value, 0)
            continue
        if field in UNIONS:
            builder.PrependUint8Slot(slot, UNIONS[field].index(value[0]) + 1, 0)
            slot += 1
        builder.PrependUOffsetTRelativeSlot(slot, targets[name], 0)
    return int(builder.EndObject())


def _write(builder: Any, kind: str, value: Any) -> int:
    """Write the target of a table's pointer; return its offset."""
    if kind == "string":
        return int(builder.CreateString(value))
    if kind in UNIONS:
        return _write_table(builder, *value)
    if kind in TABLES:
        return _write_table(builder, kind, value)
    item = kind[1:-1]
    if item in NUMBERS:
        dtype = number_types.to_numpy_type(NUMBERS[item][1])
        return int(builder.CreateNumpyVector(np.array(list(value), dtype)))
    targets = [_write(builder, item, each) for each in value]
    builder.StartVector(4, len(targets), 4)
    for target in reversed(targets):
        builder.PrependUOffsetTRelative(target)
    return int(builder.EndVector())


class _Reader:
    """Reads tables; raises `struct.error` for truncated and ValueError for invalid ones."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._left = MAX_VALUES

    def table(self, kind: str, at: int) -> dict[str, Any]:
        self._take(1)
        place = self._positions(at)
        found: dict[str, Any] = {}
        for name, field, slot in _slots(kind):
            if field in UNIONS:
                chosen = self._union(UNIONS[field], place.get(slot), place.get(slot + 1))
                if chosen:
                    found[name] = chosen
            elif slot in place:
                found[name] = self._value(field, place[slot])
        return found

    def target(self, at: int) -> int:
        """The target of the pointer at a position."""
        return at + int(self._number("I", at))

    def _positions(self, at: int) -> dict[int, int]:
        """Positions of the fields of a table, by slot."""
        layout = at - self._number("i", at)
        if layout < 0:
            raise ValueError("points before its beginning")
        slots = self._number("H", layout) // 2 - 2
        self._take(max(slots, 0))
        offsets = ((slot, self._number("H", layout + 4 + 2 * slot)) for slot in range(slots))
        return {slot: at + offset for slot, offset in offsets if offset}

    def _union(
        self, tables: tuple[str, ...], which: int | None, at: int | None
    ) -> tuple[str, dict[str, Any]] | None:
        if which is None or at is None:
            return None
        number = self._number("B", which)
        if not 0 < number <= len(tables):  # not in this schema
            return None
        kind = tables[number - 1]
        return kind, self.table(kind, self.target(at))

    def _value(self, kind: str, at: int) -> Any:
        if kind in NUMBERS:
            return self._number(NUMBERS[kind][0], at)
        start = self.target(at)
        if kind in TABLES:
            return self.table(kind, start)
        count = self._number("I", start)
        if kind in ("string", "[ubyte]"):
            (found,) = struct.unpack_from(f"<{count}s", self._content, start + 4)
            self._take(count if kind == "string" else 1)
            return found.decode(errors="replace") if kind == "string" else found
        self._take(count)
        return [self._value(kind[1:-1], start + 4 + 4 * i) for i in range(count)]

    def _number(self, code: str, at: int) -> Any:
        return struct.unpack_from(f"<{code}", self._content, at)[0]

    def _take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise ValueError("is larger than any description")

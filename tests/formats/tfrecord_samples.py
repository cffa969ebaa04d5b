"""TFRecord files of a few features, written by hand."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from boxwright.formats.tfrecord.example import floats, head_of_example, integers, texts
from boxwright.formats.tfrecord.framing import write_record

Values = Sequence[str | bytes | int | float] | str | bytes | int
CAT_BOX = {"xmin": [0.25], "ymin": [0.5], "xmax": [0.75], "ymax": [1.0]}
CAT = {**CAT_BOX, "text": ["cat"], "label": [1]}
MAP = "item { id: 1 name: 'cat' }\nitem { id: 2 name: 'dog' }\n"
KEYS = {
    **{side: f"image/object/bbox/{side}" for side in CAT_BOX},
    **{word: f"image/object/class/{word}" for word in ("text", "label")},
    **{
        word: f"image/object/{word}"
        for word in ("difficult", "truncated", "is_crowd", "group_of", "view", "weight", "mask")
    },
}


def image(kind: str = "JPEG", size: tuple[int, int] = (40, 30), orientation: int = 1) -> bytes:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.random.default_rng(orientation).integers(0, 256, (*size[::-1], 3), np.uint8)
    Image.fromarray(pixels).save(file, kind, **({"exif": exif} if orientation != 1 else {}))
    return file.getvalue()


def example(encoded: bytes = image(), **features: Values) -> bytes:
    """A serialised Example: `xmin` stands for image/object/bbox/xmin, `width` for image/width, and
    `/bbox` for bbox."""
    parts = []
    for name, given_values in features.items():
        key = (KEYS.get(name, f"image/{name}") if name[0] != "/" else name[1:]).encode()
        values = [given_values] if isinstance(given_values, str | bytes | int) else given_values
        if name in CAT_BOX or (values and isinstance(values[0], float)):
            parts.append(floats(key, np.array(values, np.float32)))
        elif values and isinstance(values[0], str | bytes):
            parts.append(texts(key, [v if isinstance(v, bytes) else v.encode() for v in values]))
        else:
            parts.append(integers(key, values))
    return head_of_example(b"".join(parts), b"image/encoded", len(encoded)) + encoded


def put(path: Path, *examples: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for one in examples:
            write_record(file, one)
    return path


def packed_otherwise(one: bytes) -> bytes:
    """The same Example with its box of one value, and its label, not packed."""
    for side, value in CAT_BOX.items():
        number = np.float32(value[0]).tobytes()
        key = KEYS[side].encode()
        packed = floats(key, np.array(value, np.float32))
        assert packed in one
        # Feature { float_list { value: [packed, 4 bytes] } } becomes { value: 4 bytes }.
        assert packed.endswith(b"\x12\x08\x12\x06\x0a\x04" + number)
        unpacked = packed[2:-10] + b"\x12\x07\x12\x05\x0d" + number
        one = one.replace(packed, b"\x0a" + bytes([len(unpacked)]) + unpacked)
    packed = integers(KEYS["label"].encode(), [1])
    assert packed in one
    assert packed.endswith(b"\x12\x05\x1a\x03\x0a\x01\x01")
    unpacked = packed[2:-7] + b"\x12\x04\x1a\x02\x08\x01"
    one = one.replace(packed, b"\x0a" + bytes([len(unpacked)]) + unpacked)
    body = one[one.index(b"\x0a", 1) :]
    return b"\x0a" + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    return bytes([value & 127 | 128, value >> 7]) if value > 127 else bytes([value])


PASCAL = example(
    height=30,
    width=40,
    filename="2007_000027.jpg",
    source_id="2007_000027.jpg",
    format="jpeg",
    difficult=[0],
    truncated=[1],
    view=["Left"],
    **{"key/sha256": "0123", **CAT},
)

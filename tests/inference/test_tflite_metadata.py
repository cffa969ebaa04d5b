"""Metadata, written and read, and bytes that only look like it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from boxwright.inference import litert, tflite_metadata
from boxwright.inference.class_names import names_in

LABELS = {"name": "labels.txt", "type": 3, "locale": "de"}
IMAGE = {
    "name": "Bild ü",
    "dimension_names": ["height", "width"],
    "content": {
        "content_properties": ("ImageProperties", {"color_space": 1, "default_size": {"width": 9}}),
        "range": {"min": 1, "max": -2},
    },
    "process_units": [{"options": ("NormalizationOptions", {"mean": [1.5, 2.0], "std": [0.25]})}],
    "stats": {"max": [255.0], "min": []},
}
FIELDS: dict[str, Any] = {
    "name": "",
    "description": "two\nlines, 模型",
    "subgraph_metadata": [
        {
            "input_tensor_metadata": [IMAGE],
            "output_tensor_metadata": [
                {"content": {"content_properties": ("FeatureProperties", {})}},
                {
                    "content": {
                        "content_properties": ("BoundingBoxProperties", {"index": [1, 0, 3, 2]})
                    },
                    "associated_files": [LABELS],
                },
            ],
            "output_tensor_groups": [{"name": "all", "tensor_names": ["a", "b"]}],
        },
        {},
    ],
}


NAMES_ALONE = litert.Metadata({}, labels=names_in("dog\nkite"))  # of the attached file


def model_with(buffer: bytes, labels: bytes = b"dog\nkite\n", **options: Any) -> bytes:
    """A .tflite without a network that has these bytes for metadata, and a zip."""
    model = schema.ModelT(
        buffers=[schema.BufferT(), schema.BufferT(data=np.frombuffer(buffer, np.uint8))],
        metadata=[schema.MetadataT(name="TFLITE_METADATA", buffer=1)],
    )
    builder = tflite_metadata.flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), litert.MAGIC)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", **options) as archive:
        archive.writestr("labels.txt", labels)
    return bytes(builder.Output()) + packed.getvalue()


def test_what_is_written_is_read() -> None:
    assert tflite_metadata.unpack(tflite_metadata.pack(FIELDS)) == FIELDS
    assert tflite_metadata.unpack(tflite_metadata.pack({})) == {}


def test_a_field_that_the_schema_lacks_is_refused() -> None:
    with pytest.raises(KeyError, match="licence"):
        tflite_metadata.pack({"licence": "MIT"})


def test_a_file_of_any_origin_is_read() -> None:
    said = litert.read_metadata(model_with(tflite_metadata.pack(FIELDS)))
    assert said is not None
    assert said.fields == FIELDS
    assert (said.mean, said.std, said.labels) == ((1.5, 2), (0.25,), ["dog", "kite"])
    assert (said.name, said.threshold) == ("", None)


@pytest.mark.shared
def test_a_published_file_is_read(shared: Path) -> None:
    path = shared / "weights" / "mobilenet_v1_0.25_128_quant.tflite"
    said = litert.read_metadata(path.read_bytes())
    assert said is not None
    assert said.name == "ImageClassifier"
    assert (said.mean, said.std) == ((127.5,), (127.5,))
    labels = said.labels.fitting(1001)
    assert len(labels) == 1001  # with the background
    assert labels[1] == "tench, Tinca tinca"
    without = shared / "weights" / "ssd_mobilenet_v1_coco_quant.tflite"
    assert litert.read_metadata(without.read_bytes()) is None


def test_cut_off_anywhere_it_says_less_and_never_fails() -> None:
    packed = tflite_metadata.pack(FIELDS)
    for end in range(len(packed)):
        litert.read_metadata(model_with(packed[:end]))
    whole = model_with(packed)
    for end in range(len(whole)):
        litert.read_metadata(whole[:end])


def test_changed_anywhere_it_never_fails() -> None:
    whole = np.frombuffer(model_with(tflite_metadata.pack(FIELDS)), np.uint8)
    random = np.random.default_rng(0)
    for _ in range(3000):
        changed = whole.copy()
        at = random.integers(0, len(whole), random.integers(1, 5))
        changed[at] = random.choice([0, 1, 127, 128, 255, *random.integers(0, 256, 5)], len(at))
        litert.read_metadata(changed.tobytes())


def test_tables_that_are_all_the_same_cost_no_time() -> None:
    """A thousand pointers to a table of a thousand pointers, and so on: 10 ** 9 files in 30 KB."""
    builder = tflite_metadata.flatbuffers.Builder(1024)

    def many(target: int) -> int:
        builder.StartVector(4, 1000, 4)
        for _ in range(1000):
            builder.PrependUOffsetTRelative(target)
        return int(builder.EndVector())

    def table(slot: int, target: int) -> int:
        builder.StartObject(7)
        builder.PrependUOffsetTRelativeSlot(slot, target, 0)
        return int(builder.EndObject())

    file = table(0, builder.CreateString("x" * 1000))
    tensor = table(6, many(file))
    network = table(3, many(tensor))
    builder.Finish(table(3, many(network)), tflite_metadata.IDENTIFIERS["ModelMetadata"])
    packed = bytes(builder.Output())
    assert len(packed) < 30_000
    with pytest.raises(ValueError, match="larger than any description"):
        tflite_metadata.unpack(packed)
    assert litert.read_metadata(model_with(packed)) == NAMES_ALONE


@pytest.mark.parametrize("packed", [b"", b"M001", b"\xff\xff\xff\x7fM001" * 4])
def test_bytes_that_are_no_metadata(packed: bytes) -> None:
    with pytest.raises(ValueError, match=r"begin|end"):
        tflite_metadata.unpack(packed)
    assert litert.read_metadata(model_with(packed)) == NAMES_ALONE


def test_labels_that_unpack_to_more_than_there_is_room_for_are_left_alone() -> None:
    bomb = bytes(litert.LARGEST_TEXT + 1)
    content = model_with(tflite_metadata.pack(FIELDS), bomb, compression=zipfile.ZIP_DEFLATED)
    said = litert.read_metadata(content)
    assert said is not None
    assert said.labels == []

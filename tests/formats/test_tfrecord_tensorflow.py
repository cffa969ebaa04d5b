"""TensorFlow as the judge: it reads what Boxwright writes, and Boxwright reads what it writes."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from boxwright import formats
from boxwright.formats.tfrecord.example import parse_example
from boxwright.images.files import image_bytes
from boxwright.structures.dataset import CROWD, DIFFICULT, TRUNCATED, Dataset, LabeledImage, Split

KINDS = ("bytes_list", "float_list", "int64_list")
SIDES = ("xmin", "ymin", "xmax", "ymax")


@pytest.fixture(scope="module")
def tf() -> Any:
    return pytest.importorskip("tensorflow")


def parsed(tf: Any, path: Path) -> list[dict[str, Any]]:
    """Every record of a file by `tf.io.parse_single_example`, with the API decoder's own keys."""
    text, whole = (tf.io.FixedLenFeature([], kind) for kind in (tf.string, tf.int64))
    many = {t: tf.io.VarLenFeature(t) for t in (tf.string, tf.float32, tf.int64)}
    features = {
        "image/encoded": text,
        "image/format": text,
        "image/filename": text,
        "image/key/sha256": text,
        "image/source_id": text,
        "image/height": whole,
        "image/width": whole,
        **{f"image/object/bbox/{side}": many[tf.float32] for side in SIDES},
        "image/object/class/label": many[tf.int64],
        "image/object/class/text": many[tf.string],
        "image/object/is_crowd": many[tf.int64],
        "image/object/difficult": many[tf.int64],
        "image/object/truncated": many[tf.int64],
        "image/object/group_of": many[tf.int64],
        "image/object/weight": many[tf.float32],
    }
    records = []
    for raw in tf.data.TFRecordDataset(str(path), buffer_size=1 << 20):
        example = tf.io.parse_single_example(raw, features)
        records.append(
            {
                key.removeprefix("image/"): (
                    tf.sparse.to_dense(value) if isinstance(value, tf.SparseTensor) else value
                ).numpy()
                for key, value in example.items()
            }
        )
    return records


@pytest.mark.shared
def test_the_whole_raccoon_folder_as_records(tf: Any, shared: Path, tmp_path: Path) -> None:
    source = formats.read(shared / "data" / "raccoon", "voc")
    formats.write(source, tmp_path, "tfrecord")
    by_name = {Path(name).name: i for i, name in enumerate(source.names)}
    for split, count in ((Split.TRAIN, 160), (Split.TEST, 40)):
        records = parsed(tf, tmp_path / f"{split.name.lower()}.record")
        assert len(records) == count
        for record in records:
            name = record["filename"].decode()
            i = by_name.pop(Path(name).name)
            rows = source.rows(i)
            assert source.splits[i] == split
            assert [record["width"], record["height"]] == source.sizes[i].tolist()
            fractions = np.stack([record[f"object/bbox/{side}"] for side in SIDES], axis=1)
            width, height = source.sizes[i]
            expected = source.boxes[rows].astype(np.float64) / [width, height, width, height]
            assert fractions.tolist() == expected.astype(np.float32).tolist()
            assert set(record["object/class/text"]) == {b"raccoon"}
            assert set(record["object/class/label"]) == {1}
            assert not record["object/difficult"].any()
            content = (source.root / source.names[i]).read_bytes()
            assert record["encoded"] == content
            assert record["key/sha256"].decode() == hashlib.sha256(content).hexdigest()
            assert record["source_id"] == record["filename"]
            assert record["format"] == (b"png" if content[1:4] == b"PNG" else b"jpeg")
            assert tf.io.decode_image(record["encoded"]).shape[:2] == (height, width)
    assert by_name == {}
    back = formats.read(tmp_path)
    order = [Path(name).name for name in back.names]
    original = {Path(name).name: i for i, name in enumerate(source.names)}
    same = source.select([original[name] for name in order])
    assert back.boxes.tolist() == same.boxes.tolist()
    assert back.splits.tolist() == same.splits.tolist()
    assert {finding.code for finding in back.findings} <= {"BW123"}


@pytest.mark.shared
@pytest.mark.tiny
def test_the_tutorials_record_has_the_boxes_of_its_csv(shared: Path) -> None:
    data = shared / "data" / "raccoon" / "data"
    expected = defaultdict(list)
    with (data / "test_labels.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            expected[row["filename"]].append([float(row[side]) for side in SIDES])
    dataset = formats.read(data / "test.record")
    assert {Path(name).name for name in dataset.names} == set(expected)
    for i, name in enumerate(dataset.names):
        assert dataset.boxes[dataset.rows(i)].tolist() == expected[Path(name).name]
        original = shared / "data" / "raccoon" / "images" / Path(name).name
        assert image_bytes(dataset.image(i)) == original.read_bytes()
    assert (dataset.classes, dataset.findings) == (("raccoon",), ())
    assert set(dataset.splits.tolist()) == {Split.TEST}


features = st.one_of(
    st.tuples(st.just("bytes_list"), st.lists(st.binary(max_size=20), max_size=5)),
    st.tuples(st.just("float_list"), st.lists(st.floats(width=32, allow_nan=False), max_size=5)),
    st.tuples(st.just("int64_list"), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5)),
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), features, max_size=5))
def test_what_tensorflow_serializes_is_parsed_the_same(
    tf: Any, made: dict[str, tuple[str, list[Any]]]
) -> None:
    lists = dict(
        zip(KINDS, (tf.train.BytesList, tf.train.FloatList, tf.train.Int64List), strict=True)
    )
    data = tf.train.Example(
        features=tf.train.Features(
            feature={
                key: tf.train.Feature(**{kind: lists[kind](value=values)})
                for key, (kind, values) in made.items()
            }
        )
    ).SerializeToString()
    found = parse_example(data, {key.encode() for key in made})
    for key, (kind, values) in made.items():
        name = key.encode()
        if kind == "bytes_list":
            assert [data[start:stop] for start, stop in found.byte_ranges(name)] == values
        else:
            assert found.numbers(name) == values


def test_flags_and_empty_images_for_tensorflow(tf: Any, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 30)).save(tmp_path / name)
    boxes = [(0, 0, 40, 30), (10, 10, 20, 20), (1, 2, 3, 4)]
    flags = [DIFFICULT | CROWD, TRUNCATED, 0]
    images = [
        LabeledImage("a.png", 40, 30, boxes, ["x", "y", "x"], flags),
        LabeledImage("b.png", 40, 30),
    ]
    formats.write(Dataset.of(tmp_path, images), tmp_path / "out", "tfrecord")
    full, empty = parsed(tf, tmp_path / "out" / "data.record")
    assert full["object/difficult"].tolist() == [1, 0, 0]
    assert full["object/truncated"].tolist() == [0, 1, 0]
    assert full["object/is_crowd"].tolist() == full["object/group_of"].tolist() == [1, 0, 0]
    assert full["object/class/label"].tolist() == [1, 2, 1]
    assert full["object/class/text"].tolist() == [b"x", b"y", b"x"]
    assert full["format"] == b"png"
    assert all(len(value) == 0 for key, value in empty.items() if key.startswith("object/"))


def test_the_api_script_in_small_is_read(tf: Any, tmp_path: Path) -> None:
    """What create_pascal_tf_record puts into an Example, written by TensorFlow."""
    Image.new("RGB", (64, 48)).save(tmp_path / "a.jpg")
    encoded = (tmp_path / "a.jpg").read_bytes()

    def of(values: list[Any]) -> Any:
        if isinstance(values[0], bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        if isinstance(values[0], float):
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    example = tf.train.Example(
        features=tf.train.Features(
            feature={
                "image/height": of([48]),
                "image/width": of([64]),
                "image/filename": of([b"a.jpg"]),
                "image/source_id": of([b"a.jpg"]),
                "image/key/sha256": of([hashlib.sha256(encoded).hexdigest().encode()]),
                "image/encoded": of([encoded]),
                "image/format": of([b"jpeg"]),
                "image/object/bbox/xmin": of([3 / 64, 7 / 64]),
                "image/object/bbox/xmax": of([33 / 64, 64 / 64]),
                "image/object/bbox/ymin": of([5 / 48, 1 / 48]),
                "image/object/bbox/ymax": of([47 / 48, 13 / 48]),
                "image/object/class/text": of([b"cat", b"dog"]),
                "image/object/class/label": of([1, 2]),
                "image/object/difficult": of([0, 1]),
                "image/object/truncated": of([1, 0]),
                "image/object/view": of([b"Left", b"Unspecified"]),
            }
        )
    )
    (tmp_path / "a.jpg").unlink()
    with tf.io.TFRecordWriter(str(tmp_path / "pascal_val.record-00000-of-00001")) as writer:
        writer.write(example.SerializeToString())
    dataset = formats.read(tmp_path)
    assert dataset.boxes.tolist() == [[3, 5, 33, 47], [7, 1, 64, 13]]
    assert dataset.flags.tolist() == [TRUNCATED, DIFFICULT]
    assert dataset.classes == ("cat", "dog")
    assert dataset.splits.tolist() == [Split.VAL]
    assert image_bytes(dataset.image(0)) == encoded

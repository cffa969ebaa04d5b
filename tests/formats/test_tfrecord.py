"""TFRecord files as the Object Detection API's scripts and the tutorials write them.

TensorFlow itself is asked in test_tfrecord_tensorflow.py.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import tracemalloc
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import boxwright
from boxwright import formats
from boxwright.data.dataset import CROWD, DIFFICULT, TRUNCATED, Dataset, Split
from boxwright.data.dataset import Photo as DatasetPhoto
from boxwright.data.images import photo_bytes, read_photo
from boxwright.errors import DataError
from boxwright.formats import tfrecord
from boxwright.formats.folder import Folder
from boxwright.formats.tfrecord import writer
from boxwright.formats.tfrecord.example import floats, head_of_example, integers, texts
from boxwright.formats.tfrecord.framing import write_record
from boxwright.training.cache import build_cache
from folders import codes

pytestmark = pytest.mark.tiny
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


def photo(kind: str = "JPEG", size: tuple[int, int] = (40, 30), orientation: int = 1) -> bytes:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.random.default_rng(orientation).integers(0, 256, (*size[::-1], 3), np.uint8)
    Image.fromarray(pixels).save(file, kind, **({"exif": exif} if orientation != 1 else {}))
    return file.getvalue()


def example(encoded: bytes = photo(), **features: Values) -> bytes:
    """A serialised Example: `xmin` stands for image/object/bbox/xmin, `width` for image/width."""
    parts = []
    for name, given_values in features.items():
        key = KEYS.get(name, f"image/{name}").encode()
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


@pytest.mark.parametrize(
    ("one", "name"),
    [
        pytest.param(PASCAL, "2007_000027.jpg", id="create_pascal_tf_record"),
        pytest.param(
            example(height=30, width=40, filename="a.jpg", format="jpg", **CAT),
            "a.jpg",
            id="generate_tfrecord",
        ),
        pytest.param(example(**CAT), "photo 1.jpg", id="nothing but photo and boxes"),
        pytest.param(example(filename="a.jpg", **CAT_BOX, label=[1]), "a.jpg", id="no class text"),
        pytest.param(
            example(filename="a.jpg", mask=[b"\x89PNG"], weight=[1.0], **CAT),
            "a.jpg",
            id="unknown features",
        ),
        pytest.param(packed_otherwise(example(filename="a.jpg", **CAT)), "a.jpg", id="not packed"),
    ],
)
def test_records_of_the_usual_scripts(tmp_path: Path, one: bytes, name: str) -> None:
    put(tmp_path / "train.record", one)
    (tmp_path / "label_map.pbtxt").write_text(MAP, encoding="utf-8")
    dataset = formats.read(tmp_path)
    assert dataset.names == (f"train.record/{name}",)
    assert dataset.boxes.tolist() == [[10, 15, 30, 30]]
    assert (dataset.classes, dataset.splits.tolist()) == (("cat",), [Split.TRAIN])
    assert dataset.sizes.tolist() == [[40, 30]]
    assert codes(dataset) == []
    assert photo_bytes(dataset.photo(0)) == photo()


def test_flags(tmp_path: Path) -> None:
    boxes = {side: values * 5 for side, values in CAT_BOX.items()}
    one = example(
        **boxes,
        text=["cat"] * 5,
        difficult=[1, 0, 0, 0, 0],
        truncated=[0, 1, 0, 0, 0],
        is_crowd=[0, 0, 1, 0, 0],
        group_of=[0, 0, 0, 1],
    )
    put(tmp_path / "a.record", one)
    assert formats.read(tmp_path).flags.tolist() == [DIFFICULT, TRUNCATED, CROWD, CROWD, 0]


@pytest.mark.parametrize("lists", [{}, {**dict.fromkeys(CAT, ()), "difficult": ()}])
def test_photos_that_show_nothing(tmp_path: Path, lists: dict[str, Values]) -> None:
    put(tmp_path / "a.record", example(filename="a.jpg", **lists))
    dataset = formats.read(tmp_path)
    assert (len(dataset), len(dataset.boxes), dataset.findings) == (1, 0, ())


@pytest.mark.parametrize(
    ("label_map", "classes", "finding"),
    [
        (MAP, ("cat", "dog"), []),
        ("item { id: 1 name: 'cat' }", ("cat", "class 2"), ["BW116", "BW116"]),
        ("item { id: 0 name: 'cat' }", ("class 1", "class 2"), ["BW116", "BW116"]),
        (None, ("class 1", "class 2"), ["BW116"]),
    ],
)
@pytest.mark.parametrize("alone", [False, True])
def test_classes_without_names_take_them_from_a_label_map(
    tmp_path: Path, alone: bool, label_map: str | None, classes: tuple[str, ...], finding: list[str]
) -> None:
    boxes = {side: values * 2 for side, values in CAT_BOX.items()}
    path = put(tmp_path / "data" / "a.record", example(**boxes, label=[2, 1]))
    if label_map:
        (path.parent / "my_label_map.pbtxt").write_text(label_map, encoding="utf-8")
    dataset = formats.read(path if alone else tmp_path)
    assert dataset.classes == classes
    assert [dataset.classes[label] for label in dataset.labels] == list(reversed(classes))
    assert "BW116" in codes(dataset) if finding else codes(dataset) == []


def test_the_nearest_label_map_counts(tmp_path: Path) -> None:
    put(tmp_path / "train" / "a.record", example(**CAT_BOX, label=[1]))
    (tmp_path / "other.pbtxt").write_text("item { id: 1 name: 'bird' }", encoding="utf-8")
    (tmp_path / "train" / "a_label_map.pbtxt").write_text(MAP, encoding="utf-8")
    assert formats.read(tmp_path).classes == ("cat",)


def test_without_a_label_map_classes_are_in_the_order_of_their_ids(tmp_path: Path) -> None:
    boxes = {side: values * 3 for side, values in CAT_BOX.items()}
    put(tmp_path / "a.record", example(**boxes, text=["z", "a", "m"], label=[1, 2, 3]))
    assert formats.read(tmp_path).classes == ("z", "a", "m")
    put(tmp_path / "a.record", example(**boxes, text=["z", "a", "m"], label=[1, 1, 1]))
    assert formats.read(tmp_path).classes == ("a", "m", "z")


def test_label_0_is_refused_where_it_is_all_there_is(tmp_path: Path) -> None:
    put(tmp_path / "a.record", example(**CAT_BOX, label=[0]), example(**CAT))
    with pytest.raises(DataError, match=r"a\.record, record 1.*label 0.*background") as caught:
        formats.read(tmp_path)
    assert caught.value.code == "BW116"
    assert len(formats.read(tmp_path, tolerant=True)) == 1


def test_label_0_beside_a_class_name_is_reported(tmp_path: Path) -> None:
    put(tmp_path / "a.record", example(filename="a.jpg", **{**CAT, "label": [0]}))
    dataset = formats.read(tmp_path)
    (finding,) = dataset.findings
    assert (finding.code, finding.photos) == ("BW116", ("a.record/a.jpg",))
    assert dataset.classes == ("cat",)


def test_photos_marked_as_another_kind_are_reported(tmp_path: Path) -> None:
    marked = [("jpeg", "JPEG"), ("jpg", "PNG"), ("JPEG", "PNG"), ("png", "PNG"), ("raw", "PNG")]
    put(
        tmp_path / "a.record",
        *[
            example(photo(kind), filename=f"{i}.jpg", format=said)
            for i, (said, kind) in enumerate(marked)
        ],
    )
    (finding,) = formats.read(tmp_path).findings
    assert finding.code == "BW123"
    assert finding.photos == ("a.record/1.jpg", "a.record/2.jpg")


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("a.jpg", "a.jpg"),
        ("images/train/a.jpg", "a.jpg"),
        ("C:\\photos\\a b.JPG", "a b.JPG"),
        ("../../etc/a.png", "a.png"),
        ("..", "photo 1.jpg"),
        ("photos/", "photo 1.jpg"),
        ("", "photo 1.jpg"),
        ("000001", "000001.jpg"),
        ("version 1.2", "version 1.2.jpg"),
        (".hidden.jpg", "hidden.jpg"),
        ("a\0b\n.jpg", "a_b_.jpg"),
        ("C:a?.jpg", "C_a_.jpg"),
        ("Waschbär 猫.jpg", "Waschbär 猫.jpg"),
        (b"Waschb\xe4r.jpg", "Waschbär.jpg"),
        ("x" * 5000 + ".jpg", "photo 1.jpg"),
    ],
)
def test_names_of_photos_are_file_names(tmp_path: Path, stated: str | bytes, expected: str) -> None:
    put(tmp_path / "a.record", example(filename=stated, **CAT))
    assert formats.read(tmp_path).names == (f"a.record/{expected}",)


def test_names_of_photos_are_unique(tmp_path: Path) -> None:
    stated = ["a.jpg", "b/a.jpg", "A.jpg", "a-2.jpg", "a.jpg", "", ""]
    put(tmp_path / "a.record", *[example(filename=name, **CAT) for name in stated])
    put(tmp_path / "b.record", example(filename="a.jpg", **CAT))
    assert formats.read(tmp_path).names == (
        *[f"a.record/{name}.jpg" for name in ("a", "a-2", "A-3", "a-2-2", "a-4")],
        "a.record/photo 6.jpg",
        "a.record/photo 7.jpg",
        "b.record/a.jpg",
    )


def test_the_same_name_a_thousand_times_over_stays_quick(tmp_path: Path) -> None:
    tiny = photo("PNG", (1, 1))
    put(tmp_path / "a.record", *[example(tiny, filename="a.png") for _ in range(3000)])
    assert len(set(formats.read(tmp_path).names)) == 3000


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("train.record", Split.TRAIN),
        ("pet_faces_val.record-00000-of-00001", Split.VAL),
        ("coco_testing.tfrecords", Split.TEST),
        ("valid/cards.tfrecord", Split.VAL),
        ("Train-00000-of-00001.tfrecord", Split.TRAIN),
        ("validation-00000-of-00001", Split.VAL),
        ("test/train.records", Split.TRAIN),
        ("trainval.record", Split.UNMARKED),
        ("train_test.record", Split.UNMARKED),
        ("cats.record", Split.UNMARKED),
    ],
)
def test_splits_are_in_the_names_of_files_or_folders(
    tmp_path: Path, path: str, split: Split
) -> None:
    put(tmp_path / path, PASCAL)
    assert formats.read(tmp_path).splits.tolist() == [split]


@pytest.mark.parametrize(
    ("shards", "missing"),
    [
        (["a.record-00000-of-00002", "a.record-00001-of-00002"], None),
        (["a.record-00000-of-00002"], "1 of its 2 shards are not here: a.record-00001-of-00002"),
        (
            ["t/a-00001-of-00006.tfrecord", "t/a-00003-of-00006.tfrecord"],
            "a-00004-of-00006.tfrecord and 1 more",
        ),
        (["a.record-00000-of-999999"], "999998 of its 999999 shards"),
    ],
)
def test_missing_shards_are_named(tmp_path: Path, shards: list[str], missing: str | None) -> None:
    for shard in shards:
        put(tmp_path / shard, PASCAL)
    for given_path in (tmp_path, tmp_path / shards[0]):
        findings = formats.read(given_path).findings
        if missing is None:
            assert findings == ()
        else:
            (finding,) = findings
            assert finding.code == "BW147"
            assert missing in finding.message


def test_an_empty_shard_is_not_missing(tmp_path: Path) -> None:
    put(tmp_path / "a.record-00000-of-00002", PASCAL)
    put(tmp_path / "a.record-00001-of-00002")
    assert formats.read(tmp_path).findings == ()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.record", None, True),
        ("A.TFRecord", None, True),
        ("a.tfrecords-00003-of-00010", None, True),
        ("train-00003-of-00010", None, True),
        ("only.data", None, True),
        ("a.record", b"\3\0\0\0\0\0\0\0damaged here", True),
        ("a.record", b"\3\0\0\0", True),
        ("a.tfrecord.gz", gzip.compress(PASCAL), True),
        ("a.record", b"a record of what was said\n", False),
        ("a.record", b"", False),
        ("a.csv", b"filename,width,height,class,xmin,ymin,xmax,ymax\n", False),
        ("a.json", b'{"images": []}', False),
        ("model.ckpt.data-00000-of-00001", bytes(1000), False),
        ("a.gz", gzip.compress(b"text"), False),
    ],
)
def test_detection(tmp_path: Path, name: str, content: bytes | None, expected: bool) -> None:
    path = put(tmp_path / name, PASCAL)
    if content is not None:
        path.write_bytes(content)
    assert tfrecord.detect(Folder.scan(tmp_path)) == expected
    assert tfrecord.detect(Folder.scan(path)) == expected


def test_records_of_another_suffix_are_not_looked_for_among_other_files(tmp_path: Path) -> None:
    path = put(tmp_path / "only.data", PASCAL)
    (tmp_path / "notes.txt").write_text("notes", encoding="utf-8")
    assert not tfrecord.detect(Folder.scan(tmp_path))
    assert len(formats.read(path)) == 1


@pytest.mark.parametrize(
    ("how", "compress", "remedy"),
    [("gzip", gzip.compress, "gunzip"), ("zlib", zlib.compress, "without compression")],
)
def test_compressed_files_are_refused_with_the_remedy(
    tmp_path: Path, how: str, compress: object, remedy: str
) -> None:
    path = put(tmp_path / "a.record", PASCAL)
    path.write_bytes(compress(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(DataError, match=rf"BW110.*compressed with {how}.*{remedy}"):
        formats.read(tmp_path)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (b"\xff\xff\xff", "is not a tf.train.Example"),
        (b"", "holds no photo"),
        (example(b"", **CAT), "holds no photo"),
        (example(**{**CAT, "xmax": []}), "incomplete: 1 xmin, 1 ymin, 0 xmax, 1 ymax"),
        (example(**{**CAT, "xmax": [float("nan")]}), "box 1 is .*nan"),
        (example(**{**CAT, "xmax": [float("inf")]}), "box 1 is .*inf"),
        (example(**{**CAT, "label": [float("nan")]}), "labels are .*nan"),
        (example(**{**CAT, "label": [1 << 62]}), "labels are .*46116"),
        (example(**CAT_BOX), "1 boxes have 0 class names and 0 labels"),
        (example(**CAT_BOX, text=["cat", "dog"]), "1 boxes have 2 class names and 0 labels"),
        (example(**CAT_BOX, text=[""]), "1 boxes have 1 class names and 0 labels"),
    ],
)
def test_records_that_cannot_be_used_are_named(tmp_path: Path, one: bytes, reason: str) -> None:
    put(tmp_path / "a.record", PASCAL, one, PASCAL)
    second = len(PASCAL) + 16
    with pytest.raises(DataError, match=rf"record 2: at byte {second}: .*{reason}") as caught:
        formats.read(tmp_path)
    assert caught.value.code == "BW110"
    dataset = formats.read(tmp_path, tolerant=True)
    assert (len(dataset), codes(dataset)) == (2, ["BW110"])


def test_records_before_damage_are_kept(tmp_path: Path) -> None:
    path = put(tmp_path / "a.record", PASCAL, PASCAL, PASCAL)
    content = path.read_bytes()
    path.write_bytes(content[: 2 * len(content) // 3 + 50])
    with pytest.raises(DataError, match=r"BW110.*record 3: at byte \d+: it claims \d+ bytes"):
        formats.read(tmp_path)
    assert len(formats.read(tmp_path, tolerant=True)) == 2


def test_a_file_of_damage_is_not_read_to_its_end(tmp_path: Path) -> None:
    put(tmp_path / "a.record", PASCAL, *[b""] * 5000)
    dataset = formats.read(tmp_path, tolerant=True)
    assert len(dataset) == 1
    assert len(dataset.findings) == 101
    assert "the rest is not read" in dataset.findings[-1].message


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(40, 30), (30, 30)])
def test_boxes_of_photos_that_exif_turns(
    tmp_path: Path, orientation: int, size: tuple[int, int]
) -> None:
    """TensorFlow decodes a photo as it is stored, so that is what boxes in records are of."""
    content = photo("JPEG", size, orientation)
    put(tmp_path / "a.record", example(content, width=size[0], height=size[1], **CAT))
    stored = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    expected = stored[size[1] // 2 :, size[0] // 4 : 3 * size[0] // 4]
    if size[0] == 30:  # a quarter of 30 is no whole pixel
        put(
            tmp_path / "a.record",
            example(content, xmin=[0.2], ymin=[0.5], xmax=[0.8], ymax=[1.0], text=["cat"]),
        )
        expected = stored[15:, 6:24]
    dataset = formats.read(tmp_path)
    left, top, right, bottom = dataset.boxes[0].astype(int)
    shown = read_photo(dataset.photo(0))[top:bottom, left:right]
    assert sorted(shown.reshape(-1, 3).tolist()) == sorted(expected.reshape(-1, 3).tolist())
    assert dataset.findings == ()
    formats.write(dataset, tmp_path / "again", "tfrecord")
    again = formats.read(tmp_path / "again")
    assert again.boxes.tolist() == dataset.boxes.tolist()
    assert again.findings == ()


def test_boxes_of_an_upright_size_are_of_the_upright_photo(tmp_path: Path) -> None:
    content = photo("JPEG", (40, 30), 6)
    put(tmp_path / "a.record", example(content, width=30, height=40, **CAT))
    assert formats.read(tmp_path).boxes.tolist() == [[7.5, 20, 22.5, 40]]


def voc(root: Path, count: int = 6) -> Dataset:
    """A folder of photos of three kinds, read as VOC."""
    photos = []
    for i in range(count):
        kind = ("JPEG", "PNG", "BMP")[i % 3]
        name = f"{('train', 'test')[i % 2]}/{i}.{kind.lower().replace('jpeg', 'jpg')}"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(photo(kind, (40 + i, 30)))
        boxes, names = [(1, 2, 30 + i, 29)], [("cat", "dog")[i // 2 % 2]]
        photos.append(DatasetPhoto(name, 40 + i, 30, boxes, names, [0], Split(2 * (i % 2))))
    return Dataset.of(root, photos)


def test_everything_works_from_a_record(tmp_path: Path) -> None:
    source = voc(tmp_path / "source")
    assert formats.write(source, tmp_path / "records", "tfrecord") == []
    assert sorted(path.name for path in (tmp_path / "records").iterdir()) == [
        "label_map.pbtxt",
        "test.record",
        "train.record",
    ]
    loaded = boxwright.load(tmp_path / "records")
    assert (len(loaded), loaded.findings) == (6, ())
    assert np.bincount(loaded.splits).tolist() == [3, 0, 3]
    cache = build_cache(loaded, 32)
    assert (len(cache), cache.findings) == (6, ())
    formats.write(loaded, tmp_path / "voc", "voc")
    back = formats.read(tmp_path / "voc", "voc")
    originals = {Path(name).name: (source.root / name).read_bytes() for name in source.names}
    for i, name in enumerate(back.names):
        assert photo_bytes(back.photo(i)) == originals[Path(name).name]
    assert sorted(back.boxes.tolist()) == sorted(source.boxes.tolist())


def test_large_splits_are_sharded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = voc(tmp_path / "source", 20)
    train = source.split("train")
    sizes = [(source.root / name).stat().st_size for name in train.names]
    monkeypatch.setattr(writer, "SHARD", sum(sizes) // 3)
    formats.write(train, tmp_path / "records", "tfrecord")
    shards = sorted(path.name for path in (tmp_path / "records").glob("*.record*"))
    assert shards == [f"train.record-{i:05}-of-00003" for i in range(3)]
    back = formats.read(tmp_path / "records")
    assert [Path(name).name for name in back.names] == [Path(name).name for name in train.names]
    assert back.findings == ()


def test_a_new_split_is_written_over_the_records_that_it_is_read_from(tmp_path: Path) -> None:
    formats.write(voc(tmp_path / "source"), tmp_path / "records", "tfrecord")
    before = formats.read(tmp_path / "records")
    swapped = Dataset(**{**vars(before), "splits": 2 - before.splits})
    formats.write(swapped, tmp_path / "records", "tfrecord")
    after = formats.read(tmp_path / "records")
    contents = {Path(n).name: photo_bytes(after.photo(i)) for i, n in enumerate(after.names)}
    source = {path.name: path.read_bytes() for path in (tmp_path / "source").glob("*/*")}
    assert contents == source
    marks = {Path(name).name: split for name, split in zip(after.names, after.splits, strict=True)}
    assert marks["0.jpg"] == Split.TEST
    assert marks["1.png"] == Split.TRAIN


def test_a_photo_that_is_gone_leaves_no_record(tmp_path: Path) -> None:
    source = voc(tmp_path / "source")
    (source.root / source.names[3]).unlink()
    with pytest.raises(DataError, match="BW101"):
        formats.write(source, tmp_path / "records", "tfrecord")
    assert list((tmp_path / "records").iterdir()) == []


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(photo("PNG"))
    made = Dataset.of(tmp_path, [DatasetPhoto("a.png", 40, 30, [(1, 1, 9, 9)], ["\ud800"], [0])])
    with pytest.raises(DataError, match="BW141"):
        formats.write(made, tmp_path / "records", "tfrecord")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(PASCAL) + 16), st.binary(max_size=12)), max_size=4),
    st.integers(0, len(PASCAL) + 16),
    st.booleans(),
)
def test_damage_is_told_in_a_sentence_or_harmless(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[int, bytes]],
    cut: int,
    sealed: bool,
) -> None:
    """Any bytes, with checksums that fit them or not: a data set or a DataError, and no more."""
    folder = tmp_path_factory.mktemp("mutated")
    content = PASCAL if sealed else put(folder / "a.record", PASCAL).read_bytes()
    for at, new in changes:
        content = content[:at] + new + content[at + len(new) :]
    content = content[: len(content) - cut // 4]
    if sealed:
        put(folder / "a.record", content)
    else:
        (folder / "a.record").write_bytes(content)
    tracemalloc.start()
    for tolerant in (False, True):
        with contextlib.suppress(DataError):
            formats.read(folder, "tfrecord", tolerant=tolerant)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20

"""Files of records: their names and shards, whose they are, and damage."""

from __future__ import annotations

import contextlib
import re
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tfrecord_samples import CAT, CAT_BOX, PASCAL, example, image, put

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats import FORMATS
from boxwright.formats.folder import Folder
from boxwright.formats.tfrecord.example import head_of_example, texts
from boxwright.images.decoding import read_image
from boxwright.images.files import image_bytes
from boxwright.structures.dataset import Split
from folders import codes, packed_gzip

pytestmark = pytest.mark.tiny


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
        ("trainval.record", Split.UNASSIGNED),
        ("train_test.record", Split.UNASSIGNED),
        ("cats.record", Split.UNASSIGNED),
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
        (["a.record-00000-of-00002"], "1 of 2 shards is missing: a.record-00001-of-00002"),
        (
            ["t/a-00001-of-00006.tfrecord", "t/a-00003-of-00006.tfrecord"],
            "a-00004-of-00006.tfrecord and 1 more",
        ),
        (["a.record-00000-of-999999"], "999998 of 999999 shards are"),
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


@pytest.mark.parametrize(
    "names",
    [
        ["records-00000-of-00003", "records-00001-of-00003", "records-00002-of-00003"],
        ["a.record-00000-of-00002", "a.record-00001-of-00002"],
        ["a-00000-of-00002.tfrecord", "a-00001-of-00002.tfrecord"],
    ],
)
def test_shards_are_one_data_set(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        put(tmp_path / name, PASCAL)
    digits = re.compile(r"\d+(?=-of-)")
    pattern = digits.sub("?????", names[0])
    for path in (tmp_path, tmp_path / pattern):
        assert len(formats.read(path)) == len(names), path
    assert len(formats.read(tmp_path / names[1])) == 1
    put(tmp_path / "other-00000-of-00001", PASCAL)
    put(tmp_path / digits.sub("00000", names[0]).replace("-of-0000", "-of-0001"), PASCAL)
    assert len(formats.read(tmp_path / pattern)) == len(names)
    with pytest.raises(DataError) as error:
        formats.read(tmp_path / f"no{pattern}")
    assert error.value.code == "BW115"


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
        ("a.tfrecord.gz", packed_gzip(PASCAL), True),
        ("a.record", b"a record of what was said\n", False),
        ("a.record", b"", False),
        ("a.csv", b"filename,width,height,class,xmin,ymin,xmax,ymax\n", False),
        ("a.json", b'{"images": []}', False),
        ("model.ckpt.data-00000-of-00001", bytes(1000), False),
        ("a.gz", packed_gzip(b"text"), False),
    ],
)
def test_detection(tmp_path: Path, name: str, content: bytes | None, expected: bool) -> None:
    path = put(tmp_path / name, PASCAL)
    if content is not None:
        path.write_bytes(content)
    assert FORMATS["tfrecord"].detect(Folder.scan(tmp_path)) == expected
    assert FORMATS["tfrecord"].detect(Folder.scan(path)) == expected


def test_records_of_another_suffix_are_not_looked_for_among_other_files(tmp_path: Path) -> None:
    path = put(tmp_path / "only.data", PASCAL)
    (tmp_path / "notes.txt").write_text("notes", encoding="utf-8")
    assert not FORMATS["tfrecord"].detect(Folder.scan(tmp_path))
    assert len(formats.read(path)) == 1


COMPRESSED = {
    "a.record": packed_gzip,
    "a.record.gz": packed_gzip,
    "train.tfrecord-00000-of-00001": zlib.compress,
    "a.tfrecords.zlib": lambda data: zlib.compress(data, 0),
    "two.record.gz": lambda data: packed_gzip(data[:50]) + packed_gzip(data[50:]),
}


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_files_are_read_as_plain_ones(tmp_path: Path, cache: Path, name: str) -> None:
    plain = put(tmp_path / "plain.record", PASCAL, example(image("PNG"), **CAT))
    packed = tmp_path / "packed" / name
    packed.parent.mkdir()
    packed.write_bytes(COMPRESSED[name](plain.read_bytes()))
    expected = formats.read(plain)
    for path in (packed, packed.parent, packed):  # the last one reuses the copy
        dataset = formats.read(path)
        assert dataset.names == tuple(
            image_name.replace("plain.record", name) for image_name in expected.names
        )
        assert (dataset.boxes == expected.boxes).all()
        for i in range(len(dataset)):
            assert image_bytes(dataset.image(i)) == image_bytes(expected.image(i))
            assert (read_image(dataset.image(i)) == read_image(expected.image(i))).all()
    assert [path.name.rpartition("-")[0] for path in (cache / "unpacked").glob("*-*")] == [name]


def test_a_compressed_file_of_any_name_is_read_if_it_is_given(tmp_path: Path, cache: Path) -> None:
    plain = put(tmp_path / "plain.record", PASCAL)
    for name in ("train.gz", "data-00000-of-00001", "photos.bin"):
        packed = tmp_path / "packed" / name
        packed.parent.mkdir(exist_ok=True)
        packed.write_bytes(packed_gzip(plain.read_bytes()))
        assert len(formats.read(packed)) == 1
        packed.unlink()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.json.gz", packed_gzip(b"{}" * 99), False),
        ("a.record.gz", packed_gzip(b"text " * 99), True),
        ("a.record.gz", packed_gzip(bytes(99)), True),
        ("a.record.gz", b"\x1f\x8b\x08\x00", True),
        ("a.gz", b"\x1f\x8b\x08\x00", False),
        ("a.record", b"", False),
    ],
)
def test_other_compressed_files_are_not_taken_for_records(
    tmp_path: Path, name: str, content: bytes, expected: bool
) -> None:
    (tmp_path / name).write_bytes(content)
    assert FORMATS["tfrecord"].detect(Folder.scan(tmp_path / name)) == expected


def test_a_compressed_file_beside_a_plain_one(tmp_path: Path, cache: Path) -> None:
    plain = put(tmp_path / "train.record", PASCAL)
    (tmp_path / "test.record.gz").write_bytes(packed_gzip(plain.read_bytes()))
    dataset = formats.read(tmp_path)
    assert len(dataset) == 2
    assert {Split(int(one)) for one in dataset.splits} == {Split.TRAIN, Split.TEST}
    formats.write(dataset, tmp_path / "out", "coco")
    assert len(formats.read(tmp_path / "out")) == 2


def test_a_replaced_file_is_read_anew(tmp_path: Path, cache: Path) -> None:
    path = put(tmp_path / "a.record", PASCAL)
    one = path.read_bytes()
    path.write_bytes(packed_gzip(one))
    assert len(formats.read(path)) == 1
    path.write_bytes(packed_gzip(one + one))
    assert len(formats.read(path)) == 2


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: packed_gzip(data)[:-20], "it is cut off"),
        (lambda data: zlib.compress(data)[:-20], "it is cut off"),
        (lambda data: zlib.compress(data)[:-4] + b"1234", "its content is damaged"),
        (lambda data: packed_gzip(data)[:-8] + b"12345678", "its content is damaged"),
        (lambda data: packed_gzip(data)[:10] + b"\xff" * 40, "its content is damaged"),
        (lambda _: packed_gzip(bytes(65 << 20)), "more than 100 times its own size"),
    ],
)
def test_damaged_compressed_files_are_refused(
    tmp_path: Path, cache: Path, damage: Callable[[bytes], bytes], reason: str
) -> None:
    path = put(tmp_path / "a.record", PASCAL)
    content = path.read_bytes()
    path.write_bytes(damage(content))
    with pytest.raises(DataError, match=rf"BW150 .*a.record: is compressed, and .*{reason}"):
        formats.read(tmp_path)
    put(tmp_path / "b.record", PASCAL)
    dataset = formats.read(tmp_path, tolerant=True)
    assert len(dataset) == 1
    assert codes(dataset) == ["BW150"]
    assert not list((cache / "unpacked").glob("*-*"))


TWO = head_of_example(texts(b"image/encoded", [image(), image()]), b"image/source_id", 0)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (b"\xff\xff\xff", "is not a tf.train.Example"),
        (b"", "contains no image"),
        (example(b"", **CAT), "contains no image"),
        (TWO, "contains 2 images"),
        (example(**{**CAT, "xmax": []}), "incomplete: 1 xmin, 1 ymin, 0 xmax, 1 ymax"),
        (example(**{**CAT, "xmax": [float("nan")]}), "box 1 is .*nan"),
        (example(**{**CAT, "xmax": [float("inf")]}), "box 1 is .*inf"),
        (example(**{**CAT, "label": [float("nan")]}), "labels are .*nan"),
        (example(**{**CAT, "label": [1 << 62]}), "labels are .*46116"),
        (example(**CAT_BOX), "1 box has 0 class names and 0 labels"),
        (example(**CAT_BOX, text=["cat", "dog"]), "1 box has 2 class names and 0 labels"),
        (example(**CAT_BOX, text=[""]), "1 box has 1 class name and 0 labels"),
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

    def read() -> None:
        for tolerant in (False, True):
            with contextlib.suppress(DataError):
                formats.read(folder, "tfrecord", tolerant=tolerant)

    read()  # what is imported at its first use is not of the file's making
    tracemalloc.start()
    read()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20

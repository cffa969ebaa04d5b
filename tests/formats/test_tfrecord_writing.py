"""Data sets written as records, and used from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tfrecord_samples import image

import boxwright
from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats.tfrecord import writer
from boxwright.images.files import image_bytes
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.training.cache import build_cache

pytestmark = pytest.mark.tiny


def voc(root: Path, count: int = 6) -> Dataset:
    """A folder of photos of three kinds, read as VOC."""
    images = []
    for i in range(count):
        kind = ("JPEG", "PNG", "BMP")[i % 3]
        name = f"{('train', 'test')[i % 2]}/{i}.{kind.lower().replace('jpeg', 'jpg')}"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(image(kind, (40 + i, 30)))
        boxes, names = [(1, 2, 30 + i, 29)], [("cat", "dog")[i // 2 % 2]]
        images.append(LabeledImage(name, 40 + i, 30, boxes, names, [0], Split(2 * (i % 2))))
    return Dataset.of(root, images)


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
        assert image_bytes(back.image(i)) == originals[Path(name).name]
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
    contents = {Path(n).name: image_bytes(after.image(i)) for i, n in enumerate(after.names)}
    source = {path.name: path.read_bytes() for path in (tmp_path / "source").glob("*/*")}
    assert contents == source
    marks = {Path(name).name: split for name, split in zip(after.names, after.splits, strict=True)}
    assert marks["0.jpg"] == Split.TEST
    assert marks["1.png"] == Split.TRAIN


def test_an_image_that_is_gone_leaves_no_record(tmp_path: Path) -> None:
    source = voc(tmp_path / "source")
    (source.root / source.names[3]).unlink()
    with pytest.raises(DataError, match="BW101"):
        formats.write(source, tmp_path / "records", "tfrecord")
    assert not list(tmp_path.glob("records/*"))


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(image("PNG"))
    made = Dataset.of(tmp_path, [LabeledImage("a.png", 40, 30, [(1, 1, 9, 9)], ["\ud800"], [0])])
    with pytest.raises(DataError, match="BW141"):
        formats.write(made, tmp_path / "records", "tfrecord")

"""TFRecord files as the Object Detection API's scripts and the tutorials write them.

TensorFlow itself is asked in test_tfrecord_tensorflow.py.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tfrecord_samples import (
    CAT,
    CAT_BOX,
    MAP,
    PASCAL,
    Values,
    example,
    image,
    packed_otherwise,
    put,
)

from boxwright import formats
from boxwright.errors import DataError
from boxwright.images.decoding import read_image
from boxwright.images.files import image_bytes
from boxwright.structures.dataset import CROWD, DIFFICULT, TRUNCATED, Split
from folders import codes

pytestmark = pytest.mark.tiny


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
    assert image_bytes(dataset.image(0)) == image()


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


@pytest.mark.parametrize(
    "features",
    [
        {"/bbox/xmins": [0.1], "/bbox/ymins": [0.1], "/bbox/names": ["cat"]},
        {"/boxes": [0.1, 0.2, 0.3, 0.4]},
        {"/objects/x_min": [0.1]},
        {"/x1": [0.1]},
        {"/image/class/label": [1]},
        {"/image/class/text": ["cat"]},
        {"/image/object/polygon": [0.1, 0.2, 0.3, 0.4]},
        {"/annotations": ["{}"]},
    ],
)
@pytest.mark.parametrize("beside", [(), (example(filename="b.jpg", **CAT),)], ids=["alone", "one"])
def test_other_keys_of_objects_are_no_background(
    tmp_path: Path, features: dict[str, Values], beside: tuple[bytes, ...]
) -> None:
    put(tmp_path / "a.record", *beside, example(filename="a.jpg", **features))
    with pytest.raises(DataError, match="image/object/bbox/xmin") as caught:
        formats.read(tmp_path)
    assert caught.value.code == "BW110"
    assert all(name.strip("/") in caught.value.message for name in features)
    assert not any("a.jpg" in name for name in formats.read(tmp_path, tolerant=True).names)


@pytest.mark.parametrize(
    "features",
    [
        {"key/sha256": ["ab"], "colorspace": ["RGB"], "channels": [3], "timestamp": [7]},
        {"/boxes": ()},
        {"/image/class/label": [1], "xmin": (), "ymin": (), "xmax": (), "ymax": ()},
    ],
)
def test_other_features_do_not_hide_that_there_is_no_object(
    tmp_path: Path, features: dict[str, Values]
) -> None:
    put(tmp_path / "a.record", example(filename="a.jpg", **features))
    assert formats.read(tmp_path).names == ("a.record/a.jpg",)


@pytest.mark.parametrize("lists", [{}, {**dict.fromkeys(CAT, ()), "difficult": ()}])
def test_images_that_show_nothing(tmp_path: Path, lists: dict[str, Values]) -> None:
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
    assert (finding.code, finding.images) == ("BW116", ("a.record/a.jpg",))
    assert dataset.classes == ("cat",)


def test_images_marked_as_another_kind_are_reported(tmp_path: Path) -> None:
    marked = [("jpeg", "JPEG"), ("jpg", "PNG"), ("JPEG", "PNG"), ("png", "PNG"), ("raw", "PNG")]
    put(
        tmp_path / "a.record",
        *[
            example(image(kind), filename=f"{i}.jpg", format=said)
            for i, (said, kind) in enumerate(marked)
        ],
    )
    (finding,) = formats.read(tmp_path).findings
    assert finding.code == "BW123"
    assert finding.images == ("a.record/1.jpg", "a.record/2.jpg")


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
def test_names_of_images_are_file_names(tmp_path: Path, stated: str | bytes, expected: str) -> None:
    put(tmp_path / "a.record", example(filename=stated, **CAT))
    assert formats.read(tmp_path).names == (f"a.record/{expected}",)


def test_names_of_images_are_unique(tmp_path: Path) -> None:
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
    tiny = image("PNG", (1, 1))
    put(tmp_path / "a.record", *[example(tiny, filename="a.png") for _ in range(3000)])
    assert len(set(formats.read(tmp_path).names)) == 3000


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(40, 30), (30, 30)])
def test_boxes_of_images_that_exif_turns(
    tmp_path: Path, orientation: int, size: tuple[int, int]
) -> None:
    """TensorFlow decodes a photo as it is stored, so that is what boxes in records are of."""
    content = image("JPEG", size, orientation)
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
    shown = read_image(dataset.image(0))[top:bottom, left:right]
    assert sorted(shown.reshape(-1, 3).tolist()) == sorted(expected.reshape(-1, 3).tolist())
    assert dataset.findings == ()
    formats.write(dataset, tmp_path / "again", "tfrecord")
    again = formats.read(tmp_path / "again")
    assert again.boxes.tolist() == dataset.boxes.tolist()
    assert again.findings == ()


def test_boxes_of_an_upright_size_are_of_the_upright_image(tmp_path: Path) -> None:
    content = image("JPEG", (40, 30), 6)
    put(tmp_path / "a.record", example(content, width=30, height=40, **CAT))
    assert formats.read(tmp_path).boxes.tolist() == [[7.5, 20, 22.5, 40]]

"""LabelMe: one JSON file per photo, with shapes of many kinds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.structures.dataset import (
    CROWD,
    DIFFICULT,
    OCCLUDED,
    TRUNCATED,
    Dataset,
    LabeledImage,
    Split,
)
from folders import VocFolder, codes

pytestmark = pytest.mark.tiny


def shape(points: Any, kind: str | None = "rectangle", label: Any = "cat", **more: Any) -> Any:
    return {"label": label, "points": points, "shape_type": kind, **more}


CAT = shape([[4, 6], [30, 40]])


def labelme(*shapes: Any, **more: Any) -> str:
    content = {
        "version": "5.4.1",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": "a.jpg",
        "imageData": None,
        "imageHeight": 48,
        "imageWidth": 64,
    }
    return json.dumps({**content, **more})


# ---- shapes ----


@pytest.mark.parametrize(
    ("one", "box"),
    [
        (shape([[4, 6], [30, 40]]), [4, 6, 30, 40]),
        (shape([[30, 40], [4, 6]]), [4, 6, 30, 40]),
        (shape([[30, 6], [4, 40]]), [4, 6, 30, 40]),
        (shape([[4, 6], [30, 6], [30, 40], [4, 40]]), [4, 6, 30, 40]),  # AnyLabeling's corners
        (shape([["4.5", 6], [30, 40]]), [4.5, 6, 30, 40]),
        (shape([[4, 20], [30, 6], [20, 40]], "polygon"), [4, 6, 30, 40]),
        (shape([[4, 20], [30, 6], [20, 40]], None), [4, 6, 30, 40]),  # before there were kinds
        (shape([[20, 20], [23, 24]], "circle"), [15, 15, 25, 25]),
        (shape([[30, 40], [4, 6]], "line"), [4, 6, 30, 40]),
        (shape([[4, 6], [9, 9], [30, 40]], "linestrip"), [4, 6, 30, 40]),
        (shape([[4, 6]], "point"), [4, 6, 4, 6]),
        (shape([[4, 6], [9, 9], [30, 40]], "points"), [4, 6, 30, 40]),
        (shape([[4, 6], [30, 40]], "mask", mask="iVBORw0KGgo"), [4, 6, 30, 40]),
        (shape([[17, 0], [34, 23], [17, 46], [0, 23]], "rotation"), [0, 0, 34, 46]),
    ],
)
def test_the_box_around_each_shape(voc_folder: VocFolder, one: Any, box: list[float]) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", labelme(one))
    dataset = formats.read(voc_folder.root)
    assert dataset.boxes.tolist() == [box]
    assert codes(dataset) == ([] if one["shape_type"] == "rectangle" else ["BW143"])


def test_shapes_are_counted_once(voc_folder: VocFolder) -> None:
    for name in "ab":
        voc_folder.image(f"{name}.jpg")
        polygon = shape([[1, 2], [3, 4], [5, 1]], "polygon")
        circle = shape([[20, 20], [23, 24]], "circle")
        voc_folder.text(f"{name}.json", labelme(polygon, polygon, circle, CAT))
    (finding,) = formats.read(voc_folder.root).findings
    assert finding.code == "BW143"
    assert "2 circle, 4 polygon" in finding.message


def test_parts_of_an_object_that_something_hides_are_one_box(voc_folder: VocFolder) -> None:
    left = shape([[0, 0], [10, 0], [5, 20]], "polygon", group_id=1)
    right = shape([[30, 10], [40, 10], [35, 30]], "polygon", group_id=1)
    other = shape([[50, 10], [60, 10], [55, 30]], "polygon", group_id=2)
    dog = shape([[1, 1], [2, 2], [3, 1]], "polygon", "dog", group_id=1)
    loose = shape([[7, 7], [8, 8], [9, 7]], "polygon", group_id=None)
    boxes = [shape([[i, 1], [i + 5, 9]], group_id=3) for i in (1, 20)]
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", labelme(left, other, dog, loose, loose, right, *boxes))
    dataset = formats.read(voc_folder.root)
    assert dataset.boxes.tolist() == [
        [0, 0, 40, 30],
        [50, 10, 60, 30],
        [1, 1, 3, 2],
        [7, 7, 9, 8],
        [7, 7, 9, 8],
        [1, 1, 6, 9],  # rectangles of one group are boxes of their own
        [20, 1, 25, 9],
    ]


@pytest.mark.parametrize(
    ("more", "flags"),
    [
        ({}, 0),
        ({"flags": {}}, 0),
        ({"flags": None}, 0),
        ({"flags": {"difficult": True, "occluded": True}}, DIFFICULT | OCCLUDED),
        ({"flags": {"difficult": False, "truncated": True}}, TRUNCATED),
        ({"flags": {"crowd": True, "truncated": True}}, CROWD | TRUNCATED),
        ({"flags": {"difficult": "no"}}, 0),
        ({"flags": {}, "difficult": True}, DIFFICULT),  # AnyLabeling
        ({"flags": {}, "difficult": False}, 0),
    ],
)
def test_flags(voc_folder: VocFolder, more: dict[str, Any], flags: int) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", labelme({**CAT, **more}))
    assert formats.read(voc_folder.root).flags.tolist() == [flags]


# ---- what is no class ----

POLYGON = [[40, 2], [60, 2], [50, 20]]


@pytest.mark.parametrize(
    ("label", "ignored"), [("__ignore__", [[40, 2, 60, 20]]), ("_background_", [])]
)
@pytest.mark.parametrize(("kind", "found"), [("polygon", ["BW143"]), ("rectangle", [])])
@pytest.mark.parametrize("text", ["__ignore__\n_background_\ndog\ncat\n", "dog\ncat\n"])
def test_regions_to_ignore_and_the_background_are_no_objects(
    voc_folder: VocFolder, label: str, ignored: list[list[float]], kind: str, found: Any, text: str
) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", labelme(shape(POLYGON, kind, label), CAT))
    voc_folder.text("labels.txt", text)
    dataset = formats.read(voc_folder.root)
    assert (dataset.classes, dataset.boxes.tolist()) == (("dog", "cat"), [[4, 6, 30, 40]])
    assert dataset.ignored.tolist() == ignored
    assert codes(dataset) == found


def test_an_image_with_only_regions_to_ignore_has_no_objects(voc_folder: VocFolder) -> None:
    voc_folder.pair("b")
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", labelme(shape(POLYGON, "polygon", "__ignore__")))
    dataset = formats.read(voc_folder.root, "labelme")
    assert (dataset.names, dataset.classes) == (("a.jpg",), ())
    assert dataset.ignored_in(0).tolist() == [[40, 2, 60, 20]]


# ---- photos ----


@pytest.mark.parametrize(
    ("annotation", "image_path", "image"),
    [
        ("a.json", "a.jpg", "a.jpg"),
        ("a.json", "renamed since.jpg", "a.jpg"),
        ("a.json", None, "a.jpg"),
        ("labels/a.json", "../images/a.jpg", "images/a.jpg"),
        ("labels\\a.json".replace("\\", "/"), "..\\images\\a.jpg", "images/a.jpg"),
        ("labels/a.json", "..\\..\\old place\\a.jpg", "images/a.jpg"),
        ("a.json", "../images/a.jpg", "a.jpg"),  # brought together since
        ("a.json", "C:\\Users\\me\\a.jpg", "a.jpg"),
        ("a.jpg.json", "a.jpg", "a.jpg"),
        ("0001.json", "a.jpg", "a.jpg"),
    ],
)
def test_an_annotation_finds_its_image(
    voc_folder: VocFolder, annotation: str, image_path: str | None, image: str
) -> None:
    voc_folder.image(image)
    voc_folder.text(annotation, labelme(CAT, imagePath=image_path))
    assert formats.read(voc_folder.root).names == (image,)


@pytest.mark.parametrize("image_path", ["../../gone.jpg", "..\\gone.jpg", "/etc/gone.jpg"])
def test_an_image_outside_of_the_folder_is_refused(voc_folder: VocFolder, image_path: str) -> None:
    voc_folder.image("b.jpg")
    voc_folder.text("a.json", labelme(imagePath=image_path))
    with pytest.raises(DataError) as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == "BW112"


@pytest.mark.parametrize(
    ("more", "box", "found"),
    [
        ({"imageHeight": 96, "imageWidth": 128}, [2, 3, 15, 20], ["BW108"]),
        ({"imageHeight": None, "imageWidth": None}, [4, 6, 30, 40], ["BW139"]),
        ({"imageHeight": "tall", "imageWidth": 64}, [4, 6, 30, 40], ["BW139"]),
    ],
)
def test_the_size_may_be_missing(
    voc_folder: VocFolder, more: dict[str, Any], box: list[float], found: list[str]
) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", labelme(CAT, **more))
    dataset = formats.read(voc_folder.root)
    assert (dataset.boxes.tolist(), codes(dataset)) == ([box], found)


def test_the_size_may_have_no_place(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", '{"shapes": [], "imagePath": "a.jpg", "imageData": null}')
    dataset = formats.read(voc_folder.root)
    assert (dataset.names, len(dataset.boxes), codes(dataset)) == (("a.jpg",), 0, [])


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("__ignore__\n_background_\ndog\ncat\nox\n", ("dog", "cat", "ox")),
        ("\ufeffdog\r\ncat\r\n".replace("\r", ""), ("dog", "cat")),
        ("dog\n", ("cat",)),  # does not know the cat: it is a list of something else
        ("0 cat\n1 dog\n", ("cat",)),
    ],
)
def test_labels_txt_gives_the_classes(
    voc_folder: VocFolder, text: str, classes: tuple[str, ...]
) -> None:
    voc_folder.image("images/a.jpg")
    voc_folder.text("images/a.json", labelme(CAT))
    voc_folder.text("labels.txt", text)
    assert formats.read(voc_folder.root, "labelme").classes == classes


# ---- damage ----


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (labelme(CAT, shape([[1, 2], [3, 4]], label=" ")), "shapes[1]", "no class name"),
        (labelme(shape([[1, 2], [3, 4]], label=None)), "shapes[0]", "no class name"),
        (labelme(shape([[1, 2]])), "shapes[0]", "one corner"),
        (labelme(shape([])), "shapes[0].points", "not a list of points"),
        (labelme(shape(None)), "shapes[0].points", "is missing"),
        (labelme(shape("1,2,3,4")), "shapes[0].points", "not a list of points"),
        (labelme(shape([[1, 2], [3]])), "shapes[0].points[1]", "y is missing"),
        (labelme(shape([[1, 2], 3])), "shapes[0].points[1]", "is 3, not an object"),
        (labelme(shape([[1, 2], [3, "low"]])), "shapes[0].points[1]", "y is 'low'"),
        (labelme(shape([[1, 2], [3, float("inf")]])), "shapes[0].points[1]", "y is inf"),
        (labelme(shape([[1, 2]], "circle")), "shapes[0]", "circle"),
        (labelme("cat"), "shapes[0]", "is 'cat', not an object"),
        (labelme(shapes=None), "shapes", "is missing"),
        (labelme(shapes={"0": CAT}), "shapes", "an object, not a list"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(
    voc_folder: VocFolder, text: str, where: str, message: str
) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", text)
    with pytest.raises(DataError, match=message) as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == "BW110"
    assert caught.value.where == str(voc_folder.root / f"a.json, {where}")


# ---- writing ----


def test_written_as_labelme_saves_it(voc_folder: VocFolder, tmp_path: Path) -> None:
    voc_folder.image("sub/a.jpg")
    image = LabeledImage("sub/a.jpg", 64, 48, [(1.5, 2, 20.3, 40)], ["dog"], [DIFFICULT | CROWD])
    formats.write(Dataset.of(voc_folder.root, [image], ["dog", "cat"]), tmp_path / "out", "labelme")
    content = json.loads((tmp_path / "out/images/sub/a.json").read_text(encoding="utf-8"))
    assert content["imagePath"] == "a.jpg"
    assert (content["imageWidth"], content["imageHeight"]) == (64, 48)
    assert content["imageData"] is None
    (one,) = content["shapes"]
    assert one["points"] == [[1.5, 2], [20.3, 40]]
    assert one["shape_type"] == "rectangle"
    assert one["flags"] == {"difficult": True, "crowd": True}
    assert (tmp_path / "out/labels.txt").read_text(encoding="utf-8") == "dog\ncat\n"


def test_images_that_lie_in_the_target_keep_split_and_annotation(voc_folder: VocFolder) -> None:
    images = []
    marked = [("test/a.jpg", Split.TEST), ("x/b.jpg", Split.TRAIN), ("x/b.png", Split.VAL)]
    for i, (name, split) in enumerate(marked):
        voc_folder.image(name)
        images.append(LabeledImage(name, 64, 48, [(1, 2, 30 + i, 4)], ["cat"], [0], split))
    dataset = Dataset.of(voc_folder.root, images, ["cat"])
    formats.write(dataset, voc_folder.root, "labelme")
    files = sorted(
        p.relative_to(voc_folder.root).as_posix() for p in Path(voc_folder.root).rglob("*.json")
    )
    assert files == ["test/a.json", "train/x/b.jpg.json", "valid/x/b.png.json"]
    back = formats.read(voc_folder.root)
    assert back.names == dataset.names
    assert back.fingerprint() == dataset.fingerprint()
    assert back.findings == ()


@pytest.mark.parametrize(
    ("name", "reason"), [("c\nt", "line break"), ("__ignore__", "none of a class")]
)
def test_a_class_name_that_the_list_cannot_hold_is_refused(
    voc_folder: VocFolder, name: str, reason: str
) -> None:
    voc_folder.image("a.jpg")
    dataset = Dataset.of(voc_folder.root, [LabeledImage("a.jpg", 64, 48, [(1, 2, 3, 4)], [name])])
    with pytest.raises(DataError, match=reason) as caught:
        formats.write(dataset, voc_folder.root, "labelme")
    assert caught.value.code == "BW141"

"""Label Studio: tasks in percent, photos by URL, several annotations of one task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from folders import MOVED, VocFolder, codes

pytestmark = pytest.mark.tiny

IMAGE = (100, 50)  # so that a percent is a pixel across and half a pixel down


def result(value: dict[str, Any], kind: str = "rectanglelabels", **more: Any) -> dict[str, Any]:
    named = value if any(key.endswith("labels") for key in value) else {**value, kind: ["cat"]}
    sizes = {"original_width": 100, "original_height": 50, "image_rotation": 0}
    region = {"id": "r1", "from_name": "label", "to_name": "image", "type": kind}
    return {**sizes, **region, "value": named, **more}


def rectangle(x: Any = 20, y: Any = 20, width: Any = 30, height: Any = 20, **more: Any) -> Any:
    return result({"x": x, "y": y, "width": width, "height": height, **more})


def task(*results: Any, image: Any = "/data/upload/3/8a1f03bc-a.jpg", **more: Any) -> Any:
    annotation = {"id": 1, "result": list(results), "was_cancelled": False}
    return {"id": 1, "data": {"image": image}, "annotations": [annotation], **more}


def read(voc_folder: VocFolder, *tasks: Any) -> Dataset:
    voc_folder.image("a.jpg", IMAGE)
    voc_folder.text("export.json", json.dumps(tasks))
    return formats.read(voc_folder.root)


# ---- shapes ----


@pytest.mark.parametrize(
    ("one", "box"),
    [
        (rectangle(), [20, 10, 50, 20]),
        (rectangle(rotation=0), [20, 10, 50, 20]),
        (rectangle(rotation=90), [10, 10, 20, 40]),  # issue 2293 of Label Studio
        (rectangle(rotation=180), [-10, 0, 20, 10]),
        (rectangle(rotation=270), [20, -20, 30, 10]),
        (rectangle(10, 50, 10, 20, rotation=45), [10 - 50**0.5, 25, 10 + 50**0.5, 25 + 200**0.5]),
        (
            result({"points": [[20, 20], [50, 30], [40, 40]]}, "polygonlabels"),
            [20, 10, 50, 20],
        ),
        (
            result({"x": 40, "y": 40, "radiusX": 10, "radiusY": 10}, "ellipselabels"),
            [30, 15, 50, 25],
        ),
        (
            result(
                {"x": 40, "y": 40, "radiusX": 10, "radiusY": 10, "rotation": 90}, "ellipselabels"
            ),
            [35, 10, 45, 30],
        ),
        (result({"x": 40, "y": 40, "width": 0.5}, "keypointlabels"), [40, 20, 40, 20]),
    ],
)
def test_the_box_around_each_shape(voc_folder: VocFolder, one: Any, box: list[float]) -> None:
    dataset = read(voc_folder, task(one))
    assert dataset.boxes[0].tolist() == pytest.approx(box, abs=1e-4)
    is_box = one["type"] == "rectanglelabels" and not one["value"].get("rotation")
    assert codes(dataset) == ["BW143"] * (not is_box) + [MOVED]


def test_shapes_are_counted_once(voc_folder: VocFolder) -> None:
    turned = rectangle(rotation=5)
    polygon = result({"points": [[20, 20], [50, 30]]}, "polygonlabels")
    finding, _ = read(voc_folder, task(turned, polygon, polygon, rectangle())).findings
    assert finding.code == "BW143"
    assert "2 polygons, 1 rotated rectangles" in finding.message


@pytest.mark.parametrize("image_rotation", [90, 180, 270])
def test_turning_the_image_in_the_tool_changes_nothing(
    voc_folder: VocFolder, image_rotation: int
) -> None:
    dataset = read(voc_folder, task({**rectangle(), "image_rotation": image_rotation}))
    assert dataset.boxes.tolist() == [[20, 10, 50, 20]]


def test_several_labels_are_a_box_each(voc_folder: VocFolder) -> None:
    dataset = read(voc_folder, task(rectangle(rectanglelabels=["cat", "pet"])))
    assert [dataset.classes[i] for i in dataset.labels] == ["cat", "pet"]
    assert dataset.boxes.tolist() == [[20, 10, 50, 20]] * 2


def test_a_rectangle_and_its_label_and_its_text_are_one_box(voc_folder: VocFolder) -> None:
    place = {"x": 20, "y": 20, "width": 30, "height": 20, "rotation": 0}
    bare = {**rectangle(), "value": place, "type": "rectangle"}
    labels = result({**place, "labels": ["cat"]}, "labels")
    text = {**rectangle(), "value": {**place, "text": ["tabby"]}, "type": "textarea"}
    image = {"id": "c", "type": "choices", "value": {"choices": ["indoors"]}}
    relation = {"type": "relation", "from_id": "r1", "to_id": "r2", "direction": "right"}
    dataset = read(voc_folder, task(bare, labels, text, image, relation))
    assert dataset.boxes.tolist() == [[20, 10, 50, 20]]


# ---- whose annotation ----


def annotation(x: int, *, cancelled: bool = False) -> dict[str, Any]:
    return {"id": x, "result": [rectangle(x)], "was_cancelled": cancelled}


@pytest.mark.parametrize(
    ("annotations", "left"),
    [
        ([annotation(10)], 10),
        ([annotation(10), annotation(20)], 20),
        ([annotation(10), annotation(20, cancelled=True)], 10),
        ([annotation(10), {"id": 2, "result": []}], None),  # the last one says: nothing there
    ],
)
def test_the_last_annotation_that_was_not_cancelled(
    voc_folder: VocFolder, annotations: list[Any], left: int | None
) -> None:
    dataset = read(voc_folder, task(annotations=annotations))
    assert dataset.names == ("a.jpg",)
    assert dataset.boxes[:, 0].tolist() == ([] if left is None else [left])


@pytest.mark.parametrize(
    "annotations",
    [[], None, [annotation(10, cancelled=True)], [{**annotation(1), "was_cancelled": 1}]],
)
def test_a_task_that_nobody_finished_is_not_labeled(
    voc_folder: VocFolder, annotations: Any
) -> None:
    voc_folder.image("b.jpg", IMAGE)
    predictions = [{"model_version": "1", "score": 0.9, "result": [rectangle()]}]
    waiting = task(annotations=annotations, predictions=predictions)
    dataset = read(voc_folder, task(rectangle(), image="b.jpg"), waiting)
    assert dataset.names == ("b.jpg",)
    assert codes(dataset) == (["BW159", "BW109"] if annotations else ["BW109"])


def test_json_min_with_a_row_for_each_annotation(voc_folder: VocFolder) -> None:
    sizes = {"original_width": 100, "original_height": 50}
    rows = [
        {
            "image": "/data/upload/3/8a1f03bc-a.jpg",
            "id": 5,
            "label": [
                {"x": x, "y": 20, "width": 30, "height": 20, "rectanglelabels": ["cat"], **sizes}
            ],
            "shape": [{"points": [[2, 2], [4, 8]], "polygonlabels": ["dog"], **sizes}],
            "weather": "rain",
            "annotator": 1,
            "annotation_id": x,
        }
        for x in (10, 20)
    ]
    dataset = read(voc_folder, *rows)
    assert dataset.boxes.tolist() == [[20, 10, 50, 20], [2, 1, 4, 4]]


# ---- photos ----


@pytest.mark.parametrize(
    ("url", "image"),
    [
        ("/data/upload/3/8a1f03bc-a.jpg", "a.jpg"),
        ("/data/upload/3/8a1f03bc-a.jpg", "8a1f03bc-a.jpg"),  # the upload folder itself
        ("/data/upload/8a1f03bc-my_photo_1.jpg", "my photo (1).jpg"),  # as uploads are renamed
        ("/data/upload/3/8a1f03bc-W%C3%A4sche.jpg", "Wäsche.jpg"),
        ("/data/local-files/?d=sub/a.jpg", "sub/a.jpg"),
        ("/data/local-files/?d=home%2Fme%2Fsub%2Fmy%20pets.jpg", "sub/my pets.jpg"),
        ("/data/local-files/?d=sub\\a.jpg", "sub/a.jpg"),
        ("s3://bucket/sub/a.jpg", "sub/a.jpg"),
        ("gs://bucket/a.jpg", "a.jpg"),
        ("https://example.com/x/a.jpg?sp=r&sig=zYQ1Yf%2Fv9", "a.jpg"),
        ("http://localhost:8080/data/upload/a.jpg", "a.jpg"),
        ("100%25.jpg", "100%.jpg"),
        ("100%25.jpg", "100%25.jpg"),
        ("a.jpg", "a.jpg"),
    ],
)
def test_a_url_finds_its_image(voc_folder: VocFolder, url: str, image: str) -> None:
    voc_folder.image(image, IMAGE)
    voc_folder.text("export.json", json.dumps([task(rectangle(), image=url)]))
    assert formats.read(voc_folder.root).names == (image,)


def test_the_image_may_be_under_any_key(voc_folder: VocFolder) -> None:
    one = {**task(rectangle()), "data": {"title": "Cat", "weight": 3, "ocr": "/data/a.jpg"}}
    assert read(voc_folder, one).names == ("a.jpg",)


@pytest.mark.parametrize(
    ("size", "box", "found"),
    [
        ((200, 100), [20, 10, 50, 20], [MOVED, "BW108"]),  # the photo was made smaller since
        ((0, 0), [20, 10, 50, 20], [MOVED]),
        ((None, None), [20, 10, 50, 20], [MOVED]),
    ],
)
def test_percents_need_no_size(
    voc_folder: VocFolder, size: tuple[Any, Any], box: list[float], found: list[str]
) -> None:
    stated = dict(zip(("original_width", "original_height"), size, strict=True))
    dataset = read(voc_folder, task({**rectangle(), **stated}))
    assert dataset.boxes[0].tolist() == pytest.approx(box)
    assert codes(dataset) == found


@pytest.mark.parametrize(
    ("stated", "box"),
    [
        ((50, 100), [10, 20, 25, 40]),  # a browser that minds EXIF, as all do since 2020
        ((100, 50), [30, 20, 40, 50]),  # one that does not: the boxes turn with the photo
    ],
)
def test_the_size_shows_whether_exif_was_minded(
    voc_folder: VocFolder, stated: tuple[int, int], box: list[float]
) -> None:
    voc_folder.image("a.jpg", IMAGE, orientation=6)
    sizes = dict(zip(("original_width", "original_height"), stated, strict=True))
    voc_folder.text("export.json", json.dumps([task({**rectangle(), **sizes})]))
    dataset = formats.read(voc_folder.root)
    assert dataset.sizes.tolist() == [[50, 100]]
    assert dataset.boxes[0].tolist() == pytest.approx(box)


# ---- damage ----


def value(**more: Any) -> dict[str, Any]:
    return {"x": 20, "y": 20, "width": 30, "height": 20, "rectanglelabels": ["cat"], **more}


FIRST = "[0].annotations[0].result[0]"


@pytest.mark.parametrize(
    ("one", "where", "message"),
    [
        (task(result(value(x="left"))), FIRST, "x is 'left'"),
        (task(result(value(width=None))), FIRST, "width is missing"),
        (task(result(value(rotation=float("nan")))), FIRST, "rotation is nan"),
        (task(result(value(rectanglelabels=[]))), FIRST, "no class name"),
        (task(result(value(rectanglelabels=[" "]))), FIRST, "no class name"),
        (task(result({"points": "x"}, "polygonlabels")), f"{FIRST}.points", "list of points"),
        (task(result({"points": [[1]]}, "polygonlabels")), f"{FIRST}.points[0]", "y is missing"),
        (task(result({"format": "rle", "rle": [0, 1]}, "brushlabels")), FIRST, "brush"),
        (
            task({**rectangle(rotation=9), "original_width": None, "original_height": None}),
            FIRST,
            "size of its image is missing",
        ),
        (task(annotations=[{"id": 1}]), "[0].annotations[0].result", "is missing"),
        (task(annotations=[{"result": ["x"]}]), FIRST, "is 'x', not an object"),
        (task(annotations={"id": 1}), "[0].annotations", "an object, not a list"),
        (task(rectangle(), image=None), "[0]", "names no image"),
        (task(rectangle(), image="data:image/jpeg;base64,/9j/4AAQ"), "[0]", "names no image"),
        ("task", "[0]", "is 'task', not a task"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(
    voc_folder: VocFolder, one: Any, where: str, message: str
) -> None:
    voc_folder.image("b.jpg")
    voc_folder.image("a.jpg", IMAGE)
    sound = task(rectangle(), image="b.jpg")
    voc_folder.text("export.json", json.dumps([one, sound]))
    with pytest.raises(DataError, match=message) as caught:
        formats.read(voc_folder.root, "labelstudio")
    assert caught.value.code == "BW110"
    assert caught.value.where == str(voc_folder.root / f"export.json, {where}")


def test_no_image_outside_of_the_folder(voc_folder: VocFolder) -> None:
    with pytest.raises(DataError, match="is outside of") as caught:
        read(voc_folder, task(rectangle(), image="/data/local-files/?d=../../x/gone.jpg"))
    assert caught.value.code == "BW112"


# ---- writing ----


def test_written_for_import(voc_folder: VocFolder, tmp_path: Path) -> None:
    name = "50% & more/a #1.jpg"
    voc_folder.image(name, IMAGE)
    image = LabeledImage(name, *IMAGE, [(20, 10, 50, 20)], ["dog"], [0], Split.TEST)
    formats.write(Dataset.of(voc_folder.root, [image]), tmp_path / "out", "labelstudio")
    (one,) = json.loads((tmp_path / "out/test/tasks.json").read_text(encoding="utf-8"))
    assert one["data"] == {"image": "/data/local-files/?d=test/50%25%20%26%20more/a%20%231.jpg"}
    ((region,),) = [annotation["result"] for annotation in one["annotations"]]
    assert region["value"] == {
        "x": 20,
        "y": 20,
        "width": 30,
        "height": 20,
        "rotation": 0,
        "rectanglelabels": ["dog"],
    }
    assert (region["original_width"], region["original_height"]) == IMAGE
    assert region["type"] == "rectanglelabels"
    assert formats.read(tmp_path / "out").names == (f"test/{name}",)

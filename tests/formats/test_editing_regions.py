"""Edits of what VGG Image Annotator and Label Studio have drawn, beside plain boxes."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxwright.errors import DataError
from boxwright.studio.store import LabeledBox, Labels, LabelStore

NEW = LabeledBox("new", (1.0, 2.0, 20.0, 30.0), "dog")
MOVED = (2.0, 3.0, 12.0, 23.0)


def put(root: Path, file: str, content: object) -> Path:
    for name in ("a.jpg", "b.jpg"):
        Image.new("L", (64, 48)).save(root / name)
    (root / file).write_text(json.dumps(content), encoding="utf-8")
    return root


def edited(root: Path, *edits: tuple[int, dict[str, Any]] | LabeledBox, index: int = 0) -> Any:
    """The content of the file after an edit of an image: changed old boxes, and new ones."""
    with closing(LabelStore.open(root)) as store:
        labels = store.read(index)
        boxes = tuple(
            one if isinstance(one, LabeledBox) else replace(labels.boxes[one[0]], **one[1])
            for one in edits
        )
        after = store.write(index, Labels(boxes, False, ""), labels.etag)
        assert [(one.label, one.box) for one in after.boxes] == [
            (one.label, one.box) for one in boxes
        ]
    (file,) = root.glob("*.json")
    return json.loads(file.read_text("utf-8"))


def via(*regions: dict[str, Any], numbered: bool = False) -> dict[str, Any]:
    listed = {str(i): one for i, one in enumerate(regions)} if numbered else list(regions)
    image = {"filename": "a.jpg", "size": 1, "regions": listed, "file_attributes": {}}
    return {"a.jpg1": image}


def region(value: object, **shape: Any) -> dict[str, Any]:
    shape = shape or {"name": "rect", "x": 4, "y": 6, "width": 26, "height": 34}
    return {"shape_attributes": shape, "region_attributes": {"kind": value}}


def test_regions_of_version_1_stay_numbered(tmp_path: Path) -> None:
    root = put(tmp_path, "via.json", via(region("cat"), region("dog"), numbered=True))
    (image,) = edited(root, (1, {}), NEW).values()
    assert list(image["regions"]) == ["0", "1"]
    assert image["regions"]["0"] == region("dog")
    assert image["regions"]["1"]["region_attributes"] == {"kind": "dog"}


def test_a_polygon_that_is_moved_becomes_a_box(tmp_path: Path) -> None:
    polygon = {"name": "polygon", "all_points_x": [4, 30, 4], "all_points_y": [6, 40, 40]}
    root = put(tmp_path, "via.json", via(region("cat", **polygon), region("dog", **polygon)))
    (image,) = edited(root, (0, {"label": "owl"}), (1, {"box": MOVED})).values()
    assert image["regions"] == [
        region("owl", **polygon),
        region("dog", name="rect", x=2, y=3, width=10, height=20),
    ]


def test_a_region_with_several_classes_becomes_one_for_each(tmp_path: Path) -> None:
    both = region({"cat": True, "dog": True, "owl": False})
    root = put(tmp_path, "via.json", via(both, region({"owl": True})))
    (image,) = edited(root, (0, {}), (1, {})).values()
    assert image["regions"] == [both]
    (image,) = edited(root, (0, {}), (1, {"label": "elk"})).values()
    assert image["regions"] == [region({"cat": True}), region({"elk": True})]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "via.csv",
            "filename,region_shape_attributes,region_attributes\n"
            'a.jpg,"{""name"":""rect"",""x"":1,""y"":2,""width"":9,""height"":9}",'
            '"{""kind"":""cat""}"\n',
            "as CSV",
        ),
        (
            "via.json",
            json.dumps(via({**region("cat"), "region_attributes": {}})),
            "no attribute that is the class",
        ),
        (
            "tasks.json",
            json.dumps([{"id": 1, "image": "/a.jpg", "label": [{"x": 1, "y": 2, "width": 9,
              "height": 9, "rectanglelabels": ["cat"], "original_width": 64,
              "original_height": 48}]}]),
            "JSON-MIN",
        ),
        (
            "tasks.json",
            json.dumps([{"data": {"left": "/x/a.jpg", "right": "/x/b.jpg"},
              "annotations": [{"result": [{"id": "r", "to_name": "left", "value": {
              "x": 1, "y": 2, "width": 9, "height": 9, "rectanglelabels": ["cat"]}}]}]}]),
            "several images",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_edited_says_so(file: str, text: str, message: str, tmp_path: Path) -> None:
    put(tmp_path, "unused.json", {}).joinpath("unused.json").unlink()
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message) as refused:
        LabelStore.open(tmp_path, format="via" if "via" in file else "labelstudio")
    assert refused.value.code == "BW179"


def result(key: str, label: str, **more: Any) -> dict[str, Any]:
    value = {"x": 6.25, "y": 12.5, "width": 40.625, "height": 50.0, "rotation": 0}
    sizes = {"original_width": 64, "original_height": 48}
    return {"id": key, "type": "rectanglelabels", "from_name": "tag", "to_name": "img", **sizes,
            "value": {**value, "rectanglelabels": [label]}, **more}  # fmt: skip


def task(name: str, *results: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"photo": f"/data/upload/7/{name}"}, "annotations": [{"result": [*results]}]}


def test_what_repeats_a_region_follows_it(tmp_path: Path) -> None:
    cat, dog = result("r1", "cat"), result("r2", "dog")
    shape = {key: one for key, one in cat["value"].items() if key != "rectanglelabels"}
    twin = {"id": "r1", "type": "rectangle", "from_name": "r", "to_name": "img", "value": shape}
    relation = {"type": "relation", "from_id": "r1", "to_id": "r2", "direction": "right"}
    root = put(tmp_path, "tasks.json", [task("0a1b2c3d-a.jpg", cat, twin, dog, relation)])
    after = edited(root, (0, {"box": MOVED}), (1, {}))[0]["annotations"][0]["result"]
    kinds = ["rectanglelabels", "rectangle", "rectanglelabels", "relation"]
    assert [one["type"] for one in after] == kinds
    moved = {"x": 3.125, "y": 6.25, "width": 15.625, "height": 100 * 20 / 48, "rotation": 0}
    assert after[1]["value"] == moved
    assert after[0]["value"] == {**moved, "rectanglelabels": ["cat"]}
    after = edited(root, (0, {}))[0]["annotations"][0]["result"]
    assert [one["id"] for one in after] == ["r1", "r1"]


def test_an_uploaded_image_without_annotation_keeps_its_task(tmp_path: Path) -> None:
    waiting = {"data": {"photo": "/data/upload/7/4e5f6a7b-b.jpg"}, "annotations": []}
    tasks = [task("0a1b2c3d-a.jpg", result("r1", "cat")), {**waiting, "mine": 1}]
    root = put(tmp_path, "tasks.json", tasks)
    after = edited(root, NEW, index=1)
    assert len(after) == 2
    assert after[1].items() >= {"data": waiting["data"], "mine": 1}.items()
    (one,) = after[1]["annotations"][0]["result"]
    assert (one["from_name"], one["to_name"]) == ("tag", "img")
    assert (one["original_width"], one["original_height"]) == (64, 48)


def test_a_region_with_several_labels_becomes_one_for_each(tmp_path: Path) -> None:
    both = result("r1", "cat")
    both["value"]["rectanglelabels"] = ["cat", "dog"]
    root = put(tmp_path, "tasks.json", [task("0a1b2c3d-a.jpg", both)])
    assert edited(root, (0, {}), (1, {}))[0]["annotations"][0]["result"] == [both]
    first, second = edited(root, (0, {}), (1, {"label": "elk"}))[0]["annotations"][0]["result"]
    assert (first["id"], first["value"]["rectanglelabels"]) == ("r1", ["cat"])
    assert second["id"] != "r1"
    assert second["value"] == {**both["value"], "rectanglelabels": ["elk"]}


def test_an_ellipse_that_is_moved_becomes_a_box(tmp_path: Path) -> None:
    ellipse = {"x": 50, "y": 50, "radiusX": 25, "radiusY": 25, "rotation": 0}
    drawn = {**result("r1", "cat"), "type": "ellipselabels"}
    drawn["value"] = {**ellipse, "ellipselabels": ["cat"]}
    root = put(tmp_path, "tasks.json", [task("0a1b2c3d-a.jpg", drawn, result("r2", "dog"))])
    after = edited(root, (0, {"box": MOVED}), (1, {}))[0]["annotations"][0]["result"][0]
    assert after["type"] == "rectanglelabels"
    assert "radiusX" not in after["value"]
    assert after["value"]["rectanglelabels"] == ["cat"]

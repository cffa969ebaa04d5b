"""COCO files that cannot be used, or not as a whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from coco_samples import CATEGORIES, annotation, coco, image

from boxwright import formats
from boxwright.errors import DataError
from folders import VocFolder, codes

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("change", "where", "message"),
    [
        ({"annotations": [annotation(99)]}, "annotations[0]", "image_id is 99"),
        ({"annotations": [annotation(1), {"category_id": 1}]}, "annotations[1]", "is missing"),
        ({"annotations": [annotation(1, bbox=[1, 2, 3])]}, "annotations[0]", "four numbers"),
        ({"annotations": [annotation(1, bbox="1,2,3,4")]}, "annotations[0]", "four numbers"),
        (
            {"annotations": [annotation(1, bbox=[1, 2, float("nan"), 4])]},
            "annotations[0].bbox",
            "width is nan",
        ),
        (
            {"annotations": [annotation(1, bbox=[1, 2, 3, 10**400])]},
            "annotations[0].bbox",
            "height is 1000",
        ),
        (
            {"annotations": [annotation(1, bbox=[1, 2, None, 4])]},
            "annotations[0].bbox",
            "width is missing",
        ),
        (
            {"annotations": [annotation(1, bbox=[])]},
            "annotations[0].segmentation",
            "there is no bbox",
        ),
        (
            {"annotations": [annotation(1, bbox=None, segmentation={"size": [4, 4]})]},
            "annotations[0].segmentation",
            "counts",
        ),
        (
            {"annotations": [annotation(1, bbox=None, segmentation=[[1, "x"]])]},
            "annotations[0].segmentation[0]",
            "y is 'x'",
        ),
        ({"annotations": [7]}, "annotations[0]", "is 7, not an object"),
        ({"annotations": {}}, "annotations", "an object, not a list"),
        ({"annotations": None}, "annotations", "is missing"),
        ({"categories": None}, "categories", "is missing"),
        ({"categories": [{"id": 1}]}, "categories[0]", "no class name"),
        ({"categories": [{"id": None, "name": "cat"}]}, "categories[0]", "id of 'cat'"),
        (
            {"categories": [*CATEGORIES, {"id": 2, "name": "ox"}]},
            "categories[2]",
            "'ox' has the id of 'dog'",
        ),
        ({"images": [{"id": 1}]}, "images[0]", "file_name is missing"),
        ({"images": [{"file_name": "a.jpg"}]}, "images[0]", "its id is missing"),
        (
            {"images": [image(1, "a.jpg"), image(1, "b.jpg")]},
            "images[1]",
            "'b.jpg' has the id of 'a.jpg'",
        ),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(
    voc_folder: VocFolder, change: dict[str, Any], where: str, message: str
) -> None:
    for name in ("a.jpg", "b.jpg"):
        voc_folder.image(name)
    content = json.loads(coco([image(1, "a.jpg"), image(2, "b.jpg")], [annotation(1)]))
    voc_folder.text("a.json", json.dumps({**content, **change}))
    with pytest.raises(DataError, match=message) as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == "BW110"
    assert caught.value.where == str(voc_folder.root / f"a.json, {where}")


def test_a_category_without_a_name_is_named(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", coco([image(1, "a.jpg")], [annotation(1, 99)]))
    with pytest.raises(DataError, match="its category_id is 99, but no category") as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == "BW163"
    assert caught.value.where == str(voc_folder.root / "a.json, annotations[0]")


def test_an_image_with_an_unusable_annotation_is_left_out_as_a_whole(voc_folder: VocFolder) -> None:
    for name in ("a.jpg", "b.jpg"):
        voc_folder.image(name)
    broken = [annotation(1), annotation(1, bbox=[1]), annotation(2)]
    voc_folder.text("a.json", coco([image(1, "a.jpg"), image(2, "b.jpg")], broken))
    dataset = formats.read(voc_folder.root, tolerant=True)
    assert dataset.names == ("b.jpg",)
    assert codes(dataset) == ["BW110", "BW109"]


@pytest.mark.parametrize(
    ("file_name", "code"),
    [("../a.jpg", "BW112"), ("..\\..\\a.jpg", "BW112"), ("/etc/passwd", "BW112")],
)
def test_no_image_outside_of_the_folder(voc_folder: VocFolder, file_name: str, code: str) -> None:
    voc_folder.image("b.jpg")
    voc_folder.text("a.json", coco([image(1, file_name)], []))
    with pytest.raises(DataError, match="is outside of") as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == code

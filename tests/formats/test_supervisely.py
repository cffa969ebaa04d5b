"""Supervisely's projects: meta.json, and a file for each image in ann."""

from __future__ import annotations

import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

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
from folders import VocFolder, codes, marks

pytestmark = pytest.mark.tiny


def shape(kind: str | None = "rectangle", label: Any = "cat", **more: Any) -> Any:
    one: dict[str, Any] = {"id": 1, "classId": 2, "geometryType": kind, "tags": [], **more}
    if kind is None:
        del one["geometryType"]
    return {**one, "classTitle": label}


def exterior(*points: Any) -> Any:
    return {"exterior": [list(point) for point in points], "interior": []}


BOX = exterior((4, 6), (30, 40))
CAT = shape(points=BOX)


def bitmap(width: int, height: int, origin: Any = (4, 6)) -> Any:
    file = io.BytesIO()
    Image.new("1", (width, height), 1).save(file, "PNG")
    data = base64.b64encode(zlib.compress(file.getvalue())).decode("ascii")
    return {"data": data, "origin": list(origin)}


def annotation(*objects: Any, tags: Any = (), **more: Any) -> str:
    size = {"height": 48, "width": 64}
    content = {"description": "", "tags": list(tags), "size": size, "objects": list(objects)}
    return json.dumps({**content, **more})


def meta(*classes: str) -> str:
    listed = [{"title": name, "shape": "rectangle", "color": "#FF0000"} for name in classes]
    return json.dumps({"classes": listed, "tags": [], "projectType": "images"})


def read(folder: VocFolder, text: str) -> Dataset:
    folder.image("ds0/img/a.jpg")
    folder.text("meta.json", meta("dog", "cat"))
    folder.text("ds0/ann/a.jpg.json", text)
    return formats.read(folder.root)


@pytest.mark.parametrize(
    ("one", "box", "found"),
    [
        (CAT, [4, 6, 30, 40], []),
        (shape(points=exterior((30, 40), (4, 6))), [4, 6, 30, 40], []),
        (shape(None, points=BOX), [4, 6, 30, 40], []),  # before there were kinds
        (shape("polygon", points=exterior((4, 6), (30, 9), (9, 40))), [4, 6, 30, 40], ["BW143"]),
        (shape("line", points=exterior((4, 40), (30, 6))), [4, 6, 30, 40], ["BW143"]),
        (shape("point", points=exterior((4, 6))), [4, 6, 4, 6], ["BW143"]),
        (shape("bitmap", bitmap=bitmap(26, 34)), [4, 6, 30, 40], ["BW143"]),
        (shape(None, bitmap=bitmap(26, 34)), [4, 6, 30, 40], ["BW143"]),
        (
            shape("graph", nodes={"a": {"loc": [4, 40]}, "b": {"loc": [30, 6], "disabled": True}}),
            [4, 6, 30, 40],
            ["BW143"],
        ),
        (shape("cuboid", points=[[4, 6], [30, 9], [9, 40]], faces=[]), [4, 6, 30, 40], ["BW143"]),
    ],
)
def test_shapes_become_boxes(
    voc_folder: VocFolder, one: Any, box: list[float], found: list[str]
) -> None:
    dataset = read(voc_folder, annotation(one))
    assert (dataset.names, dataset.boxes.tolist()) == (("ds0/img/a.jpg",), [box])
    assert (dataset.classes, codes(dataset)) == (("dog", "cat"), found)
    assert formats.detect(voc_folder.root) == "supervisely"


@pytest.mark.parametrize(
    ("image", "file"),
    [
        ("ds0/img/a.jpg", "ds0/ann/a.jpg.json"),
        ("ds0/img/a.jpg", "ds0/ann/a.json"),  # old versions
        ("ds0/datasets/x/img/a.jpg", "ds0/datasets/x/ann/a.jpg.json"),
        ("pets/ds0/img/a b.v2.png", "pets/ds0/ann/a b.v2.png.json"),
        ("img/a.jpg", "ann/a.jpg.json"),
    ],
)
def test_an_image_is_beside_its_annotation(voc_folder: VocFolder, image: str, file: str) -> None:
    voc_folder.image(image)
    voc_folder.text(file, annotation(CAT))
    dataset = formats.read(voc_folder.root)
    assert (dataset.names, codes(dataset)) == ((image,), [])


def test_images_of_one_name_belong_to_their_data_sets(voc_folder: VocFolder) -> None:
    for name, label in (("x", "cat"), ("y", "dog")):
        voc_folder.image(f"{name}/img/a.jpg")
        voc_folder.text(f"{name}/ann/a.jpg.json", annotation(shape(label=label, points=BOX)))
    dataset = formats.read(voc_folder.root)
    found = [dataset.classes[label] for label in dataset.labels]
    assert dict(zip(dataset.names, found, strict=True)) == {
        "x/img/a.jpg": "cat",
        "y/img/a.jpg": "dog",
    }


@pytest.mark.parametrize(
    ("folder", "tags", "split", "found"),
    [
        ("train", [], "train", []),
        ("ds0", [{"name": "val", "value": None}], "val", []),
        ("ds0", ["test"], "test", []),
        ("train", [{"name": "val"}], "train", []),
        ("ds0", [{"name": "train"}, {"name": "test"}], "unassigned", []),
        ("ds0", [{"name": "night"}, {"name": "rain", "value": 3}], "unassigned", ["BW165"]),
    ],
)
def test_folders_and_tags_are_splits(
    voc_folder: VocFolder, folder: str, tags: Any, split: str, found: list[str]
) -> None:
    voc_folder.image(f"{folder}/img/a.jpg")
    voc_folder.text(f"{folder}/ann/a.jpg.json", annotation(CAT, tags=tags))
    dataset = formats.read(voc_folder.root)
    assert (marks(dataset), codes(dataset)) == ({f"{folder}/img/a.jpg": split}, found)


@pytest.mark.parametrize(
    ("tags", "flags"),
    [
        ([{"name": "occluded", "value": None}], OCCLUDED),
        (["Difficult", "truncated"], DIFFICULT | TRUNCATED),
        ([{"name": "crowd"}, {"name": "crowd"}], CROWD),
        ([{"name": "red"}], 0),
        (None, 0),
    ],
)
def test_tags_of_objects_are_flags(voc_folder: VocFolder, tags: Any, flags: int) -> None:
    dataset = read(voc_folder, annotation(shape(points=BOX, tags=tags)))
    assert (dataset.flags.tolist(), codes(dataset)) == ([flags], [])


def test_an_image_without_objects(voc_folder: VocFolder) -> None:
    voc_folder.image("ds0/img/b.jpg")
    voc_folder.text("ds0/ann/b.jpg.json", annotation())
    dataset = read(voc_folder, annotation(CAT))
    assert (len(dataset), len(dataset.boxes), codes(dataset)) == (2, 1, [])


@pytest.mark.parametrize(
    ("one", "where", "message"),
    [
        (shape(points=BOX, label=""), "objects[0]", "no class name"),
        (shape(points=None), "objects[0].points", "is missing"),
        (shape(points=exterior((1, "x"), (2, 3))), "objects[0].points[0]", "y is 'x'"),
        (shape("oriented_bbox", points=BOX, angle=0.5), "objects[0]", "is a rotated rectangle"),
        (
            shape("bitmap", bitmap={"data": "AAAA", "origin": [1, 2]}),
            "objects[0].bitmap",
            "its data are not a packed PNG",
        ),
        (
            shape("bitmap", bitmap={"data": None, "origin": [1, 2]}),
            "objects[0].bitmap",
            "its data are not a packed PNG",
        ),
        (shape("bitmap", bitmap=bitmap(9, 9, "")), "objects[0].bitmap.origin[0]", "x is missing"),
        ("cat", "objects[0]", "is 'cat', not an object"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(
    voc_folder: VocFolder, one: Any, where: str, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(voc_folder, annotation(one))
    assert caught.value.code == "BW110"
    assert caught.value.where == str(voc_folder.root / f"ds0/ann/a.jpg.json, {where}")
    assert message in caught.value.message


def test_a_mask_that_grows_when_it_is_unpacked_is_not_unpacked(voc_folder: VocFolder) -> None:
    bomb = base64.b64encode(zlib.compress(bytes(50_000_000), 9)).decode("ascii")
    one = shape("bitmap", bitmap={"data": bomb, "origin": [1, 2]})
    with pytest.raises(DataError, match="not a packed PNG"):
        read(voc_folder, annotation(one))


def test_written_as_a_project(voc_folder: VocFolder, tmp_path: Path) -> None:
    voc_folder.image("0.jpg")
    flags = [OCCLUDED | DIFFICULT]
    one = LabeledImage("0.jpg", 64, 48, [(1.5, 2, 20.3, 40)], ["dog"], flags, Split.TRAIN)
    formats.write(
        Dataset.of(voc_folder.root, [one], ["dog", "cat"]), tmp_path / "out", "supervisely"
    )
    listed = json.loads((tmp_path / "out/meta.json").read_text(encoding="utf-8"))
    assert [one["title"] for one in listed["classes"]] == ["dog", "cat"]
    assert {tag["name"] for tag in listed["tags"]} >= {"difficult", "occluded"}
    text = (tmp_path / "out/train/ann/0.jpg.json").read_text(encoding="utf-8")
    content = json.loads(text)
    assert content["size"] == {"height": 48, "width": 64}
    (written,) = content["objects"]
    assert written["classTitle"] == "dog"
    assert written["points"] == {"exterior": [[1.5, 2], [20.3, 40]], "interior": []}
    assert [tag["name"] for tag in written["tags"]] == ["difficult", "occluded"]
    assert (tmp_path / "out/train/img/0.jpg").is_file()

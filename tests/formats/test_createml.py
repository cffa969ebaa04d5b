"""Create ML: JSON lists of photos whose boxes are centre, width and height."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from folders import VocFolder, codes

pytestmark = pytest.mark.tiny


def cat(x: Any = 17, y: Any = 23, width: Any = 26, height: Any = 34) -> dict[str, Any]:
    return {"label": "cat", "coordinates": {"x": x, "y": y, "width": width, "height": height}}


def entry(name: str, *annotations: Any) -> dict[str, Any]:
    return {"image": name, "annotations": list(annotations)}


def test_roboflow_with_a_folder_for_each_split(voc_folder: VocFolder) -> None:
    for split in ("train", "valid", "test"):
        voc_folder.image(f"{split}/a.jpg")
        voc_folder.image(f"{split}/empty.jpg")
        content = [entry("a.jpg", cat()), entry("empty.jpg")]
        voc_folder.text(f"{split}/_annotations.createml.json", json.dumps(content))
    dataset = formats.read(voc_folder.root)
    marks = {Split.TEST: "test", Split.TRAIN: "train", Split.VAL: "valid"}
    assert [marks[Split(mark)] for mark in dataset.splits] == [
        name.partition("/")[0] for name in dataset.names
    ]
    assert len(dataset) == 6
    assert dataset.boxes.tolist() == [[4, 6, 30, 40]] * 3
    assert codes(dataset) == []


def test_labelimg_with_a_file_for_each_image(voc_folder: VocFolder) -> None:
    for name in "ab":
        voc_folder.image(f"{name}.jpg")
        voc_folder.text(
            f"{name}.json", json.dumps([{**entry(f"{name}.jpg", cat()), "verified": False}])
        )
    assert formats.read(voc_folder.root).names == ("a.jpg", "b.jpg")


@pytest.mark.parametrize(
    "name", ["a.jpg", "photos/a.jpg", "photos\\a.jpg", "/Users/me/photos/a.jpg"]
)
def test_a_name_finds_its_image(voc_folder: VocFolder, name: str) -> None:
    voc_folder.image("photos/a.jpg")
    voc_folder.text("annotations.json", json.dumps([entry(name, cat())]))
    assert formats.read(voc_folder.root).names == ("photos/a.jpg",)


def test_an_entry_for_each_box_makes_one_image(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg")
    content = [entry("a.jpg", cat()), entry("a.jpg", cat(10, 10, 4, 4))]
    voc_folder.text("a.json", json.dumps(content))
    dataset = formats.read(voc_folder.root)
    assert dataset.boxes.tolist() == [[4, 6, 30, 40], [8, 8, 12, 12]]
    assert codes(dataset) == ["BW113"]


@pytest.mark.parametrize(
    ("content", "where", "message"),
    [
        ([entry("a.jpg", cat(x=None))], "[0].annotations[0].coordinates", "x is missing"),
        (
            [entry("a.jpg"), entry("a.jpg", cat(), cat(y="low"))],
            "[1].annotations[1].coordinates",
            "y",
        ),
        (
            [entry("a.jpg", cat(width=float("nan")))],
            "[0].annotations[0].coordinates",
            "width is nan",
        ),
        ([entry("a.jpg", {"label": "cat"})], "[0].annotations[0].coordinates", "is missing"),
        ([entry("a.jpg", {**cat(), "label": ""})], "[0].annotations[0]", "no class name"),
        ([entry("a.jpg", "cat")], "[0].annotations[0]", "is 'cat', not an object"),
        ([entry("a.jpg"), "b.jpg"], "[1]", "is 'b.jpg', not an object"),
        ([entry("a.jpg"), {"image": 5, "annotations": []}], "[1]", "its image is 5"),
        ([entry("a.jpg"), {"annotations": []}], "[1]", "its image is missing"),
        ([{"image": "a.jpg", "annotations": {}}], "[0].annotations", "an object, not a list"),
        ([entry("a.jpg"), {"image": "a.jpg"}], "[1].annotations", "is missing"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(
    voc_folder: VocFolder, content: Any, where: str, message: str
) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", json.dumps(content))
    with pytest.raises(DataError, match=message) as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == "BW110"
    assert caught.value.where == str(voc_folder.root / f"a.json, {where}")


def test_no_image_outside_of_the_folder(voc_folder: VocFolder) -> None:
    voc_folder.image("b.jpg")
    voc_folder.text("a.json", json.dumps([entry("../a.jpg", cat())]))
    with pytest.raises(DataError, match="is outside of") as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == "BW112"


def test_written_as_roboflow_writes_it(voc_folder: VocFolder, tmp_path: Path) -> None:
    voc_folder.image("a.jpg")
    image = LabeledImage("a.jpg", 64, 48, [(1.5, 2, 20.3, 40)], ["dog"], [0], Split.VAL)
    formats.write(Dataset.of(voc_folder.root, [image]), tmp_path / "out", "createml")
    text = (tmp_path / "out/valid/_annotations.createml.json").read_text(encoding="utf-8")
    coordinates = {"x": 10.9, "y": 21, "width": 18.8, "height": 38}
    assert json.loads(text) == [
        {"image": "a.jpg", "annotations": [{"label": "dog", "coordinates": coordinates}]}
    ]

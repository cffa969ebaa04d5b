"""Detections of other tools are read, with ids of any kind, or refused with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxwright.errors import EvaluationError
from boxwright.evaluation.foreign import Ids, read_detections
from boxwright.structures.dataset import Dataset, LabeledImage

pytestmark = pytest.mark.tiny
NAMES = ("a/0012.jpg", "a/dog.jpg", "b/0007.png", "b/cat.png")
IMAGES = Dataset.of(".", [LabeledImage(name, 200, 100) for name in NAMES], ("cat", "dog"))
BOX, SCORE = (20, 10, 60, 50), 0.75


def coco(keys: list[Any], categories: tuple[Any, Any] = (1, 2)) -> str:
    rows = [
        {"image_id": key, "category_id": categories[i % 2], "bbox": [20, 10, 40, 40],
         "score": SCORE}
        for i, key in enumerate(keys)
    ]  # fmt: skip
    return json.dumps(rows)


def check(found: list[Any]) -> None:
    assert [len(one) for one in found] == [1, 1, 1, 1]
    for i, one in enumerate(found):
        assert one[0].name == IMAGES.classes[i % 2]
        assert one[0].score == pytest.approx(SCORE)
        assert one[0].box == pytest.approx(BOX)


@pytest.mark.parametrize(
    "keys",
    [
        list(NAMES),
        ["0012.jpg", "dog.jpg", "0007.png", "cat.png"],
        ["0012", "dog", "0007", "cat"],
        [12, "dog", 7, "cat"],
        ["a\\0012.jpg", "a/dog", "somewhere/else/0007.png", "cat.jpg"],
    ],
)
@pytest.mark.parametrize("categories", [(1, 2), (0, 1), ("cat", "dog")])
def test_coco_results(tmp_path: Path, keys: list[Any], categories: tuple[Any, Any]) -> None:
    (tmp_path / "results.json").write_text(coco(keys, categories), "utf-8")
    check(read_detections(tmp_path / "results.json", IMAGES).detections)


def test_ids_of_the_annotations(tmp_path: Path) -> None:
    names = [{"id": 50 + i, "file_name": name} for i, name in enumerate(NAMES)]
    kinds = [{"id": 18, "name": "dog"}, {"id": 17, "name": "cat"}]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "other.json").write_text("[1]", "utf-8")
    (tmp_path / "data" / "instances.json").write_text(
        json.dumps({"images": names, "categories": kinds, "annotations": []}), "utf-8"
    )
    (tmp_path / "results.json").write_text(coco([50, 51, 52, 53], (17, 18)), "utf-8")
    ids = Ids.of([tmp_path / "data"])
    found = read_detections(tmp_path / "results.json", IMAGES, ids=ids)
    check(found.detections)
    assert found.note() is None


@pytest.mark.parametrize("tag", ["score", "confidence"])
def test_voc(tmp_path: Path, tag: str) -> None:
    sides = zip(("xmin", "ymin", "xmax", "ymax"), BOX, strict=True)
    box = "".join(f"<{side}>{value}</{side}>" for side, value in sides)
    for i, name in enumerate(NAMES):
        (tmp_path / f"{Path(name).stem}.xml").write_text(
            f"<annotation><object><name>{IMAGES.classes[i % 2]}</name><{tag}>{SCORE}</{tag}>"
            f"<bndbox>{box}</bndbox></object></annotation>",
            "utf-8",
        )
    check(read_detections(tmp_path, IMAGES).detections)


def test_yolo(tmp_path: Path) -> None:
    for i, name in enumerate(NAMES):
        path = tmp_path / Path(name).with_suffix(".txt")
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{i % 2} 0.2 0.3 0.2 0.4 {SCORE}\n\n", "utf-8")
    check(read_detections(tmp_path, IMAGES).detections)
    renamed = read_detections(tmp_path, IMAGES, names=["lynx", "wolf"])
    assert [one[0].name for one in renamed.detections] == ["lynx", "wolf", "lynx", "wolf"]
    assert renamed.note() is None


@pytest.mark.parametrize(
    ("categories", "classes", "assumed"),
    [
        ((1, 2), ("cat", "dog"), {1: "cat", 2: "dog"}),
        ((0, 1), ("cat", "dog"), {0: "cat", 1: "dog"}),
        ((0, 1), ("cat", "cow", "dog"), {0: "cat", 1: "cow"}),
        ((2, 3), ("cat", "cow", "dog"), {2: "cow", 3: "dog"}),
        ((1, 2), ("cat", "cow", "dog"), None),  # cat and cow, or cow and dog?
        ((1, 1), ("cat",), {}),  # there is one class only
        (("cat", "dog"), ("cat", "dog"), {}),
    ],
)
def test_class_ids_without_names_are_said_or_refused(
    tmp_path: Path, categories: tuple[Any, Any], classes: tuple[str, ...], assumed: Any
) -> None:
    images = replace(IMAGES, classes=classes)
    path = tmp_path / "results.json"
    path.write_text(coco(list(NAMES), categories), "utf-8")
    if assumed is None:
        with pytest.raises(EvaluationError, match=r"BW604.*from 0 or from 1"):
            read_detections(path, images)
        return
    found = read_detections(path, images)
    assert found.assumed == assumed
    assert (found.note() or "").count(" is ") == len(assumed) + bool(assumed)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("results.json", "{", "not JSON"),
        ("results.json", "{}", "not a list"),
        ("results.json", '[{"image_id": 7}]', "detection 0 has no usable"),
        ("results.json", coco(list(NAMES), (1, 9)), "class 9 has no name"),
        ("found/cat.txt", "0 .5 .5 .1 .1\n", "line 1 is not"),
        ("found/cat.xml", "<annotation><object/></annotation>", "no score"),
        ("found/cat.xml", "no xml", "not XML"),
        ("found/cat.csv", "", "neither"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, text: str, reason: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    with pytest.raises(EvaluationError, match=f"BW604.*{reason}"):
        read_detections(tmp_path / Path(name).parts[0], IMAGES)
    with pytest.raises(EvaluationError, match=r"BW604.*does not exist"):
        read_detections(tmp_path / "nothing", IMAGES)


def test_detections_of_other_images_are_refused_with_three_of_them(tmp_path: Path) -> None:
    keys = [*NAMES, "who.jpg", 99, "what.jpg", "where.jpg"]
    (tmp_path / "results.json").write_text(coco(keys), "utf-8")
    with pytest.raises(EvaluationError, match=r"BW605.*4 of 8.*who\.jpg, 99, what\.jpg\."):
        read_detections(tmp_path / "results.json", IMAGES)
    twenty = [LabeledImage(f"{i}.jpg", 9, 9) for i in range(20)]
    (tmp_path / "results.json").write_text(coco([*range(19), 99]), "utf-8")
    many = Dataset.of(".", twenty, ("cat", "dog"))
    found = read_detections(tmp_path / "results.json", many)
    assert np.sum([len(one) for one in found.detections]) == 19

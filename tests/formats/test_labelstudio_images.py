"""Label Studio: tasks with several images, each region on its own or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.structures.dataset import Dataset
from folders import MOVED, VocFolder, codes

pytestmark = pytest.mark.tiny

IMAGE = (100, 100)  # a percent is a pixel
LEFT, RIGHT, THIRD = "left 1.jpg", "right 1.jpg", "third.jpg"
URLS = {name: f"/data/upload/4/8a1f03bc-{name.replace(' ', '_')}" for name in (LEFT, RIGHT, THIRD)}


def region(name: str, tag: str | None = None, index: int | None = None, **more: Any) -> Any:
    said = {"to_name": tag, "item_index": index}
    return {
        "original_width": 100,
        "original_height": 100,
        "from_name": "label",
        "type": "rectanglelabels",
        "value": {"x": 10, "y": 20, "width": 30, "height": 40, "rectanglelabels": [name]},
        **{key: value for key, value in said.items() if value is not None},
        **more,
    }


def task(data: dict[str, Any], *regions: Any, **more: Any) -> Any:
    return {"id": 1, "data": data, "annotations": [{"id": 2, "result": list(regions)}], **more}


def read(voc_folder: VocFolder, *tasks: Any, config: str = "") -> Dataset:
    for name in (LEFT, RIGHT, THIRD):
        voc_folder.image(name, IMAGE)
    voc_folder.text("export.json", json.dumps(tasks))
    if config:
        voc_folder.text("config.xml", f"<View>{config}</View>")
    return formats.read(voc_folder.root, "labelstudio")


def shown(dataset: Dataset) -> dict[str, list[str]]:
    return {
        name: [dataset.classes[label] for label in dataset.labels[dataset.rows(i)]]
        for i, name in enumerate(dataset.names)
    }


def fields(first: str, second: str) -> dict[str, Any]:
    return {first: URLS[LEFT], second: URLS[RIGHT]}


BOTH = {LEFT: ["L"], RIGHT: ["R"]}
PAGES = {"pages": [URLS[LEFT], URLS[RIGHT]]}
OBJECTS = {"pages": [{"url": URLS[LEFT], "n": 1}, {"url": URLS[RIGHT]}]}
IMAGES = '<Image name="{}" value="${}"/><Image name="{}" value="${}"/>'

OWN: dict[str, tuple[Any, str]] = {
    "tags called like their fields": (
        task(fields("rgb", "ref"), region("L", "rgb"), region("R", "ref")),
        "",
    ),
    "in another order": (task(fields("b", "a"), region("R", "a"), region("L", "b")), ""),
    "image and image2": (
        task(fields("image", "image2"), region("L", "image"), region("R", "image2")),
        "",
    ),
    "img1 and image1": (
        task(fields("image1", "image2"), region("L", "img1"), region("R", "img2")),
        "",
    ),
    "left_image and imgLeft": (
        task(fields("imgLeft", "right_photo"), region("L", "left_image"), region("R", "right")),
        "",
    ),
    "a text beside them": (
        task({**fields("a", "b"), "text": "hat", "n": 3}, region("L", "a"), region("R", "b")),
        "",
    ),
    "their file names beside them": (
        task({"file": "left_1.jpg", **fields("a", "b")}, region("L", "a"), region("R", "b")),
        "",
    ),
    "a list": (task(PAGES, region("L", "img", 0), region("R", "img", 1)), ""),
    "a list of objects": (task(OBJECTS, region("R", "img", 1), region("L", "img", 0)), ""),
    "tags repeated for a list": (task(PAGES, region("L", "page_0"), region("R", "page_1")), ""),
    "a list and an image": (
        task(
            {"a": URLS[LEFT], "b": [URLS[RIGHT], URLS[THIRD]]},
            region("L", "a"),
            region("R", "b", 0),
        ),
        "",
    ),
    "a list of one": (
        task({"a": [URLS[LEFT]], "b": [URLS[RIGHT]]}, region("L", "a"), region("R", "b")),
        "",
    ),
    "nested": (
        task({"pair": {"x": URLS[LEFT], "y": URLS[RIGHT]}}, region("L", "one"), region("R", "two")),
        IMAGES.format("one", "pair.x", "two", "pair.y"),
    ),
    "a configuration": (
        task(fields("x", "y"), region("R", "one"), region("L", "two")),
        IMAGES.format("two", "x", "one", "y"),
    ),
    "a configuration that crosses the names": (
        task(fields("x", "y"), region("R", "x"), region("L", "y")),
        IMAGES.format("x", "y", "y", "x"),
    ),
    "a configuration with places in a list": (
        task(PAGES, region("L", "image1"), region("R", "image2")),
        IMAGES.format("image1", "pages[0]", "image2", "pages[1]"),
    ),
    "a configuration that repeats": (
        task(OBJECTS, region("R", "p1x1")),
        '<Repeater on="$pages"><Image name="p1x{{idx}}" value="$pages[{{idx}}].url"/></Repeater>',
    ),
    "JSON-MIN with a configuration": (
        {
            "id": 7,
            "annotation_id": 3,
            **fields("x", "y"),
            "boxes on x": [region("L")["value"]],
            "boxes on y": [region("R")["value"]],
        },
        IMAGES.format("one", "x", "two", "y") + '<RectangleLabels name="boxes on x" toName="one"/>'
        '<RectangleLabels name="boxes on y" toName="two"/>',
    ),
}


@pytest.mark.parametrize(("one", "config"), OWN.values(), ids=OWN)
def test_each_region_is_on_its_own_image(voc_folder: VocFolder, one: Any, config: str) -> None:
    dataset = read(voc_folder, one, config=config)
    found = {name: classes for name, classes in shown(dataset).items() if classes}
    assert found == ({RIGHT: ["R"]} if "p1x1" in str(one) else BOTH)
    assert dataset.boxes.tolist() == [[10, 20, 40, 60]] * len(found)
    assert set(codes(dataset)) <= {MOVED, "BW109"}


def test_the_shared_image_sizes_are_those_of_each_image(voc_folder: VocFolder) -> None:
    large = region("R", "b", original_width=200, original_height=200)
    dataset = read(voc_folder, task(fields("a", "b"), region("L", "a"), large))
    assert dataset.boxes.tolist() == [[10, 20, 40, 60]] * 2


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (
            task(fields("a", "b"), region("L", "x"), region("R", "y")),
            "images in a, b, and to_name is 'x'",
        ),
        (task(fields("a", "b"), region("L")), "does not name its image tag"),
        (task(fields("image1", "image_1"), region("L", "img1")), "to_name is 'img1'"),
        (task(fields("a", "b"), region("L", "a"), region("R", "x")), "to_name is 'x'"),
        (task(PAGES, region("L", "img")), "2 images in 'pages', and there is no item_index"),
        (task(PAGES, region("L", "img1")), "2 images in 'pages', and there is no item_index"),
        (task(PAGES, region("L", "img1"), region("R", "img2")), "to_name is .img1."),
        (task(PAGES, region("L", "img", 2)), "the item_index is 2"),
        (task(PAGES, region("L", "img", -1)), "the item_index is -1"),
        (task(fields("a", "b")), "has images in a, b, and no region on any of them"),
        (
            task({"a": URLS[LEFT], "b": "https://x.org/get?id=3"}, region("R", "b")),
            "no image in 'b'",
        ),
        (
            task({"a": URLS[LEFT], "b": "https://x.org/3"}, region("L", "x"), region("R", "y")),
            "images in a, and to_name is 'x'",
        ),
        (
            {"annotation_id": 3, **fields("a", "b"), "label": [region("L")["value"]]},
            "does not name its image tag",
        ),
    ],
)
def test_what_is_unclear_is_refused(voc_folder: VocFolder, one: Any, reason: str) -> None:
    with pytest.raises(DataError, match=reason) as caught:
        read(voc_folder, one)
    assert caught.value.code == "BW156"
    assert "export.json, [0]" in str(caught.value.where)


def test_an_image_that_is_only_shown_is_not_background(voc_folder: VocFolder) -> None:
    first = task(fields("image", "reference"), region("L", "image"))
    second = task({"image": URLS[THIRD], "reference": URLS[RIGHT]})
    dataset = read(voc_folder, first, second)
    assert shown(dataset) == {LEFT: ["L"], THIRD: []}  # the task says: nothing in the third
    assert "BW109" in codes(dataset)


def test_images_of_a_labeled_list_are_background(voc_folder: VocFolder) -> None:
    assert shown(read(voc_folder, task(PAGES, region("L", "img", 0)))) == {LEFT: ["L"], RIGHT: []}


@pytest.mark.parametrize("tag", ["a", "b"])
def test_a_task_without_that_image_is_refused(voc_folder: VocFolder, tag: str) -> None:
    sound = task(fields("a", "b"), region("L", "a"), region("R", "b"))
    lone = task({"a": URLS[THIRD], "b": None}, region("T", tag))
    if tag == "a":
        assert shown(read(voc_folder, sound, lone))[THIRD] == ["T"]
    else:
        with pytest.raises(DataError, match="no image in 'b'"):
            read(voc_folder, sound, lone)


def annotated(*annotations: Any) -> Any:
    return {"id": 1, "data": {"image": URLS[LEFT]}, "annotations": list(annotations)}


FIRST = {"result": [region("L"), region("M")]}


@pytest.mark.parametrize(
    ("tasks", "found", "unused"),
    [
        ([annotated(FIRST, {"result": [region("R")]})], ["R"], 2),
        ([annotated({**FIRST, "was_cancelled": True}, {"result": [region("R")]})], ["R"], 2),
        ([annotated(FIRST, {"result": []})], [], 2),
        ([annotated(FIRST)], ["L", "M"], 0),
        (
            [
                {"id": 5, "image": URLS[LEFT], "label": [region(name)["value"]], "annotation_id": i}
                for i, name in enumerate("LR")
            ],
            ["R"],
            1,
        ),
    ],
)
def test_no_region_vanishes_in_silence(
    voc_folder: VocFolder, tasks: Any, found: list[str], unused: int
) -> None:
    dataset = read(voc_folder, *tasks)
    assert shown(dataset) == {LEFT: found}
    said = [finding.message for finding in dataset.findings if finding.code == "BW159"]
    assert [message.split()[0] for message in said] == [str(unused)] * (unused > 0)


def test_two_tasks_of_one_image_are_combined(voc_folder: VocFolder) -> None:
    dataset = read(voc_folder, *(task({"image": URLS[LEFT]}, region(name)) for name in "LR"))
    assert shown(dataset) == {LEFT: ["L", "R"]}
    assert "BW113" in codes(dataset)


def test_rows_of_two_projects_with_one_id_are_two_tasks(voc_folder: VocFolder) -> None:
    rows = [
        {"id": 5, "image": URLS[image], "label": [region(name)["value"]], "annotation_id": 1}
        for image, name in ((LEFT, "L"), (RIGHT, "R"))
    ]
    assert shown(read(voc_folder, *rows)) == BOTH

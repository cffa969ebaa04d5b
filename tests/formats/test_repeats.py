"""An image in several records or files: no box vanishes unless a finding or an error says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from record_samples import BOXES, coco, createml, csv, labelstudio, vott, vott_asset

from boxwright import formats
from boxwright.errors import DataError
from boxwright.structures.dataset import Dataset
from folders import VocFolder, codes, lay

pytestmark = pytest.mark.tiny


def shown(dataset: Dataset) -> dict[str, list[str]]:
    found = {}
    for i, name in enumerate(dataset.names):
        rows = dataset.rows(i)
        found[name] = [dataset.classes[label] for label in dataset.labels[rows]]
        for label, box in zip(found[name], dataset.boxes[rows].tolist(), strict=True):
            assert box == pytest.approx(BOXES[label], abs=1e-3)
    return found


WRITERS: dict[str, tuple[Callable[..., str], str]] = {
    "coco": (coco, "x.json"),
    "createml": (createml, "x.json"),
    "labelstudio": (labelstudio, "x.json"),
    "csv": (csv, "x.csv"),
}
A, B, C = (("a.jpg", label) for label in BOXES)


@pytest.mark.parametrize("form", WRITERS)
def test_records_that_repeat_an_image_are_combined(voc_folder: VocFolder, form: str) -> None:
    write, file = WRITERS[form]
    voc_folder.text(file, write(A, ("b.jpg", "one"), B, C))
    dataset = formats.read(lay(voc_folder, {"a.jpg": "", "b.jpg": ""}))
    assert shown(dataset) == {"a.jpg": ["one", "two", "three"], "b.jpg": ["one"]}
    assert codes(dataset) == ([] if form == "csv" else ["BW113"])  # a row per box is usual


@pytest.mark.parametrize("form", WRITERS)
def test_names_that_may_mean_two_images_are_refused(voc_folder: VocFolder, form: str) -> None:
    write, file = WRITERS[form]
    voc_folder.text(file, write(A, B))
    with pytest.raises(DataError) as caught:
        formats.read(lay(voc_folder, {"cam1/a.jpg": "", "cam2/a.jpg": ""}))
    assert caught.value.code == "BW153"


@pytest.mark.parametrize("form", ["coco", "createml", "labelstudio"])
def test_a_repeated_name_is_not_taken_for_the_one_image_that_is_left(
    voc_folder: VocFolder, form: str
) -> None:
    write, file = WRITERS[form]
    voc_folder.text(file, write(A, B, ("b.jpg", "one")))
    with pytest.raises(DataError) as caught:
        formats.read(lay(voc_folder, {"cam1/a.jpg": "", "b.jpg": ""}))
    assert caught.value.code == "BW153"


@pytest.mark.parametrize("form", ["coco", "createml", "labelstudio"])
def test_copies_of_a_record_are_one_image(voc_folder: VocFolder, form: str) -> None:
    write, file = WRITERS[form]
    voc_folder.text(file, write(A, A))
    dataset = formats.read(lay(voc_folder, {"images/a.jpg": ""}))
    assert shown(dataset) == {"images/a.jpg": ["one", "one"]}
    assert codes(dataset) == ["BW113"]


@pytest.mark.parametrize("form", WRITERS)
def test_whole_paths_are_images_of_their_own(voc_folder: VocFolder, form: str) -> None:
    write, file = WRITERS[form]
    first, second = "cam1/a.jpg", "cam2/a.jpg"
    voc_folder.text(file, write((first, "one"), (second, "two"), (first, "three")))
    dataset = formats.read(lay(voc_folder, {first: "", second: ""}))
    assert shown(dataset) == {first: ["one", "three"], second: ["two"]}


def test_two_sizes_are_two_images(voc_folder: VocFolder) -> None:
    content = json.loads(coco(A, B))
    content["images"][1]["width"] = 640
    voc_folder.text("x.json", json.dumps(content))
    with pytest.raises(
        DataError, match=r"'a.jpg' is 640 x 48 pixels, but 64 x 48 in x.json"
    ) as caught:
        formats.read(lay(voc_folder, {"a.jpg": ""}))
    assert caught.value.code == "BW157"


@pytest.mark.parametrize(
    ("sizes", "code"),
    [
        ([(64, 48), (640, 480)], "BW157"),
        ([(64, 48), (64, 48.0)], ""),
        ([(64, 48), ("", "")], ""),
        ([("8", "10"), ("8", "6")], ""),  # sizes of the boxes
    ],
)
def test_rows_with_two_sizes_are_of_two_images(
    voc_folder: VocFolder, sizes: Any, code: str
) -> None:
    voc_folder.text("x.csv", csv(A, B, sizes=sizes))
    root = lay(voc_folder, {"a.jpg": ""})
    if code:
        with pytest.raises(DataError, match=r"x.csv:3: 'a.jpg' is 640 x 480 pixels") as caught:
            formats.read(root)
        assert caught.value.code == code
    else:
        assert shown(formats.read(root)) == {"a.jpg": ["one", "two"]}


@pytest.mark.parametrize(
    "more",
    [
        {"path": "/datasets/pets/cam{}/a.jpg"},  # COCO Annotator
        {"coco_url": "http://images.cocodataset.org/cam{}/a.jpg"},
    ],
)
def test_a_longer_path_in_the_record_decides(voc_folder: VocFolder, more: dict[str, str]) -> None:
    content = json.loads(coco(A, B))
    for i, image in enumerate(content["images"], 1):
        image |= {key: value.format(i) for key, value in more.items()}
    voc_folder.text("x.json", json.dumps(content))
    dataset = formats.read(lay(voc_folder, {"cam1/a.jpg": "", "cam2/a.jpg": ""}))
    assert shown(dataset) == {"cam1/a.jpg": ["one"], "cam2/a.jpg": ["two"]}


def test_frames_of_videos_are_refused_with_the_reason(voc_folder: VocFolder) -> None:
    video = {"id": 1, "file_names": ["a.jpg", "b.jpg"], "width": 64, "height": 48}
    track = {"id": 1, "video_id": 1, "category_id": 0, "bboxes": [[4, 6, 8, 10], None]}
    content = {"videos": [video], "annotations": [track], "categories": [{"id": 0, "name": "x"}]}
    voc_folder.text("x.json", json.dumps(content))
    with pytest.raises(DataError, match="labeled frame by frame"):
        formats.read(lay(voc_folder, {"a.jpg": "", "b.jpg": ""}))


# ---- several files ----

ASSET = json.dumps(vott_asset("a.jpg", "one"))

FILES: dict[str, tuple[dict[str, str], list[str], list[str]]] = {
    "two exports of VoTT": (
        {"x.json": vott(A), "y.json": vott(B)},
        ["one", "two"],
        ["BW113", "BW154"],
    ),
    "an export of VoTT twice": ({"x.json": vott(A), "y.json": vott(A)}, ["one"], ["BW154"]),
    "a newer file of VoTT": (
        {"a-asset.json": ASSET, "x.json": vott(B)},
        ["one"],
        ["BW159", "BW154"],
    ),
    "an equal file of VoTT": ({"a-asset.json": ASSET, "x.json": vott(A)}, ["one"], ["BW154"]),
    "two files of CSV": ({"x.csv": csv(A), "y.csv": csv(A, B)}, ["one", "two"], []),
    "a list of all with more boxes": (
        {"train.csv": csv(A), "all.csv": csv(A, B)},
        ["one"],
        ["BW159"],
    ),
    "a list of all with the same": (
        {"train.csv": csv(A, B), "all.csv": csv(B)},
        ["one", "two"],
        [],
    ),
    "two lists of splits": ({"train.csv": csv(A), "test.csv": csv(B)}, ["two"], ["BW113"]),
}


@pytest.mark.parametrize(("files", "found", "said"), FILES.values(), ids=FILES)
def test_an_image_in_several_files(
    voc_folder: VocFolder, files: dict[str, str], found: list[str], said: list[str]
) -> None:
    dataset = formats.read(lay(voc_folder, {"a.jpg": "", **files}))
    assert shown(dataset) == {"a.jpg": found}
    assert codes(dataset) == said


def test_projects_with_one_id_keep_their_images(voc_folder: VocFolder) -> None:
    exports = {
        f"{part}/x.json": vott(record, path=f"file:/home/me/{part}/")
        for part, record in (("p", A), ("q", B))
    }
    dataset = formats.read(lay(voc_folder, {**exports, "p/a.jpg": "", "q/a.jpg": ""}))
    assert shown(dataset) == {"p/a.jpg": ["one"], "q/a.jpg": ["two"]}


def test_projects_with_one_path_are_refused_for_one_image(voc_folder: VocFolder) -> None:
    with pytest.raises(DataError) as caught:
        formats.read(lay(voc_folder, {"p/x.json": vott(A), "q/y.json": vott(B), "a.jpg": ""}))
    assert caught.value.code == "BW153"

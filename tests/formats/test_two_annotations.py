"""Several annotations that may be of one image: whose it is, and what becomes of the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import pytest
from record_samples import (
    BOXES,
    coco,
    createml,
    csv,
    cvat,
    labelme,
    labelstudio,
    openimages,
    via,
    voc,
    vott,
    yolo,
)

import boxwright
from boxwright import formats
from boxwright.errors import DataError
from boxwright.structures.dataset import Dataset
from folders import MOVED, VocFolder, codes, lay

pytestmark = pytest.mark.tiny

Files = dict[str, str]
CLASSES = "".join(f"{name}\n" for name in BOXES)
LISTS: dict[str, tuple[Callable[..., str], str]] = {
    "coco": (coco, "json"),
    "createml": (createml, "json"),
    "labelstudio": (labelstudio, "json"),
    "vott": (vott, "json"),
    "via": (via, "json"),
    "cvat": (cvat, "xml"),
}


def shown(dataset: Dataset) -> dict[str, set[str]]:
    """Image -> classes, whose boxes are where they were drawn."""
    found = {}
    for i, name in enumerate(dataset.names):
        rows = dataset.rows(i)
        classes = [dataset.classes[label] for label in dataset.labels[rows]]
        for label, box in zip(classes, dataset.boxes[rows].tolist(), strict=True):
            assert box == pytest.approx(BOXES[label], abs=1)
        assert len(set(classes)) == len(classes)
        found[name] = set(classes)
    return found


def said(dataset: Dataset) -> dict[str, str]:
    return {one.code: f"{one.where} {one.message} {one.repair}" for one in dataset.findings}


# ---- lists of two splits, and the images of one ----


@pytest.mark.parametrize("form", [form for form in LISTS if form != "vott"])
@pytest.mark.parametrize("images", ["train2017", "images/train", "train/images"])
@pytest.mark.parametrize("lists", ["annotations/instances_{}2017", "{}", "annotations/my {} list"])
def test_the_list_of_its_own_split_has_an_image(
    voc_folder: VocFolder, form: str, images: str, lists: str
) -> None:
    """Those of the other split are missing, although they have the same names."""
    write, suffix = LISTS[form]
    files = {
        f"{lists.format('train')}.{suffix}": write(("1.jpg", "one"), ("2.jpg", "one")),
        f"{lists.format('val')}.{suffix}": write(("1.jpg", "two"), ("2.jpg", "two")),
    }
    root = lay(voc_folder, files | {f"{images}/1.jpg": "", f"{images}/2.jpg": ""})
    dataset = formats.read(root)
    assert shown(dataset) == {f"{images}/{name}.jpg": {"one"} for name in "12"}
    lost = [one for one in dataset.findings if one.code == "BW101"]
    assert len(lost) == 2
    assert all(lists.format("val") in one.where for one in lost)


def test_the_list_of_its_own_split_has_an_image_of_open_images(voc_folder: VocFolder) -> None:
    files = {
        "train-annotations-bbox.csv": openimages(("a.jpg", "one")),
        "validation-annotations-bbox.csv": openimages(("a.jpg", "two")),
    }
    dataset = formats.read(lay(voc_folder, files | {"train/a.jpg": ""}))
    assert shown(dataset) == {"train/a.jpg": {"one"}}
    assert "validation-annotations-bbox.csv:2" in said(dataset)["BW101"]


@pytest.mark.parametrize("form", ["coco", "createml", "labelstudio", "via"])
def test_an_image_that_only_one_list_names_may_be_in_a_folder_of_another_split(
    voc_folder: VocFolder, form: str
) -> None:
    """Such as the labeled images of a competition, whose folder is called train."""
    write, suffix = LISTS[form]
    files = {
        f"train.{suffix}": write(("1.jpg", "one")),
        f"val.{suffix}": write(("2.jpg", "two")),
    }
    root = lay(voc_folder, files | {"train/1.jpg": "", "train/2.jpg": ""})
    dataset = formats.read(root)
    assert shown(dataset) == {"train/1.jpg": {"one"}, "train/2.jpg": {"two"}}
    assert f"val.{suffix}" in said(dataset)[MOVED]
    assert "'2.jpg' is train/2.jpg" in said(dataset)[MOVED]


@pytest.mark.parametrize("form", ["coco", "createml", "labelstudio", "via"])
def test_it_may_not_if_the_list_names_an_image_of_that_split_too(
    voc_folder: VocFolder, form: str
) -> None:
    write, suffix = LISTS[form]
    files = {
        f"train.{suffix}": write(("1.jpg", "one")),
        f"val.{suffix}": write(("1.jpg", "two"), ("2.jpg", "two")),
    }
    root = lay(voc_folder, files | {"train/1.jpg": "", "train/2.jpg": ""})
    dataset = formats.read(root, tolerant=True)
    assert shown(dataset) == {"train/1.jpg": {"one"}}
    assert "train/2.jpg" in said(dataset)["BW153"]


# ---- another parent folder ----


@pytest.mark.parametrize(
    "files",
    [
        {"labels/cam2/1.txt": yolo("one"), "classes.txt": CLASSES},
        {"annotations/cam2/1.xml": voc("1.jpg", "one")},
        {"annotations/cam2/1.json": labelme("1.jpg", "one")},
        {"annotations/cam2/x.xml": voc("1.jpg", "one")},
        {"ann/1.xml": voc("1.jpg", "one").replace("<size>", "<folder>cam2</folder><size>")},
        {"cam2/list.json": coco(("1.jpg", "one"))},
        {"list.json": coco(("cam2/1.jpg", "one"))},
        {"cam2/list.json": createml(("1.jpg", "one"))},
        {"cam2/list.csv": csv(("1.jpg", "one"))},
        {"cam2/list.xml": cvat(("1.jpg", "one"))},
        {"cam2/list.json": via(("1.jpg", "one"))},
    ],
)
def test_an_ignored_folder_is_noted(voc_folder: VocFolder, files: Files) -> None:
    dataset = formats.read(lay(voc_folder, files | {"images/cam1/1.jpg": ""}))
    assert dataset.names == ("images/cam1/1.jpg",)
    note = said(dataset)[MOVED]
    assert "cam2" in note or "ann/1.xml" in note
    assert "images/cam1/1.jpg" in note


@pytest.mark.parametrize(
    ("path", "write"),
    [
        ("labels/cam2/{}.txt", lambda name: yolo("one")),
        ("annotations/cam2/{}.xml", lambda name: voc(f"{name}.jpg", "one")),
        ("annotations/cam2/{}.json", lambda name: labelme(f"{name}.jpg", "one")),
    ],
)
def test_many_ignored_folders_are_noted_once(
    voc_folder: VocFolder, path: str, write: Callable[[str], str]
) -> None:
    files = {path.format(name): write(name) for name in "0123456789"}
    images = {f"images/cam1/{name}.jpg": "" for name in "0123456789"}
    dataset = formats.read(lay(voc_folder, {**files, **images, "classes.txt": CLASSES}))
    assert dataset.names == tuple(images)
    assert (
        f"10 images were found by the end of the path: that of {path.format(0)}"
        in (said(dataset)[MOVED])
    )


@pytest.mark.parametrize("other", ["images/cam2/2.jpg", "images/day 2/1.jpg"])
@pytest.mark.parametrize(
    "files",
    [
        {"labels/cam2/1.txt": yolo("one"), "classes.txt": CLASSES},
        {"annotations/cam2/1.xml": voc("1.jpg", "one")},
        {"annotations/cam2/1.json": labelme("1.jpg", "one")},
        {"ann/1.xml": voc("1.jpg", "one").replace("<size>", "<folder>cam2</folder><size>")},
        {"list.json": coco(("cam2/1.jpg", "one"))},
    ],
)
def test_a_folder_that_is_here_or_a_name_that_is_not_unique_is_not_ignored(
    voc_folder: VocFolder, files: Files, other: str
) -> None:
    root = lay(voc_folder, files | {"images/cam1/1.jpg": "", other: ""})
    with pytest.raises(DataError, match=r"images/cam1/1.jpg|its image '.*1(\.jpg)?' is missing"):
        formats.read(root)


# ---- an image in two files of one format ----

PAIRS: dict[str, Callable[[str | None, str | None], Files]] = {
    "voc": lambda a, b: {"a.xml": voc("a.jpg", a), "Annotations/a.xml": voc("a.jpg", b)},
    "labelme": lambda a, b: {"a.json": labelme("a.jpg", a), "a_1.json": labelme("a.jpg", b)},
    "yolo": lambda a, b: {
        "a.txt": yolo(a),
        "labels/a.txt": yolo(b),
        "b.jpg": "",
        "b.txt": yolo("three"),
        "classes.txt": CLASSES,
    },
    **{
        form: lambda a, b, write=write, suffix=suffix: {
            f"x.{suffix}": write(("a.jpg", a)),
            f"y.{suffix}": write(("a.jpg", b)),
        }
        for form, (write, suffix) in LISTS.items()
    },
}


@pytest.mark.parametrize("form", PAIRS)
@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (None, "one", {"one"}),
        ("one", None, {"one"}),
        ("one", "one", {"one"}),
        ("one", "two", {"one", "two"}),
        (None, None, set()),
    ],
)
def test_no_box_of_an_image_in_two_files_is_lost(
    voc_folder: VocFolder, form: str, first: str | None, second: str | None, found: set[str]
) -> None:
    dataset = formats.read(lay(voc_folder, {"a.jpg": "", **PAIRS[form](first, second)}))
    assert shown(dataset)["a.jpg"] == found
    if first and second and first != second:
        assert "boxes combined" in said(dataset)["BW113"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("<xmin>4", "<xmin>5"), id="a box was moved"),
        pytest.param(("<width>64", "<width>640"), id="another size"),
        pytest.param(("one", "two"), id="another class"),
    ],
)
def test_two_versions_are_not_mixed(voc_folder: VocFolder, change: tuple[str, str]) -> None:
    text = voc("a.jpg", "one")
    files = {"a.xml": text, "Annotations/a.xml": text.replace(*change)}
    dataset = formats.read(lay(voc_folder, {"a.jpg": "", **files}))
    assert (dataset.boxes.tolist(), dataset.classes) == ([[4, 6, 12, 16]], ("one",))
    assert "left out" in said(dataset)["BW113"]


VOC_B, COCO_B = {"b.xml": voc("b.jpg", "two")}, {"b.json": coco(("b.jpg", "two"))}
YOLO_B = {"b.txt": yolo("two"), "classes.txt": CLASSES}


@pytest.mark.parametrize(
    "files",
    [
        VOC_B
        | {"a.xml": voc("a.jpg", None)}
        | {"Annotations/a.xml": voc("a.jpg", "one").replace("<width>64", "<width>640")},
        VOC_B | {"a.xml": voc("a.jpg", None), "old/a.xml": voc("a.jpg", "one")},
        {"b.json": labelme("b.jpg", "two")}
        | {"a.json": labelme("a.jpg", None), "old/a.json": labelme("a.jpg", "one")},
        YOLO_B | {"a.txt": yolo(None), "old/a.txt": yolo("one")},
        COCO_B | {"train.json": coco(("a.jpg", "one")), "test.json": coco(("a.jpg", None))},
        {"b.json": createml(("b.jpg", "two"))}
        | {"train.json": createml(("a.jpg", "one")), "test.json": createml(("a.jpg", None))},
        VOC_B | {"a.xml": voc("a.jpg", None), "y.json": coco(("a.jpg", "one"))},
        VOC_B | {"a.xml": voc("a.jpg", None), "y.csv": csv(("a.jpg", "one"))},
        COCO_B | {"x.json": coco(("a.jpg", None)), "a.txt": yolo("one"), "classes.txt": CLASSES},
        {"b.json": labelme("b.jpg", "two")}
        | {"a.json": labelme("a.jpg", None), "y.xml": cvat(("a.jpg", "one"))},
    ],
)
def test_an_image_is_not_background_while_another_annotation_has_boxes(
    voc_folder: VocFolder, files: Files
) -> None:
    """Which is of another size or split, in another folder, or in another format."""
    dataset = formats.read(lay(voc_folder, {"a.jpg": "", "b.jpg": "", **files}))
    assert shown(dataset) == {"b.jpg": {"two"}}
    assert "a.jpg has no box here, but 1 box in" in said(dataset)["BW113"]


@pytest.mark.parametrize("choice", [None, "background", "skip"])
def test_nor_if_all_images_without_annotation_are(
    voc_folder: VocFolder, choice: Literal["background", "skip"] | None
) -> None:
    files = {"a.xml": voc("a.jpg", None), "old/a.xml": voc("a.jpg", "one"), "b.jpg": ""}
    root = lay(voc_folder, files | {"a.jpg": "", **VOC_B})
    assert formats.read(root, formats.ReadOptions(unlabeled=choice)).names == ("b.jpg",)


def test_nothing_is_left_of_one_image(voc_folder: VocFolder) -> None:
    files = {"a.jpg": "", "a.xml": voc("a.jpg", None), "y.json": coco(("a.jpg", "one"))}
    with pytest.raises(DataError, match=r"a\.jpg has no box here, but 1 box in y\.json") as caught:
        boxwright.check(lay(voc_folder, files))
    assert caught.value.code == "BW113"


# ---- an image in two formats ----


@pytest.mark.parametrize(
    ("other", "is_named"),
    [
        pytest.param(coco(("a.jpg", "one"), ("b.jpg", "two")), False, id="a copy"),
        pytest.param(coco(("a.jpg", "two"), ("b.jpg", "two")), True, id="another class"),
        pytest.param(
            coco(("a.jpg", "one"), ("b.jpg", "two")).replace("[4, 6", "[30, 6"), True, id="place"
        ),
        pytest.param(
            coco(("a.jpg", "one"), ("b.jpg", "two")).replace("[4, 6", "[5, 7"), False, id="rounded"
        ),
        pytest.param(
            coco(("a.jpg", "one")).replace('"one"', '"dog"').replace("[4, 6", "[30, 6"),
            True,
            id="no common class",
        ),
    ],
)
@pytest.mark.parametrize("form", ["voc", "yolo"])
def test_other_boxes_in_another_format_are_named(
    voc_folder: VocFolder, form: str, other: str, is_named: bool
) -> None:
    files = {"y.json": other, "a.jpg": "", "b.jpg": "", "c.jpg": ""}
    labels = {"a": "one", "b": "two", "c": "three"}
    if form == "voc":
        files |= {f"{name}.xml": voc(f"{name}.jpg", label) for name, label in labels.items()}
    else:
        files |= {f"{name}.txt": yolo(label) for name, label in labels.items()}
        files["classes.txt"] = CLASSES
    read, dataset = formats.read_named(lay(voc_folder, files))
    assert read == form
    assert ("BW155" in codes(dataset)) == is_named


# ---- no annotation has an image ----


@pytest.mark.parametrize(
    "files",
    [
        {"image1.txt": yolo("one"), "classes.txt": CLASSES},
        {"image1.txt": yolo("one")},
        {"image1.xml": voc("", "one")},
        {"image1.json": labelme("", "one")},
        {"x.json": coco(("image1", "one"))},
        {"x.json": createml(("1.jpg", "one"))},
        {"x.csv": csv(("1.jpg", "one"))},
        {"x.json": via(("1.jpg", "one"))},
        {"x.xml": cvat(("1.jpg", "one"))},
        {"x.json": labelstudio(("1.jpg", "one"))},
        {"x.json": vott(("1.jpg", "one"))},
    ],
)
def test_check_says_which_images_an_annotation_may_mean(
    voc_folder: VocFolder, files: Files
) -> None:
    for path in ("image1.jpg", "image1.png", "cam1/1.jpg", "cam2/1.jpg"):
        voc_folder.image(path)
    report = boxwright.check(lay(voc_folder, files))
    (finding,) = (one for one in report.findings if one.code == "BW153")
    assert re.search("may be (image1.jpg, image1.png|cam1/1.jpg, cam2/1.jpg)", finding.message)
    assert finding.where.startswith(next(iter(files)))


def test_check_lists_what_leads_out_of_the_folder(voc_folder: VocFolder) -> None:
    files = {"x.json": coco(("/home/me/b.jpg", "one"), ("gone.jpg", "one"))}
    report = boxwright.check(lay(voc_folder, {"a.jpg": "", **files}))
    assert {"BW112", "BW101"} <= {one.code for one in report.findings}


@pytest.mark.parametrize(
    "files",
    [
        {"labels/a.txt": yolo("one"), "images/1.jpg": ""},
        {"a.txt": yolo("one"), "1.jpg": "", "classes.txt": CLASSES},
        {"labels/train/a.txt": yolo("one"), "images/val/a.jpg": "", "classes.txt": CLASSES},
    ],
)
def test_yolo_labels_without_images_are_known(voc_folder: VocFolder, files: Files) -> None:
    label = next(path for path in files if path.endswith("a.txt"))
    with pytest.raises(DataError, match=f"{label}: its image 'a' is missing") as caught:
        boxwright.check(lay(voc_folder, files))
    assert caught.value.code == "BW101"


def test_boxes_of_yolo_labels_without_images_are_counted(voc_folder: VocFolder) -> None:
    voc_folder.pair("b")
    voc_folder.text("labels/gone.txt", yolo("one") + yolo("two"))
    dataset = formats.read(voc_folder.root)
    assert "YOLO has 1 more annotation with 2 boxes" in said(dataset)["BW155"]

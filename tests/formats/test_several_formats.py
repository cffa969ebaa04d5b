"""Folders whose annotations are in several formats, and options that choose what is read."""

from __future__ import annotations

import json

import pytest

import boxwright
from boxwright import formats
from boxwright.datasets.source import DataSource, source_of
from boxwright.formats import ReadOptions
from folders import VocFolder, codes

pytestmark = pytest.mark.tiny

LINE = "0 0.5 0.5 0.25 0.5\n"


def orphans_and_yolo(folder: VocFolder) -> None:
    """Two images with YOLO labels, and three VOC annotations whose images are gone."""
    for name in "ab":
        folder.image(f"images/{name}.jpg")
        folder.text(f"labels/{name}.txt", LINE)
    folder.text("classes.txt", "cat\n")
    for name in "xyz":
        folder.xml(f"old/{name}.xml")


def test_the_format_that_has_images_is_read_and_the_others_are_named(
    voc_folder: VocFolder,
) -> None:
    orphans_and_yolo(voc_folder)
    form, dataset = formats.read_named(voc_folder.root)
    assert (form, len(dataset), len(dataset.boxes)) == ("yolo", 2, 2)
    (finding,) = dataset.findings
    assert finding.code == "BW155"
    assert "3 more annotations with 3 boxes, in 3 files" in finding.message
    assert "--format voc" in finding.message


def test_a_format_can_be_chosen(voc_folder: VocFolder) -> None:
    orphans_and_yolo(voc_folder)
    voc_folder.image("old/x.jpg")
    assert formats.read(voc_folder.root, "voc").names == ("old/x.jpg",)


def test_a_copy_of_the_same_annotations_is_not_worth_a_word(voc_folder: VocFolder) -> None:
    """The tutorials make CSV lists and records of their xml files."""
    voc_folder.pair("a")
    voc_folder.text("labels.csv", "filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,4,6,30,40\n")
    form, dataset = formats.read_named(voc_folder.root)
    assert (form, dataset.findings) == ("voc", ())


def test_an_image_that_another_format_surely_has_is_not_guessed(voc_folder: VocFolder) -> None:
    """cam1/a.xml lost its image, and a.jpg is another one, which only the list knows."""
    for name in "ab":
        voc_folder.image(f"{name}.jpg")
    voc_folder.xml("b.xml", filename="b.jpg")
    voc_folder.xml("cam1/a.xml", filename="a.jpg")
    voc_folder.text("labels.csv", "filename,class,xmin,ymin,xmax,ymax\na.jpg,dog,1,2,3,4\n")
    form, dataset = formats.read_named(voc_folder.root, tolerant=True)
    assert (form, dataset.names) == ("voc", ("b.jpg",))
    found = {one.code: f"{one.where} {one.message}" for one in dataset.findings}
    assert "a.jpg belongs to another annotation" in found["BW101"]
    assert "1 more annotation" in found["BW155"]


def test_more_boxes_in_another_format_are_named(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    rows = "a.jpg,cat,4,6,30,40\na.jpg,dog,1,2,3,4\n"
    voc_folder.text("labels.csv", f"filename,class,xmin,ymin,xmax,ymax\n{rows}")
    assert codes(formats.read(voc_folder.root)) == ["BW155"]


# ---- images without annotation ----


def yolo_with_backgrounds(folder: VocFolder) -> None:
    for name in ("a", "b", "c"):
        folder.image(f"images/{name}.jpg")
    folder.text("labels/a.txt", LINE)
    folder.text("classes.txt", "cat\n")


@pytest.mark.parametrize(
    ("unlabeled", "orphan", "images", "repair"),
    [
        (None, False, 3, "taken as images without objects"),
        (None, True, 1, "not used"),
        ("skip", False, 1, "not used"),
        ("background", False, 3, "taken as images without objects"),
        ("background", True, 3, "taken as images without objects"),
    ],
)
def test_yolo_images_without_label_file(
    voc_folder: VocFolder, unlabeled: str | None, orphan: bool, images: int, repair: str
) -> None:
    """They are background only while every label file has its image."""
    yolo_with_backgrounds(voc_folder)
    if orphan:
        voc_folder.text("labels/renamed since.txt", LINE)
    dataset = formats.read(voc_folder.root, ReadOptions(unlabeled=unlabeled))
    assert len(dataset) == images
    (finding,) = (one for one in dataset.findings if one.code == "BW109")
    assert (len(finding.images), finding.repair) == (2, repair)
    assert ("may be theirs" in finding.message) == orphan


@pytest.mark.parametrize(("unlabeled", "images"), [(None, 1), ("skip", 1), ("background", 2)])
def test_images_without_annotation_in_any_format(
    voc_folder: VocFolder, unlabeled: str | None, images: int
) -> None:
    voc_folder.pair("a")
    voc_folder.image("b.jpg")
    assert len(formats.read(voc_folder.root, ReadOptions(unlabeled=unlabeled))) == images


def test_an_empty_label_file_is_background_whatever_else_is_lost(voc_folder: VocFolder) -> None:
    yolo_with_backgrounds(voc_folder)
    voc_folder.text("labels/b.txt", "")
    voc_folder.text("labels/gone.txt", LINE)
    assert formats.read(voc_folder.root).names == ("images/a.jpg", "images/b.jpg")


# ---- options ----


def test_a_run_remembers_how_its_data_was_read(voc_folder: VocFolder) -> None:
    source = DataSource((voc_folder.root,), options=ReadOptions("voc", "skip"))
    provenance = json.loads(json.dumps(source.to_provenance("f")))
    assert provenance["read_options"] == {"form": "voc", "unlabeled": "skip"}
    again = source_of(provenance)
    assert again
    assert again.options == source.options


def test_default_options_leave_no_trace(voc_folder: VocFolder) -> None:
    provenance = DataSource((voc_folder.root,)).to_provenance("f")
    assert "read_options" not in provenance


def test_options_of_a_later_version_are_ignored() -> None:
    assert ReadOptions.from_json({"form": "voc", "new": 1}) == ReadOptions("voc")


def test_loading_takes_them(voc_folder: VocFolder) -> None:
    for name in ("a", "b", "c"):
        voc_folder.pair(name)
    voc_folder.image("d.jpg")
    options = boxwright.ReadOptions(unlabeled="background")
    assert len(boxwright.load(voc_folder.root, options)) == 4

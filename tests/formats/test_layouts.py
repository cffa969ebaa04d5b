"""Where photos, and annotations may lie in a data folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats.folder import Folder
from boxwright.structures.dataset import Dataset
from folders import MOVED, VocFolder, marks

pytestmark = pytest.mark.tiny


def findings(dataset: Dataset) -> Iterator[tuple[str, str, str]]:
    for finding in dataset.findings:
        yield finding.code, finding.where, finding.repair


@pytest.mark.parametrize(
    ("xml", "image", "filename"),
    [
        ("a.xml", "a.jpg", "a.jpg"),
        ("a.xml", "a.JPG", "a.jpg"),
        ("a.xml", "a.jpeg", None),
        ("a.xml", "a.png", "a"),
        ("a.xml", "a.jpg", "renamed since.jpg"),
        ("0001.xml", "a.jpg", "a.jpg"),
        ("0001.xml", "a.jpg", "a"),
        ("a.jpg.xml", "a.jpg", None),
        ("a.v2.xml", "a.v2.jpg", "a.v2"),
        ("a.xml", "a.jpg", "images/a.jpg"),
        ("a.xml", "a.jpg", "images\\a.jpg"),
        ("a.xml", "a.jpg", "C:\\Users\\somebody\\photos\\a.jpg"),
        ("annotations/a.xml", "images/a.jpg", "../images/a.jpg"),
        ("annotations/a.xml", "images/a.jpg", "a.jpg"),
        ("Annotations/a.xml", "JPEGImages/a.jpg", "a.jpg"),
        ("VOC/Annotations/a.xml", "VOC/JPEGImages/a.jpg", "a.jpg"),
        ("labels/xmls/a.xml", "a.jpg", "a.jpg"),
        ("images/xml/a.xml", "images/a.jpg", "a.jpg"),
        ("my photos/ein Waschbär.xml", "my photos/ein Waschbär.jpg", "ein Waschbär.jpg"),
        ("a.xml", "Wa\u0308schba\u0308r.jpg", "W\u00e4schb\u00e4r.jpg"),
        ("a%20b.xml", "a%20b.jpg", "a%20b.jpg"),
        ("100%.xml", "100%.jpg", "100%.jpg"),
        ("猫/猫.xml", "猫/猫.jpg", None),
    ],
)
def test_an_annotation_finds_its_image(
    voc_folder: VocFolder, xml: str, image: str, filename: str | None
) -> None:
    voc_folder.image(image)
    voc_folder.xml(xml, filename=filename)
    dataset = formats.read(voc_folder.root)
    assert dataset.names == (image,)
    assert dataset.image(0).is_file()
    assert dataset.findings == ()


@pytest.mark.parametrize("masks", ["annotations/trimaps", "SegmentationClass", "images/masks"])
def test_a_mask_is_not_the_image_whose_name_it_bears(voc_folder: VocFolder, masks: str) -> None:
    voc_folder.xml("annotations/xmls/a.xml", filename="a.jpg")
    voc_folder.image(f"{masks}/a.png")
    voc_folder.image("images/a.jpg")
    assert formats.read(voc_folder.root).names == ("images/a.jpg",)


@pytest.mark.parametrize(
    ("filename", "found"),
    [
        ("/home/somebody/a.jpg", "a.jpg"),
        ("C:\\Users\\somebody\\a.jpg", "a.jpg"),
        ("../a.jpg", "a.jpg"),
        ("..\\..\\label-studio\\media\\a.jpg", "a.jpg"),
        ("/data/day 2/a.jpg", "day 2/a.jpg"),
    ],
)
def test_a_path_of_another_computer_is_harmless_and_noted(
    voc_folder: VocFolder, filename: str, found: str
) -> None:
    voc_folder.image(found)
    voc_folder.xml("x.xml", filename=filename)
    dataset = formats.read(voc_folder.root)
    assert dataset.names == (found,)
    (finding,) = dataset.findings
    assert finding.code == MOVED
    assert f"'{filename}' is {found}" in finding.message


def test_a_tools_stem_goes_before_a_filename_that_fits_another_image(
    voc_folder: VocFolder,
) -> None:
    voc_folder.image("new1.jpg")
    voc_folder.image("old1.jpg")
    voc_folder.xml("new1.xml", filename="old1.jpg")
    assert formats.read(voc_folder.root).names == ("new1.jpg",)


def test_of_two_images_of_one_stem_the_named_one_is_meant(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg")
    voc_folder.image("a.png")
    voc_folder.xml("a.xml", filename="a.png")
    assert formats.read(voc_folder.root).names == ("a.png",)


@pytest.mark.parametrize("image", ["hütte.jpg", "h%C3%BCtte.jpg"])
def test_an_image_of_another_kind_than_the_named_one_is_not_meant(
    voc_folder: VocFolder, image: str
) -> None:
    """Also if its name must be decoded first."""
    voc_folder.image(image)
    voc_folder.image("a.jpg")
    voc_folder.xml("hütte.xml", filename="hütte.png")
    voc_folder.xml("a.xml", filename="a.jpg")
    dataset = formats.read(voc_folder.root, tolerant=True)
    assert dataset.names == ("a.jpg",)
    assert "hütte.png" in " ".join(one.message for one in dataset.findings)


def test_an_image_is_taken_from_where_images_usually_lie(voc_folder: VocFolder) -> None:
    for folder in ("SegmentationClass", "JPEGImages", "Drawn"):
        voc_folder.image(f"{folder}/a.png")
    voc_folder.xml("Annotations/a.xml", filename=None)
    assert formats.read(voc_folder.root).names == ("JPEGImages/a.png",)


def test_two_data_sets_side_by_side_keep_their_images(voc_folder: VocFolder) -> None:
    for year in ("2007", "2012"):
        for stem in ("a", "b", "c"):
            voc_folder.xml(f"VOC{year}/Annotations/{stem}.xml")
            if (year, stem) != ("2007", "c"):
                voc_folder.image(f"VOC{year}/JPEGImages/{stem}.jpg")
        voc_folder.text(f"VOC{year}/ImageSets/Main/train.txt", "a\n")
        voc_folder.text(f"VOC{year}/ImageSets/Main/test.txt", "b\n")
    dataset = formats.read(voc_folder.root)
    assert marks(dataset) == {
        "VOC2007/JPEGImages/a.jpg": "train",
        "VOC2007/JPEGImages/b.jpg": "test",
        "VOC2012/JPEGImages/a.jpg": "train",
        "VOC2012/JPEGImages/b.jpg": "test",
        "VOC2012/JPEGImages/c.jpg": "unassigned",
    }
    assert ("BW101", "VOC2007/Annotations/c.xml", "left out") in findings(dataset)


def test_an_image_has_one_annotation(voc_folder: VocFolder) -> None:
    voc_folder.image("images/a.jpg")
    voc_folder.xml("annotations/a.xml", [("cat", 1, 2, 3, 4)])
    voc_folder.xml("images/a.xml", [("cat", 5, 6, 7, 8)])
    dataset = formats.read(voc_folder.root)
    assert dataset.boxes.tolist() == [[5, 6, 7, 8], [1, 2, 3, 4]]
    assert list(findings(dataset)) == [("BW113", "annotations/a.xml", "boxes combined")]


def test_hidden_files_and_archive_remains_are_passed_over(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    for path in (".cache/b", "__MACOSX/c"):
        voc_folder.pair(path)
    voc_folder.text("._a.xml", "resource fork")
    assert formats.read(voc_folder.root).names == ("a.jpg",)


@pytest.mark.parametrize("name", ["b.jpg", "b.xml", "b.json", "b.csv", "b.txt", "b.record"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_never_ends_is_passed_over(voc_folder: VocFolder, name: str, kind: str) -> None:
    voc_folder.pair("a")
    try:
        if kind == "pipe":
            os.mkfifo(voc_folder.root / name)
        else:
            (voc_folder.root / name).symlink_to("/dev/zero")
    except (AttributeError, OSError):
        pytest.skip("pipes and links cannot be made here")
    folder = Folder.scan(voc_folder.root)
    assert (folder.images, folder.files) == ({"": ["a.jpg"]}, {".xml": ["a.xml"]})


def test_a_link_that_leads_back_up_is_followed_once(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    try:
        (voc_folder.root / "loop").symlink_to(voc_folder.root, target_is_directory=True)
    except OSError:
        pytest.skip("links cannot be made here")
    assert formats.read(voc_folder.root).names == ("a.jpg",)


def test_a_scan_lists_images_by_folder_and_files_by_suffix(voc_folder: VocFolder) -> None:
    voc_folder.pair("sub/b")
    voc_folder.pair("A")
    voc_folder.text("notes.TXT", "")
    folder = Folder.scan(voc_folder.root)
    assert folder.images == {"": ["A.jpg"], "sub": ["b.jpg"]}
    assert folder.files == {".xml": ["A.xml", "sub/b.xml"], ".txt": ["notes.TXT"]}


@pytest.mark.parametrize(
    ("marks", "photos", "where"),
    [
        ("marks/{}", "photos/{}", "marks"),
        ("marks/{}_xml", "photos/{}", "marks"),
        ("x/marks/{}/new", "x/photos/{}/old", "x/marks"),
        ("{}/marks", "{}/photos", "."),
    ],
)
def test_sibling_folders_in_other_places_are_noted_once(
    voc_folder: VocFolder, marks: str, photos: str, where: str
) -> None:
    for clip in "abcdefg":
        for number in range(2):
            voc_folder.image(f"{photos.format(clip)}/{clip}{number}.jpg")
            voc_folder.xml(f"{marks.format(clip)}/{clip}{number}.xml")
    dataset = formats.read(voc_folder.root)
    (finding,) = dataset.findings
    assert (finding.code, finding.where, len(finding.images)) == (MOVED, where, 14)
    first = f"14 images were found by the end of the path, 2 in {marks.format('a')}, "
    assert finding.message.startswith(first)
    last = f"2 in {marks.format('e')} and 4 in 2 more folders: that of {marks.format('a')}/a0.xml"
    assert last in finding.message


@pytest.mark.parametrize(
    ("image", "first", "second"),
    [
        ("a", "1f2e3d4c-a", "9f2e3d4c-a"),  # Label Studio, of two uploads
        ("a b", "a_b", "a%20b"),
        ("a, b", "a__b", "a_b"),
    ],
)
def test_two_changed_names_of_one_image_are_refused(
    voc_folder: VocFolder, image: str, first: str, second: str
) -> None:
    for name in (image, "other"):
        voc_folder.image(f"images/{name}.jpg")
    for name in (first, second, "other"):
        voc_folder.text(f"labels/{name}.txt", "0 0.5 0.5 0.25 0.5\n")
    with pytest.raises(DataError, match=f"BW153.*'{first}' may be images/{image}.jpg"):
        formats.read(voc_folder.root)
    assert formats.read(voc_folder.root, tolerant=True).names == ("images/other.jpg",)
    (voc_folder.root / f"labels/{second}.txt").unlink()
    assert len(formats.read(voc_folder.root)) == 2

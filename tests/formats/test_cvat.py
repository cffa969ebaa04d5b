"""CVAT's own XML: images with shapes."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from cvat_samples import CAT, META, found, image, images, read

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats.folder import Folder
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


# ---- images ----


@pytest.mark.parametrize(
    ("shape", "box", "kinds"),
    [
        (CAT, [4, 6, 30, 40], []),
        (CAT.replace('z_order="0"', 'rotation="90.00"'), [0, 10, 34, 36], ["1 rotated box"]),
        (CAT.replace('z_order="0"', 'rotation="0"'), [4, 6, 30, 40], []),
        ('<polygon label="cat" points="4.0,6.0;30.0,9;20,40"/>', [4, 6, 30, 40], ["1 polygon"]),
        ('<polyline label="cat" points="4,6;30,40"/>', [4, 6, 30, 40], ["1 polyline"]),
        ('<points label="cat" points="4,6; 30,40;"/>', [4, 6, 30, 40], ["1 points"]),
        ('<ellipse label="cat" cx="20" cy="20" rx="9" ry="5"/>', [11, 15, 29, 25], ["1 ellipse"]),
        (
            '<ellipse label="cat" cx="20" cy="20" rx="9" ry="5" rotation="90"/>',
            [15, 11, 25, 29],
            ["1 ellipse"],
        ),
        (
            '<mask label="cat" rle="3, 2" left="4" top="6" width="26" height="34"/>',
            [4, 6, 30, 40],
            ["1 mask"],
        ),
        (
            '<cuboid label="cat" xtl1="4" ytl1="8" xbl1="4" ybl1="40" xtr1="20" ytr1="8" xbr1="20"'
            ' ybr1="40" xtl2="12" ytl2="6" xbl2="12" ybl2="36" xtr2="30" ytr2="6" xbr2="30"'
            ' ybr2="36"/>',
            [4, 6, 30, 40],
            ["1 cuboid"],
        ),
        (
            '<skeleton label="cat" z_order="0"><points label="1" outside="0" points="4.0,6.0"/>'
            '<points label="2" outside="0" points="30,40"/>'
            '<points label="3" outside="1" points="60,47"/></skeleton>',
            [4, 6, 30, 40],
            ["1 skeleton"],
        ),
    ],
)
def test_shapes_become_boxes(
    voc_folder: VocFolder, shape: str, box: list[float], kinds: list[str]
) -> None:
    dataset = read(voc_folder, image("a.jpg", shape))
    assert found(dataset) == {"a.jpg": [("cat", box)]}
    assert codes(dataset) == ["BW143"] * len(kinds)
    assert all(kind in dataset.findings[0].message for kind in kinds)


@pytest.mark.parametrize(
    ("shape", "flags"),
    [
        (CAT.replace('occluded="0"', 'occluded="1"'), OCCLUDED),
        (CAT.replace("></box>", '><attribute name="difficult">true</attribute></box>'), DIFFICULT),
        (CAT.replace("></box>", '><attribute name="truncated">1</attribute></box>'), TRUNCATED),
        (CAT.replace("></box>", '><attribute name="is_crowd">true</attribute></box>'), CROWD),
        (CAT.replace("></box>", '><attribute name="is_crowd">false</attribute></box>'), 0),
        (CAT.replace("></box>", '><attribute name="color">1</attribute></box>'), 0),
    ],
)
def test_flags(voc_folder: VocFolder, shape: str, flags: int) -> None:
    assert read(voc_folder, image("a.jpg", shape)).flags.tolist() == [flags]


def test_classes_are_in_the_order_of_the_task_without_parts_of_skeletons(
    voc_folder: VocFolder,
) -> None:
    part = "<label><name>nose</name><type>points</type><parent>dog</parent></label></labels>"
    dataset = read(voc_folder, image("a.jpg", CAT), meta=META.replace("</labels>", part))
    assert dataset.classes == ("dog", "cat")


def test_images_without_shapes_have_no_objects_and_tags_are_named(voc_folder: VocFolder) -> None:
    tag = '<tag label="cat" source="manual"></tag>'
    here = ("a.jpg", "b.jpg", "c.jpg")
    dataset = read(voc_folder, image("a.jpg", CAT), image("b.jpg"), image("c.jpg", tag), here=here)
    assert found(dataset) == {"a.jpg": [("cat", [4, 6, 30, 40])], "b.jpg": [], "c.jpg": []}
    assert codes(dataset) == ["BW165"]


def test_a_projects_subsets_are_splits_and_folders(voc_folder: VocFolder) -> None:
    here = ("images/Train/a.jpg", "images/Validation/a.jpg", "images/default/b.jpg")
    other = CAT.replace('"4.00"', '"9.00"')
    dataset = read(
        voc_folder,
        image("a.jpg", CAT, more='subset="Train" task_id="1"'),
        image("a.jpg", other, more='subset="Validation" task_id="2"'),
        image("b.jpg", more='subset="default" task_id="3"'),
        here=here,
        meta=f"<meta><project>{META[6:-7]}</project></meta>",
    )
    assert marks(dataset) == dict(zip(here, ("train", "val", "unassigned"), strict=True))
    assert found(dataset)["images/Train/a.jpg"] == [("cat", [4, 6, 30, 40])]
    assert found(dataset)["images/Validation/a.jpg"] == [("cat", [9, 6, 30, 40])]
    assert dataset.classes == ("dog", "cat")


def test_subsets_of_images_in_one_folder(voc_folder: VocFolder) -> None:
    dataset = read(
        voc_folder,
        image("a.jpg", CAT, more='subset="train"'),
        image("b.jpg", more='subset="test"'),
        here=("images/a.jpg", "images/b.jpg"),
    )
    assert marks(dataset) == {"images/a.jpg": "train", "images/b.jpg": "test"}
    assert codes(dataset) == []


def test_an_image_that_is_listed_twice_is_not_guessed(voc_folder: VocFolder) -> None:
    here = ("x/a.jpg", "y/a.jpg")
    with pytest.raises(DataError) as caught:
        read(voc_folder, image("a.jpg", CAT), image("a.jpg"), here=here)
    assert caught.value.code == "BW153"


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (CAT.replace('label="cat"', ""), "a <box> has no label"),
        (CAT.replace('xtl="4.00"', ""), "xtl is missing"),
        (CAT.replace('xtl="4.00"', 'xtl="nan"'), "xtl is 'nan', not a coordinate"),
        ('<polygon label="cat" points=""/>', "its <polygon> has no points"),
        ('<polygon label="cat" points="1,2;3"/>', "its <polygon> has no points"),
        ('<cuboid label="cat"/>', "its <cuboid> has no corners"),
        ('<skeleton label="cat"/>', "its <skeleton> has no points"),
        ('<cylinder label="cat"/>', "<cylinder> is not a shape that is read"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(
    voc_folder: VocFolder, shape: str, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(voc_folder, image("b.jpg"), image("a.jpg", CAT, shape), here=("a.jpg", "b.jpg"))
    assert caught.value.code == "BW110"
    assert caught.value.where == str(voc_folder.root / "annotations.xml, image 1")
    assert message in caught.value.message
    left = formats.read(voc_folder.root, tolerant=True)
    assert left.names == ("b.jpg",)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (images(image("a.jpg", CAT))[:-30], "BW110"),
        ('<!DOCTYPE a [<!ENTITY b "c">]>\n<annotations>&b;</annotations>', "BW111"),
    ],
)
def test_damaged_and_hostile_files_are_refused(voc_folder: VocFolder, text: str, code: str) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("annotations.xml", text)
    assert formats.detect(voc_folder.root) == "cvat"
    with pytest.raises(DataError) as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == code


def test_it_is_no_voc_and_voc_is_no_cvat(voc_folder: VocFolder) -> None:
    voc_folder.text("annotations.xml", images(image("a.jpg", CAT)))
    assert not formats.FORMATS["voc"].detect(Folder.scan(voc_folder.root))
    other = VocFolder(voc_folder.root / "other")
    other.pair("a")
    assert not formats.FORMATS["cvat"].detect(Folder.scan(other.root))


# ---- writing ----


def test_written_as_cvat_for_images(voc_folder: VocFolder, tmp_path: Path) -> None:
    voc_folder.image("0.jpg")
    flags = [OCCLUDED | DIFFICULT]
    one = LabeledImage("0.jpg", 64, 48, [(1.5, 2, 20.3, 40)], ['"d" & g'], flags, Split.TRAIN)
    dataset = Dataset.of(voc_folder.root, [one], ['"d" & g', "cat"])
    formats.write(dataset, tmp_path / "out", "cvat")
    root = ElementTree.parse(tmp_path / "out/annotations.xml").getroot()  # noqa: S314
    assert root.findtext("version") == "1.1"
    assert [label.text for label in root.iterfind("meta/task/labels/label/name")] == [
        '"d" & g',
        "cat",
    ]
    image = root.find("image")
    assert image is not None
    assert image.attrib == {
        "id": "0",
        "name": "0.jpg",
        "subset": "train",
        "width": "64",
        "height": "48",
    }
    box = image.find("box")
    assert box is not None
    assert box.attrib == {
        "label": '"d" & g',
        "source": "manual",
        "occluded": "1",
        "xtl": "1.5",
        "ytl": "2",
        "xbr": "20.3",
        "ybr": "40",
        "z_order": "0",
    }
    assert {one.get("name"): one.text for one in box} == {
        "difficult": "true",
        "truncated": "false",
        "is_crowd": "false",
    }
    assert (tmp_path / "out/images/train/0.jpg").is_file()

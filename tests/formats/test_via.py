"""VGG Image Annotator: regions with attributes, in JSON of two versions and in CSV."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats.folder import Folder
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from folders import VocFolder, codes, marks

pytestmark = pytest.mark.tiny

RECT = {"name": "rect", "x": 4, "y": 6, "width": 26, "height": 34}
HEADER = (
    *("filename", "file_size", "file_attributes", "region_count", "region_id"),
    *("region_shape_attributes", "region_attributes"),
)


def region(shape: Any = RECT, **attributes: Any) -> Any:
    return {"shape_attributes": shape, "region_attributes": attributes}


def entry(name: str, *regions: Any, size: Any = 1234, version: int = 2) -> dict[str, Any]:
    inner: Any = list(regions)
    if version == 1:
        inner = {str(i): one for i, one in enumerate(regions)}
    one = {"filename": name, "size": size, "regions": inner, "file_attributes": {}}
    if version == 1:
        one |= {"fileref": "", "base64_img_data": ""}
    return {f"{name}{size}": one}


def project(images: dict[str, Any], **options: list[str]) -> dict[str, Any]:
    region = {
        name: {
            "type": "dropdown",
            "description": "",
            "options": dict.fromkeys(each, ""),
            "default_options": {},
        }
        for name, each in options.items()
    }
    return {
        "_via_settings": {"ui": {}, "core": {"default_filepath": ""}, "project": {"name": "pets"}},
        "_via_img_metadata": images,
        "_via_attributes": {"region": region, "file": {}},
        "_via_data_format_version": "2.0.10",
        "_via_image_id_list": list(images),
    }


def table(images: dict[str, Any], *, comment: str = "") -> str:
    """The images as the tool exports them as CSV; version 1 begins with a comment sign."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([comment + HEADER[0], *HEADER[1:]])
    for one in images.values():
        regions = list(one["regions"])
        for i, each in enumerate(regions or [region({})]):
            values = (json.dumps(each[key]) for key in ("shape_attributes", "region_attributes"))
            writer.writerow([one["filename"], one["size"], "{}", len(regions), i, *values])
    return text.getvalue()


def read(folder: VocFolder, images: Any, *here: str, form: str = "json") -> Dataset:
    for name in here or ("a.jpg",):
        folder.image(name)
    if form == "json":
        folder.text("via_region_data.json", json.dumps(images))
    else:
        folder.text("via_region_data.csv", table(images, comment=form))
    return formats.read(folder.root)


def names(dataset: Dataset) -> list[str]:
    return [dataset.classes[label] for label in dataset.labels]


# ---- regions ----


@pytest.mark.parametrize("form", ["json", "", "#"])
@pytest.mark.parametrize(
    ("shape", "box"),
    [
        (RECT, [4, 6, 30, 40]),
        ({**RECT, "x": "4.5"}, [4.5, 6, 30.5, 40]),
        ({"name": "circle", "cx": 20, "cy": 20, "r": 5}, [15, 15, 25, 25]),
        ({"name": "circle", "cx": 20, "cy": 20, "r": 5.5}, [14.5, 14.5, 25.5, 25.5]),
        ({"name": "ellipse", "cx": 20, "cy": 20, "rx": 9, "ry": 5}, [11, 15, 29, 25]),
        (
            {"name": "ellipse", "cx": 20, "cy": 20, "rx": 9, "ry": 5, "theta": 1.570796326794897},
            [15, 11, 25, 29],
        ),
        (
            {"name": "polygon", "all_points_x": [4, 30, 20], "all_points_y": [6, 9, 40]},
            [4, 6, 30, 40],
        ),
        ({"name": "polyline", "all_points_x": [4, 30], "all_points_y": [40, 6]}, [4, 6, 30, 40]),
        ({"name": "point", "cx": 4, "cy": 6}, [4, 6, 4, 6]),
    ],
)
def test_shapes_become_boxes(voc_folder: VocFolder, form: str, shape: Any, box: list[Any]) -> None:
    dataset = read(voc_folder, entry("a.jpg", region(shape, kind="cat")), form=form)
    assert dataset.boxes[0].tolist() == pytest.approx(box, abs=1e-4)
    assert codes(dataset) == ([] if shape["name"] == "rect" else ["BW143"])
    assert formats.detect(voc_folder.root) == "via"


@pytest.mark.parametrize("version", [1, 2])
def test_versions_and_projects(voc_folder: VocFolder, version: int) -> None:
    images = entry("a.jpg", region(kind="cat"), region(kind="dog"), version=version)
    dataset = read(voc_folder, images)
    assert names(dataset) == ["cat", "dog"]
    voc_folder.text("via_region_data.json", json.dumps(project(images, kind=["dog", "owl", "cat"])))
    dataset = formats.read(voc_folder.root)
    assert dataset.classes == ("dog", "owl", "cat")
    assert names(dataset) == ["cat", "dog"]


@pytest.mark.parametrize("form", ["json", "", "#"])
def test_images_without_regions_have_no_objects(voc_folder: VocFolder, form: str) -> None:
    images = {**entry("a.jpg", region(kind="cat")), **entry("b.jpg")}
    dataset = read(voc_folder, images, "a.jpg", "b.jpg", form=form)
    assert (dataset.names, len(dataset.boxes), codes(dataset)) == (("a.jpg", "b.jpg"), 1, [])


# ---- the class ----


@pytest.mark.parametrize(
    ("regions", "found", "finding"),
    [
        ([region(class_="cat"), region(class_="dog")], ["cat", "dog"], []),
        ([region(kind=3)], ["3"], []),
        ([region(kind={"cat": True, "dog": False})], ["cat"], []),
        ([region(kind={"cat": True, "dog": True})], ["cat", "dog"], []),
        ([region(), region()], ["object", "object"], ["BW148"]),
        ([region(note="", kind="cat")], ["cat"], []),
        ([region(color="red", kind="cat"), region(kind="dog")], ["cat", "dog"], ["BW164"]),
        ([region(color="red", type="cat")], ["cat"], ["BW164"]),  # as often: called like a class
        ([region(color="red", extent="big")], ["red"], ["BW164"]),  # as often: the first one
        ([region(name="cat", type="pet", image_quality={"good": True})], ["cat"], ["BW164"]),
    ],
)
@pytest.mark.parametrize("form", ["json", ""])
def test_the_attribute_that_most_regions_have_is_the_class(
    voc_folder: VocFolder, form: str, regions: list[Any], found: list[str], finding: list[str]
) -> None:
    dataset = read(voc_folder, entry("a.jpg", *regions), form=form)
    assert names(dataset) == found
    assert codes(dataset) == finding


def test_the_class_is_one_attribute_in_all_files(voc_folder: VocFolder) -> None:
    voc_folder.image("x/b.jpg")
    one = json.dumps(entry("b.jpg", region(color="red", kind="dog")))
    voc_folder.text("x/via.json", one)
    dataset = read(voc_folder, entry("a.jpg", region(color="red"), region(color="red")))
    assert names(dataset) == ["red", "red", "red"]
    (finding,) = dataset.findings
    assert "'color' is the class: 3 of 3 regions have it, 'kind' in 1" in finding.message


# ---- which image ----


def test_images_of_one_name_are_told_apart_by_their_bytes(voc_folder: VocFolder) -> None:
    here = ("x/a.jpg", "y/a.jpg")
    for i, name in enumerate(here):
        voc_folder.image(name, size=(64, 48 + 16 * i))
    sizes = [(voc_folder.root / name).stat().st_size for name in here]
    assert sizes[0] != sizes[1]
    images = {
        **entry("a.jpg", region(kind="dog"), size=sizes[1]),
        **entry("a.jpg", region(kind="cat"), size=sizes[0]),
    }
    voc_folder.text("via.json", json.dumps(images))
    dataset = formats.read(voc_folder.root)
    assert dict(zip(dataset.names, names(dataset), strict=True)) == {
        "x/a.jpg": "cat",
        "y/a.jpg": "dog",
    }


def test_images_of_one_name_and_unknown_bytes_are_not_guessed(voc_folder: VocFolder) -> None:
    images = {
        **entry("a.jpg", region(kind="dog"), size=-1),
        **entry("a.jpg", region(kind="cat"), size=7),
    }
    with pytest.raises(DataError) as caught:
        read(voc_folder, images, "x/a.jpg", "y/a.jpg")
    assert caught.value.code == "BW153"


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("a.jpg", "images/a.jpg"),
        ("images/a.jpg", "images/a.jpg"),
        ("https://example.org/pets/a.jpg", "a.jpg"),
        ("/home/me/pets/a.jpg", "pets/a.jpg"),
        ("C:\\pets\\a.jpg", "pets/a.jpg"),
        ("a%20b.jpg", "a b.jpg"),
    ],
)
@pytest.mark.parametrize("form", ["json", ""])
def test_a_name_finds_its_image(voc_folder: VocFolder, form: str, name: str, image: str) -> None:
    dataset = read(voc_folder, entry(name, region(kind="cat")), image, form=form)
    assert dataset.names == (image,)


def test_folders_and_names_of_files_are_splits(voc_folder: VocFolder) -> None:
    for split in ("train", "val"):
        voc_folder.image(f"{split}/{split}.jpg")
        text = json.dumps(entry(f"{split}.jpg", region()))
        voc_folder.text(f"{split}/via_region_data.json", text)
    dataset = formats.read(voc_folder.root)
    assert marks(dataset) == {"train/train.jpg": "train", "val/val.jpg": "val"}
    assert names(dataset) == ["object", "object"]


def test_one_project_exported_twice_is_used_once(voc_folder: VocFolder) -> None:
    images = {**entry("a.jpg", region(kind="cat")), **entry("b.jpg")}
    voc_folder.text("via_export.csv", table(images))
    dataset = read(voc_folder, project(images, kind=["cat"]), "a.jpg", "b.jpg")
    assert (len(dataset), len(dataset.boxes), codes(dataset)) == (2, 1, ["BW113"])
    (finding,) = dataset.findings
    assert (finding.where, finding.repair) == ("via_export.csv", "used once")


def test_only_its_own_tables_are_read(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("via.csv", table(entry("a.jpg", region(kind="cat"))))
    folder = Folder.scan(voc_folder.root)
    assert [name for name, form in formats.FORMATS.items() if form.detect(folder)] == ["via"]
    voc_folder.text("via.csv", "filename,xmin,ymin,xmax,ymax,class\na.jpg,4,6,30,40,cat\n")
    folder = Folder.scan(voc_folder.root)
    assert [name for name, form in formats.FORMATS.items() if form.detect(folder)] == ["csv"]


# ---- damage ----


@pytest.mark.parametrize(
    ("images", "where", "message"),
    [
        (entry("a.jpg", region(kind="cat"), region()), ", a.jpg1234.regions[1]", "has no 'kind'"),
        (entry("a.jpg", region({"name": "cube"})), ", a.jpg1234.regions[0]", "shape is 'cube'"),
        (entry("a.jpg", region({})), ", a.jpg1234.regions[0]", "its shape is missing"),
        (entry("a.jpg", region({**RECT, "x": None})), ", a.jpg1234.regions[0]", "x is missing"),
        (
            entry("a.jpg", region({"name": "polygon", "all_points_x": [1], "all_points_y": []})),
            ", a.jpg1234.regions[0]",
            "not lists of one length",
        ),
        (entry("a.jpg", "cat"), ", a.jpg1234.regions[0]", "is 'cat', not an object"),
        (entry("a.jpg", {"shape_attributes": 1}), ".regions[0].shape_attributes", "is 1, not"),
        (entry("", region()), ", 1234", "filename is '', not an image name"),
        ({**entry("a.jpg"), "b": 3}, ", b", "is 3, not an object"),
        ({"_via_settings": {}, "_via_img_metadata": 3}, ", _via_img_metadata", "is 3, not an"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(
    voc_folder: VocFolder, images: Any, where: str, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(voc_folder, images)
    assert caught.value.code == "BW110"
    assert message in caught.value.message
    assert str(caught.value.where).endswith(where)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('a.jpg,1,{},1,0,"{""name"":""rect""",{}', "region_shape_attributes is not well-formed"),
        ("a.jpg,1,{},1,0,{},[]", "region_attributes is a list, not an object"),
        ('a.jpg,1,{},1,0,{},"{""kind"":""cat""}"', "the attributes of a region, but no shape"),
        ("a.jpg,1", "has only 2 columns"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_its_line(
    voc_folder: VocFolder, row: str, message: str
) -> None:
    voc_folder.image("a.jpg")
    good = table(entry("a.jpg", region(kind="cat"), size=1))
    voc_folder.text("via.csv", f"{good}{row}\n")
    with pytest.raises(DataError, match=message) as caught:
        formats.read(voc_folder.root)
    assert caught.value.where == str(voc_folder.root / "via.csv:3")
    assert formats.read(voc_folder.root, tolerant=True).names == ()


# ---- writing ----


def test_written_as_a_project(voc_folder: VocFolder, tmp_path: Path) -> None:
    images = []
    for i, boxes in enumerate(([(1.5, 2, 20.3, 40)], [])):
        voc_folder.image(f"{i}.jpg")
        labels = ["dog"] * len(boxes)
        images.append(LabeledImage(f"{i}.jpg", 64, 48, boxes, labels, split=Split.TRAIN))
    dataset = Dataset.of(voc_folder.root, images, ["dog", "cat"])
    formats.write(dataset, tmp_path / "out", "via")
    text = (tmp_path / "out/train/via_project.json").read_text(encoding="utf-8")
    content = json.loads(text)
    size = (voc_folder.root / "0.jpg").stat().st_size
    key, other = content["_via_img_metadata"]
    assert key == f"0.jpg{size}"
    assert content["_via_image_id_list"] == [key, other]
    assert content["_via_img_metadata"][key] == {
        "filename": "0.jpg",
        "size": size,
        "regions": [
            {
                "shape_attributes": {"name": "rect", "x": 1.5, "y": 2, "width": 18.8, "height": 38},
                "region_attributes": {"class": "dog"},
            }
        ],
        "file_attributes": {},
    }
    assert content["_via_attributes"]["region"]["class"]["options"] == {"dog": "", "cat": ""}

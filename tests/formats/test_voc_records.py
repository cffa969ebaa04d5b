"""Pascal VOC files that hold more than the usual: several boxes in an object, marks, hints."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats.voc.xml_file import Seen, read_annotation
from boxwright.structures.dataset import DIFFICULT, OCCLUDED, TRUNCATED, Dataset
from boxwright.tfod import xml_to_csv
from folders import VocFolder, codes

pytestmark = pytest.mark.tiny

FIRST, SECOND, THIRD = [4, 6, 12, 16], [18, 3, 26, 9], [30, 30, 40, 40]


def bndbox(box: list[int]) -> str:
    sides = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    return f"<bndbox>{''.join(f'<{tag}>{value}</{tag}>' for tag, value in sides)}</bndbox>"


def read(voc_folder: VocFolder, inside: str, head: str = "<annotation>") -> Dataset:
    voc_folder.image("a.jpg")
    voc_folder.text("a.xml", f"{head}<filename>a.jpg</filename>{inside}</annotation>")
    return formats.read(voc_folder.root)


ONE, TWO, THREE = map(bndbox, (FIRST, SECOND, THIRD))
PART = f"<part><name>hand</name>{THREE}</part>"


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        (f"<object><name>car</name>{ONE}{TWO}</object>", [("car", FIRST), ("car", SECOND)]),  # ybat
        (
            f"<object>{ONE}{TWO}{THREE}<name>car</name></object>",
            [("car", b) for b in (FIRST, SECOND, THIRD)],
        ),
        (
            f"<object><name>car</name>{ONE}<name>cat</name>{TWO}</object>",
            [("car", FIRST), ("cat", SECOND)],
        ),
        (
            f"<object><name>car</name>{ONE}{TWO}</object><object><name>cat</name>{THREE}</object>",
            [("car", FIRST), ("car", SECOND), ("cat", THIRD)],
        ),
        (f"<object><name>car</name>{ONE}{PART}</object>", [("car", FIRST)]),  # a part is no object
        (
            f"<object><name>car</name>{ONE}<object><name>cat</name>{TWO}</object></object>",
            [("car", FIRST), ("cat", SECOND)],
        ),
        (
            f"<object><object><name>cat</name>{TWO}<object><name>car</name>{THREE}</object>"
            f"</object><name>car</name>{ONE}</object>",
            [("car", FIRST), ("cat", SECOND), ("car", THIRD)],
        ),
    ],
)
def test_every_box_of_an_object_is_read(
    voc_folder: VocFolder, tmp_path: Path, objects: str, expected: list[tuple[str, list[int]]]
) -> None:
    dataset = read(voc_folder, objects)
    names = [dataset.classes[label] for label in dataset.labels]
    assert list(zip(names, dataset.boxes.tolist(), strict=True)) == expected
    xml_to_csv.run(xml_to_csv.Flags(input=voc_folder.root, output=tmp_path / "out.csv"), print)
    _, *rows = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    assert rows == [f"a.jpg,64,48,{name},{','.join(map(str, box))}" for name, box in expected]


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (f"<object><name>a</name><name>b</name>{ONE}</object>", "2 names and 1 boxes"),
        (f"<object><name>a</name><name>b</name>{ONE}{TWO}{THREE}</object>", "2 names and 3 boxes"),
        (f"<object><name>a</name><name> </name>{ONE}{TWO}</object>", "has no class name"),
        (
            "<object><name>a</name><bndbox><xmin>1</xmin><xmin>2</xmin></bndbox></object>",
            "a side is stated twice",
        ),
        (f"<object><name>a</name>{ONE}<bndbox/></object>", "object 2 .a.: xmin is missing"),
        (f"<objects><object><name>a</name>{ONE}</object></objects>", "has boxes in <objects>"),
        (ONE, "has boxes in <bndbox>"),
        (f"<object><name>a</name>{ONE}<more>{TWO}</more></object>", "1 has boxes in <more>"),
        (f"<object><name>a</name>{ONE}<object>{TWO}</object></object>", "2 has no class name"),
        ("<filename>b.jpg</filename>", "names two images, 'a.jpg' and 'b.jpg'"),
    ],
)
def test_what_is_unclear_is_refused(voc_folder: VocFolder, inside: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(voc_folder, inside)
    assert caught.value.code == "BW110"
    assert "a.xml" in str(caught.value.where)


def test_parts_of_objects_are_counted_and_named(voc_folder: VocFolder) -> None:
    head = f"<part><name>head</name>{TWO}</part>"
    voc_folder.image("b.jpg")
    voc_folder.text("b.xml", f"<annotation><object><name>b</name>{ONE}{PART}</object></annotation>")
    dataset = read(voc_folder, f"<object><name>a</name>{ONE}{head}{PART}</object>")
    (finding,) = (one for one in dataset.findings if one.code == "BW187")
    assert finding.message == "objects have 3 parts: hand, head"
    assert len(dataset.boxes) == 2


@pytest.mark.parametrize(
    ("field", "flags"),
    [
        ("<occluded>1</occluded>", OCCLUDED),
        ("<occluded>0</occluded>", 0),
        ("<truncated>1</truncated><difficult>1</difficult>", TRUNCATED | DIFFICULT),
    ],
)
def test_flags_are_those_of_all_boxes_of_the_object(
    voc_folder: VocFolder, field: str, flags: int
) -> None:
    dataset = read(voc_folder, f"<object><name>a</name>{ONE}{TWO}{field}</object>")
    assert dataset.flags.tolist() == [flags, flags]


@pytest.mark.parametrize(
    ("head", "verified"),
    [
        ("<annotation>", False),
        ('<annotation verified="yes">', True),
        ('<annotation verified="no">', False),
    ],
)
@pytest.mark.parametrize("objects", ["", f"<object><name>a</name>{ONE}</object>"])
@pytest.mark.parametrize("form", ["voc", "createml"])
def test_verified_images_stay_verified(
    voc_folder: VocFolder, tmp_path: Path, head: str, verified: bool, objects: str, form: str
) -> None:
    voc_folder.pair("b")
    voc_folder.text("orphan.xml", "<annotation><filename>gone.jpg</filename></annotation>")
    dataset = read(voc_folder, objects, head)
    assert dict(zip(dataset.names, dataset.verified.tolist(), strict=True)) == {
        "a.jpg": verified,
        "b.jpg": False,
    }
    assert codes(dataset) == ["BW101"]
    formats.write(dataset, tmp_path / "out", form)
    back = formats.read(tmp_path / "out")
    assert {
        Path(name).name for name, one in zip(back.names, back.verified, strict=True) if one
    } == ({"a.jpg"} if verified else set())


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ("<folder>cam1</folder><path>/home/me/cam2/a.jpg</path>", "/home/me/cam2/a.jpg"),
        ("<path>D:\\data\\cam2\\a.jpg</path>", "D:/data/cam2/a.jpg"),
        ("<folder>cam1</folder>", "cam1/a.jpg"),
        ("<folder>cam1</folder><path>a.jpg</path>", "cam1/a.jpg"),  # Roboflow
        ("<folder>cam1</folder><path></path>", "cam1/a.jpg"),
        ("<folder></folder><path>Unknown</path>", ""),
        ("", ""),
    ],
)
def test_the_longer_path_is_a_hint(tmp_path: Path, fields: str, hint: str) -> None:
    text = f"<annotation>{fields}<filename>a.jpg</filename></annotation>"
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    one = read_annotation(str(tmp_path), "a.xml", Seen())
    assert one is not None
    assert getattr(one, "hint", None) == hint


@pytest.mark.parametrize("field", ["<folder>cam{}</folder>", "<path>C:\\x\\cam{}\\0001.jpg</path>"])
def test_the_hint_decides_between_images_of_one_name(voc_folder: VocFolder, field: str) -> None:
    for camera in (1, 2):
        voc_folder.image(f"cam{camera}/0001.jpg")
        voc_folder.text(
            f"xml/{camera}.xml",
            f"<annotation>{field.format(camera)}<filename>0001.jpg</filename>"
            f"<object><name>cam{camera}</name>{ONE}</object></annotation>",
        )
    dataset = formats.read(voc_folder.root)
    shown = {
        name: [dataset.classes[label] for label in dataset.labels[dataset.rows(i)]]
        for i, name in enumerate(dataset.names)
    }
    assert shown == {"cam1/0001.jpg": ["cam1"], "cam2/0001.jpg": ["cam2"]}

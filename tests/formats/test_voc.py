"""Pascal VOC annotations: what is read from them, what is refused, what is written."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from damage import images_or_refusal
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from boxwright import formats
from boxwright.errors import DataError
from boxwright.structures.dataset import DIFFICULT, TRUNCATED, Dataset, LabeledImage, Split
from boxwright.structures.labels import read_label_map
from folders import VocFolder, codes

pytestmark = pytest.mark.tiny


def objects(*parts: str) -> str:
    return f"<annotation>{''.join(parts)}</annotation>"


BNDBOX = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>"
CAT_OBJECT = f"<object><name>cat</name>{BNDBOX}</object>"


def test_an_annotation_as_labelimg_writes_it(voc_folder: VocFolder) -> None:
    voc_folder.image("photos/a.jpg", (650, 417))
    voc_folder.text(
        "photos/a.xml",
        """<annotation verified="yes">
	<folder>images</folder>
	<filename>a.jpg</filename>
	<path>C:\\Users\\nobody\\Desktop\\..\\a.jpg</path>
	<source><database>Unknown</database></source>
	<size><width>650</width><height>417</height><depth>3</depth></size>
	<segmented>0</segmented>
	<object>
		<name>raccoon</name><pose>Unspecified</pose><truncated>1</truncated><difficult>0</difficult>
		<bndbox><xmin>81</xmin><ymin>88</ymin><xmax>522</xmax><ymax>408</ymax></bndbox>
	</object>
	<object>
		<name>cat</name>
		<bndbox><xmax>20.75</xmax><xmin> 10.5 </xmin><ymin>1e1</ymin><ymax>30</ymax></bndbox>
		<difficult>1</difficult>
		<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>
	</object>
</annotation>
""",
    )
    dataset = formats.read(voc_folder.root)
    assert dataset.names == ("photos/a.jpg",)
    assert dataset.sizes.tolist() == [[650, 417]]
    assert dataset.classes == ("cat", "raccoon")
    assert dataset.labels.tolist() == [1, 0]
    assert dataset.boxes.tolist() == [[81, 88, 522, 408], [10.5, 10, 20.75, 30]]
    assert dataset.flags.tolist() == [TRUNCATED, DIFFICULT]
    assert dataset.splits.tolist() == [Split.UNASSIGNED]
    assert codes(dataset) == ["BW187"]


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        (objects(CAT_OBJECT), 1),
        (objects("<size><width>0</width><height>0</height></size>", CAT_OBJECT), 1),
        (objects("<size/>", CAT_OBJECT), 1),
        (objects("<size><width>wide</width></size>", CAT_OBJECT), 1),
        (objects("<filename/>", CAT_OBJECT, CAT_OBJECT), 2),
        (objects("<filename>a</filename>", CAT_OBJECT), 1),
        (objects("<filename>A.JPG</filename>", CAT_OBJECT), 1),
        (objects("<segmented>0</segmented>"), 0),
        ("<annotation/>", 0),
        ("<!DOCTYPE annotation><annotation/>", 0),
        ("<?xml version='1.0' encoding='utf-8'?>\n<annotation/>", 0),
    ],
)
def test_what_other_tools_leave_out_is_not_missed(
    voc_folder: VocFolder, text: str, boxes: int
) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.xml", text)
    dataset = formats.read(voc_folder.root)
    assert dataset.names == ("a.jpg",)
    assert dataset.sizes.tolist() == [[64, 48]]
    assert len(dataset.boxes) == boxes
    assert {finding.code for finding in dataset.findings} <= {"BW139"}  # no size is stated


@pytest.mark.parametrize("name", ["cat", "\n  cat\n", "cat\r\n\t", "\ncat"])
def test_a_class_on_a_line_of_its_own(voc_folder: VocFolder, name: str) -> None:
    voc_folder.image("a.jpg")
    voc_folder.xml("a.xml", [(name, 4, 6, 30, 40)])
    dataset = formats.read(voc_folder.root)
    assert dataset.classes == ("cat",)
    assert dataset.findings == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "cp1252"])
def test_annotations_in_any_encoding_they_declare(voc_folder: VocFolder, encoding: str) -> None:
    voc_folder.image("a.jpg")
    declared = encoding.removesuffix("-sig")
    text = f"<?xml version='1.0' encoding='{declared}'?>{objects(CAT_OBJECT)}".replace("cat", "bär")
    (voc_folder.root / "a.xml").write_bytes(text.encode(encoding))
    assert formats.read(voc_folder.root).classes == ("bär",)


BILLION_LAUGHS = """<!DOCTYPE annotation [
<!ENTITY a "ha"> <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"> <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">
]><annotation><filename>&c;</filename></annotation>"""
EXTERNAL = """<!DOCTYPE annotation [<!ENTITY secret SYSTEM "file:///etc/passwd">]>
<annotation><object><name>&secret;</name></object></annotation>"""
PARAMETER = """<!DOCTYPE annotation [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]><annotation/>"""


@pytest.mark.parametrize(
    ("text", "code", "where", "message"),
    [
        (BILLION_LAUGHS, "BW111", "a.xml", "entities"),
        (EXTERNAL, "BW111", "a.xml", "entities"),
        (PARAMETER, "BW111", "a.xml", "entities"),
        ("<annotation>\n<object>\n", "BW110", "a.xml:3", "not well-formed"),
        ("<annotation>\n<a></b></annotation>", "BW110", "a.xml:2", "mismatched tag"),
        ("<annotation>&undeclared;</annotation>", "BW110", "a.xml:1", "undefined entity"),
        ("", "BW110", "a.xml:1", "no element found"),
        (
            objects(CAT_OBJECT.replace("<xmin>", f"<xmin>{'9' * 5000}")),
            "BW110",
            "a.xml",
            f"xmin is '{'9' * 40}', not a coordinate",
        ),
        ("<?xml version='1.0' encoding='klingon'?><annotation/>", "BW110", "a.xml", "klingon"),
        (objects(f"<object>{BNDBOX}</object>"), "BW110", "a.xml", "object 1 has no class name"),
        (
            objects(CAT_OBJECT, f"<object><name> </name>{BNDBOX}</object>"),
            "BW110",
            "a.xml",
            "object 2 has no class name",
        ),
        (
            objects("<object><name>cat</name></object>"),
            "BW110",
            "a.xml",
            r"object 1 \(cat\): xmin is missing",
        ),
        (objects(CAT_OBJECT.replace("<ymin>2</ymin>", "")), "BW110", "a.xml", "ymin is missing"),
        (objects(CAT_OBJECT.replace(">3<", ">wide<")), "BW110", "a.xml", "xmax is 'wide'"),
        (objects(CAT_OBJECT.replace(">3<", ">nan<")), "BW110", "a.xml", "xmax is 'nan'"),
        (objects(CAT_OBJECT.replace(">3<", ">-1e99<")), "BW110", "a.xml", "xmax is '-1e99'"),
    ],
)
def test_a_bad_annotation_is_named_with_its_place_and_reason(
    voc_folder: VocFolder, text: str, code: str, where: str, message: str
) -> None:
    voc_folder.pair("good")
    voc_folder.image("a.jpg")
    voc_folder.text("a.xml", text)
    with pytest.raises(DataError, match=message) as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == code
    assert caught.value.where == str(voc_folder.root / where)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "filename",
    ["../b.jpg", "..\\..\\b.jpg", "x/../../b.jpg", "/etc/passwd", "C:\\secret.jpg"],
)
def test_an_image_outside_of_the_folder_is_not_read(voc_folder: VocFolder, filename: str) -> None:
    voc_folder.pair("good")
    (voc_folder.root.parent / "b.jpg").write_bytes((voc_folder.root / "good.jpg").read_bytes())
    voc_folder.xml("a.xml", filename=filename)
    with pytest.raises(DataError, match=r"is outside of") as caught:
        formats.read(voc_folder.root)
    assert (caught.value.code, caught.value.where) == ("BW112", str(voc_folder.root / "a.xml"))


SOUND = objects("<filename>a.jpg</filename><size><width>64</width></size>", CAT_OBJECT).encode()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SOUND)), st.integers(0, 40), st.binary(max_size=8))
def test_damage_of_any_kind_is_an_error_with_a_code_or_harmless(
    at: int, length: int, instead: bytes
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Image.new("RGB", (64, 48)).save(Path(folder) / "a.jpg")
        damaged = SOUND[:at] + instead + SOUND[at + length :]
        (Path(folder) / "a.xml").write_bytes(damaged)
        images = images_or_refusal(folder, "BW111")
    assert images in {None, ("a.jpg",)}


def test_all_broken_annotations_are_named_at_once(voc_folder: VocFolder) -> None:
    voc_folder.pair("good")
    for i in range(13):
        voc_folder.text(f"bad{i:02}.xml", "<annotation>")
    with pytest.raises(DataError, match="13 annotations") as caught:
        formats.read(voc_folder.root)
    text = str(caught.value)
    assert "bad00.xml:1" in text
    assert "bad09.xml:1" in text
    assert "bad10.xml" not in text
    assert "and 3 more" in text


@pytest.mark.parametrize(
    ("orientation", "size", "boxes", "expected", "found"),
    [
        # (64, 48) as stored; the box touches the stored photo's top left corner
        (6, (64, 48), [(0, 0, 16, 12)], [36, 0, 48, 16], ["BW104"]),
        (8, (64, 48), [(0, 0, 16, 12)], [0, 48, 12, 64], ["BW104"]),
        (5, (64, 48), [(0, 0, 16, 12)], [0, 0, 12, 16], ["BW104"]),
        (7, (64, 48), [(0, 0, 16, 12)], [36, 48, 48, 64], ["BW104"]),
        (6, (48, 64), [(0, 0, 16, 12)], [0, 0, 16, 12], []),
        (6, (128, 96), [(0, 0, 16, 12)], [42, 0, 48, 8], ["BW104", "BW108"]),
        (6, None, [(0, 0, 16, 12)], [0, 0, 16, 12], ["BW104"]),
        (3, (64, 48), [(0, 0, 16, 12)], [0, 0, 16, 12], ["BW104"]),
        (1, (64, 48), [(0, 0, 16, 12)], [0, 0, 16, 12], []),
        (1, None, [(0, 0, 16, 12)], [0, 0, 16, 12], []),
        (1, (128, 96), [(0, 0, 16, 12)], [0, 0, 8, 6], ["BW108"]),
        (1, (640, 479), [(0, 0, 160, 120)], [0, 0, 16, 12.025], ["BW108"]),
        (1, (32, 24), [(0, 0, 60, 40)], [0, 0, 60, 40], ["BW108"]),
        (1, (48, 64), [(0, 0, 16, 12)], [0, 0, 16, 12], ["BW108"]),
        (1, (500, 500), [(0, 0, 16, 12)], [0, 0, 16, 12], ["BW108"]),
    ],
)
def test_boxes_end_up_where_the_oriented_image_shows_the_object(
    voc_folder: VocFolder,
    orientation: int,
    size: tuple[int, int] | None,
    boxes: list[tuple[float, float, float, float]],
    expected: list[float],
    found: list[str],
) -> None:
    voc_folder.image("a.jpg", orientation=orientation)
    voc_folder.xml("a.xml", [("cat", *box) for box in boxes], size=size)
    dataset = formats.read(voc_folder.root)
    assert dataset.sizes.tolist() == [[48, 64] if orientation >= 5 else [64, 48]]
    assert dataset.boxes[0].tolist() == pytest.approx(expected, abs=0.01)
    assert codes(dataset) == found


def test_turned_boxes_cover_the_same_pixels(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg", orientation=6)
    voc_folder.xml("a.xml", [("cat", 8, 8, 24, 16)])  # one noise patch of the stored photo
    stored = np.asarray(Image.open(voc_folder.root / "a.jpg"))[8:16, 8:24]
    xmin, ymin, xmax, ymax = map(int, formats.read(voc_folder.root).boxes[0])
    oriented = np.rot90(np.asarray(Image.open(voc_folder.root / "a.jpg")), -1)
    np.testing.assert_array_equal(oriented[ymin:ymax, xmin:xmax], np.rot90(stored, -1))


def test_missing_and_broken_images_are_left_out_while_others_are_there(
    voc_folder: VocFolder,
) -> None:
    voc_folder.pair("good")
    voc_folder.xml("gone.xml")
    voc_folder.xml("broken.xml")
    voc_folder.text("broken.jpg", "no photo")
    dataset = formats.read(voc_folder.root)
    assert dataset.names == ("good.jpg",)
    assert sorted((f.code, f.where, f.repair) for f in dataset.findings) == [
        ("BW101", "gone.xml", "left out"),
        ("BW102", "broken.jpg", "left out"),
    ]


def test_no_image_at_all_is_an_error(voc_folder: VocFolder) -> None:
    voc_folder.xml("annotations/a.xml")
    voc_folder.xml("annotations/b.xml")
    with pytest.raises(DataError, match="no image of 2 annotations can be opened") as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == "BW101"
    assert "annotations/a.xml: its image 'a.jpg' is missing" in caught.value.message


def test_images_without_annotation_are_counted_and_empty_annotations_kept(
    voc_folder: VocFolder,
) -> None:
    voc_folder.pair("images/a")
    voc_folder.pair("images/background", boxes=())
    for name in ("images/x.jpg", "images/y.jpg", "masks/a.png"):
        voc_folder.image(name)
    dataset = formats.read(voc_folder.root)
    assert dataset.names == ("images/a.jpg", "images/background.jpg")
    assert np.diff(dataset.offsets).tolist() == [1, 0]
    (finding,) = dataset.findings
    assert (finding.code, finding.where) == ("BW109", "images")
    assert finding.message.startswith("2 of 4 images have no annotation, such as x.jpg")


@pytest.mark.parametrize(
    ("label_map", "expected", "found"),
    [
        ("item{id:1 name:'dog'} item{id:2 name:'cat'}", ("dog", "cat"), []),
        ("item{id:1 name:'dog'} item{id:2 name:'ox'} item{id:3 name:'cat'}", ("dog", "cat"), []),
        ("item{id:1 name:'dog'}", ("cat", "dog"), ["BW116"]),
        ("item{id:0 name:'dog'} item{id:1 name:'cat'}", ("cat", "dog"), ["BW116"]),
        ("not a label map", ("cat", "dog"), ["BW116"]),
    ],
)
def test_a_label_map_gives_the_order_and_nothing_else(
    voc_folder: VocFolder, label_map: str, expected: tuple[str, ...], found: list[str]
) -> None:
    voc_folder.pair("a", [("cat", 1, 1, 9, 9), ("dog", 1, 1, 9, 9)])
    voc_folder.text("annotations/label_map.pbtxt", label_map)
    dataset = formats.read(voc_folder.root)
    assert dataset.classes == expected
    assert codes(dataset) == found


def test_xml_about_something_else_is_passed_over(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    voc_folder.text("build.xml", "<project><object><name>x</name></object></project>")
    dataset = formats.read(voc_folder.root)
    assert dataset.names == ("a.jpg",)
    assert dataset.findings == ()


# ---- writing ----


def test_written_as_vott_exports_it(voc_folder: VocFolder, tmp_path: Path) -> None:
    voc_folder.pair("sub/a", [("dog", 1, 2, 3.5, 4)])
    voc_folder.image("sub/a.png")
    voc_folder.pair("b & c")
    dataset = formats.read(voc_folder.root)
    dataset = Dataset(**{**vars(dataset), "splits": np.array([Split.TEST, Split.TRAIN], np.int8)})
    target = tmp_path / "out"
    formats.write(dataset, target)
    assert sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file()) == [
        "Annotations/b & c.xml",
        "Annotations/sub/a.xml",
        "ImageSets/Main/test.txt",
        "ImageSets/Main/train.txt",
        "ImageSets/Main/val.txt",
        "JPEGImages/b & c.jpg",
        "JPEGImages/sub/a.jpg",
        "pascal_label_map.pbtxt",
    ]
    assert (target / "ImageSets/Main/test.txt").read_text(encoding="utf-8") == "b & c\n"
    assert read_label_map(target / "pascal_label_map.pbtxt") == {1: "cat", 2: "dog"}
    text = (target / "Annotations/sub/a.xml").read_text(encoding="utf-8")
    assert "<filename>a.jpg</filename>" in text
    assert "<xmax>3.5</xmax>" in text
    assert "<ymax>4</ymax>" in text


def test_images_that_lie_in_the_target_are_not_copied(voc_folder: VocFolder) -> None:
    voc_folder.image("photos/a.jpg")
    voc_folder.image("photos/a.png")
    images = [
        LabeledImage("photos/a.jpg", 64, 48, [(1, 2, 3, 4)], ["cat"]),
        LabeledImage("photos/a.png", 64, 48, [(5, 6, 7, 8)], ["cat"]),
    ]
    written = Dataset.of(voc_folder.root, images)
    formats.write(written, voc_folder.root)
    assert not (voc_folder.root / "JPEGImages").exists()
    back = formats.read(voc_folder.root)
    assert back.fingerprint() == written.fingerprint()
    assert back.findings == ()


def test_a_name_that_xml_cannot_hold_is_refused(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg")
    dataset = Dataset.of(
        voc_folder.root, [LabeledImage("a.jpg", 64, 48, [(1, 2, 3, 4)], ["c\x07t"])]
    )
    with pytest.raises(DataError, match="BW141"):
        formats.write(dataset, voc_folder.root)

"""Label files keep encoding, line ends, comments and all that Boxwright does not know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from boxwright.errors import DataError
from boxwright.formats.class_list import ClassList
from boxwright.formats.coordinates import Size
from boxwright.formats.csv.editor import Editor as CsvEditor
from boxwright.formats.editing import Edit, EditedBox, LabelEditor
from boxwright.formats.labelme import Editor as LabelMeEditor
from boxwright.formats.name_lists import names_of_list
from boxwright.formats.voc.editor import Editor as VocEditor
from boxwright.formats.yolo.editor import Editor as YoloEditor
from boxwright.formats.yolo.yaml_file import Description, read_description
from boxwright.io.files import signature

NEW = EditedBox("dog", (1.0, 2.0, 3.0, 4.0))


def edited(editor: LabelEditor, content: str | bytes, *boxes: EditedBox, **more: object) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    verified = bool(more.get("verified", editor.labeled(data, "a").verified))
    return editor.edited(data, "a", Edit("a.jpg", Size(64, 48), boxes, verified, "a.jpg"))


def kept(*numbers: int, names: str = "cat") -> list[EditedBox]:
    return [EditedBox(names, None, 0, number) for number in numbers]


BOX = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>8</ymax></bndbox>"
OTHER = "<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>8</xmax><ymax>7</ymax></bndbox>"


@pytest.mark.parametrize(
    ("before", "boxes", "after"),
    [
        pytest.param(
            f"<annotation>\n <object>\n  <name>cat</name>\n  {BOX}\n </object>\n</annotation>",
            [EditedBox("cat", (1.5, 2, 9, 8.25), 0, 0)],
            "<annotation>\n <object>\n  <name>cat</name>\n  <bndbox><xmin>1.5</xmin><ymin>2</ymin>"
            "<xmax>9</xmax><ymax>8.25</ymax></bndbox>\n </object>\n</annotation>",
            id="only the numbers of a moved box",
        ),
        pytest.param(
            f"<annotation><object><name>cat</name>{BOX}{OTHER}<z/></object></annotation>",
            [EditedBox("cat", None, 0, 1), EditedBox("owl", None, 0, 0)],
            f"<annotation><object><name>cat</name>{OTHER}<z/></object>"
            f"<object><name>owl</name>{BOX}<z/></object></annotation>",
            id="an object with two boxes becomes two",
        ),
        pytest.param(
            f"<annotation><!-- <object> --><object><name a='>'>cat</name>{BOX}</object><b/>\n"
            f"<!--x--><object><name><![CDATA[cat]]></name>{OTHER}</object></annotation>",
            kept(1),
            "<annotation><!-- <object> -->"
            f"<object><name><![CDATA[cat]]></name>{OTHER}</object><b/>\n<!--x--></annotation>",
            id="comments stay where an object goes",
        ),
        pytest.param(
            f"<annotation><object><name>cat</name><difficult>0</difficult>{BOX}</object>"
            "</annotation>",
            [EditedBox("a & b", None, 1 | 2, 0)],
            "<annotation><object><name>a &amp; b</name><truncated>1</truncated>"
            f"<difficult>1</difficult>{BOX}</object></annotation>",
            id="flags that are stated, and not",
        ),
        pytest.param(
            f"<annotation><object><name>cat</name>{BOX}<object><name>owl</name>{OTHER}</object>"
            "<z/></object></annotation>",
            [EditedBox("owl", None, 0, 1), EditedBox("cat", None, 0, 0)],
            f"<annotation><object><name>owl</name>{OTHER}</object>"
            f"<object><name>cat</name>{BOX}<z/></object></annotation>",
            id="an object in an object becomes one beside it",
        ),
        pytest.param("<annotation/>", [], "<annotation>\n</annotation>", id="an empty root"),
    ],
)
def test_voc(before: str, boxes: list[EditedBox], after: str) -> None:
    assert edited(VocEditor(), before, *boxes).decode() == after


def test_new_objects_are_indented_as_the_file_is() -> None:
    before = "<annotation>\r\n\t<filename>a.jpg</filename>\r\n</annotation>\r\n"
    after = edited(VocEditor(), before, NEW, verified=True).decode()
    assert after.startswith('<annotation verified="yes">\r\n\t<filename>a.jpg</filename>\r\n\t<obj')
    assert "\r\n\t\t<name>dog</name>\r\n" in after
    assert "\r\n\t\t\t<xmin>1</xmin>\r\n" in after
    assert after.endswith("\r\n\t</object>\r\n</annotation>\r\n")
    assert edited(VocEditor(), after, verified=False).decode() == before


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb2312", "latin-1"])
def test_the_encoding_of_an_xml_file_stays(encoding: str) -> None:
    declared = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    name = "猫" if encoding != "latin-1" else "Kätzchen"
    text = (
        f'<?xml version="1.0" encoding="{declared}"?>\n<annotation><folder>{name}</folder>'
        f"<object><name>cat</name>{BOX}</object></annotation>"
    )
    after = edited(VocEditor(), text.encode(encoding), EditedBox("猫 ü", None, 0, 0))
    assert VocEditor().labeled(after, "a").names == ["猫 ü"]
    if encoding != "latin-1":
        assert after.decode(encoding) == text.replace(">cat<", ">猫 ü<")
    else:
        assert after.decode(encoding) == text.replace(">cat<", ">&#29483; ü<")


@pytest.mark.parametrize(
    "before",
    [
        "names: [cat, 'dog']  # two\nnc: 2\n",
        "nc: 2\nnames: ['cat',\n  dog,\n]\nmine: 1\n",
        "names:\n- cat # a\n- dog\n\nnc: 2\nmine: [1]\n",
        "names:\r\n  0: cat\r\n  1: dog\r\nnc: 2\r\n",
        "nc: 2\nnames: {0: cat, 1: dog}",
        "# no number\ntrain: images\nnames:\n    - cat\n    - dog",
        "classes:\n- cat\n- dog\nnc: 2\n",
        "names: of pets\nclasses: {0: cat, 1: dog}\n",
        "names: {cat: 0, dog: 1}\nnc: 2\n",
        "nc: 2\nclasses:\n  dog: 1\n  cat: 0  # the first\n",
    ],
)
@pytest.mark.parametrize("name", ["owl", "yes", "12", "a: b # c", "Hündin", '"q"', "[x]"])
def test_a_class_is_added_to_and_renamed_in_a_description(
    before: str, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "data.yaml"
    path.write_bytes(before.encode())
    listed = ClassList(path, {0: "cat", 1: "dog"})
    assert listed.add(name) == 2
    listed.relist("dog", name + "s")
    content = path.read_bytes().decode()
    said = yaml.load(content, yaml.BaseLoader)  # as the reader
    names = said["classes" if "classes" in said else "names"]
    if "cat" in names and isinstance(names, dict):
        names = {number: name for name, number in names.items()}
    found = names if isinstance(names, list) else [names[key] for key in sorted(names)]
    assert found == ["cat", name + "s", name]
    assert said.get("nc", "3") == "3"
    for line in (line for line in before.splitlines() if "#" in line or "mine" in line):
        assert line.partition("#")[2] in content
    assert ("\r\n" in content) == ("\r\n" in before)


def test_a_name_of_digits_of_another_script_is_no_number(tmp_path: Path) -> None:
    """Neither for the reader of a description nor for what edits it."""
    path = tmp_path / "data.yaml"
    path.write_text("nc: 2\nnames: {٣: 0, ٤: 1}\n", encoding="utf-8")
    described = read_description(tmp_path, path.name)
    assert isinstance(described, Description)
    assert described.names == {0: "٣", 1: "٤"}
    ClassList(path, described.names).relist("٤", "dog")
    assert path.read_text("utf-8") == "nc: 2\nnames: {٣: 0, dog: 1}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [("cat\ndog\n", "cat\nwolf\nowl\n"), ("cat\r\ndog", "cat\r\nwolf\r\nowl\r\n")],
)
def test_a_class_is_added_to_and_renamed_in_a_list(before: str, after: str, tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_bytes(before.encode())
    listed = ClassList(path, {0: "cat", 1: "dog"})
    listed.add("owl")
    listed.relist("dog", "wolf")
    assert path.read_bytes().decode() == after
    with pytest.raises(DataError, match="BW141"):
        listed.add("two\nlines")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0: cat\n1: dog\n", "0: cat\n1: wolf\n2: owl\n"),
        ("1 cat\r\n\r\n2 dog\r\n\r\n", "1 cat\r\n\r\n2 wolf\r\n3 owl\r\n"),
        (" 0,cat\n 1,dog", " 0,cat\n 1,wolf\n 2,owl\n"),
        ("001 cat\n002 dog\n", "001 cat\n002 wolf\n003 owl\n"),
    ],
)
def test_a_class_is_added_to_and_renamed_in_a_numbered_list(
    before: str, after: str, tmp_path: Path
) -> None:
    path = tmp_path / "classes.txt"
    path.write_bytes(before.encode())
    listed = ClassList(path, {0: "cat", 1: "dog"}, numbered=True)
    assert listed.add("owl") == 2
    listed.relist("dog", "wolf")
    assert path.read_bytes().decode() == after
    assert names_of_list(path).names == {0: "cat", 1: "wolf", 2: "owl"}
    other = ClassList(path, {}, numbered=True)
    path.write_bytes(before.encode())
    other.refresh()
    assert other.names == {0: "cat", 1: "dog"}


@pytest.mark.parametrize("name", [": owl", ",owl", "= owl"])
def test_a_name_that_begins_with_a_separator(name: str, tmp_path: Path) -> None:
    """It would lose it in a list with numbers."""
    path = tmp_path / "classes.txt"
    for text, is_refused in (("0 cat\n1 dog\n", True), ("cat\ndog\n", False)):
        path.write_text(text, encoding="utf-8")
        listed = ClassList(path, {0: "cat", 1: "dog"}, numbered=True)
        for change in (listed.check, listed.add):
            if is_refused:
                with pytest.raises(DataError, match=r"BW141.*a line of a list with numbers"):
                    change(name)
            else:
                change(name)
        assert (name in names_of_list(path).names.values()) != is_refused


def test_a_name_that_begins_as_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_text("cat\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"BW141.*begins as a comment"):
        ClassList(path, {0: "cat"}, numbered=True).check("# 1")
    ClassList(path, {0: "cat"}).check("# 1")
    ClassList(path, {0: "cat"}, numbered=True).check("#1")


def test_another_program_adds_classes_to_the_list_too(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_text("cat\n", encoding="utf-8")
    mine, other = ClassList(path, {0: "cat"}), ClassList(path, {0: "cat"})
    assert other.add("dog") == 1
    assert mine.add("owl") == 2
    assert other.add("owl") == 2


@pytest.mark.parametrize("name", ["classes.txt", "data.yaml"])
def test_a_list_that_another_program_extends_while_it_is_opened(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    text = "names: [cat, dog]\n" if path.suffix == ".yaml" else "cat\ndog\n"
    path.write_text(text, encoding="utf-8")
    classes = ClassList(path, {0: "cat"}, numbered=True)  # read before the dog was added
    assert classes.add("owl") == 2
    assert classes.names == {0: "cat", 1: "dog", 2: "owl"}


def test_a_list_that_is_passed_over_counts_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_text("", encoding="utf-8")
    classes = ClassList(path, {0: "cat"}, numbered=True, passed_over=signature(path))
    assert classes.listed("cat") == 0
    path.write_text("cat\ndog\n", encoding="utf-8")
    assert classes.listed("dog") == 1


@pytest.mark.parametrize(
    ("before", "boxes", "after"),
    [
        pytest.param(
            "0 0.5 0.5 0.2 0.2 0.9",
            [EditedBox("cat", (0.1, 0.2, 0.3, 0.4), 0, 0)],
            "0 0.2 0.3 0.2 0.2 0.9\n",
            id="a confidence stays",
        ),
        pytest.param(
            "0 .1 .1 .3 .1 .3 .5\r\n\r\n0 .5 .5 .2 .2\r\n",
            [EditedBox("dog", None, 0, 1), EditedBox("dog", None, 0, 0)],
            "1 .5 .5 .2 .2\r\n\r\n1 .1 .1 .3 .1 .3 .5\r\n",
            id="a polygon that is not moved stays",
        ),
        pytest.param(
            "0 .1 .1 .3 .1 .3 .5 .2 .6\n",
            [EditedBox("cat", (0.1, 0.2, 0.3, 0.4), 0, 0)],
            "0 0.2 0.3 0.2 0.2\n",
            id="a polygon that is moved becomes a box",
        ),
        pytest.param(
            "0 .5 .5 .2 .2 .5 .5 2 0 0 0\n",
            [EditedBox("cat", (0.1, 0.2, 0.3, 0.4), 0, 0)],
            "0 0.2 0.3 0.2 0.2 .5 .5 2 0 0 0\n",
            id="keypoints stay",
        ),
        pytest.param("0 .5 .5 .2 .2\n", [], "", id="no boxes"),
    ],
)
def test_yolo(before: str, boxes: list[EditedBox], after: str, tmp_path: Path) -> None:
    editor = YoloEditor(ClassList(tmp_path / "classes.txt", {0: "cat", 1: "dog"}))
    assert edited(editor, before, *boxes).decode() == after


def test_the_parts_of_a_labelme_object_are_edited_together() -> None:
    def part(x: int) -> dict[str, object]:
        points = [[x, 1], [x + 2, 1], [x, 5]]
        return {"label": "cat", "group_id": 4, "points": points, "flags": {}, "mine": x}

    text = json.dumps({"shapes": [part(1), part(20)], "imageWidth": 64, "imageHeight": 48})
    renamed = json.loads(edited(LabelMeEditor(), text, EditedBox("dog", None, 1, 0)))["shapes"]
    assert [(one["label"], one["flags"], one["mine"]) for one in renamed] == [
        ("dog", {"difficult": True}, 1),
        ("dog", {"difficult": True}, 20),
    ]
    (moved,) = json.loads(edited(LabelMeEditor(), text, EditedBox("cat", (1, 2, 3, 4), 0, 0)))[
        "shapes"
    ]
    assert (moved["shape_type"], moved["points"]) == ("rectangle", [[1, 2], [3, 4]])
    assert (
        edited(LabelMeEditor(), text)
        == text.replace(json.dumps([part(1), part(20)]), "[]").encode()
    )


def test_what_is_no_object_in_labelme_stays() -> None:
    def one(label: str, x: int) -> dict[str, object]:
        return {"label": label, "points": [[x, 1], [x + 2, 5]], "shape_type": "rectangle"}

    shapes = [one("__ignore__", 1), one("cat", 2), one("_background_", 3), one("cat", 4)]
    before = json.dumps({"shapes": shapes, "imageWidth": 64, "imageHeight": 48})
    after = edited(LabelMeEditor(), before, EditedBox("dog", None, 0, 1))
    left = [(shape["label"], shape["points"][0][0]) for shape in json.loads(after)["shapes"]]
    assert left == [("__ignore__", 1), ("dog", 4), ("_background_", 3)]


@pytest.mark.parametrize("indent", [None, 2, "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("is_ascii", [True, False])
def test_a_json_file_keeps_its_style(indent: int | str | None, mark: bytes, is_ascii: bool) -> None:
    shape = {"label": "ü", "points": [[1, 2], [3, 4]], "shape_type": "rectangle"}
    value = {"mine": 1.0, "shapes": [shape], "größe": [1, 2]}
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii).replace("\n", "\r\n")
    before = mark + text.encode()
    assert edited(LabelMeEditor(), before, *kept(0, names="ü")) == before
    after = edited(LabelMeEditor(), before, *kept(0, names="x"))
    renamed = before.replace(b'"\\u00fc"', b'"x"').replace('"ü"'.encode(), b'"x"')
    assert after == renamed


@pytest.mark.parametrize(
    ("table", "moved"),
    [
        ("image,x,y,width,height,label\na.jpg,1,2,8,6,cat\n", "a.jpg,1,2,9,10,cat"),
        ("img;cx;cy;w;h;cls\r\na.jpg;5;5;8;6;cat\r\n", "a.jpg;5.5;7;9;10;cat"),
        ("a.jpg,1,2,9,8,cat\n", "a.jpg,1,2,10,12,cat"),  # keras-retinanet, without a header
    ],
)
def test_the_columns_of_a_table(table: str, moved: str) -> None:
    editor = CsvEditor(relative=False)
    records = editor.opened(table.encode(), "a")
    before = records.get("a.jpg")
    edit = Edit("a.jpg", Size(64, 48), [EditedBox("cat", (1, 2, 10, 12), 0, 0)], False, "a.jpg")
    records.put("a.jpg", json.loads(editor.edited(json.dumps(before).encode(), "a", edit)))
    end = "\r\n" if "\r\n" in table else "\n"
    header = "" if table.startswith("a.jpg") else table.partition(end)[0] + end
    assert records.content().decode() == f"{header}{moved}{end}"
    records.put("a.jpg", before)
    assert records.content().decode() == table
    records.put("a.jpg", None)
    assert records.content().decode() == header


def test_a_table_whose_boxes_are_a_list_is_not_edited() -> None:
    with pytest.raises(DataError, match="BW179"):
        CsvEditor(relative=False).opened(b'image,bbox,label\na.jpg,"[1, 2, 8, 6]",cat\n', "a")

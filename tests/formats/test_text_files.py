"""Text files of other encodings, and numbers with signs that nobody sees, in every format."""

from __future__ import annotations

from pathlib import Path

import pytest
from coco_samples import annotation, coco, image
from tfrecord_samples import CAT_BOX, example, put

from boxwright import formats
from boxwright.errors import DataError
from folders import VocFolder, codes, lay

pytestmark = pytest.mark.tiny

LINE = "0 0.5 0.5 0.25 0.5\n"
BOX = [24, 12, 40, 36]
XML = (
    "<annotation><object><name>红色</name><bndbox><xmin>24</xmin><ymin>12</ymin><xmax>40</xmax>"
    "<ymax>36</ymax></bndbox></object></annotation>"
)
TABLE = "filename,class,xmin,ymin,xmax,ymax\na.jpg,红色,24,12,40,36\n"
YOLO: dict[str, dict[str, str]] = {
    name: {"a.jpg": "", "a.txt": LINE, name: text}
    for name, text in (
        ("classes.txt", "红色\n绿色\n"),
        ("obj.names", "红色\n绿色\n"),
        ("data.yaml", "names: [红色, 绿色]\nnc: 2\n"),
    )
}
TOOLKIT = {"train/x/a.jpg": "", "train/x/Label/a.txt": "红色 24 12 40 36\n"}
FOLDERS: dict[str, dict[str, str]] = {  # the file in question is the last one
    **YOLO,
    "a.txt": {"classes.txt": "红色\n", "a.jpg": "", "a.txt": LINE},
    "ToolKit": TOOLKIT,
    "boxes.csv": {"a.jpg": "", "boxes.csv": TABLE},
    "a.xml": {"a.jpg": "", "a.xml": XML},
    "a.json": {"a.jpg": "", "a.json": coco([image(1, "a.jpg")], [annotation(1)])},
}


def written(folder: VocFolder, files: dict[str, str], encoding: str) -> Path:
    """The files, the last one of them in this encoding."""
    root = lay(folder, files)
    *_, (last, text) = files.items()
    (root / last).write_bytes(text.replace('"cat"', '"红色"').encode(encoding))
    return root


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("files", FOLDERS.values(), ids=FOLDERS)
def test_unicode_is_read_in_any_file(
    voc_folder: VocFolder, files: dict[str, str], encoding: str
) -> None:
    dataset = formats.read(written(voc_folder, files, encoding))
    assert [dataset.classes[label] for label in dataset.labels] == ["红色"]
    assert not {"BW160", "BW148", "BW116"} & set(codes(dataset))


@pytest.mark.parametrize("name", [name for name in FOLDERS if name != "a.txt"])
def test_another_encoding_is_an_error_with_a_guess(voc_folder: VocFolder, name: str) -> None:
    root = written(voc_folder, FOLDERS[name], "gbk")
    with pytest.raises(DataError, match="It looks like GBK, in which this place reads") as caught:
        formats.read(root)
    assert caught.value.code == "BW160"
    assert caught.value.where == str(root / [*FOLDERS[name]][-1])
    assert "红色" in caught.value.message
    dataset = formats.read(root, tolerant=True)
    assert len(dataset) == 0
    assert "BW148" not in codes(dataset)


def test_a_list_of_classes_that_no_label_needs_is_an_error_too(voc_folder: VocFolder) -> None:
    root = written(voc_folder, {"a.jpg": "", "a.txt": "", **YOLO["classes.txt"]}, "gbk")
    with pytest.raises(DataError, match="1 label file cannot be used without it"):
        formats.read(root)


def test_records_whose_label_map_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    put(tmp_path / "a.record", example(**CAT_BOX, label=[1]), example(**CAT_BOX, label=[2]))
    (tmp_path / "label_map.pbtxt").write_bytes("item { id: 1 name: '红色' }".encode("gbk"))
    with pytest.raises(DataError, match=r"GBK.*; 2 records cannot be used without it"):
        formats.read(tmp_path)
    assert len(formats.read(tmp_path, tolerant=True)) == 0


def test_official_class_descriptions_that_cannot_be_read_are_an_error(
    voc_folder: VocFolder,
) -> None:
    header = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsTruncated"
    rows = "a,x,/m/0,1,0.375,0.625,0.25,0.75,0"
    files = {"a.jpg": "", "train-annotations-bbox.csv": f"{header}\n{rows}\n"}
    files |= {"class-descriptions-boxable.csv": "/m/0,红色\n"}
    with pytest.raises(DataError, match="looks like GBK"):
        formats.read(written(voc_folder, files, "gbk"))


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("gb2312", "gbk"),
        ("GBK", "gbk"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-8"),
        ("utf-16", "utf-16"),
        ("UTF8", "utf-8"),
        ("us-ascii", "utf-8"),
        ("utf-8", "utf-16"),
    ],
)
def test_xml_is_read_as_it_declares_or_as_it_is(
    voc_folder: VocFolder, declared: str, encoding: str
) -> None:
    text = f"<?xml version='1.0' encoding='{declared}'?>\n{XML}"
    dataset = formats.read(written(voc_folder, {"a.jpg": "", "a.xml": text}, encoding))
    assert dataset.classes == ("红色",)


@pytest.mark.parametrize(
    ("declared", "encoding", "name"),
    [("big5", "big5", "紅色"), ("shift_jis", "cp932", "赤色"), ("euc-kr", "euc-kr", "빨강")],
)
def test_xml_of_east_asia(voc_folder: VocFolder, declared: str, encoding: str, name: str) -> None:
    text = f"<?xml version='1.0' encoding='{declared}'?>{XML.replace('红色', name)}"
    dataset = formats.read(written(voc_folder, {"a.jpg": "", "a.xml": text}, encoding))
    assert dataset.classes == (name,)


def test_xml_that_is_not_what_it_declares_is_named(voc_folder: VocFolder) -> None:
    text = f"<?xml version='1.0' encoding='utf-8'?>{XML}"
    with pytest.raises(DataError, match=r"BW160.*GBK.*红色"):
        formats.read(written(voc_folder, {"a.jpg": "", "a.xml": text}, "gbk"))


@pytest.mark.parametrize("sign", ["\u200b", "\ufeff", "\xa0", "\u2060", "\u202f", "\xad"])
@pytest.mark.parametrize("where", ["before", "after"])
def test_numbers_may_have_signs_without_ink(voc_folder: VocFolder, sign: str, where: str) -> None:
    def odd(number: str) -> str:
        return sign + number if where == "before" else number + sign

    table = f"filename,class,xmin,ymin,xmax,ymax\nd.jpg,cat,{odd('24')},12,40,{odd('36')}\n"
    files = {
        "yolo/a.jpg": "",
        "yolo/classes.txt": "cat\n",
        "yolo/a.txt": f"{odd('0')} {odd('0.5')} 0.5 0.25 {odd('0.5')}\n",
        "voc/b.jpg": "",
        "voc/b.xml": XML.replace("24", odd("24")).replace("红色", "cat"),
        "kit/x/c.jpg": "",
        "kit/x/Label/c.txt": f"cat 24 12 40 {odd('36')}\n",
        "csv/d.jpg": "",
        "csv/boxes.csv": table,
        "coco/e.jpg": "",
        "coco/e.json": coco(
            [image(1, "e.jpg")], [annotation(1, bbox=[odd("24"), 12, 16, odd("24")])]
        ),
    }
    root = lay(voc_folder, files)
    for name in ("yolo", "voc", "kit", "csv", "coco"):
        dataset = formats.read(root / name)
        assert dataset.boxes.tolist() == [BOX], name
        assert dataset.classes == ("cat",) or name == "coco"


def test_a_line_of_signs_without_ink_is_empty(voc_folder: VocFolder) -> None:
    files = {"classes.txt": "cat\n", "a.jpg": "", "a.txt": f"\u200b\n{LINE}\ufeff\n"}
    assert formats.read(lay(voc_folder, files)).boxes.tolist() == [BOX]


def test_messages_show_signs_without_ink(voc_folder: VocFolder) -> None:
    files = {"classes.txt": "cat\n", "a.jpg": "", "a.txt": f"{LINE}0 0.5 0.5 0.25 w\u200bide\n"}
    with pytest.raises(DataError) as caught:
        formats.read(lay(voc_folder, files))
    assert r"'w\u200bide' is not a coordinate" in caught.value.message

"""No image shows nothing while a file that nobody reads may have its boxes; the file is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_foreign import SAMPLES

from boxwright import formats
from boxwright.formats import ReadOptions
from boxwright.structures.dataset import Dataset
from folders import VocFolder, codes, lay
from misbehaving import zipped

pytestmark = pytest.mark.tiny

LINE = "0 0.5 0.5 0.25 0.5\n"
KITTI = "cat 0 0 0 24 12 40 36 0 0 0 0 0 0 0\n"


def yolo(folder: VocFolder) -> Path:
    """Two images, and a label file of the first."""
    files = {"images/a.jpg": "", "images/b.jpg": "", "labels/a.txt": LINE, "classes.txt": "cat"}
    return lay(folder, files)


def warned(dataset: Dataset) -> list[str]:
    return [one.where for one in dataset.findings if one.code == "BW155"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("labels2/b.txt", b"cat 0.5 0.5 0.2 0.2\n"),
        ("new/b.txt", LINE.replace(" ", ",").encode()),
        ("new/b.txt", LINE.encode("utf-16-le")),
        ("new/b.txt", b"# class x y width height\n" + LINE.encode()),
        ("new/images/b.txt", b"b.jpg\n1\n4 6 26 34\n"),
        ("labels/b", LINE.encode()),
        ("labels/b.text", LINE.encode()),
        ("labels/b.label", LINE.encode()),
        ("labels/b.rtf", b"{\\rtf1\\ansi\n0 0.5 0.5 0.25 0.5}"),
        ("b.csv", b"class,x,y,width,height\n0,.5,.5,.25,.5\n"),
        ("b.json", b'{"objects": [{"x": 1, "y": 2, "w": 3, "h": 4}]}'),
        ("labels/b.zip", zipped({"b.txt": LINE.encode()})),
        ("labels.zip", zipped({"b.txt": LINE.encode()})),
        ("labels.7z", b"7z\xbc\xaf\x27\x1c"),
        *(
            (path, content if isinstance(content, str | bytes) else json.dumps(content))
            for path, content, title in SAMPLES
            if title != "DOTA text"  # begins as YOLO's, so that BW101 names it
        ),
    ],
)
def test_a_file_that_is_not_read_is_named(
    voc_folder: VocFolder, path: str, content: str | bytes
) -> None:
    root = yolo(voc_folder)
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
    for form in (None, "yolo"):
        dataset = formats.read(root, form)
        assert dataset.names == ("images/a.jpg",)
        assert warned(dataset) == [path]
        (finding,) = (one for one in dataset.findings if one.code == "BW109")
        assert "1 unused annotation may be theirs" in finding.message
    chosen = formats.read(root, ReadOptions("yolo", "background"))
    assert chosen.names == ("images/a.jpg", "images/b.jpg")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("README.md", b"1 2 3 4 5 6"),
        ("captions/b.txt", b"a photo of 2 cats"),
        ("features/b.npy", b"\x93NUMPY\x01\x00v\x00{'shape': (480, 640, 3), } 1 2 3 4"),
        ("best.pt", zipped({"best/data.pkl": b"weights"})),
        ("coco128.zip", zipped({"images/a.jpg": b""})),
        ("log.txt.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03"),
        ("images/b.xmp", b"<x>1 2 3 4</x>"),
        ("cfg.yaml", b"names: exp1\n"),
        ("conf/i18n.yaml", b"names:\n  first: a\n"),
        ("labels/a.txt~", LINE.encode()),
        ("classes.csv", b"0,cat\n"),
        ("train.txt", b"images/a.jpg\nimages/b.jpg\n"),
    ],
)
def test_other_files_lose_no_background(voc_folder: VocFolder, path: str, content: bytes) -> None:
    root = yolo(voc_folder)
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)
    dataset = formats.read(root)
    assert dataset.names == ("images/a.jpg", "images/b.jpg")
    assert codes(dataset) == ["BW109"]


def test_each_file_with_the_name_of_an_image_is_named(voc_folder: VocFolder) -> None:
    root = yolo(voc_folder)
    named = ["first/b.txt", "labels/b.label", "second/b.json"]
    for path in named:
        voc_folder.text(path, "[1, 2, 3, 4]")
    (root / "labels/b.npy").write_bytes(b"\x93NUMPY\x01")
    dataset = formats.read(root)
    assert dataset.names == ("images/a.jpg",)
    assert sorted(warned(dataset)) == named


def test_a_link_to_a_label_file_that_is_gone_is_named(voc_folder: VocFolder) -> None:
    root = yolo(voc_folder)
    (root / "labels/b.txt").symlink_to(root / "gone.txt")
    dataset = formats.read(root, tolerant=True)
    assert dataset.names == ("images/a.jpg",)
    assert ("BW160", "labels/b.txt") in {(one.code, one.where) for one in dataset.findings}


def test_an_archive_beside_labels_of_any_format_is_named(voc_folder: VocFolder) -> None:
    voc_folder.pair("val/a")
    (voc_folder.root / "train.zip").write_bytes(zipped({"b.jpg": b"", "b.xml": b""}))
    assert warned(formats.read(voc_folder.root)) == ["train.zip"]


@pytest.mark.parametrize(
    "path", ["classes.txt", "labels/classes.txt", "obj_names.txt", "labels/predefined_classes.txt"]
)
@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_list_of_classes_is_no_label_file(
    voc_folder: VocFolder, path: str, content: str
) -> None:
    files = {"images/a.jpg": "", "images/b.jpg": "", "labels/a.txt": LINE, path: content}
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.names == ("images/a.jpg", "images/b.jpg")
    assert sorted(codes(dataset)) == ["BW109", "BW148"]


@pytest.mark.parametrize("first", ["labels", "label_2", "annotations/kitti"])
@pytest.mark.parametrize("second", ["yolo", "labels_yolo", "z/labels"])
def test_labels_of_kitti_do_not_hide_those_of_yolo(
    voc_folder: VocFolder, first: str, second: str
) -> None:
    files = {f"{second}/classes.txt": "cat"}
    for name in ("000000", "000001"):
        files |= {f"images/{name}.jpg": "", f"{first}/{name}.txt": KITTI}
        files |= {f"{second}/{name}.txt": LINE}
    root = lay(voc_folder, files)
    for form in (None, "yolo", "kitti"):
        dataset = formats.read(root, form)
        assert len(dataset) == 2
        assert dataset.boxes.tolist() == [[24, 12, 40, 36]] * 2
        assert dataset.classes == ("cat",)
    assert {*codes(formats.read(root))} <= {"BW154"}  # `yolo` is no folder of images

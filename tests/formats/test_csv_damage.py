"""CSV files that cannot be used, or not as a whole."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from damage import images_or_refusal
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from boxwright import formats
from boxwright.errors import DataError
from folders import VocFolder, lay

pytestmark = pytest.mark.tiny

HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
CAT_ROW = "a.jpg,64,48,cat,16,12,32,36\n"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.jpg,64,48,cat,16,12,32", "has only 7 columns"),
        ("a.jpg", "has only 1 column"),
        (",64,48,cat,16,12,32,36", "names no image"),
        ("a.jpg,64,48,,16,12,32,36", "has no class name"),
        ("a.jpg,64,48,cat,16,12,wide,36", "'wide' is not a coordinate"),
        ("a.jpg,64,48,cat,16,12,,36", "'' is not a coordinate"),
        ("a.jpg,64,48,cat,nan,12,32,36", "'nan' is not a coordinate"),
        ("a.jpg,64,48,cat,1e99,12,32,36", "'1e99' is not a coordinate"),
        ("a.jpg,64,48,cat,,,,", "has the class 'cat' but no box"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(voc_folder: VocFolder, row: str, message: str) -> None:
    text = f"{HEADER}b.jpg,64,48,cat,16,12,32,36\n{CAT_ROW}{row}\n"
    root = lay(voc_folder, {"a.jpg": "", "b.jpg": "", "boxes.csv": text})
    with pytest.raises(DataError) as caught:
        formats.read(root)
    assert caught.value.code == "BW110"
    assert caught.value.where == f"{root}/boxes.csv:4"
    assert message in caught.value.message
    left = formats.read(root, tolerant=True).names
    assert left == (("b.jpg",) if row.startswith("a") else ("b.jpg", "a.jpg"))


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("filename,x,y,w,h,class", "a.jpg,1,2,-3,4,cat", "negative size -3 x 4"),
        ("filename,bbox,class", 'a.jpg,"[1, 2, 3]",cat', "has 3 numbers, not 4"),
        ("filename,bbox,class", 'a.jpg,"{x: 1, y: 2}",cat', "'x:' is not a coordinate"),
    ],
)
def test_odd_boxes_are_named(voc_folder: VocFolder, header: str, row: str, message: str) -> None:
    root = lay(voc_folder, {"a.jpg": "", "boxes.csv": f"{header}\n{row}\n"})
    with pytest.raises(DataError) as caught:
        formats.read(root)
    assert caught.value.where == f"{root}/boxes.csv:2"
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("filename,class,xmin,ymin,xmax", "filename is the image, but xmin, ymin, xmax are not"),
        ("filename,width,height,class,xmin,ymin", "xmin, ymin are not a complete box"),
        ("cat,xmin,ymin,xmax,ymax", "xmin, ymin, xmax, ymax are the box, but no column is the im"),
        ("image,class,label,x1,y1,x2,y2", "class and label could both be the class"),
        ("image,label,x1,y1,x1,y2,x2", "there are two columns 'x1'"),
    ],
)
def test_a_header_that_leaves_open_what_is_meant_is_an_error(
    voc_folder: VocFolder, header: str, message: str
) -> None:
    root = lay(voc_folder, {"a.jpg": "", "boxes.csv": f"{header}\n1,2,3,4,5\n"})
    with pytest.raises(DataError) as caught:
        formats.read(root)
    assert caught.value.code == "BW110"
    assert caught.value.where == f"{root}/boxes.csv:1"
    assert message in caught.value.message


def test_text_that_stops_being_a_table_is_named(voc_folder: VocFolder) -> None:
    text = f'{HEADER}{CAT_ROW}"a.jpg,64,48,cat,{"x" * 140_000}\n'
    root = lay(voc_folder, {"a.jpg": "", "boxes.csv": text})
    with pytest.raises(DataError, match="field larger than field limit") as caught:
        formats.read(root)
    assert caught.value.code == "BW120"


def test_a_table_in_the_encoding_of_old_spreadsheets_is_named(voc_folder: VocFolder) -> None:
    root = lay(voc_folder, {"a.jpg": ""})
    (root / "boxes.csv").write_bytes(f"{HEADER}{CAT_ROW}".replace("cat", "bär").encode("cp1252"))
    with pytest.raises(DataError, match=r"byte 61 is 0xe4, in line 2.*reads '.*bär") as caught:
        formats.read(root)
    assert (caught.value.code, caught.value.where) == ("BW160", f"{root}/boxes.csv")
    assert "Save it again as UTF-8" in caught.value.remedy


SOUND = f"{HEADER}{CAT_ROW}a.jpg,64,48,dog,1,2,3,4\n".encode()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SOUND)), st.integers(0, 60), st.binary(max_size=8))
def test_damage_of_any_kind_is_an_error_with_a_code_or_harmless(
    at: int, length: int, instead: bytes
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Image.new("RGB", (64, 48)).save(Path(folder) / "a.jpg")
        (Path(folder) / "x.csv").write_bytes(SOUND[:at] + instead + SOUND[at + length :])
        images = images_or_refusal(folder, "BW120", "BW157")
    assert set(images or ()) <= {"a.jpg"}

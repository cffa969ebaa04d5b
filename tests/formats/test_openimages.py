"""Open Images: the official files and the OIDv4 ToolKit's folders, whole and damaged."""

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
from boxwright.formats import FORMATS
from boxwright.formats.folder import Folder
from boxwright.structures.dataset import CROWD, OCCLUDED, TRUNCATED, Dataset, LabeledImage, Split
from folders import VocFolder, codes, lay

pytestmark = pytest.mark.tiny

HEADER = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,"
    "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
)
V6 = HEADER + "," + ",".join(f"XClick{i}{axis}" for i in range(1, 5) for axis in "XY")
ROW = "0a1b,xclick,/m/014j1m,1,0.25,0.5,0.25,0.75,0,0,0,0,0"
NAMES = "/m/0k4j,Car\n/m/014j1m,Apple\n/m/0cyhj_,Orange\n"
BOX = [16, 12, 32, 36]
LINE = "Apple 16.0 12.0 32.0 36.0\n"


def official(folder: VocFolder, *rows: str, header: str = HEADER) -> Path:
    """A photo 0a1b.jpg, the boxes of the training photos, and the names of the classes."""
    files = {"train/0a1b.jpg": "", "class-descriptions-boxable.csv": NAMES}
    return lay(folder, files | {"train-annotations-bbox.csv": "\n".join([header, *rows, ""])})


def is_open_images(root: Path) -> bool:
    return FORMATS["openimages"].detect(Folder.scan(root))


def classes_of(dataset: Dataset) -> list[str]:
    return [dataset.classes[label] for label in dataset.labels]


# ---- the official files ----


def test_the_official_files(voc_folder: VocFolder) -> None:
    root = official(voc_folder, ROW, ROW.replace("014j1m", "0k4j"))
    rows = f"{HEADER}\n{ROW.replace('0a1b', '0c0c')}\n"
    lay(voc_folder, {"validation/0c0c.jpg": "", "validation-annotations-bbox.csv": rows})
    lay(voc_folder, {"deep/er/0d0d.jpg": ""})
    lay(voc_folder, {"test-annotations-bbox.csv": rows.replace("0c0c", "0d0d")})
    assert is_open_images(root)
    dataset = formats.read(root)
    marks = dict(zip(dataset.names, dataset.splits.tolist(), strict=True))
    assert marks == {
        "deep/er/0d0d.jpg": Split.TEST,
        "train/0a1b.jpg": Split.TRAIN,
        "validation/0c0c.jpg": Split.VAL,
    }
    assert dataset.classes == ("Car", "Apple"), "in the order of their descriptions"
    assert dataset.boxes.tolist() == [BOX] * 4
    assert dataset.findings == ()


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-annotations-bbox.csv", "TRAIN"),
        ("oidv6-train-annotations-bbox.csv", "TRAIN"),
        ("validation-annotations-bbox.csv", "VAL"),
        ("test-annotations-bbox.csv", "TEST"),
        ("challenge-2019-validation-detection-bbox.csv", "VAL"),
        ("annotations-bbox.csv", "UNASSIGNED"),
        ("train/annotations-bbox.csv", "TRAIN"),
    ],
)
def test_the_name_of_a_file_states_the_split(voc_folder: VocFolder, name: str, split: str) -> None:
    root = lay(voc_folder, {"0a1b.jpg": "", "train/x.jpg": "", name: f"{V6}\n{ROW}{',-1' * 8}\n"})
    if split == "TRAIN" and "/" in name:
        (root / "0a1b.jpg").rename(root / "train/0a1b.jpg")
    dataset = formats.read(root)
    assert [Split(mark).name for mark in dataset.splits] == [split]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("0,0,0,0,0", 0),
        ("1,1,0,0,0", OCCLUDED | TRUNCATED),
        ("0,0,1,0,0", CROWD),
        ("0,1,1,1,1", TRUNCATED | CROWD),
        ("-1,-1,-1,-1,-1", 0),
    ],
)
def test_flags(voc_folder: VocFolder, flags: str, expected: int) -> None:
    dataset = formats.read(official(voc_folder, ROW.replace("0,0,0,0,0", flags)))
    assert dataset.flags.tolist() == [expected]


def test_boxes_of_images_that_are_not_here_are_counted_once(voc_folder: VocFolder) -> None:
    rows = [ROW.replace("0a1b", f"{i:04x}") for i in range(3000, 3500)]
    dataset = formats.read(official(voc_folder, *rows[:250], ROW, *rows[250:]))
    assert dataset.names == ("train/0a1b.jpg",)
    assert [(f.code, f.message) for f in dataset.findings] == [
        ("BW101", "500 boxes belong to images that are not in this folder")
    ]


def test_damage_in_rows_of_other_images_is_not_looked_at(voc_folder: VocFolder) -> None:
    dataset = formats.read(official(voc_folder, "ffff,half a row", "\x00", '"', ROW))
    assert dataset.boxes.tolist() == [BOX]


def test_a_class_without_description_keeps_its_code(voc_folder: VocFolder) -> None:
    dataset = formats.read(official(voc_folder, ROW, ROW.replace("014j1m", "0zzz")))
    assert dataset.classes == ("Apple", "/m/0zzz")
    assert codes(dataset) == ["BW148"]


def test_newer_descriptions_have_a_header(voc_folder: VocFolder) -> None:
    root = lay(voc_folder, {"0a1b.jpg": "", "annotations-bbox.csv": f"{HEADER}\n{ROW}\n"})
    names = f'LabelName,DisplayName\n/m/x,"Doll, broken"\n{NAMES}'
    lay(voc_folder, {"metadata/oidv7-class-descriptions-boxable.csv": names})
    assert formats.read(root).classes == ("Apple",)


def test_the_order_of_columns_may_differ(voc_folder: VocFolder) -> None:
    header = "LabelName,Confidence,ImageID,XMin,YMin,XMax,YMax"
    root = official(voc_folder, "/m/014j1m,1,0a1b,0.25,0.25,0.5,0.75", header=header)
    assert formats.read(root).boxes.tolist() == [BOX]


def test_no_image_is_here(voc_folder: VocFolder) -> None:
    root = official(voc_folder, *[ROW.replace("0a1b", "ffff")] * 3)
    with pytest.raises(DataError, match=r"has any of the boxes \(3\)") as caught:
        formats.read(root)
    assert caught.value.code == "BW101"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0a1b,xclick,/m/014j1m,1,0.25,0.5", "has 6 columns instead of 13"),
        (ROW.replace("0.75", "low"), "YMax is 'low', not a number"),
        (ROW.replace("0.75", "nan"), "YMax is 'nan', not a number"),
        (ROW.replace("/m/014j1m", " "), "has no LabelName"),
        (ROW.replace("xclick", "\r"), "has 0 columns instead of 13"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(voc_folder: VocFolder, row: str, message: str) -> None:
    root = official(voc_folder, ROW, row.replace("\r", "\rx"))
    with pytest.raises(DataError) as caught:
        formats.read(root)
    assert caught.value.code == "BW110"
    assert caught.value.where == f"{root}/train-annotations-bbox.csv:3"
    assert message in caught.value.message


# ---- the ToolKit's folders ----


def test_the_toolkits_folders(voc_folder: VocFolder) -> None:
    files = {}
    for split, name in (("train", "Apple"), ("validation", "Granny Smith"), ("test", "Apple")):
        below = f"OID/Dataset/{split}/{name}"
        files |= {f"{below}/{split}1.jpg": ""}
        files |= {f"{below}/Label/{split}1.txt": LINE.replace("Apple", name) * 2}
    files |= {"OID/csv_folder/class-descriptions-boxable.csv": NAMES}
    root = lay(voc_folder, files)
    assert is_open_images(root)
    dataset = formats.read(root)
    assert dataset.classes == ("Apple", "Granny Smith")
    assert sorted(dataset.splits.tolist()) == [Split.TRAIN, Split.VAL, Split.TEST]
    assert dataset.boxes.tolist() == [BOX] * 6
    assert dataset.findings == ()


@pytest.mark.parametrize("image", ["ffff", "0a1b"])
def test_the_toolkit_keeps_the_official_files_it_picked_from(
    voc_folder: VocFolder, image: str
) -> None:
    others = ROW.replace("0a1b", image).replace("/m/014j1m", "/m/0k4j")
    files = {
        "OID/Dataset/train/Apple/0a1b.jpg": "",
        "OID/Dataset/train/Apple/Label/0a1b.txt": LINE,
        "OID/csv_folder/class-descriptions-boxable.csv": NAMES,
        "OID/csv_folder/train-annotations-bbox.csv": f"{HEADER}\n{others}\n",
    }
    dataset = formats.read(lay(voc_folder, files))
    assert (dataset.classes, dataset.boxes.tolist()) == (("Apple",), [BOX])
    assert dataset.findings == ()


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("train/Apple/a.jpg", "train/Apple/Label/a.txt"),
        ("train/Apple_Orange/a.jpg", "train/Apple_Orange/Label/a.txt"),
        ("Dataset/Tin can/train/Tin can/a.jpg", "Dataset/Tin can/train/Label/a.txt"),
        ("OIDv6/train/apple/a.jpg", "OIDv6/train/apple/labels/a.txt"),
        ("a.jpg", "Label/a.txt"),
    ],
)
def test_where_labels_lie(voc_folder: VocFolder, image: str, label: str) -> None:
    dataset = formats.read(lay(voc_folder, {image: "", label: LINE}))
    assert dataset.names == (image,)
    assert dataset.boxes.tolist() == [BOX]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Man   16.0 12.0 32.0 36.0", "Man"),
        ("Human face 16.0 12.0 32.0 36.0", "Human face"),
        ("Boeing 747 16.0 12.0 32.0 36.0", "Boeing 747"),
        ("\ufeffApple\t16\t12\t32\t36\r", "Apple"),
    ],
)
def test_class_names_may_have_several_words(voc_folder: VocFolder, line: str, name: str) -> None:
    dataset = formats.read(lay(voc_folder, {"x/a.jpg": "", "x/Label/a.txt": f"{line}\n"}))
    assert dataset.classes == (name,)
    assert dataset.boxes.tolist() == [BOX]


def test_an_image_in_two_class_folders_is_one_image(voc_folder: VocFolder) -> None:
    files = {"train/Apple/a.jpg": "", "train/Apple/Label/a.txt": LINE}
    files |= {"train/Orange/Label/a.txt": "Orange 1 2 3 4\n" + LINE}
    root = lay(voc_folder, files)
    (root / "train/Orange/a.jpg").write_bytes((root / "train/Apple/a.jpg").read_bytes())
    dataset = formats.read(root)
    assert dataset.names == ("train/Apple/a.jpg",)
    assert classes_of(dataset) == ["Apple", "Orange"]
    assert dataset.boxes.tolist() == [BOX, [1, 2, 3, 4]]
    (finding,) = dataset.findings
    assert (finding.code, finding.images) == ("BW130", ("train/Orange/a.jpg",))


def test_images_that_differ_are_not_copies(voc_folder: VocFolder) -> None:
    files = {}
    for name in ("Apple", "Orange"):
        files |= {f"train/{name}/a.jpg": "", f"train/{name}/Label/a.txt": LINE}
    root = lay(voc_folder, files)
    voc_folder.image("train/Orange/a.jpg", (160, 120))
    dataset = formats.read(root)
    assert len(dataset) == 2
    assert dataset.findings == ()


@pytest.mark.parametrize(
    ("order", "stated"),
    [
        ((2, 3, 0, 1), "xmax ymax xmin ymin"),
        ((1, 0, 3, 2), "ymin xmin ymax xmax"),
        ((0, 2, 1, 3), "xmin xmax ymin ymax"),
        ((3, 2, 1, 0), "ymax xmax ymin xmin"),
    ],
)
def test_corners_in_another_order_are_recognized(
    voc_folder: VocFolder, order: tuple[int, ...], stated: str
) -> None:
    boxes = [(40 + i, 1 + i, 50 + i, 30 + i) for i in range(10)]
    files = {}
    for i, box in enumerate(boxes):
        said = " ".join(str(box[place]) for place in order)
        files |= {f"x/{i}.jpg": "", f"x/Label/{i}.txt": f"Bell pepper {said}\n"}
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.boxes.tolist() == [list(box) for box in boxes]
    (finding,) = dataset.findings
    assert finding.code == "BW144"
    assert stated in finding.message


def test_a_few_boxes_beyond_the_edge_do_not_turn_all(voc_folder: VocFolder) -> None:
    files = {}
    for i in range(10):
        box = "40 1 50 30" if i else "20 20 30 60"
        files |= {f"x/{i}.jpg": "", f"x/Label/{i}.txt": f"Apple {box}\n"}
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.boxes[1].tolist() == [40, 1, 50, 30]
    assert dataset.findings == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Apple 1 2 3", "is not a class and four coordinates"),
        ("Apple", "is not a class"),
        ("Apple 1 2 three 4", "'three' is not a coordinate"),
        ("Apple 1 2 nan 4", "'nan' is not a coordinate"),
        ("Apple 1 2 1e300 4", "'1e300' is not a coordinate"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(
    voc_folder: VocFolder, line: str, message: str
) -> None:
    root = lay(voc_folder, {"x/a.jpg": "", "x/Label/a.txt": f"{LINE}\n{line}\n"})
    with pytest.raises(DataError) as caught:
        formats.read(root)
    assert caught.value.code == "BW110"
    assert caught.value.where == f"{root}/x/Label/a.txt:3"
    assert message in caught.value.message


def test_an_empty_label_file_is_an_image_that_shows_nothing(voc_folder: VocFolder) -> None:
    files = {"x/a.jpg": "", "x/Label/a.txt": LINE, "x/b.jpg": "", "x/Label/b.txt": "\n"}
    dataset = formats.read(lay(voc_folder, files))
    assert np.diff(dataset.offsets).tolist() == [1, 0]


@pytest.mark.parametrize(
    "files",
    [
        {"labels/a.txt": "0 0.5 0.5 0.1 0.1\n"},
        {"a.txt": LINE},
        {"label/a.txt": "Car 0.00 0 -1.57 12.0 10.0 40.0 30.0 1.5 1.6 3.9 1.8 1.5 8.4 -1.6\n"},
        {"label/a.txt": "a photo of an apple\n"},
        {"label/b.txt": LINE},
        {"boxes.csv": "filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,1,2,3,4\n"},
        {"train-images-boxable.csv": "image_name,image_url\na.jpg,https://x/a.jpg\n"},
        {"class-descriptions-boxable.csv": NAMES},
    ],
)
def test_files_of_others_are_not_taken_for_open_images(
    voc_folder: VocFolder, files: dict[str, str]
) -> None:
    assert not is_open_images(lay(voc_folder, {"a.jpg": "", **files}))


# ---- writing ----


def test_written_as_the_official_files(voc_folder: VocFolder, tmp_path: Path) -> None:
    for name in ("x/a.jpg", "y/a.jpg", "b.jpg"):
        voc_folder.image(name)
    images = [
        LabeledImage("x/a.jpg", 64, 48, [BOX], ["Doll, big"], [CROWD], Split.TRAIN),
        LabeledImage("y/a.jpg", 64, 48, [BOX], ["/m/0k4j"], [TRUNCATED], Split.VAL),
        LabeledImage("b.jpg", 64, 48, [(0, 0, 64, 47)], ["Doll, big"]),
    ]
    target = tmp_path / "out"
    dataset = Dataset.of(voc_folder.root, images, ["Doll, big", "/m/0k4j"])
    formats.write(dataset, target, "openimages")
    texts = {path.name: path.read_text(encoding="utf-8") for path in target.glob("*.csv")}
    row = "freeform,/boxwright/0,1,0.25,0.5,0.25,0.75,-1,0,1,-1,-1\n"
    assert texts == {
        "train-annotations-bbox.csv": f"{HEADER}\ntrain/x/a,{row}",
        "validation-annotations-bbox.csv": f"{HEADER}\nvalidation/y/a,freeform,/m/0k4j,1,"
        "0.25,0.5,0.25,0.75,-1,1,0,-1,-1\n",
        "annotations-bbox.csv": f"{HEADER}\nb,freeform,/boxwright/0,1,0,1,0,0.9791666667,"
        "-1,0,0,-1,-1\n",
        "class-descriptions-boxable.csv": '/boxwright/0,"Doll, big"\n/m/0k4j,/m/0k4j\n',
    }
    back = formats.read(target)
    assert back.classes == dataset.classes
    assert sorted(back.names) == ["images/b.jpg", "train/x/a.jpg", "validation/y/a.jpg"]
    assert codes(back) == ["BW119"]


# ---- damaged ----

SOUND = {
    "train-annotations-bbox.csv": f"{HEADER}\n{ROW}\n{ROW.replace('014j1m', '0k4j')}\n".encode(),
    "class-descriptions-boxable.csv": NAMES.encode(),
}


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(SOUND)), st.integers(0, 230), st.integers(0, 60), st.binary(max_size=8)
)
def test_damage_of_any_kind_is_an_error_with_a_code_or_harmless(
    name: str, at: int, length: int, instead: bytes
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        Image.new("RGB", (64, 48)).save(root / "0a1b.jpg")
        for path, content in SOUND.items():
            damaged = content[:at] + instead + content[at + length :]
            (root / path).write_bytes(damaged if path == name else content)
        images = images_or_refusal(folder, "BW120")
    assert set(images or ()) <= {"0a1b.jpg"}

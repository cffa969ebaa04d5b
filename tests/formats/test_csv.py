"""CSV files with boxes as scripts and tools write them, whole and damaged."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats import FORMATS
from boxwright.formats.csv.columns import Columns, understand
from boxwright.formats.folder import Folder
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from folders import MOVED, VocFolder, codes, lay, marks

pytestmark = pytest.mark.tiny

HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
CAT_ROW = "a.jpg,64,48,cat,16,12,32,36\n"
CAT_BOX = [16, 12, 32, 36]


def is_csv(root: Path) -> bool:
    return FORMATS["csv"].detect(Folder.scan(root))


def described(dataset: Dataset) -> dict[str, list[tuple[str, list[float]]]]:
    """Photo -> its classes and boxes."""
    return {
        name: [
            (dataset.classes[label], np.round(box.astype(float), 3).tolist())
            for label, box in zip(dataset.labels[rows], dataset.boxes[rows], strict=True)
        ]
        for i, name in enumerate(dataset.names)
        for rows in [dataset.rows(i)]
    }


# ---- whose file it is ----

ONE_CAT = {"a.jpg": [("cat", CAT_BOX)]}


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}{CAT_ROW}",  # xml_to_csv.py
        f"\ufeff{HEADER}{CAT_ROW}".replace("\n", "\r\n"),
        f"{HEADER}{CAT_ROW}".replace(",", ";"),
        f"{HEADER}{CAT_ROW}".replace(",", "\t"),
        f"{HEADER}{CAT_ROW}".replace(",", "|"),
        f"{HEADER}{CAT_ROW}".replace(",", ", "),
        f"{HEADER}\n{CAT_ROW}\n,,,,,,,\n",
        f"{HEADER}{CAT_ROW}".replace("a.jpg", "images/a.jpg"),
        f"{HEADER}{CAT_ROW}".replace("a.jpg", "C:\\Users\\Eve B\\images\\a.jpg"),
        CAT_ROW,  # as some scripts write it, without header
        '"image","xmin","ymin","xmax","ymax","label"\n"a.jpg",16,12,32,36,"cat"\n',  # VoTT
        '"image","xmin","ymin","xmax","ymax","label"\n"a.jpg",16.0,12.000,32,36.0,"cat"\n',
        "images/a.jpg,16,12,32,36,cat\n",  # keras-retinanet
        "image_id,x1,y1,x2,y2,class_name\na,16,12,32,36,cat\n",
        "img_path,label,x1,y1,x2,y2\n./a.jpg,cat,16,12,32,36\n",
        "Image Name,Class Name,X Min,Y Min,X Max,Y Max\na.jpg,cat,16,12,32,36\n",
        "path,left,top,right,bottom,category\na.jpg,16,12,32,36,cat\n",
        "name,xmin,ymin,xmax,ymax,label\na.jpg,16,12,32,36,cat\n",
        "filename,class_id,class_name,xmin,ymin,xmax,ymax\na.jpg,3,cat,16,12,32,36\n",
        "filename,label,x,y,w,h\na.jpg,cat,16,12,16,24\n",
        "filename,label,x,y,width,height\na.jpg,cat,16,12,16,24\n",
        "filename,label,x,y,w,h,width,height\na.jpg,cat,16,12,16,24,64,48\n",
        "label_name,bbox_x,bbox_y,bbox_width,bbox_height,image_name,image_width,image_height\n"
        "cat,16,12,16,24,a.jpg,64,48\n",  # makesense.ai
        "a.jpg,16,12,32,36,cat,64,48\n",  # SKU-110K
        "cat,16,12,16,24,a.jpg,64,48\n",
        "filename,label,x_center,y_center,width,height\na.jpg,cat,24,24,16,24\n",
        'image_id,width,height,bbox,label\na,64,48,"[16.0, 12.0, 16.0, 24.0]",cat\n',
        "filename,label,x_center,y_center,w,h\na.jpg,cat,0.375,0.5,0.25,0.5\n",
        "ImageID,LabelName,XMin,XMax,YMin,YMax\na,cat,0.25,0.5,0.25,0.75\n",
        "filename,xmin,ymin,xmax,ymax,class\na.jpg,0.25,0.25,0.5,0.75,cat\n",
        ",a.jpg,cat,0.25,0.25,,,0.5,0.75,,\n",
        "a.jpg,cat,0.25,0.25,,,0.5,0.75,,\n",
        "UNASSIGNED,gs://bucket/a.jpg,cat,0.25,0.25,,,0.5,0.75,,\n",  # Google
        "UNASSIGNED,gs://bucket/a.jpg,cat,.25,.25,0.5,.25,.5,.75,.25,.75\n",
        "UNASSIGNED,gs://bucket/a.jpg,cat,0.25,0.25,,,0.5,0.75\n",
        "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n"
        "a.jpg;64;48;16;12;32;36;cat\n",  # the German traffic signs
    ],
)
def test_columns_in_any_order_and_of_any_name(voc_folder: VocFolder, text: str) -> None:
    root = lay(voc_folder, {"a.jpg": "", "boxes.csv": text})
    assert is_csv(root)
    dataset = formats.read(root)
    assert described(dataset) == ONE_CAT
    assert marks(dataset) == {"a.jpg": "unassigned"}
    has_folders = "/a.jpg" in text.replace("\\", "/") and "./a.jpg" not in text
    assert codes(dataset) == [MOVED] * has_folders


def test_googles_sets_mark_splits_and_rows_without_box_are_images(voc_folder: VocFolder) -> None:
    rows = [
        "TRAIN,gs://cloud/img/a.jpg,Salad,0.25,0.25,,,0.5,0.75,,",
        "TRAINING,gs://cloud/img/a.jpg,Baked goods,0,0,,,1,1,,",
        "VALIDATION,gs://cloud/img/b.jpg,Salad,0.25,0.25,,,0.5,0.75,,",
        "test,gs://cloud/img/c.jpg,,,,,,,,,",
    ]
    files = {f"{image}.jpg": "" for image in "abc"}
    dataset = formats.read(lay(voc_folder, files | {"salads.csv": "\n".join(rows)}))
    assert marks(dataset) == {"a.jpg": "train", "b.jpg": "val", "c.jpg": "test"}
    assert described(dataset) == {
        "a.jpg": [("Salad", CAT_BOX), ("Baked goods", [0, 0, 64, 48])],
        "b.jpg": [("Salad", CAT_BOX)],
        "c.jpg": [],
    }
    assert codes(dataset) == [MOVED]


def test_keras_retinanets_files(voc_folder: VocFolder) -> None:
    files = {"img/a.jpg": "", "img/b.jpg": "", "classes.csv": "dog,1\ncat,0\nox,2\n"}
    files |= {
        "annotations.csv": "img/a.jpg,16,12,32,36,cat\nimg/a.jpg,1,2,3,4,dog\nimg/b.jpg,,,,,\n"
    }
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.classes == ("cat", "dog", "ox")
    assert described(dataset) == {
        "img/a.jpg": [("cat", CAT_BOX), ("dog", [1, 2, 3, 4])],
        "img/b.jpg": [],
    }
    assert dataset.findings == ()


def test_kaggles_wheat_heads_have_no_name(voc_folder: VocFolder) -> None:
    rows = 'b6ab77fd7,64,48,"[16.0, 12.0, 16.0, 24.0]",usda_1\n' * 2
    files = {"images/b6ab77fd7.jpg": "", "boxes.csv": f"image_id,width,height,bbox,source\n{rows}"}
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.boxes.tolist() == [CAT_BOX, CAT_BOX]
    assert dataset.classes == ("object",)
    assert [finding.code for finding in dataset.findings] == ["BW148"]


@pytest.mark.parametrize(
    ("rows", "box"),
    [
        (["0.25,0.25,0.5,0.75"], CAT_BOX),
        (["0,0,1,1"], [0, 0, 64, 48]),
        (["0.25,0.25,0.5,0.75", "-0.01,0.5,1.02,1.0"], CAT_BOX),
        (["0,0,2,2"], [0, 0, 2, 2]),
        (["0,0,0,0"], [0, 0, 0, 0]),
    ],
)
def test_pixels_or_fractions_shows_in_the_file_as_a_whole(
    voc_folder: VocFolder, rows: list[str], box: list[float]
) -> None:
    text = "".join(f"a.jpg,cat,{row}\n" for row in rows)
    files = {"a.jpg": "", "boxes.csv": f"filename,class,xmin,ymin,xmax,ymax\n{text}"}
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.boxes[0].tolist() == box


@pytest.mark.parametrize(
    ("row", "box"), [("0.25,0.25,0.5,0.75", CAT_BOX), ("0,0,1,1", [0, 0, 1, 1])]
)
def test_beside_image_sizes_a_box_without_fractions_is_pixels(
    voc_folder: VocFolder, row: str, box: list[float]
) -> None:
    files = {"a.jpg": "", "boxes.csv": f"{HEADER}a.jpg,64,48,cat,{row}\n"}
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.boxes.tolist() == [box]


def test_boxes_of_an_image_made_smaller_are_scaled(voc_folder: VocFolder) -> None:
    files = {"a.jpg": "", "boxes.csv": f"{HEADER}a.jpg,128,96,cat,32,24,64,72\n"}
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.boxes.tolist() == [CAT_BOX]
    assert [finding.code for finding in dataset.findings] == ["BW108"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_spreadsheets_also_save_text_as_utf_16(voc_folder: VocFolder, encoding: str) -> None:
    root = lay(voc_folder, {"a.jpg": ""})
    mark = "" if encoding == "utf-16" else "\ufeff"
    text = f"{mark}{HEADER}{CAT_ROW}".replace(",", "\t").replace("cat", "bär").replace("\n", "\r\n")
    (root / "boxes.csv").write_bytes(text.encode(encoding))
    assert described(formats.read(root)) == {"a.jpg": [("bär", CAT_BOX)]}


@pytest.mark.parametrize(
    ("row", "box"),
    [
        ("a.jpg;64;48;cat;16,5;12;32;36", [16.5, 12, 32, 36]),
        ("a.jpg;64;48;cat;-0,25;12,75;32;36", [-0.25, 12.75, 32, 36]),
    ],
)
def test_some_countries_write_a_comma_in_numbers(
    voc_folder: VocFolder, row: str, box: list[float]
) -> None:
    text = f"{HEADER.replace(',', ';')}{row}\n"
    root = lay(voc_folder, {"a.jpg": "", "boxes.csv": text})
    assert described(formats.read(root)) == {"a.jpg": [("cat", box)]}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_first_line_may_state_the_separator(
    voc_folder: VocFolder, separator: str, end: str
) -> None:
    text = f"{HEADER}{CAT_ROW}".replace(",", separator).replace("\n", end)
    root = lay(voc_folder, {"a.jpg": "", "a.csv": f"sep={separator}{end}{text}"})
    assert described(formats.read(root)) == {"a.jpg": [("cat", CAT_BOX)]}
    voc_folder.text("a.csv", f"sep={separator}{end}{text}a.jpg{separator}64{end}")
    assert formats.read(root, tolerant=True).findings[0].where == "a.csv:4"


def test_a_class_that_never_has_a_box_says_that_the_image_shows_nothing(
    voc_folder: VocFolder,
) -> None:
    text = f"{HEADER}{CAT_ROW}b.jpg,64,48,No finding,,,,\n"
    root = lay(voc_folder, {"a.jpg": "", "b.jpg": "", "boxes.csv": text})
    assert described(formats.read(root)) == {"a.jpg": [("cat", CAT_BOX)], "b.jpg": []}


def test_a_class_alone_without_any_box_in_the_file_is_named(voc_folder: VocFolder) -> None:
    root = lay(voc_folder, {"a.jpg": "", "boxes.csv": f"{HEADER}a.jpg,64,48,cat,,,,\n"})
    with pytest.raises(DataError, match="has the class 'cat' but no box"):
        formats.read(root)


def test_images_without_boxes_may_have_empty_cells(voc_folder: VocFolder) -> None:
    text = f"{HEADER}{CAT_ROW}b.jpg,64,48,,,,,\nc.jpg,64,48,nan,NaN,NaN,NaN,NaN\n"
    dataset = formats.read(lay(voc_folder, {f"{p}.jpg": "" for p in "abc"} | {"x.csv": text}))
    assert described(dataset) == {"a.jpg": [("cat", CAT_BOX)], "b.jpg": [], "c.jpg": []}


# ---- splits ----


def test_lists_for_train_and_test_beside_one_of_all(voc_folder: VocFolder) -> None:
    rows = {image: f"{image}.jpg,64,48,cat,16,12,32,36\n" for image in "abcd"}
    files = {f"images/{image}.jpg": "" for image in "abcd"}
    files |= {"data/train_labels.csv": HEADER + rows["a"] + rows["b"]}
    files |= {"data/test_labels.csv": HEADER + rows["c"]}
    files |= {"data/cat_labels.csv": HEADER + "".join(rows.values())}
    dataset = formats.read(lay(voc_folder, files))
    expected = {"a": "train", "b": "train", "c": "test", "d": "unassigned"}
    assert marks(dataset) == {f"images/{image}.jpg": mark for image, mark in expected.items()}
    assert np.diff(dataset.offsets).tolist() == [1, 1, 1, 1]
    assert [finding.code for finding in dataset.findings] == ["BW119"]


def test_the_tutorials_folders_may_repeat_names(voc_folder: VocFolder) -> None:
    files = {f"images/{split}/a.jpg": "" for split in ("train", "test")}
    files |= {"annotations/train_labels.csv": f"{HEADER}{CAT_ROW}"}
    files |= {"annotations/test_labels.csv": f"{HEADER}{CAT_ROW}".replace("cat", "dog")}
    dataset = formats.read(lay(voc_folder, files))
    assert marks(dataset) == {"images/train/a.jpg": "train", "images/test/a.jpg": "test"}
    assert described(dataset)["images/train/a.jpg"] == [("cat", CAT_BOX)]


def test_an_image_in_two_lists_is_kept_from_training(voc_folder: VocFolder) -> None:
    files = {"images/a.jpg": "", "train.csv": HEADER + CAT_ROW, "val.csv": HEADER + CAT_ROW}
    dataset = formats.read(lay(voc_folder, files))
    assert marks(dataset) == {"images/a.jpg": "val"}
    assert len(dataset.boxes) == 1
    assert [finding.code for finding in dataset.findings] == ["BW113"]


def test_roboflows_folders(voc_folder: VocFolder) -> None:
    files = {}
    for split in ("train", "valid", "test"):
        files |= {f"{split}/a.jpg": "", f"{split}/_annotations.csv": HEADER + CAT_ROW}
    dataset = formats.read(lay(voc_folder, files))
    assert marks(dataset) == {"train/a.jpg": "train", "valid/a.jpg": "val", "test/a.jpg": "test"}
    assert len(dataset.boxes) == 3


def test_files_with_different_boxes_of_an_image_are_put_together(voc_folder: VocFolder) -> None:
    files = {"a.jpg": "", "cats.csv": HEADER + CAT_ROW}
    files |= {"dogs.csv": HEADER + CAT_ROW + "a.jpg,64,48,dog,1,2,3,4\n"}
    dataset = formats.read(lay(voc_folder, files))
    assert described(dataset) == {"a.jpg": [("cat", CAT_BOX), ("dog", [1, 2, 3, 4])]}


# ---- what is not ours ----


@pytest.mark.parametrize(
    "text",
    [
        "",
        "filename,class\na.jpg,cat\n",
        "a.jpg,cat\n",
        "cat,0\ndog,1\n",
        "x,y,value\n1,2,3\n4,5,6\n",
        "id,x,y,width,height\n1,2,3,4,5\n",
        "name,left,top,width,height\nlogo,2,3,4,5\n",
        "image_id,PredictionString\na,1 2 3\n",
        "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\na,xclick,/m/1,1,0,1,0,1\n",
        "0.1,0.2,0.3,0.4,0.5,0.6\n",
    ],
)
def test_tables_of_something_else_are_passed_over(voc_folder: VocFolder, text: str) -> None:
    assert not is_csv(lay(voc_folder, {"a.jpg": "", "x.csv": text}))


def test_image_sizes_are_not_taken_for_box_sizes() -> None:
    columns = understand([["filename", "width", "height", "class", "x", "y", "w", "h"]])
    assert isinstance(columns, Columns)
    assert columns.box == (4, 5, 6, 7)
    assert columns.size == (1, 2)


def test_xml_goes_before_csv(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    voc_folder.text("labels.csv", f"{HEADER}{CAT_ROW}")
    assert formats.detect(voc_folder.root) == "voc"


# ---- writing ----


def test_written_as_the_tutorials_have_it(voc_folder: VocFolder, tmp_path: Path) -> None:
    for name in ("a", "b", "c", "some where/d"):
        voc_folder.image(f"{name}.jpg")
    images = [
        LabeledImage("a.jpg", 64, 48, [(1, 2, 3.5, 4)], ["hat, hard"], (), Split.TRAIN),
        LabeledImage("b.jpg", 64, 48, [(1, 2, 30, 40)], ["cat"], (), Split.TEST),
        LabeledImage("c.jpg", 64, 48, (), (), (), Split.TEST),
        LabeledImage("some where/d.jpg", 64, 48, [(0, 0.1, 64, 48)], ["cat"]),
    ]
    dataset = Dataset.of(voc_folder.root, images, ["hat, hard", "cat"])
    lost = formats.write(dataset, tmp_path / "out", "csv")
    assert [one.message for one in lost] == ["cannot store images without objects (1)"]
    target = tmp_path / "out"
    texts = {path.name: path.read_text(encoding="utf-8") for path in target.glob("*.csv")}
    assert texts == {
        "train_labels.csv": f'{HEADER}a.jpg,64,48,"hat, hard",1,2,3.5,4\n',
        "test_labels.csv": f"{HEADER}b.jpg,64,48,cat,1,2,30,40\n",
        "labels.csv": f"{HEADER}some where/d.jpg,64,48,cat,0,0.1,64,48\n",
    }
    back = formats.read(target)
    assert back.classes == ("hat, hard", "cat")
    assert (target / "images/some where/d.jpg").is_file()


def test_images_of_the_same_name_are_told_apart(voc_folder: VocFolder, tmp_path: Path) -> None:
    images = []
    for i, parent in enumerate(("x", "y", "")):
        name = f"{parent}/a.jpg".lstrip("/")
        voc_folder.image(name)
        images.append(LabeledImage(name, 64, 48, [(i, i, 30, 40)], ["cat"], (), Split(i - 1)))
    formats.write(Dataset.of(voc_folder.root, images), tmp_path / "out", "csv")
    back = formats.read(tmp_path / "out")
    found = {name: (box[0], mark) for name, box, mark in zip(back.names, back.boxes, back.splits)}  # noqa: B905
    assert found == {"images/x/a.jpg": (0, -1), "images/y/a.jpg": (1, 0), "images/a.jpg": (2, 1)}


# ---- real and large ----


@pytest.mark.shared
def test_raccoons_by_their_lists_are_those_of_their_xml(shared: Path, tmp_path: Path) -> None:
    for part in ("images", "data"):
        (tmp_path / part).symlink_to(shared / "data" / "raccoon" / part)
    from_lists = formats.read(tmp_path, "csv")
    from_xml = formats.read(shared / "data" / "raccoon")
    assert described(from_lists) == described(from_xml)
    assert marks(from_lists) == marks(from_xml)
    assert from_lists.findings == ()


def test_a_hundred_thousand_rows_take_no_time(voc_folder: VocFolder) -> None:
    rows = (f"p{i // 4}.jpg,640,480,cat,{i % 90},20,{i % 90 + 50},80\n" for i in range(100_000))
    folder = Folder.scan(lay(voc_folder, {"boxes.csv": HEADER + "".join(rows)}))
    started = time.process_time()
    labels = FORMATS["csv"].read(folder)
    assert time.process_time() - started < 3
    assert len(labels.images) == 25_000

"""The tutorials' tables, the records made of them, and the script that sorts photos."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from data_commands import DOG, TWO_CLASSES, Examples, Tfod, code_of, records

from boxwright.errors import BoxwrightError
from folders import VocFolder

# xml_to_csv and generate_tfrecords ------------------------------------------------------------


def table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


@pytest.mark.shared
@pytest.mark.tiny
def test_the_lists_of_the_raccoons_come_out_of_their_xml(
    tfod: Tfod, shared: Path, tmp_path: Path
) -> None:
    """The data set has the CSV that the script made of the same xml files."""
    raccoon = shared / "data" / "raccoon"
    tfod("xml_to_csv", "-i", raccoon / "annotations", "-o", tmp_path / "labels.csv")
    header, *rows = table(tmp_path / "labels.csv")
    original = [
        row for kind in ("train", "test") for row in table(raccoon / f"data/{kind}_labels.csv")[1:]
    ]
    assert header == table(raccoon / "data/train_labels.csv")[0]
    assert sorted(rows) == sorted(original)


@pytest.mark.shared
def test_the_published_raccoon_record_is_made_again(
    tfod: Tfod, examples: Examples, shared: Path, tmp_path: Path
) -> None:
    raccoon = shared / "data" / "raccoon"
    record = tmp_path / "test.record"
    tfod(
        "generate_tfrecords",
        f"--label_map={raccoon / 'training/object-detection.pbtxt'}",
        f"--csv_input={raccoon / 'data/test_labels.csv'}",
        f"--img_path={raccoon / 'images'}",
        f"--output_path={record}",
    )
    ours, theirs = (
        {one["image/filename"][0]: one for one in examples(path)}
        for path in (record, raccoon / "data/test.record")
    )
    assert list(ours) == sorted(theirs)
    for name, one in theirs.items():
        for key in set(one) - {"image/format"}:  # theirs says "jpg" of png files as well
            assert ours[name][key] == pytest.approx(one[key]), key


def test_the_second_tutorials_folder_becomes_a_record(
    tfod: Tfod, voc_folder: VocFolder, tmp_path: Path
) -> None:
    train = voc_folder.root / "train"
    voc_folder.pair("train/b", [DOG, ("cat", 4.5, 6, 30, 40)])
    voc_folder.image("train/a.png")
    voc_folder.xml("train/a.xml", filename="a", size=(0, 0))  # as the OpenImagesTool writes it
    voc_folder.pair("train/deeper/c")
    voc_folder.text("map.pbtxt", TWO_CLASSES)
    said = tfod("xml_to_csv", f"--input={train}", f"--output={tmp_path / 'l.csv'}")
    assert said == [f"{tmp_path / 'l.csv'}: 2 images, 3 boxes"]
    assert table(tmp_path / "l.csv")[1:] == [
        ["a.png", "64", "48", "cat", "4", "6", "30", "40"],
        ["b.jpg", "64", "48", "dog", "10", "12", "50", "44"],
        ["b.jpg", "64", "48", "cat", "4.5", "6", "30", "40"],
    ]
    tfod(
        "generate_tfrecords",
        f"--label_map={voc_folder.root / 'map.pbtxt'}",
        f"--csv_input={tmp_path / 'l.csv'}",
        "--img_path=",
        train,
        f"--output_path={tmp_path / 'train.record'}",
    )
    assert records(tmp_path / "train.record") == [("a.png", ["cat"]), ("b.jpg", ["dog", "cat"])]


def test_the_folder_above_the_xml_is_told_from_the_right_one(
    tfod: Tfod, voc_folder: VocFolder, tmp_path: Path
) -> None:
    voc_folder.pair("train/a")
    with pytest.raises(BoxwrightError, match="but there are some in train") as caught:
        tfod("xml_to_csv", "-i", voc_folder.root, "-o", tmp_path / "l.csv")
    assert caught.value.code == "BW705"
    (voc_folder.root / "train" / "a.xml").write_text("<annotation><object>", encoding="utf-8")
    assert code_of(lambda: tfod("xml_to_csv", "-i", voc_folder.root, "-o", "l.csv")) == "BW110"


def test_a_class_that_the_label_map_lacks_is_no_background(
    tfod: Tfod, voc_folder: VocFolder, tmp_path: Path
) -> None:
    """The original writes label 0, which trains the object as background."""
    voc_folder.image("a.jpg")
    voc_folder.text(
        "l.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,64,48,Dog,1,2,9,8"
    )
    voc_folder.text("map.pbtxt", TWO_CLASSES)
    root = voc_folder.root

    def run(listed: str) -> Callable[[], object]:
        paths = (f"--csv_input={root / listed}", f"--img_path={root}")
        return lambda: tfod(
            "generate_tfrecords", f"--label_map={root / 'map.pbtxt'}", *paths, "--output_path=r"
        )

    assert code_of(run("l.csv")) == "BW706"
    assert code_of(run("map.pbtxt")) == "BW705"


# script ---------------------------------------------------------------------------------------


@pytest.fixture
def toolkit(voc_folder: VocFolder) -> Path:
    """What the OIDv4 ToolKit downloads; one photo shows both classes."""
    for split, name, kind in (
        ("train", "1f", "Apple"),
        ("train", "0a", "Apple"),
        ("train", "2c", "Orange"),
        ("validation", "3d", "Apple"),
        ("test", "4e", "Granny Smith"),
    ):
        voc_folder.image(f"{split}/{kind}/{name}.jpg")
        voc_folder.text(f"{split}/{kind}/Label/{name}.txt", f"{kind} 4.7 6.2 30.9 40.1\n")
    shutil.copyfile(voc_folder.root / "train/Apple/1f.jpg", voc_folder.root / "train/Orange/1f.jpg")
    voc_folder.text("train/Orange/Label/1f.txt", "Orange 1.0 2.0 9.0 8.0\n")
    return voc_folder.root


def test_open_images_are_sorted_into_train_and_test(
    tfod: Tfod, toolkit: Path, tmp_path: Path
) -> None:
    tfod("script", "-i", toolkit, "-o", tmp_path / "demo")
    images = tmp_path / "demo" / "images"
    names = ["Apple_train_0", "Apple_train_1", "Apple_validation_0", "Orange_train_0"]
    assert sorted(path.name for path in (images / "train").iterdir()) == [
        f"{name}.{suffix}" for name in names for suffix in ("jpg", "xml")
    ]
    assert sorted(path.name for path in (images / "test").iterdir()) == [
        "Granny Smith_test_0.jpg",
        "Granny Smith_test_0.xml",
    ]
    copied = images / "train" / "Apple_train_0.jpg"
    assert copied.read_bytes() == (toolkit / "train/Apple/0a.jpg").read_bytes()
    tfod("xml_to_csv", "-i", images / "train", "-o", tmp_path / "train.csv")
    assert table(tmp_path / "train.csv")[1:4] == [
        ["Apple_train_0.jpg", "64", "48", "Apple", "4", "6", "30", "40"],
        ["Apple_train_1.jpg", "64", "48", "Apple", "4", "6", "30", "40"],
        ["Apple_train_1.jpg", "64", "48", "Orange", "1", "2", "9", "8"],
    ]


def test_images_for_validation_can_be_left_out(tfod: Tfod, toolkit: Path, tmp_path: Path) -> None:
    tfod("script", "-i", toolkit, "-o", tmp_path / "demo", "-v")
    assert not list((tmp_path / "demo").rglob("*validation*"))


def test_images_without_a_split_are_not_sorted(
    tfod: Tfod, voc_folder: VocFolder, tmp_path: Path
) -> None:
    voc_folder.image("Apple/1f.jpg")
    voc_folder.text("Apple/Label/1f.txt", "Apple 4.7 6.2 30.9 40.1\n")
    assert code_of(lambda: tfod("script", "-i", voc_folder.root, "-o", tmp_path)) == "BW705"

"""The shared data sets, read as they are; the numbers were counted with other tools."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import boxwright
from boxwright import formats
from boxwright.formats.splits import listed_images
from boxwright.structures.dataset import Split

pytestmark = [pytest.mark.tiny, pytest.mark.shared]


@pytest.mark.parametrize(
    ("folder", "images", "boxes", "classes", "splits"),
    [
        ("raccoon", 200, {"raccoon": 217}, ("raccoon",), (160, 0, 40)),
        (
            "bccd",
            364,
            {"Platelets": 361, "RBC": 4155, "WBC": 372},
            ("Platelets", "RBC", "WBC"),
            (205, 87, 72),
        ),
    ],
)
def test_counts(
    shared: Path,
    folder: str,
    images: int,
    boxes: dict[str, int],
    classes: tuple[str, ...],
    splits: tuple[int, ...],
) -> None:
    dataset = formats.read(shared / "data" / folder)
    assert len(dataset) == images
    assert dataset.classes == classes
    assert dict(zip(classes, np.bincount(dataset.labels), strict=True)) == boxes
    assert tuple(np.bincount(dataset.splits)) == splits
    assert dataset.findings == ()


def test_raccoon_splits_are_those_of_its_csv_lists(shared: Path) -> None:
    root = shared / "data" / "raccoon"
    dataset = formats.read(root)
    for mark in (Split.TRAIN, Split.TEST):
        listed = listed_images(root / "data" / f"{mark.name.lower()}_labels.csv")
        assert {Path(name).name for name in dataset.split(mark).names} == set(listed)


def test_the_point_sized_and_doubled_boxes_of_bccd_are_dropped_by_name(shared: Path) -> None:
    dataset = boxwright.load(shared / "data" / "bccd")
    assert len(dataset.boxes) == 4888 - 2 - 7
    images = "BCCD/JPEGImages/BloodImage_"
    assert [(finding.code, finding.where) for finding in dataset.findings] == [
        ("BW106", f"{images}00338.jpg, box 13"),
        ("BW106", f"{images}00343.jpg, box 4"),
        ("BW126", f"{images}00020.jpg, box 15"),
        ("BW126", f"{images}00100.jpg, box 3"),
        ("BW126", f"{images}00104.jpg, box 14"),
        ("BW126", f"{images}00251.jpg, box 8"),
        ("BW126", f"{images}00284.jpg, box 2"),
        ("BW126", f"{images}00331.jpg, box 3"),
        ("BW126", f"{images}00403.jpg, box 4"),
    ]


def test_bccd_survives_being_written(shared: Path, tmp_path: Path) -> None:
    read = boxwright.load(shared / "data" / "bccd" / "BCCD")
    few = read.select(np.arange(0, len(read), 12))
    formats.write(few, tmp_path / "copy")
    assert formats.read(tmp_path / "copy").fingerprint() == few.fingerprint()

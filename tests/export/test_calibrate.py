"""Which photos the ranges of 8 bits are measured on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxwright.errors import ExportError
from boxwright.export.calibrate import Calibration
from boxwright.images.preprocessing import Preprocessing
from boxwright.structures.dataset import Dataset, LabeledImage, Split

HOW = Preprocessing(32)


def images(root: Path, classes: list[list[str]], *, alike: bool = False) -> Dataset:
    """A photo for each list of the classes in it, marked for training."""
    made = []
    for i, names in enumerate(classes):
        color = (40, 40, 40) if alike else (i, 255 - i, 128)
        Image.new("RGB", (60, 40), color).save(root / f"{i}.png")
        boxes = [[4, 4, 30 + k, 30] for k in range(len(names))]
        made.append(LabeledImage(f"{i}.png", 60, 40, boxes, names, split=Split.TRAIN))
    return Dataset.of(root, made, ("common", "rare"))


@pytest.mark.tiny
def test_every_class_and_empty_images_are_among_the_first(tmp_path: Path) -> None:
    dataset = images(tmp_path, [["common"]] * 40 + [["rare"]] * 2 + [[]] * 3)
    chosen = Calibration.of(dataset, HOW, max_images=6)
    kinds = Counter(
        "common" if image[0, 0, 0] < 40 else "rare" if image[0, 0, 0] < 42 else "empty"
        for image in chosen.inputs
    )
    assert kinds == {"common": 2, "rare": 2, "empty": 2}


@pytest.mark.tiny
def test_images_for_testing_are_not_looked_at(tmp_path: Path) -> None:
    dataset = images(tmp_path, [["common"]] * 10)
    marks = np.array([Split.TRAIN] * 4 + [Split.TEST] * 6, np.int8)
    for i in range(4, 10):
        (tmp_path / f"{i}.png").unlink()
    assert len(Calibration.of(replace(dataset, splits=marks), HOW)) == 4


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("classes", "alike", "says"),
    [
        ([], False, r"0 training images \(0 different ones\)"),
        ([["common"]], False, r"1 training images \(1 different ones\)"),
        ([["common"]] * 9, True, r"9 training images \(1 different ones\)"),
    ],
)
def test_too_few_different_images_are_refused(
    classes: list[list[str]], alike: bool, says: str, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match=says) as caught:
        Calibration.of(images(tmp_path, classes, alike=alike), HOW)
    assert caught.value.code == "BW405"


@pytest.mark.tiny
@pytest.mark.parametrize("how", [Preprocessing(32), Preprocessing(32, 1 / 255, 0.0)])
def test_the_ends_of_the_scale_are_in_every_image(how: Preprocessing, tmp_path: Path) -> None:
    chosen = Calibration.of(images(tmp_path, [["common"]] * 3), how)
    for image in chosen.scaled():
        assert image.shape == (1, 32, 32, 3)
        assert image.min() == pytest.approx(how.offset)
        assert image.max() == pytest.approx(255 * how.scale + how.offset)

"""The baseline that ignores the images: one box for each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxwright.evaluation.bootstrap import constant_box
from boxwright.evaluation.coco import evaluate
from boxwright.structures.dataset import Dataset, LabeledImage

pytestmark = pytest.mark.tiny


def test_a_constant_box_is_the_mean_of_the_training_boxes_stretched_to_each_image() -> None:
    train = Dataset.of(
        "photos",
        [
            LabeledImage("a.jpg", 100, 200, [[0, 0, 50, 100]], ["cat"]),
            LabeledImage("b.jpg", 400, 100, [[200, 50, 400, 100]], ["cat"]),
        ],
        ("ant", "cat"),
    )
    truth = Dataset.of(
        "photos", [LabeledImage("c.jpg", 1000, 400, [[250, 100, 750, 300]], ["cat"])]
    )
    control = constant_box(train, truth)
    assert [tuple(d) for d in control[0]] == [("cat", 1.0, (250.0, 100.0, 750.0, 300.0))]
    assert evaluate(truth, control).ap == pytest.approx(1)


@pytest.mark.shared
def test_on_raccoons_one_constant_box_reaches_what_untrained_detectors_boast_of(
    shared: Path,
) -> None:
    train, test = (
        raccoons(shared / "data" / "raccoon" / "data" / f"{part}_labels.csv")
        for part in ("train", "test")
    )
    control = evaluate(test, constant_box(train, test), resamples=0)
    assert control.ap50 > 0.45
    assert control.ap < 0.15


def raccoons(labels: Path) -> Dataset:
    rows = np.genfromtxt(labels, delimiter=",", dtype=str, skip_header=1, encoding="utf-8")
    images = [
        LabeledImage(
            name,
            *rows[rows[:, 0] == name][0, 1:3].astype(int),
            boxes=rows[rows[:, 0] == name][:, 4:].astype(float),
            class_names=rows[rows[:, 0] == name][:, 3].tolist(),
        )
        for name in np.unique(rows[:, 0])
    ]
    return Dataset.of(labels.parent, images)

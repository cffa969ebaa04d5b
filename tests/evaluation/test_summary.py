"""An evaluation under the Object Detection API's names, as its tools and users look for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxwright.evaluation import summary
from boxwright.evaluation.coco import evaluate
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.structures.detections import Detections
from boxwright.visualize.draw import color_of

pytestmark = pytest.mark.tiny

CLASSES = ("hard hat", "Röhre", "unseen")
BOXES = ([10, 10, 60, 60], [70, 20, 110, 80])


@pytest.fixture
def truth(tmp_path: Path) -> Dataset:
    """Three photos with a hard hat and a pipe each."""
    names = [f"{i}.png" for i in range(3)]
    for name in names:
        Image.new("RGB", (120, 90), (128, 128, 128)).save(tmp_path / name)
    images = [LabeledImage(name, 120, 90, BOXES, CLASSES[:2]) for name in names]
    return Dataset.of(tmp_path, images, CLASSES)


@pytest.fixture
def found(truth: Dataset) -> list[Detections]:
    """All hard hats, and pipes in the first photo alone."""
    both = Detections(np.array(BOXES), np.array([0.9, 0.6]), np.array([0, 1]), CLASSES)
    return [both, both.above(0.7), both.above(0.7)]


def test_coco_numbers_have_the_names_of_the_api(truth: Dataset, found: list[Detections]) -> None:
    evaluation = evaluate(truth, found, resamples=0)
    precision, recall = "DetectionBoxes_Precision/", "DetectionBoxes_Recall/"
    by_class = "DetectionBoxes_PerformanceByCategory/mAP/"
    assert summary.coco_numbers(evaluation) == {
        precision + "mAP": evaluation.ap,
        precision + "mAP@.50IOU": evaluation.ap50,
        precision + "mAP@.75IOU": evaluation.coco["AP75"],
        precision + "mAP (small)": None,
        precision + "mAP (medium)": evaluation.coco["APmedium"],
        precision + "mAP (large)": None,
        recall + "AR@1": evaluation.coco["AR1"],
        recall + "AR@10": evaluation.coco["AR10"],
        recall + "AR@100": pytest.approx((1 + 1 / 3) / 2),
        recall + "AR@100 (small)": None,
        recall + "AR@100 (medium)": pytest.approx((1 + 1 / 3) / 2),
        recall + "AR@100 (large)": None,
        by_class + "hard hat": pytest.approx(1),
        by_class + "Röhre": pytest.approx(34 / 101),
        by_class + "unseen": None,
    }


def test_pascal_numbers_have_the_names_of_the_api(truth: Dataset, found: list[Detections]) -> None:
    """Blanks stay; an umlaut becomes its letter and a combining mark, as there."""
    by_class = "PascalBoxes_PerformanceByCategory/AP@0.5IOU/"
    assert summary.pascal_numbers(evaluate(truth, found, resamples=0)) == {
        "PascalBoxes_Precision/mAP@0.5IOU": pytest.approx(2 / 3),
        by_class + "hard hat": pytest.approx(1),
        by_class + "Ro\N{COMBINING DIAERESIS}hre": pytest.approx(1 / 3),
        by_class + "unseen": None,
    }


def has(half: np.ndarray, label: int) -> bool:
    """Whether a line in the colour of this class is in the picture."""
    return bool((half == color_of(label)).all(axis=2).sum() > 50)


def test_pictures_show_what_was_found_beside_the_truth(
    truth: Dataset, found: list[Detections]
) -> None:
    shown = summary.pictures(truth, found, images=2)
    assert list(shown) == [
        "Detections_Left_Groundtruth_Right/0/0",
        "Detections_Left_Groundtruth_Right/1/0",
    ]
    for picture, expected in zip(shown.values(), [(True, True), (True, False)], strict=True):
        left, right = np.array_split(np.asarray(picture), 2, axis=1)
        assert (has(left, 0), has(left, 1)) == expected
        assert (has(right, 0), has(right, 1)) == (True, True)


@pytest.mark.parametrize("fewer", [{"threshold": 0.7}, {"boxes": 1}])
def test_only_the_best_are_shown(
    fewer: dict[str, float], truth: Dataset, found: list[Detections]
) -> None:
    (picture,) = summary.pictures(truth, found, images=1, **fewer).values()  # type: ignore[arg-type]
    left, _ = np.array_split(np.asarray(picture), 2, axis=1)
    assert (has(left, 0), has(left, 1)) == (True, False)

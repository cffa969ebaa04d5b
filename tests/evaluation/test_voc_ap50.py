"""Pascal VOC's AP50, case by case."""

from __future__ import annotations

import numpy as np
import pytest

from boxwright.evaluation.matching import gather
from boxwright.evaluation.voc import ap50_per_class
from boxwright.structures.dataset import CROWD, DIFFICULT, Dataset, LabeledImage
from boxwright.structures.detections import Detections

pytestmark = pytest.mark.tiny

LEFT, RIGHT, FAR = (0, 0, 10, 10), (20, 0, 30, 10), (60, 60, 70, 70)
HALF_OF_LEFT, LESS_THAN_HALF = (0, 0, 10, 5), (0, 0, 10, 4.9)


@pytest.mark.parametrize(
    ("wanted", "flags", "found", "ap"),
    [
        pytest.param([LEFT], [0], [LEFT], 1, id="found"),
        pytest.param([LEFT], [0], [HALF_OF_LEFT], 1, id="an IoU of exactly 0.5 counts"),
        pytest.param([LEFT], [0], [LESS_THAN_HALF], 0, id="less does not"),
        pytest.param([LEFT], [0], [], 0, id="missed"),
        pytest.param([LEFT, RIGHT], [0, 0], [LEFT], 1 / 2, id="one of two"),
        pytest.param([LEFT], [0], [FAR, LEFT], 1 / 2, id="a false alarm that scores higher"),
        pytest.param([LEFT], [0], [LEFT, FAR], 1, id="a false alarm that scores lower"),
        pytest.param([LEFT, RIGHT], [0, 0], [LEFT, LEFT, RIGHT], 1 / 2 + 1 / 3, id="a double"),
        pytest.param(
            [LEFT, RIGHT], [0, 0], [FAR, LEFT, RIGHT], 2 / 3, id="the envelope lifts the dip"
        ),
        pytest.param([LEFT, RIGHT], [0, DIFFICULT], [LEFT], 1, id="a difficult box is not missed"),
        pytest.param([LEFT, RIGHT], [0, DIFFICULT], [RIGHT, LEFT], 1, id="nor is finding it wrong"),
        pytest.param([LEFT, RIGHT], [0, DIFFICULT], [RIGHT, RIGHT, LEFT], 1, id="even twice"),
        pytest.param([LEFT, RIGHT], [0, CROWD], [RIGHT, LEFT], 1, id="a crowd is as optional"),
        pytest.param([LEFT], [DIFFICULT], [LEFT], np.nan, id="nothing that must be found"),
        pytest.param([], [], [LEFT], np.nan, id="nothing to find"),
    ],
)
def test_one_image(wanted: list, flags: list[int], found: list, ap: float) -> None:
    """Detections are given best score first."""
    truth = Dataset.of(
        "p", [LabeledImage("a.jpg", 99, 99, wanted, ["cat"] * len(wanted), flags)], ["cat"]
    )
    scores = np.linspace(0.9, 0.1, len(found))
    detections = Detections(found, scores, [0] * len(found), ("cat",))
    assert ap50(truth, [detections]) == pytest.approx([ap], nan_ok=True)


def ap50(truth: Dataset, detections: list[Detections]) -> list[float]:
    """AP50 of VOC 2010 by class, every image once."""
    found = gather(truth, detections)
    return ap50_per_class(truth, found, np.ones((1, len(truth))))[0][:, 0].tolist()


def test_a_detection_only_finds_boxes_of_its_class_in_its_image() -> None:
    truth = Dataset.of(
        "p",
        [
            LabeledImage("a.jpg", 99, 99, [LEFT, RIGHT], ["cat", "dog"]),
            LabeledImage("b.jpg", 99, 99, [FAR], ["dog"]),
            LabeledImage("c.jpg", 99, 99),
        ],
    )
    detections = [
        Detections([FAR], [0.9], [1], ("cat", "dog")),  # right box and class, but of photo b
        Detections([FAR, FAR], [0.8, 0.7], [0, 1], ("cat", "dog")),
        Detections([], [], [], ("cat", "dog")),
    ]
    assert ap50(truth, detections) == pytest.approx([0, 1 / 4])


def test_scores_are_ranked_over_all_images() -> None:
    truth = Dataset.of("p", [LabeledImage(f"{i}.jpg", 99, 99, [LEFT], ["cat"]) for i in range(2)])
    detections = [
        Detections([FAR, LEFT], [0.8, 0.7], [0, 0], ("cat",)),
        Detections([LEFT, FAR], [0.9, 0.1], [0, 0], ("cat",)),
    ]
    assert ap50(truth, detections) == pytest.approx([1 / 2 + 1 / 3])

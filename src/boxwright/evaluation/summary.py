"""TensorBoard summaries of an evaluation, with the names of the Object Detection API.

The names come from its metrics/coco_evaluation.py, utils/object_detection_evaluation.py and
utils/visualization_utils.py; undefined metrics ("n/a") are None.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from PIL import Image

from boxwright.evaluation.coco import Evaluation
from boxwright.images.decoding import read_image
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections
from boxwright.visualize.draw import beside_truth

COCO_TAGS = {
    "AP": "DetectionBoxes_Precision/mAP",
    "AP50": "DetectionBoxes_Precision/mAP@.50IOU",
    "AP75": "DetectionBoxes_Precision/mAP@.75IOU",
    "APsmall": "DetectionBoxes_Precision/mAP (small)",
    "APmedium": "DetectionBoxes_Precision/mAP (medium)",
    "APlarge": "DetectionBoxes_Precision/mAP (large)",
    "AR1": "DetectionBoxes_Recall/AR@1",
    "AR10": "DetectionBoxes_Recall/AR@10",
    "AR100": "DetectionBoxes_Recall/AR@100",
    "ARsmall": "DetectionBoxes_Recall/AR@100 (small)",
    "ARmedium": "DetectionBoxes_Recall/AR@100 (medium)",
    "ARlarge": "DetectionBoxes_Recall/AR@100 (large)",
}
COCO_CLASS_TAG = "DetectionBoxes_PerformanceByCategory/mAP/{}"
PASCAL_TAG = "PascalBoxes_Precision/mAP@0.5IOU"
PASCAL_CLASS_TAG = "PascalBoxes_PerformanceByCategory/AP@0.5IOU/{}"
# The 0 at the end: an Estimator appends a number to the images of each metric.
PICTURE_TAG = "Detections_Left_Groundtruth_Right/{}/0"


def coco_numbers(evaluation: Evaluation) -> dict[str, float | None]:
    """The 12 COCO metrics, and the AP of each class."""
    twelve = {COCO_TAGS[name]: value for name, value in evaluation.coco.items()}
    return twelve | {COCO_CLASS_TAG.format(one.name): one.ap for one in evaluation.per_class}


def pascal_numbers(evaluation: Evaluation) -> dict[str, float | None]:
    """Pascal VOC AP50, mean and per class. The API decomposes accents in these tags."""
    per_class = {
        PASCAL_CLASS_TAG.format(unicodedata.normalize("NFKD", one.name)): one.voc_ap50
        for one in evaluation.per_class
    }
    return {PASCAL_TAG: evaluation.voc_ap50} | per_class


def pictures(
    truth: Dataset,
    detections: Sequence[Detections],
    *,
    images: int = 10,
    boxes: int = 20,
    threshold: float = 0.5,
) -> dict[str, Image.Image]:
    """The first images of an evaluation by tag, with detections on the left and truth on the right.

    Args:
        truth: labeled images.
        detections: one per image, in the same order.
        images: largest number of images.
        boxes: largest number of detections per image; the best are shown.
        threshold: lowest score to show.
    """
    shown = {}
    for i in range(min(images, len(truth))):
        found = detections[i].above(threshold)
        best = np.argsort(-found.scores, kind="stable")[:boxes]
        rows = truth.rows(i)
        shown[PICTURE_TAG.format(i)] = beside_truth(
            read_image(truth.image(i), truth.decoding),
            Detections(found.boxes[best], found.scores[best], found.labels[best], found.classes),
            Detections(
                truth.boxes[rows],
                np.ones(rows.stop - rows.start, np.float32),
                truth.labels[rows],
                truth.classes,
            ),
            name=truth.names[i],
        )
    return shown

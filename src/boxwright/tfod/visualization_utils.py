"""Drawing, with the function names of the API's utils/visualization_utils.py.

from boxwright.tfod import visualization_utils as vis_util

vis_util.visualize_boxes_and_labels_on_image_array(
    image_np, boxes, classes, scores, category_index, use_normalized_coordinates=True
)
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from boxwright.structures.detections import Detections
from boxwright.tfod.label_map_util import Category
from boxwright.visualize.draw import Color, color_of, draw

UNKNOWN = "N/A"  # name of a class missing in the category index
MASK_SHARE = 0.4  # opacity of masks
RED: Color = (255, 0, 0)
NOTHING = Detections(
    np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32), ()
)


def visualize_boxes_and_labels_on_image_array(
    image: NDArray[np.uint8],
    boxes: ArrayLike,
    classes: ArrayLike | None,
    scores: ArrayLike | None,
    category_index: Mapping[int, Category],
    instance_masks: ArrayLike | None = None,
    instance_boundaries: ArrayLike | None = None,
    keypoints: ArrayLike | None = None,
    use_normalized_coordinates: bool = False,
    max_boxes_to_draw: int | None = 20,
    min_score_thresh: float = 0.5,
    agnostic_mode: bool = False,
    line_thickness: int = 4,
    groundtruth_box_visualization_color: str = "black",
    skip_scores: bool = False,
    skip_labels: bool = False,
) -> NDArray[np.uint8]:
    """Draw detections into the image in place, and return it.

    Colors and labels are Boxwright's, readable on any image. Ground-truth boxes are always dashed
    white.

    Args:
        image: `(H, W, 3)` RGB uint8, drawn on.
        boxes: `(n, 4)` ymin, xmin, ymax, xmax.
        classes: `(n,)` ids of the label map, from 1 on.
        scores: `(n,)`; None if the boxes are ground truth.
        category_index: the classes by id.
        instance_masks: `(n, H, W)`, 0 or 1.
        instance_boundaries: `(n, H, W)`, 0 or 1.
        keypoints: `(n, k, 2)` y, x.
        use_normalized_coordinates: True if boxes and keypoints are fractions of the image's sides.
        max_boxes_to_draw: consider only the first boxes up to this number; None means all.
        min_score_thresh: draw only boxes with a score above this.
        agnostic_mode: True to ignore the classes.
        line_thickness: line width of boxes, in pixels.
        groundtruth_box_visualization_color: ignored; accepted for compatibility.
        skip_scores: True to leave out the scores.
        skip_labels: True to leave out the class names.
    """
    height, width = image.shape[:2]
    scale = np.array([height, width] if use_normalized_coordinates else [1, 1], np.float32)
    corners = np.asarray(boxes, np.float32).reshape(-1, 4)
    shown = np.arange(len(corners)) < (max_boxes_to_draw or len(corners))
    if scores is not None:
        shown &= np.asarray(scores, np.float32) > min_score_thresh
    corners = (corners[shown] * np.tile(scale, 2))[:, [1, 0, 3, 2]]
    if scores is None:
        ids = np.zeros(len(corners), np.int32)
        picture = draw(image, NOTHING, truth=corners, line=line_thickness)
    else:
        given = np.zeros(len(shown)) if classes is None or agnostic_mode else classes
        ids = np.asarray(given).astype(np.int32)[shown]
        names = [
            "" if skip_labels or agnostic_mode else _name(category_index, number)
            for number in range(ids.max(initial=0) + 1)
        ]
        found = Detections(corners, np.asarray(scores)[shown], ids, tuple(names))
        masked = image.copy()
        if instance_masks is not None:
            _lay_masks(masked, np.asarray(instance_masks)[shown], ids)
        picture = draw(masked, found, line=line_thickness, scores=not skip_scores)
    drawn = np.array(picture)
    if instance_boundaries is not None:
        drawn[(np.asarray(instance_boundaries)[shown] > 0).any(axis=0)] = RED
    if keypoints is not None:
        points = np.asarray(keypoints, np.float32)[shown] * scale
        drawn = _with_points(drawn, points, ids, line_thickness)
    np.copyto(image, drawn)
    return image


def _name(category_index: Mapping[int, Category], number: int) -> str:
    return category_index[number]["name"] if number in category_index else UNKNOWN


def _lay_masks(
    image: NDArray[np.uint8], masks: NDArray[np.generic], ids: NDArray[np.int32]
) -> None:
    """Tint the pixels of each mask, `(n, H, W)`, in its class's color."""
    for mask, number in zip(masks, ids.tolist(), strict=True):
        below = image[mask > 0]
        color = np.array(color_of(number))
        image[mask > 0] = (below + (color - below) * MASK_SHARE).astype(np.uint8)


def _with_points(
    image: NDArray[np.uint8], points: NDArray[np.float32], ids: NDArray[np.int32], width: int
) -> NDArray[np.uint8]:
    """Return a copy of the image with a dot at each keypoint, `(n, k, 2)` y, x in pixels."""
    picture = Image.fromarray(image)
    pen = ImageDraw.Draw(picture)
    for of_one, number in zip(points.tolist(), ids.tolist(), strict=True):
        for y, x in of_one:
            around = (x - width / 2, y - width / 2, x + width / 2, y + width / 2)
            pen.ellipse(around, fill=color_of(number))
    return np.array(picture)

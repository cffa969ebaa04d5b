"""Baselines for the demo's scores.

One detects the colors of the training boxes, the other (`evaluation.bootstrap.constant_box`)
ignores the image. If one of them does well, the task is trivial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.evaluation.coco import evaluate
from boxwright.images.decoding import read_image
from boxwright.ops.boxes import as_boxes
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

SIDE = 96  # pixels of the longer side to which images are reduced
HUES, SATURATIONS, VALUES = 12, 4, 4  # bins; gray pixels have an additional hue
CUTS = (0.3, 0.8, 1.3, 1.8)  # candidates for the threshold of the log likelihood ratio


class _Pixels(NamedTuple):
    """A reduced image: `bins` and `hues`, `(h, w)`, and its scale."""

    bins: NDArray[np.intp]
    hues: NDArray[np.intp]
    scale: float


@dataclass(frozen=True)
class ColorDetector:
    """Detects connected patches of one hue whose colors are frequent in the training boxes.

    Attributes:
        ratio: log likelihood ratio, inside to outside of the training boxes, of each color bin.
        cut: threshold of the ratio.
        sides: smallest and largest side of a training box, as fractions of the image's longer side.
        aspects: smallest and largest width over height of a training box.
        classes: the class names.
    """

    ratio: NDArray[np.float64]
    cut: float
    sides: tuple[float, float]
    aspects: tuple[float, float]
    classes: tuple[str, ...]

    def predict(self, image: NDArray[np.uint8]) -> Detections:
        """Detect in one RGB image, `(H, W, 3)` uint8."""
        pixels = _small(image)
        likely = self.ratio[pixels.bins]
        found: list[tuple[float, NDArray[np.float32]]] = []
        for rows, columns in _patches(np.where(likely > self.cut, pixels.hues, -1)):
            x0, y0, x1, y1 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            width, height = float(x1 - x0), float(y1 - y0)
            longer = max(width, height) / max(likely.shape)
            fits = self.sides[0] <= longer <= self.sides[1]
            if fits and self.aspects[0] <= width / height <= self.aspects[1]:
                score = len(rows) / (width * height) * float(likely[rows, columns].mean())
                found.append((score, np.array([x0, y0, x1, y1], np.float32) / pixels.scale))
        found.sort(key=lambda each: -each[0])
        scores = np.array([score / (1 + score) for score, _ in found], np.float32)
        labels = np.zeros(len(found), np.int32)
        return Detections(as_boxes([box for _, box in found]), scores, labels, self.classes)

    def predict_all(self, dataset: Dataset) -> list[Detections]:
        """Detect in every image of a dataset."""
        return [self.predict(read_image(dataset.image(i))) for i in range(len(dataset))]


def learn_colors(train: Dataset, *, images: int = 200) -> ColorDetector:
    """Learn from up to `images` training images; the threshold is the one with the best AP50."""
    train = train.select(np.arange(min(images, len(train))))
    inside = np.ones((HUES + 1) * SATURATIONS * VALUES)
    outside = inside.copy()
    looked_at = [read_image(train.image(i)) for i in range(len(train))]
    for i, image in enumerate(looked_at):
        pixels = _small(image)
        within = np.zeros(pixels.bins.shape, bool)
        for x0, y0, x1, y1 in np.round(train.boxes[train.rows(i)] * pixels.scale).astype(int):
            within[y0:y1, x0:x1] = True
        inside += np.bincount(pixels.bins[within], minlength=len(inside))
        outside += np.bincount(pixels.bins[~within], minlength=len(inside))
    ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    widths, heights = (train.boxes[:, 2:] - train.boxes[:, :2]).T
    longer = np.maximum(widths, heights) / train.sizes.max(1)[train.image_of_box]
    sides, aspects = _range(longer), _range(widths / heights)
    candidates = [ColorDetector(ratio, cut, sides, aspects, train.classes) for cut in CUTS]

    def ap50(detector: ColorDetector) -> float:
        detections = [detector.predict(image) for image in looked_at]
        return evaluate(train, detections, resamples=0).ap50 or 0.0

    return max(candidates, key=ap50)


def _range(values: NDArray[np.float32]) -> tuple[float, float]:
    """The range of nearly all values, with a margin of a fifth for the effect of reduction."""
    low, high = np.percentile(values, [1, 99])
    return float(low) / 1.2, float(high) * 1.2


def _small(image: NDArray[np.uint8]) -> _Pixels:
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = (round(width * scale), round(height * scale))
    small = Image.fromarray(image).resize(size, Image.Resampling.BOX).convert("HSV")
    hue, saturation, value = np.moveaxis(np.asarray(small).astype(np.intp), 2, 0)
    hues = np.where(saturation < 50, HUES, hue * HUES // 256)
    bins = (hues * SATURATIONS + saturation * SATURATIONS // 256) * VALUES + value * VALUES // 256
    return _Pixels(bins, hues, scale)


def _patches(
    hues: NDArray[np.intp], smallest: int = 12
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows and columns of each 4-connected patch of one hue; pixels of -1 belong to no patch.

    Every pixel takes the largest number of its neighbors of the same hue, repeatedly, until no
    number changes.
    """
    numbers = np.where(hues >= 0, np.arange(1, hues.size + 1).reshape(hues.shape), 0)
    beside = (hues[:, 1:] == hues[:, :-1]) & (hues[:, 1:] >= 0)
    above = (hues[1:] == hues[:-1]) & (hues[1:] >= 0)
    while True:
        before = numbers.copy()
        for first, second, joined in (
            (numbers[:, 1:], numbers[:, :-1], beside),
            (numbers[1:], numbers[:-1], above),
        ):
            greater = np.where(joined, np.maximum(first, second), 0)
            np.maximum(first, greater, out=first)
            np.maximum(second, greater, out=second)
        if np.array_equal(before, numbers):
            break
    order = np.argsort(numbers, axis=None, kind="stable")
    _, starts, counts = np.unique(numbers.ravel()[order], return_index=True, return_counts=True)
    rows, columns = np.unravel_index(order, hues.shape)
    return [
        (rows[start : start + count], columns[start : start + count])
        for start, count in zip(starts, counts, strict=True)
        if count >= smallest and numbers.ravel()[order[start]] > 0
    ]

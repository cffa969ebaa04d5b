"""Bootstrap intervals, and a baseline that ignores the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

Interval = tuple[float, float]


def resampled_images(images: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """`(resamples, images)`: how often each image was drawn, in `images` draws with replacement.

    Images are drawn, not boxes, because the boxes of one image are not independent
    (Efron & Tibshirani, An Introduction to the Bootstrap, chapter 8).
    """
    if not images:
        return np.zeros((resamples, 0))
    chances = np.full(images, 1 / images)
    return np.random.default_rng(seed).multinomial(images, chances, resamples).astype(np.float64)


def interval(samples: NDArray[np.float64]) -> Interval | None:
    """The 95 % percentile interval of `(B,)` bootstrap results; None if all are NaN."""
    measured = samples[~np.isnan(samples)]
    if not len(measured):
        return None
    low, high = np.percentile(measured, [2.5, 97.5])
    return float(low), float(high)


def constant_box(train: Dataset, truth: Dataset) -> list[Detections]:
    """Detections of a baseline that ignores the images of `truth`.

    Every image gets one box with score 1 per class that has training boxes: their mean, relative to
    the image. With large, centered objects this baseline alone reaches a considerable AP.
    """
    far_corner = np.tile(train.sizes, 2)[train.image_of_box]
    relative = train.boxes / far_corner
    labels = np.unique(train.labels)
    means = np.array([relative[train.labels == label].mean(axis=0) for label in labels])
    return [
        Detections(
            boxes=means.reshape(-1, 4) * np.tile(size, 2),
            scores=np.ones(len(labels), np.float32),
            labels=labels,
            classes=train.classes,
        )
        for size in truth.sizes
    ]

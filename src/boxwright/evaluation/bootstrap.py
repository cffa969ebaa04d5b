"""How far a number can be trusted: bootstrap intervals, and a control that never looks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

Interval = tuple[float, float]


def resampled_images(images: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """`(resamples, images)`: how often each photo was drawn, `images` draws with replacement.

    Photos are drawn, not boxes, because the boxes of one photo are not independent
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
    """What a detector that never looks would say of `truth`'s photos.

    For every class with training boxes, one box with score 1: the mean of these boxes relative
    to their photos, at that place in every photo. Where objects are large and centred, this
    alone reaches an AP that looks like learning.
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

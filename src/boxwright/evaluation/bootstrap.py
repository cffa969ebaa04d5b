"""Bootstrap intervals, and a baseline that ignores the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

Interval = tuple[float, float]
Number = TypeVar("Number", bound=np.generic)
CHUNK = 1 << 18  # elements per array while resampling: 2 MiB, which stay in a core's cache


@dataclass(frozen=True)
class Measured:
    """A number, its 95 % bootstrap interval, and how many images or boxes it is from.

    Value and interval are None where the number is undefined, such as a precision without
    detections.
    """

    value: float | None
    interval: Interval | None
    n: int

    @classmethod
    def of(cls, samples: NDArray[np.float64], n: int) -> Measured:
        """The number is `samples[0]`; the others `(B,)` are of the resamples."""
        value = None if np.isnan(samples[0]) else float(samples[0])
        return cls(value, None if value is None else interval(samples[1:]), n)

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value, "interval_95": self.interval, "n": self.n}


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """`part / whole`, NaN where `whole` is 0."""
    result = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result


def resampled_images(
    images: int, resamples: int, seed: int, groups: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """`(resamples, images)`: how often each image was drawn, in `images` draws with replacement.

    Images are drawn, not boxes, because the boxes of one image are not independent
    (Efron & Tibshirani, An Introduction to the Bootstrap, chapter 8). For the same reason, images
    of one group are drawn together; `groups` has `(images,)` ids from 0.
    """
    if not images:
        return np.zeros((resamples, 0))
    units = images if groups is None else int(groups.max()) + 1
    chances = np.full(units, 1 / units)
    drawn = np.random.default_rng(seed).multinomial(units, chances, resamples).astype(np.float64)
    return drawn if groups is None else drawn[:, groups]


def weightings(
    images: int, resamples: int, seed: int = 0, groups: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """`(1 + resamples, images)`: every image once, then `resampled_images`."""
    return np.concatenate([np.ones((1, images)), resampled_images(images, resamples, seed, groups)])


def in_chunks(
    measure: Callable[[NDArray[np.float64]], NDArray[Number]],
    weights: NDArray[np.float64],
    columns: int,
) -> NDArray[Number]:
    """`measure` of all weightings `(B, N)`, some at a time, because it makes arrays with so many
    `columns` for each; it returns `(B, ...)`."""
    step = max(1, CHUNK // max(1, columns))
    return np.concatenate([measure(weights[i : i + step]) for i in range(0, len(weights), step)])


def mean_over_classes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(B,)` means of `(C, B)` over the classes where they are defined; NaN without any."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0).sum(axis=0), known.sum(axis=0))


def interval(samples: NDArray[np.float64], level: float = 0.95) -> Interval | None:
    """The percentile interval of `(B,)` bootstrap results; None if all are NaN."""
    measured = samples[~np.isnan(samples)]
    if not len(measured):
        return None
    low, high = np.quantile(measured, [(1 - level) / 2, (1 + level) / 2])
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

"""Detections: what every detector returns for one photo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Detection(NamedTuple):
    """One box: class name, score in [0, 1], and `(xmin, ymin, xmax, ymax)` in pixels."""

    name: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Detections:
    """The boxes found in one photo, best score first.

    Attributes:
        boxes: `(n, 4)` float32, absolute xyxy pixels of the oriented photo.
        scores: `(n,)` float32 in [0, 1].
        labels: `(n,)` int32, 0-based ids into `classes`.
        classes: the class names, in id order.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int32]
    classes: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "boxes", np.asarray(self.boxes, np.float32).reshape(-1, 4))
        object.__setattr__(self, "scores", np.asarray(self.scores, np.float32).reshape(-1))
        object.__setattr__(self, "labels", np.asarray(self.labels, np.int32).reshape(-1))
        if not len(self.boxes) == len(self.scores) == len(self.labels):
            raise ValueError(
                f"boxes {self.boxes.shape}, scores {self.scores.shape} and labels "
                f"{self.labels.shape} must have the same length"
            )
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise ValueError(f"labels must be ids below {len(self.classes)}")

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Detection]:
        for box, score, label in zip(self.boxes, self.scores, self.labels, strict=True):
            xmin, ymin, xmax, ymax = (float(v) for v in box)
            yield Detection(self.classes[label], float(score), (xmin, ymin, xmax, ymax))

    def above(self, threshold: float) -> Detections:
        """Those that score at least `threshold`."""
        keep = self.scores >= threshold
        return Detections(self.boxes[keep], self.scores[keep], self.labels[keep], self.classes)

    def to_json(self) -> list[dict[str, Any]]:
        """`[{"class": ..., "score": ..., "box": [xmin, ymin, xmax, ymax]}, ...]`, pixels."""
        return [
            {"class": name, "score": round(score, 4), "box": [round(v, 2) for v in box]}
            for name, score, box in self
        ]

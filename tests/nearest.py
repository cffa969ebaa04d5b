"""A simple tracker, and a detector that finds what it is told: tracks without other packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.structures.detections import Detections

Row = Sequence[Any]  # center in pixels, score, class, and perhaps width and height
SIDE = 8  # of each box, pixels


class Nearest:
    """An object is the one that was nearest in the last frame, if that was within 12 pixels. Only
    objects that score enough become new ones."""

    def __init__(self, rate: float, threshold: float) -> None:
        self.rate, self.threshold = rate, threshold
        self.sizes: list[tuple[int, int]] = []  # of the frames
        self._last: dict[int, np.ndarray] = {}
        self._next = 0

    def update(self, detections: Detections, picture: Image.Image) -> np.ndarray:
        self.sizes.append(picture.size)
        free, self._last = self._last, {}
        identities = []
        for box, score in zip(detections.boxes, detections.scores, strict=True):
            center = (box[:2] + box[2:]) / 2
            distances = {key: float(np.hypot(*(center - at))) for key, at in free.items()}
            near = min(distances, key=lambda key: distances[key], default=-1)
            if near >= 0 and distances[near] <= 12:
                identity = near
                del free[near]
            elif score >= self.threshold:
                identity, self._next = self._next, self._next + 1
            else:
                identity = -1
            identities.append(identity)
            if identity >= 0:
                self._last[identity] = center
        return np.array(identities, np.int64)


class Told:
    """An engine that finds these objects in one frame after another, of these width and height."""

    def __init__(self, frames: Iterable[Sequence[Row]], size: tuple[int, int]) -> None:
        self._frames, self._size = iter(frames), size

    def __call__(self, inputs: np.ndarray) -> list[Any]:
        return [self._found(next(self._frames)) for _ in inputs]

    def _found(self, rows: Sequence[Row]) -> Any:
        centers = np.array([row[:2] for row in rows], np.float64).reshape(-1, 2)
        sides = np.array([row[4:] or (SIDE, SIDE) for row in rows], np.float64).reshape(-1, 2)
        corners = np.stack([centers - sides / 2, centers + sides / 2], axis=1) / self._size
        boxes = corners[..., ::-1].reshape(-1, 4)  # yxyx, from 0 to 1
        return (
            boxes.astype(np.float32),
            np.array([row[2] for row in rows], np.float32),
            np.array([row[3] for row in rows], np.int64),
        )


def finding(frames: Iterable[Sequence[Row]], size: tuple[int, int] = (64, 48)) -> Detector:
    """A detector of cats and dogs that finds these objects."""
    return Detector(Told(frames, size), Artifact({}, ("cat", "dog"), Preprocessing(32)))


def walk(
    count: int, *objects: tuple[tuple[float, float], tuple[float, float], int]
) -> Iterator[Any]:
    """Frames of objects with a start, a step and a class."""
    for number in range(count):
        yield [
            (start[0] + number * step[0], start[1] + number * step[1], 0.9 - 0.1 * row, label)
            for row, (start, step, label) in enumerate(objects)
        ]

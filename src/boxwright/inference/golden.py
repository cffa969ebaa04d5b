"""The golden pair: a photo inside a detector's file, and what the file found in it when it was
written. A machine whose detector says something else is told so before it trusts a box."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.ops.boxes import iou
from boxwright.ops.postprocess import RawDetections
from boxwright.structures.old_keys import GOLDEN, renamed

LARGEST = 2048  # pixels a side: no network's input is larger
SAME_IOU, SAME_SIDES, SAME_SCORE = 0.8, 0.02, 0.1  # kernels of other processors round otherwise


@dataclass(frozen=True, eq=False)
class Golden:
    """A resized photo and the detections to expect.

    Attributes:
        image: `(S, S, 3)` uint8.
        boxes: `(n, 4)` normalised yxyx.
        scores: `(n,)`.
        labels: `(n,)` class ids.
    """

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]

    def found_in(self, found: RawDetections) -> NDArray[np.bool_]:
        """`(n,)`: which of the expected detections are among those of `found`: the same class, a
        score within 0.1, and an IoU of 0.8 or every side within a fiftieth of the photo."""
        return np.asarray(self._same(found).any(axis=1))

    def strange_in(self, found: RawDetections) -> int:
        """How many detections score higher than some expected one and are none of them."""
        min_score = (self.scores.min() if len(self.scores) else np.inf) + SAME_SCORE
        return int(((found[1] > min_score) & ~self._same(found).any(axis=0)).sum())

    def _same(self, found: RawDetections) -> NDArray[np.bool_]:
        """`(n, m)`: whether two detections are the same."""
        boxes, scores, labels = found
        moved = np.abs(self.boxes[:, None] - boxes).max(axis=2, initial=0)
        same: NDArray[np.bool_] = (
            ((iou(self.boxes, boxes) >= SAME_IOU) | (moved <= SAME_SIDES))
            & (np.abs(self.scores[:, None] - scores) <= SAME_SCORE)
            & (self.labels[:, None] == labels)
        )
        return same

    def to_json(self) -> dict[str, Any]:
        """Plain values: the photo as a PNG in base 64, which gives back the same pixels."""
        png = io.BytesIO()
        Image.fromarray(self.image).save(png, "PNG", optimize=True)
        return {
            "image": base64.b64encode(png.getvalue()).decode("ascii"),
            "boxes": [[round(float(side), 4) for side in box] for box in self.boxes],
            "scores": [round(float(score), 4) for score in self.scores],
            "labels": [int(label) for label in self.labels],
        }

    @classmethod
    def from_json(cls, value: Any) -> Golden:
        """The inverse of `to_json`.

        Raises:
            ValueError: it is anything else.
        """
        if not isinstance(value, Mapping):
            raise ValueError("its golden photo is not an object")
        value = renamed(value, GOLDEN)
        try:
            content = io.BytesIO(base64.b64decode(value["image"], validate=True))
            with warnings.catch_warnings(), Image.open(content, formats=["PNG"]) as picture:
                warnings.simplefilter("error")
                if max(picture.size) > LARGEST:
                    raise ValueError(f"its golden photo has {picture.size} pixels")
                image = np.asarray(picture.convert("RGB"))
            boxes = np.array(value["boxes"], np.float32).reshape(-1, 4)
            scores = np.array(value["scores"], np.float32)
            labels = np.array(value["labels"], np.int64)
            boxes, scores, labels = boxes[:, :4], scores.reshape(-1), labels.reshape(-1)
        except (KeyError, TypeError, OSError, SyntaxError, OverflowError, Warning) as error:
            raise ValueError(f"its golden photo cannot be read ({error})") from error
        if not len(boxes) == len(scores) == len(labels):
            raise ValueError("its golden photo has boxes, scores and labels of different lengths")
        return cls(image, boxes, scores, labels)

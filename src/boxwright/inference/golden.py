"""The golden pair: an image in a detector file, and the result that the file had for it when it
was written. Loading the file on a machine where the result differs raises an error."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.errors import DataError
from boxwright.images.decoding import decode
from boxwright.images.options import DecodeOptions
from boxwright.ops.boxes import iou
from boxwright.ops.postprocess import RawDetections
from boxwright.structures.old_keys import GOLDEN, renamed

OF_INPUT_SIZE = DecodeOptions(max_pixels=2048 * 2048)  # the largest network input
SAME_IOU, SAME_SIDES, SAME_SCORE = 0.8, 0.02, 0.1  # other kernels round differently
# Distance of int8 files: up to 0.04 between kernels; 0.25 or more with wrong pixels.
SAME_RAW = 0.1
MOVING = 4  # one in so many weak detections may differ
SAMPLED = 512  # values taken from each raw tensor
GOLDEN_RATIO = 0.6180339887498949  # its multiples modulo 1 are evenly spread
SMALLEST_SPREAD = 1e-3  # for constant tensors

# Images `(B, S, S, 3)` uint8 to the inputs of the file's post-processing: boxes `(B, A, 4)` and
# scores `(B, A, C)`, in the file's own encoding; extra columns may come first.
Network = Callable[[NDArray[np.uint8]], Sequence[NDArray[Any]]]


@dataclass(frozen=True, eq=False)
class RawSample:
    """Up to 512 values of each input of the post-processing, float32."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]

    @classmethod
    def of(cls, network: Network, image: NDArray[np.uint8], classes: int) -> RawSample:
        """Sample the raw tensors of an image `(S, S, 3)`; `classes` is `C`."""
        boxes, scores = network(image[None])
        return cls(_sample(boxes[0]), _sample(scores[0][..., -classes:]))

    def distance(self, other: RawSample) -> float:
        """The root mean square difference, relative to the standard deviation of these values; the
        larger of both tensors. Infinite if the shapes differ or a value is not finite."""
        pairs = (self.boxes, other.boxes), (self.scores, other.scores)
        if any(own.shape != theirs.shape for own, theirs in pairs):
            return np.inf
        distances = [
            float(np.sqrt(np.mean((own - theirs) ** 2)) / max(own.std(), SMALLEST_SPREAD))
            for own, theirs in pairs
        ]
        return max(distances) if np.isfinite(distances).all() else np.inf

    def to_json(self) -> dict[str, str]:
        """The values as float16 in base64."""
        return {"boxes": _packed(self.boxes), "scores": _packed(self.scores)}

    @classmethod
    def from_json(cls, value: Any) -> RawSample:
        """The inverse of `to_json`; may raise any exception for invalid values."""
        return cls(_unpacked(value["boxes"]), _unpacked(value["scores"]))


@dataclass(frozen=True, eq=False)
class Golden:
    """A resized image and its expected result.

    Attributes:
        image: `(S, S, 3)` uint8.
        boxes: `(n, 4)` normalized yxyx.
        scores: `(n,)`.
        labels: `(n,)` class ids.
        seed: seed of a drawn pattern; None for the user's own image.
        raw: expected inputs of the post-processing; None if the detections suffice.
    """

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]
    seed: int | None = None
    raw: RawSample | None = None

    def __str__(self) -> str:
        """Describe the image and what is checked."""
        origin = (
            "your own image, stored in the file"
            if self.seed is None
            else f"pattern drawn from seed {self.seed}"
        )
        count = len(self.labels)
        if self.raw is None:
            return f"{origin}; it checks detections ({count})"
        numbers = self.raw.boxes.size + self.raw.scores.size
        beside = f" and weak detections ({count})" if count else " only"
        return f"{origin}; it checks raw tensors ({numbers} numbers){beside}"

    def difference(
        self, detections: RawDetections, network: Network | None = None, classes: int = 1
    ) -> str | None:
        """The difference from the expected result, as a clause; None if there is none.

        Args:
            detections: the file's detections in the image.
            network: computes the raw tensors, if the file has them.
            classes: number of classes.
        """
        missing, strange = int((~self.found_in(detections)).sum()), self.strange_in(detections)
        if self.raw is not None:  # weak detections depend on the kernels
            missing, strange = missing * (missing > len(self.labels) // MOVING), 0
        if missing or strange:
            return (
                f"{missing} of the {len(self.labels)} expected detections are missing, with "
                f"{strange} unexpected ones"
            )
        if self.raw is None:
            return None
        if network is None:
            return "its raw tensors cannot be read"
        distance = self.raw.distance(RawSample.of(network, self.image, classes))
        if distance <= SAME_RAW:
            return None
        return (
            f"its raw tensors differ by {100 * distance:.0f} % of their standard "
            f"deviation, which exceeds the limit of {100 * SAME_RAW:.0f} %"
        )

    def found_in(self, detections: RawDetections) -> NDArray[np.bool_]:
        """`(n,)`: True for expected detections with a match: same class, score within 0.1, and an
        IoU of at least 0.8 or every side within 2 % of the image side."""
        return np.asarray(self._same(detections).any(axis=1))

    def strange_in(self, detections: RawDetections) -> int:
        """Number of unexpected detections that score higher than an expected one."""
        least = (self.scores.min() if len(self.scores) else np.inf) + SAME_SCORE
        return int(((detections[1] > least) & ~self._same(detections).any(axis=0)).sum())

    def _same(self, detections: RawDetections) -> NDArray[np.bool_]:
        """`(n, m)`: True where two detections match."""
        boxes, scores, labels = detections
        moved = np.abs(self.boxes[:, None] - boxes).max(axis=2, initial=0)
        same: NDArray[np.bool_] = (
            ((iou(self.boxes, boxes) >= SAME_IOU) | (moved <= SAME_SIDES))
            & (np.abs(self.scores[:, None] - scores) <= SAME_SCORE)
            & (self.labels[:, None] == labels)
        )
        return same

    def to_json(self) -> dict[str, Any]:
        """JSON values; the image is a lossless PNG in base64."""
        png = io.BytesIO()
        Image.fromarray(self.image).save(png, "PNG", optimize=True)
        return {
            "image": base64.b64encode(png.getvalue()).decode("ascii"),
            "seed": self.seed,
            "boxes": [[round(float(side), 4) for side in box] for box in self.boxes],
            "scores": [round(float(score), 4) for score in self.scores],
            "labels": [int(label) for label in self.labels],
            **({"raw": self.raw.to_json()} if self.raw else {}),
        }

    @classmethod
    def from_json(cls, value: Any) -> Golden:
        """The inverse of `to_json`; files of version 0.1.0 have no seed.

        Raises:
            ValueError: the value is invalid.
        """
        if not isinstance(value, Mapping):
            raise ValueError("its golden pair is not an object")
        value = renamed(value, GOLDEN)
        try:
            image = decode(base64.b64decode(value["image"], validate=True), OF_INPUT_SIZE).pixels
            boxes = np.array(value["boxes"], np.float32).reshape(-1, 4)
            scores = np.array(value["scores"], np.float32).reshape(-1)
            labels = np.array(value["labels"], np.int64).reshape(-1)
            seed = None if value.get("seed") is None else int(value["seed"])
            raw = RawSample.from_json(value["raw"]) if "raw" in value else None
        except DataError as error:
            raise ValueError(f"its golden image {error.message.rstrip('.')}") from error
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"its golden image cannot be read ({error})") from error
        if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
            raise ValueError("its golden image has numbers that are not finite")
        if not len(boxes) == len(scores) == len(labels):
            raise ValueError("its golden image has boxes, scores and labels of different lengths")
        return cls(image, boxes, scores, labels, seed, raw)


def _sample(tensor: NDArray[Any]) -> NDArray[np.float32]:
    """Up to 512 values spread over a tensor, always from the same positions."""
    count = min(tensor.size, SAMPLED)
    positions = (np.arange(count) * GOLDEN_RATIO % 1 * tensor.size).astype(np.int64)
    return np.asarray(tensor, np.float32).reshape(-1)[positions]


def _packed(numbers: NDArray[np.float32]) -> str:
    return base64.b64encode(numbers.astype("<f2").tobytes()).decode("ascii")


def _unpacked(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype(np.float32)

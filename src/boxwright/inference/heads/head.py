"""A head: which family's raw outputs they are, and how they become detections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxwright.inference.litert import RawSsd
from boxwright.inference.tflite_graph import Tensor
from boxwright.models.model import Candidates
from boxwright.ops.operations import NUMPY
from boxwright.ops.postprocess import NmsConfig, RawDetections, postprocess

Arrays = Sequence[NDArray[np.float32]]
Decode = Callable[[Arrays], Candidates]
Detect = Callable[[Arrays], list[RawDetections]]
BOXES_YXYX = "ymin, xmin, ymax, xmax, as fractions of the image"


@dataclass(frozen=True)
class Facts:
    """What is known of a network.

    Attributes:
        outputs: its outputs, in order; unknown sides of a shape are -1.
        side: side of its square input, pixels.
        named: the number of class names in the file; None if it has none.
        given: the number of class names that the user gives; None without.
        ssd: how the outputs of an SSD are decoded, if the metadata says so.
    """

    outputs: Sequence[Tensor]
    side: int
    named: int | None = None
    given: int | None = None
    ssd: RawSsd | None = None

    @property
    def classes(self) -> int | None:
        """The number of class names, if there are any."""
        return self.named or self.given

    def of_rank(self, rank: int) -> list[tuple[int, Tensor]]:
        """Index and tensor of the outputs with `rank` sides, the first of which is the batch."""
        return [(i, each) for i, each in enumerate(self.outputs) if len(each.shape) == rank]


@dataclass(frozen=True)
class Head:
    """The head of a detector that another tool wrote.

    Attributes:
        family: whose head it is, for people.
        boxes: the form of its boxes, for people.
        ids: where the classes are, for people.
        num_classes: number of classes.
        detect: all outputs of a batch, float32, to the detections in each image; None for a head
            that is recognized, but not run.
        mean, std: a float input is `(pixel - mean) / std`, in the order of its channels, unless
            the file's metadata says otherwise.
        bgr: True if blue is the input's first channel.
        letterbox: True if images keep their aspect ratio, between gray bars.
        threshold: the usual score threshold.
    """

    family: str
    boxes: str
    num_classes: int = 0
    detect: Detect | None = None
    mean: tuple[float, ...] = (127.5,)
    std: tuple[float, ...] = (127.5,)
    bgr: bool = False
    letterbox: bool = False
    threshold: float = 0.5
    ids: str = "number 0 of the scores of a box is the first class"


def suppressed(decode: Decode, nms_config: NmsConfig) -> Detect:
    """`decode`, followed by NMS."""
    return lambda outputs: postprocess(*decode(outputs), nms_config)


def as_scores(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores in [0, 1]: `values`, or their sigmoid if they are logits."""
    if values.size and (values.min() < -1e-3 or values.max() > 1 + 1e-3):
        scores: NDArray[np.float32] = NUMPY.sigmoid(values)
        return scores
    return values


def yxyx(
    y: NDArray[np.float32],
    x: NDArray[np.float32],
    height: NDArray[np.float32],
    width: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Boxes `(..., 4)` from their centers and sizes."""
    corners = [y - height / 2, x - width / 2, y + height / 2, x + width / 2]
    boxes: NDArray[np.float32] = np.stack(corners, axis=-1).astype(np.float32)
    return boxes

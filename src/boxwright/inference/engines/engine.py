"""The interface of inference engines, and helpers that several of them use."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import DetectorError
from boxwright.inference import litert
from boxwright.inference.golden import Network
from boxwright.ops.boxes import clip
from boxwright.ops.postprocess import RawDetections

# Names of the post-processing's inputs in .onnx files and OpenVINO folders: boxes
# `(N, A, 4)` normalized yxyx, and scores `(N, A, C)`.
CANDIDATES = ("candidate_boxes", "candidate_scores")


class Engine(Protocol):
    """Runs a network and its post-processing.

    An engine that can run only the network has a method `network`, for `boxwright bench` and the
    golden pair.
    """

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        """Detect objects in resized images `(B, S, S, 3)`.

        Returns:
            For each image, boxes `(n, 4)` normalized yxyx within [0, 1], scores `(n,)` and class
            ids `(n,)`, best first.
        """
        ...


def network_of(engine: Engine) -> Network | None:
    """A function that computes an engine's raw tensors; None if its file cannot be split."""
    cut = getattr(engine, "network", None)
    network: Network | None = cut() if cut else None
    return network


def rows(
    boxes: NDArray[np.float32], labels: NDArray[Any], scores: NDArray[np.float32], count: int
) -> RawDetections:
    """The first `count` rows of a padded result."""
    return clip(boxes[:count], 1, 1), scores[:count], labels[:count].astype(np.int64)


def images(outputs: Mapping[str, NDArray[Any]]) -> list[RawDetections]:
    """Detections of each image, from named outputs whose rows are padded to one length."""
    boxes, labels, scores, counts = (outputs[name] for name in litert.OUTPUT_NAMES)
    return [rows(*image) for image in zip(boxes, labels, scores, counts.astype(int), strict=True)]


def batch_side(kind: str, shape: Sequence[Any], where: Path) -> int:
    """The side `S` of an input that takes any number of square uint8 images.

    Args:
        kind: name of the input's type.
        shape: `(N, S, S, 3)` of a supported input; entries that are not integers are dynamic.
        where: path for error messages.

    Raises:
        DetectorError: BW505 the input is a different one.
    """
    known = [side if isinstance(side, int) else None for side in shape]
    if len(known) == 4 and kind == "uint8":
        count, height, width, channels = known
        if count is None and height is not None and height == width and channels == 3:
            return height
    text = ", ".join("?" if side is None else str(side) for side in known)
    raise no_detector(where, f"its input is {kind} ({text}), not square RGB images as uint8")


def cores() -> int:
    """The default number of threads: one per core, up to four."""
    return min(4, os.cpu_count() or 1)


def no_detector(where: Path, reason: str) -> DetectorError:
    """The error for a file that is readable but is not a usable detector."""
    what = f"is not a detector that Boxwright can run: {reason}."
    return DetectorError("BW505", what, where=where)


def first_line(error: Exception) -> str:
    """The first line of a framework's error, short enough for a sentence."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]

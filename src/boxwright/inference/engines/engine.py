"""What every engine is, and what several of them share."""

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

# Tensors inside .onnx files and OpenVINO folders, which the post-processing takes: boxes
# `(N, A, 4)` normalized yxyx, and scores `(N, A, C)`.
CANDIDATES = ("candidate_boxes", "candidate_scores")


class Engine(Protocol):
    """Runs a network and its post-processing.

    One that can run the network alone has a method `network`, for `boxwright bench` and for the
    golden pair.
    """

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        """Detect in resized photos `(B, S, S, 3)`.

        Returns:
            For each photo boxes `(n, 4)` normalised yxyx within [0, 1], scores `(n,)` and class
            ids `(n,)`, best first.
        """
        ...


def network_of(engine: Engine) -> Network | None:
    """What computes an engine's raw tensors; None where its file cannot be cut."""
    cut = getattr(engine, "network", None)
    network: Network | None = cut() if cut else None
    return network


def rows(
    boxes: NDArray[np.float32], labels: NDArray[Any], scores: NDArray[np.float32], count: int
) -> RawDetections:
    """The first `count` rows of a padded result."""
    return clip(boxes[:count], 1, 1), scores[:count], labels[:count].astype(np.int64)


def images(outputs: Mapping[str, NDArray[Any]]) -> list[RawDetections]:
    """What was found in each photo, of outputs by name whose rows are padded to one length."""
    boxes, labels, scores, counts = (outputs[name] for name in litert.OUTPUT_NAMES)
    return [rows(*image) for image in zip(boxes, labels, scores, counts.astype(int), strict=True)]


def batch_side(kind: str, shape: Sequence[Any], where: Path) -> int:
    """`S` of an input that takes any number of square photos as they are.

    Args:
        kind: its type's name.
        shape: `(N, S, S, 3)` of an input that can be used; what is not a whole number varies.
        where: names the file in errors.

    Raises:
        DetectorError: BW505 it takes something else.
    """
    known = [side if isinstance(side, int) else None for side in shape]
    if len(known) == 4 and kind == "uint8":
        count, height, width, channels = known
        if count is None and height is not None and height == width and channels == 3:
            return height
    text = ", ".join("?" if side is None else str(side) for side in known)
    raise no_detector(where, f"its input is {kind} ({text}), not square RGB images as uint8")


def cores() -> int:
    """On how many threads an engine runs that is not told: one for each core, up to four."""
    return min(4, os.cpu_count() or 1)


def no_detector(where: Path, reason: str) -> DetectorError:
    """The error for a file that can be read but does not detect."""
    what = f"is not a detector that Boxwright can run: {reason}."
    return DetectorError("BW505", what, where=where)


def first_line(error: Exception) -> str:
    """What a framework says went wrong, short enough for a sentence."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]

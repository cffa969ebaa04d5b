"""The interface of inference engines, and helpers that several of them use."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import BoxwrightError, DetectorError
from boxwright.inference import litert
from boxwright.inference.artifact import damaged
from boxwright.inference.golden import Network
from boxwright.inference.heads import Head
from boxwright.inference.tflite_graph import Tensor
from boxwright.ops.boxes import clip
from boxwright.ops.postprocess import RawDetections
from boxwright.safety.limits import MAX_CLASSES


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

        Raises:
            DetectorError: BW514 the network cannot be computed.
        """
        ...


@contextmanager
def running(where: Path | None) -> Iterator[None]:
    """Raise DetectorError BW514 for any failure of a runtime while the block runs."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # of damaged weights
            yield
    except BoxwrightError:
        raise
    except Exception as error:  # runtimes raise many different classes
        reason = f"the network fails while it runs ({first_line(error)})."
        raise DetectorError("BW514", reason, where=where) from error


@contextmanager
def loading(where: Path) -> Iterator[None]:
    """Raise DetectorError BW502 for any failure while the block loads a file."""
    try:
        yield
    except BoxwrightError:
        raise
    except Exception as error:
        raise damaged(f"it cannot be loaded ({first_line(error)})", where) from error


def network_of(engine: Engine) -> Network | None:
    """A function that computes an engine's raw tensors; None if its file cannot be split.

    Raises:
        DetectorError: BW514 its network cannot be run alone; the function raises this too.
    """
    cut = getattr(engine, "network", None)
    where = getattr(engine, "where", None)
    with running(where):
        network: Network | None = cut() if cut else None
    if network is None:
        return None

    def run(inputs: NDArray[np.uint8]) -> Sequence[NDArray[Any]]:
        with running(where):
            return network(inputs)

    return run


def rows(
    boxes: NDArray[np.float32], labels: NDArray[Any], scores: NDArray[np.float32], count: Any
) -> RawDetections:
    """The first `count` rows of a padded result.

    Raises:
        ValueError: the parts contradict each other, or numbers are missing.
    """
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not labels.ndim == scores.ndim == 1:
        raise ValueError(f"boxes, classes and scores {boxes.shape}, {labels.shape}, {scores.shape}")
    rows = min(len(boxes), len(labels), len(scores))
    if not (np.isfinite(count) and 0 <= count <= rows):
        raise ValueError(f"it says {count} detections, and has {rows}")
    kept, named = int(count), labels[: int(count)]
    if not (np.isfinite(named).all() and (np.abs(named) < MAX_CLASSES).all()):
        raise ValueError("a class is no class number")
    return clip(boxes[:kept], 1, 1), scores[:kept], named.astype(np.int64)


def images(outputs: Mapping[str, NDArray[Any]], count: int) -> list[RawDetections]:
    """Detections of each of `count` images, from named outputs whose rows are padded.

    Raises:
        ValueError: the outputs contradict each other.
    """
    boxes, labels, scores, counts = (outputs[name] for name in litert.OUTPUT_NAMES)
    if len(boxes) != count:
        raise ValueError(f"results for {len(boxes)} images instead of {count}")
    return [rows(*image) for image in zip(boxes, labels, scores, counts, strict=True)]


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


def not_run(where: Path, head: Head | None, outputs: Sequence[Tensor]) -> DetectorError:
    """The error for a network without post-processing whose head is unknown or not run."""
    shapes = (f"{each.name} ({' x '.join(map(str, each.shape))})" for each in outputs[:6])
    more = ", ..." if len(outputs) > 6 else ""
    listed = f"its outputs are {', '.join(shapes)}{more}"
    known = f"it has the head of a {head.family}, which is not decoded here; " if head else ""
    return no_detector(where, known + listed)


def first_line(error: Exception) -> str:
    """The first line of a framework's error, short enough for a sentence."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]

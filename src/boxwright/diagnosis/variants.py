"""Simple changes of a network's input, such as swapped channels, that explain bad detections if
they make detections agree with the labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.diagnosis.moves import FIXED, Move, detections_after
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.detector import Detector, Input
from boxwright.inference.engines import KerasEngine
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

Pixels = NDArray[np.uint8]
BATCH = 16
SWAPPED = "the color channels are swapped (BGR instead of RGB)"
RANGES = {  # what the network gets for pixels from 0 to 255
    "[-1, 1]": (1 / 128, -1.0),
    "[0, 1]": (1 / 255, 0.0),
    "[0, 255]": (1.0, 0.0),
    "[-2.1, 2.6], normalized by ImageNet's mean": (1 / 57.6, -114.5 / 57.6),
}
GRAY = 114  # of the padding of a letterbox
TURNS = {1: "right", 2: "", 3: "left"}  # quarter turns to the left that undo a turn


class Variant(NamedTuple):
    """A change of the input.

    Attributes:
        cause: the fault in a few words, if the change helps.
        change: takes pixels `(S, S, 3)` uint8 and the width and height of the image.
        back: what the change does to boxes, to be undone; None for nothing.
        scaling: True if pixels are scaled to another range.
        preprocessing: the scaling of a network that takes any; None for the detector's own.
    """

    cause: str
    change: Callable[[Pixels, int, int], Pixels]
    back: Move | None = None
    scaling: bool = False
    preprocessing: Preprocessing | None = None


def variants(detector: Detector) -> Iterator[Variant]:
    """The changes that can be tried with a detector."""
    yield Variant(SWAPPED, _swap)
    yield from _ranges(detector)
    yield Variant("dark and bright are inverted", _inverted)
    yield Variant("the images have colors, and the training images had none", _gray)
    moves = {move.cause: move for move in FIXED}
    for turns, side in TURNS.items():
        degrees = "180 degrees" if turns == 2 else f"90 degrees to the {side}"
        done = "180 degrees" if turns == 2 else f"90 degrees to the {TURNS[4 - turns]}"
        move = moves[f"boxes are turned by {done}"]
        yield Variant(f"the images are turned by {degrees}", partial(_turned, turns=turns), move)
    upside = moves["top and bottom are swapped"]
    yield Variant("the images are upside down", _flipped, upside)
    yield Variant(
        "images are stretched to the input, and the network expects a border", _letterbox, BORDER
    )


def detect(detector: Detector, images: Dataset, variant: Variant) -> list[Detections]:
    """The detections in the images with a variant of the input, as boxes of the images."""
    engine = detector.engine
    if variant.preprocessing and isinstance(engine, KerasEngine):
        detector = replace(detector, engine=engine.scaled(variant.preprocessing))
    found: list[Detections] = []
    for start in range(0, len(images), BATCH):
        rows = range(start, min(start + BATCH, len(images)))
        inputs = [detector.prepare(images.image(i)) for i in rows]
        changed = [
            Input(variant.change(each.pixels, each.width, each.height), each.width, each.height)
            for each in inputs
        ]
        found += detector.detect(changed)
    if variant.back is None:
        return found
    undone = Move(variant.back.cause, variant.back.undo, variant.back.change)
    return detections_after(undone, found, images)


def _ranges(detector: Detector) -> Iterator[Variant]:
    own = detector.artifact.preprocessing
    keras = isinstance(detector.engine, KerasEngine)
    for name, (scale, offset) in RANGES.items():
        if abs(scale / own.scale - 1) < 0.05 and abs(offset - own.offset) < 0.05:
            continue
        cause = f"pixels are scaled to {shown_range(own)}, and the network expects {name}"
        if keras:
            yield Variant(cause, _same, None, True, replace(own, scale=scale, offset=offset))
        else:  # what can be imitated with bytes; the rest is black or white
            levels = (np.arange(256) * scale + offset - own.offset) / own.scale
            table = np.clip(np.round(levels), 0, 255).astype(np.uint8)
            yield Variant(cause, partial(_mapped, table=table), None, True)


def shown_range(made: Preprocessing) -> str:
    """What pixels from 0 to 255 become."""
    low, high = made.offset, 255 * made.scale + made.offset
    return f"[{low:.2g}, {high:.2g}]"


def _same(pixels: Pixels, width: int, height: int) -> Pixels:
    return pixels


def _swap(pixels: Pixels, width: int, height: int) -> Pixels:
    return np.ascontiguousarray(pixels[:, :, ::-1])


def _inverted(pixels: Pixels, width: int, height: int) -> Pixels:
    return 255 - pixels


def _gray(pixels: Pixels, width: int, height: int) -> Pixels:
    return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))


def _mapped(pixels: Pixels, width: int, height: int, *, table: Pixels) -> Pixels:
    return table[pixels]


def _turned(pixels: Pixels, width: int, height: int, *, turns: int) -> Pixels:
    return np.ascontiguousarray(np.rot90(pixels, turns))


def _flipped(pixels: Pixels, width: int, height: int) -> Pixels:
    return np.ascontiguousarray(pixels[::-1])


def _letterbox(pixels: Pixels, width: int, height: int) -> Pixels:
    """The image with its own proportions, in the middle of gray."""
    side, longer = len(pixels), max(width, height)
    size = max(1, round(side * width / longer)), max(1, round(side * height / longer))
    canvas = Image.new("RGB", (side, side), (GRAY, GRAY, GRAY))
    inner = Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR)
    canvas.paste(inner, ((side - size[0]) // 2, (side - size[1]) // 2))
    return np.asarray(canvas)


def _inside_border(boxes: NDArray[np.float32], aspect: NDArray[np.float32]) -> NDArray[np.float32]:
    kept, edge = _border(aspect)
    return boxes * kept + edge


def _without_border(boxes: NDArray[np.float32], aspect: NDArray[np.float32]) -> NDArray[np.float32]:
    kept, edge = _border(aspect)
    return (boxes - edge) / kept


def _border(aspect: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The part of the square that the image takes in x and y, and where it begins, `(n, 4)`."""
    one = np.float32(1)
    part = np.tile(np.hstack([np.minimum(aspect, one), np.minimum(one / aspect, one)]), 2)
    return part, (one - part) / np.float32(2)


BORDER = Move("boxes are inside a border", _inside_border, _without_border)

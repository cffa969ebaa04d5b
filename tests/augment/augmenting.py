"""Photos whose objects are told by their colours, and the augmentation of a batch of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.augment.transforms import Step
from boxwright.training.config import Pipeline

SIDE = 64
BOXES = np.float32([[0.1, 0.2, 0.5, 0.6], [0.55, 0.5, 0.95, 0.9], [0.0, 0.0, 0.0, 0.0]])
LABELS = np.int32([0, 1, -1])
COLOURS = np.uint8([[200, 40, 60], [30, 90, 220]])
GROUND = np.uint8([90, 100, 110])
HEIGHT = 100.0  # of a photo, pixels


def photos(count: int) -> NDArray[np.uint8]:
    """Grounds with a rectangle of its own colour in each box."""
    pixels = np.full((count, 100, 100, 3), GROUND)
    for box, colour in zip(np.round(BOXES[:2] * 100).astype(int), COLOURS, strict=True):
        pixels[:, box[0] : box[2], box[1] : box[3]] = colour
    return pixels


def follow(
    *steps: Step,
    count: int = 24,
    aspect: float = 1.0,
    seed: int = 0,
    side: int = SIDE,
    pixels: Any = None,
) -> tuple[Any, ...]:
    """Images, boxes, labels and weights of `count` copies of one photo."""
    from boxwright.augment.pipeline import follow
    from boxwright.training.step_tensorflow import crop

    dice = np.random.default_rng(seed).random((count, Pipeline(steps).dice), np.float32)
    found = follow(
        steps, photos(count) if pixels is None else pixels, *labelled(count), sizes(count, aspect),
        dice, side=side, read=crop,
    )  # fmt: skip
    return tuple(np.asarray(part) for part in found)


def labelled(count: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    return np.stack([BOXES] * count), np.stack([LABELS] * count)


def sizes(count: int, aspect: float = 1.0) -> NDArray[np.float32]:
    return np.float32([[HEIGHT, HEIGHT * aspect]] * count)

"""A drawn building site on which people in hard hats walk: frames whose objects are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boxwright.demo.scenes import drawing
from boxwright.demo.scenes.backdrops import backdrop
from boxwright.demo.scenes.quadrics import moved, shift
from boxwright.ops.boxes import Boxes, as_boxes

VISIBLE = 0.4  # of a hard hat: of less there is no box


@dataclass(frozen=True)
class Moment:
    """A frame, `(h, w, 3)` RGB uint8; the boxes of its hard hats, `(n, 4)`, and which they are."""

    pixels: NDArray[np.uint8]
    boxes: Boxes
    identities: list[int]


def moving_site(
    count: int,
    people: int,
    *,
    width: int = 480,
    height: int = 270,
    radius: float = 9.0,
    seed: int = 0,
) -> Iterator[Moment]:
    """So many frames of people who walk to the left and right, one hiding the other at times.

    Args:
        count: number of frames.
        people: their number.
        width, height: pixels of a frame.
        radius: of a hard hat's shell, pixels.
        seed: of the scene.
    """
    rng = np.random.default_rng(seed)
    behind = backdrop(rng, width, height)
    behind = behind._replace(horizon=behind.horizon or height / 2)
    walkers = []
    for _ in range(people):
        size = radius * rng.uniform(0.8, 1.25)
        thing = drawing._standing(rng, behind, width, height, size, 0.2, in_hard_hat=True)
        walkers.append((replace(thing, nearness=size), rng.uniform(-0.3, 0.3) * size))
    walkers.sort(key=lambda walker: walker[0].nearness)
    for number in range(count):
        canvas = drawing._Canvas(behind.picture.copy(), behind.light)
        identities = []
        for identity, (thing, speed) in enumerate(walkers):
            there = moved(thing.parts, shift(x=speed * number))
            shadow = thing.shadow and (thing.shadow[0] + speed * number, *thing.shadow[1:])
            before = len(canvas.full)
            canvas.lay(drawing._Thing(there, thing.nearness, shadow))
            identities += [identity] * (len(canvas.full) - before)
        boxes, seen = [], []
        for hat, (identity, full) in enumerate(zip(identities, canvas.full, strict=True)):
            rows, columns = np.nonzero(canvas.owner == hat)
            if len(rows) >= VISIBLE * full:
                low, high = (columns.min(), rows.min()), (columns.max() + 1, rows.max() + 1)
                boxes.append((*low, *high))
                seen.append(identity)
        yield Moment(canvas.colors, as_boxes(boxes), seen)

"""Tracks of CVAT XML: the boxes of one object in the frames of a video."""

from __future__ import annotations

from bisect import bisect, bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple
from xml.etree.ElementTree import Element

from boxwright.formats.annotations import BadEntryError
from boxwright.formats.cvat.frames import MAX_FRAMES, Task
from boxwright.formats.cvat.shapes import BOX, SHAPES, box_of, flags_of, is_set, kind_of


class Shown(NamedTuple):
    """The box of an object in a frame.

    Attributes:
        frame: its number.
        box: xyxy pixels.
        flags: its flags.
        outside: the object is not in the image from this frame on.
    """

    frame: int
    box: list[float]
    flags: int
    outside: bool


def shown_in(track: Element, shapes: Counter[str]) -> list[Shown]:
    """The frames that the track states, in order. Raises BadEntryError if one is invalid."""
    found: dict[int, Shown] = {}
    for shape in track:
        if shape.tag not in SHAPES and shape.get("frame") is None:
            continue
        text = shape.get("frame", "")
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) >= MAX_FRAMES:
            raise BadEntryError(f"the frame of a <{shape.tag}> is '{text[:40]}', not a number")
        one = Shown(int(text), box_of(shape), flags_of(shape), _is_outside(shape))
        if found.setdefault(one.frame, one) != one:
            raise BadEntryError(f"frame {one.frame} is stated twice")
        if not one.outside and kind_of(shape) != BOX:
            shapes[kind_of(shape)] += 1
    return [found[frame] for frame in sorted(found)]


def interpolated(
    stated: list[Shown], task: Task, here: Sequence[int], *, held: bool
) -> Iterator[Shown]:
    """The frames of the task in which the object is, as CVAT shows it.

    Between two stated frames the box moves evenly, and its flags are those of the first.

    Args:
        stated: the frames that the track states.
        task: the frames of the video.
        here: the frames with an image, in order; other frames are not interpolated.
        held: the last box stays until the end of the video.
    """
    for one, then in pairwise(stated):
        if one.outside:
            continue
        yield one
        for frame in here[bisect(here, one.frame) : bisect_left(here, then.frame)]:
            share = (frame - one.frame) / (then.frame - one.frame)
            sides = zip(one.box, then.box, strict=True)
            box = [first + share * (second - first) for first, second in sides]
            yield one._replace(frame=frame, box=box)
    if not stated or stated[-1].outside:
        return
    last = stated[-1]
    yield last
    if held and task.stop is not None and not _is_untracked(stated, task.stop - task.step):
        for frame in here[bisect(here, last.frame) :]:
            yield last._replace(frame=frame)


def _is_untracked(stated: Sequence[Shown], late: int) -> bool:
    """True for a shape of one frame, which CVAT writes as a track. It states where such a track
    ends, except in the `late` frames."""
    return len(stated) == 1 and stated[0].frame >= late


def _is_outside(shape: Element) -> bool:
    """True if the object is not in the frame; each point of a skeleton says so on its own."""
    if shape.tag != "skeleton" or shape.get("outside") is not None:
        return is_set(shape.get("outside"))
    points = [one for one in shape if one.get("points") is not None]
    return bool(points) and all(is_set(one.get("outside")) for one in points)

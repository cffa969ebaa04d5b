"""Two annotations of one image: joined into one, or compared."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from boxwright.formats.annotations import Labeled
from boxwright.formats.claims import said_split
from boxwright.formats.coordinates import Size
from boxwright.formats.folder import folded
from boxwright.formats.repeats import sizes_differ
from boxwright.ops.boxes import as_boxes, iou, upright
from boxwright.structures.dataset import Split

COPY = 0.9  # IoU of two boxes of one class that are the same
VERSION = 0.5  # IoU of two other boxes that are of the same object
PIXELS, PART = 2, 0.01  # formats round sides by pixels, or by a part of the image's side


def joined(one: Labeled, other: Labeled) -> Labeled | None:
    """The annotation with the boxes of both; it is one of the two.

    Returns:
        None if they contradict each other: in the size of the image, in its split, in their unit,
        or because both have a box for one object, so that they are two versions.
    """
    splits = {said_split(one), said_split(other)} - {Split.UNASSIGNED}
    if sizes_differ(one, other) or len(splits) > 1:
        return None
    result = one if one.names or not other.names else other
    if one.names and other.names and not _add(one, other):
        return None
    result.split = max(one.split, other.split)
    if one.verified_classes is None or other.verified_classes is None:
        result.verified_classes = None
    else:
        result.verified_classes = one.verified_classes | other.verified_classes
    return result


def says_more(one: Labeled, other: Labeled, *, same_classes: bool) -> bool:
    """True if the other annotation has boxes that one lacks.

    Args:
        one: an annotation in one format.
        other: that of the same image in another format.
        same_classes: both formats have the same names for classes.
    """
    if len(one.names) < len(other.names):
        return True
    if same_classes and Counter(map(folded, other.names)) - Counter(map(folded, one.names)):
        return True
    return one.boxes != other.boxes and _has_other_boxes(one, other)


def are_versions(one: Labeled, other: Labeled) -> bool:
    """True if both have a box for one object, which is not the same."""
    if not (one.names and other.names) or (one.names, one.boxes) == (other.names, other.boxes):
        return False
    return _new_boxes(one, other) is None


def _new_boxes(one: Labeled, other: Labeled) -> NDArray[np.bool_] | None:
    """Which boxes of the other one lacks; None if the two are versions of each other."""
    first, second = (upright(as_boxes(each.boxes[: 4 * len(each.names)])) for each in (one, other))
    overlap = iou(second, first)
    equal = (second[:, None] == first).all(axis=2)
    same_class = np.array([[name == known for known in one.names] for name in other.names])
    repeated: NDArray[np.bool_] = ((overlap >= COPY) | equal) & same_class
    new, old = np.logical_not(repeated.any(axis=1)), np.logical_not(repeated.any(axis=0))
    return None if (overlap[new][:, old] >= VERSION).any() else new


def _add(one: Labeled, other: Labeled) -> bool:
    """Add the boxes that one lacks; False if the two contradict each other."""
    if (one.relative, one.as_stored) != (other.relative, other.as_stored):
        return False
    new = _new_boxes(one, other)
    if new is None:
        return False
    for i in np.flatnonzero(new).tolist():
        one.add(other.names[i], other.boxes[4 * i : 4 * i + 4], other.flags[i])
    one.ignored += other.ignored
    one.verified &= other.verified
    return True


def _has_other_boxes(one: Labeled, other: Labeled) -> bool:
    """True if a box of the other is nowhere near one of the first, as far as units tell."""
    sizes = {each.size for each in (one, other) if each.size and min(each.size) > 0}
    if one.as_stored != other.as_stored or len(sizes) > 1:
        return False
    if sizes:
        size = sizes.pop()
    elif one.relative == other.relative:
        size = Size(100, 100) if one.relative else Size(1, 1)
    else:
        return False
    sides = np.array([*size, *size], np.float64)
    first, second = (
        upright(as_boxes(each.boxes[: 4 * len(each.names)])) * (sides if each.relative else 1)
        for each in (one, other)
    )
    distance = np.abs(second[:, None] - first)
    near: NDArray[np.bool_] = np.all(distance <= PIXELS + PART * sides, axis=2)
    return not near.any(axis=1).all()

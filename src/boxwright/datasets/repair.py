"""Repairs of boxes and classes: one function per problem.

Each function takes a dataset and returns it repaired, with a finding for each changed box or class
that states the problem and the repair. Findings number the boxes as in the annotation, so boxes
are dropped only after all other repairs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.checks.locations import (
    Rows,
    box_finding,
    box_name,
    corners,
    counted_boxes,
    overlaid,
)
from boxwright.ops.boxes import Boxes, areas, upright
from boxwright.structures.dataset import CROWD, Dataset
from boxwright.structures.findings import Finding, part_of
from boxwright.structures.labels import spelling_key

TWICE = 0.9  # IoU of two boxes of a class that are around the same object
SPELLED_OUT = 3  # names in a message


def repair(dataset: Dataset) -> Dataset:
    """Return the dataset repaired for training; its `findings` list every change."""
    return leave_out_unused(drop_useless(straighten(dataset)))


def straighten(dataset: Dataset) -> Dataset:
    """Apply the repairs that keep every box in its row."""
    for check in (merge_spellings, swap_inverted, clip_outside):
        dataset = check(dataset)
    return dataset


def merge_spellings(dataset: Dataset) -> Dataset:
    """Rename classes that differ only in case or outer spaces to the most frequent one (BW107)."""
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
    spellings: dict[str, list[int]] = {}
    for label, name in enumerate(dataset.classes):
        spellings.setdefault(spelling_key(name), []).append(label)
    new_labels = np.zeros(len(dataset.classes), np.int32)
    classes, findings = [], []
    for label, same in enumerate(spellings.values()):
        best = max(same, key=lambda old: counts[old])
        name = dataset.classes[best].strip()
        new_labels[same] = label
        classes.append(name)
        findings += [
            Finding(
                "BW107",
                f"class '{dataset.classes[old]}'",
                f"this spelling of '{name}' has {counted_boxes(counts[old])}",
                f"renamed to '{name}'",
                classes=(dataset.classes[old], name),
            )
            for old in same
            if dataset.classes[old] != name
        ]
    return replace(
        dataset,
        classes=tuple(classes),
        labels=new_labels[dataset.labels],
        findings=(*dataset.findings, *findings),
    )


def swap_inverted(dataset: Dataset) -> Dataset:
    """Swap inverted edges, left of a box with right or top with bottom (BW105)."""
    swapped = upright(dataset.boxes)
    inverted = (swapped != dataset.boxes).any(axis=1)
    return _changed(dataset, swapped, inverted, "BW105", "has its corners swapped", "swapped back")


def clip_outside(dataset: Dataset) -> Dataset:
    """Clip boxes that extend beyond the image (BW103); boxes completely outside are kept."""
    clipped = _clipped(dataset)
    reaching = (clipped != dataset.boxes).any(axis=1) & (areas(clipped) > 0)
    return _changed(dataset, clipped, reaching, "BW103", "extends beyond the image", "clipped")


def drop_useless(dataset: Dataset) -> Dataset:
    """Drop useless boxes.

    They have no area (BW106), are completely outside of the image (BW103), or are duplicates
    (BW126): they have the class of an earlier box and an IoU of at least `TWICE` with it.
    """
    empty = ~(areas(dataset.boxes) > 0)
    outside = ~empty & ~(areas(_clipped(dataset)) > 0)
    twice = drawn_again(dataset, TWICE)
    findings = [
        *_per_box(dataset, empty, "BW106", "has no area", "dropped"),
        *_per_box(dataset, outside, "BW103", "is outside of the image", "dropped"),
        *(replace(again, repair="dropped") for row, again in twice.items() if not outside[row]),
    ]
    useless = empty | outside
    useless[list(twice)] = True
    return replace(dataset.keep_boxes(~useless), findings=(*dataset.findings, *findings))


def drawn_again(dataset: Dataset, min_iou: float, below: float = np.inf) -> dict[int, Finding]:
    """Findings by row, for boxes that overlap an earlier box of their image and class."""
    single = np.flatnonzero(dataset.flags & CROWD == 0)
    groups = dataset.image_of_box * len(dataset.classes) + dataset.labels
    rows, earlier, shares = overlaid(dataset.boxes[single], groups[single], min_iou)
    findings = {}
    within = shares < below
    rows, earlier = single[rows[within]], single[earlier[within]]
    for row, other, share in zip(rows, earlier, shares[within], strict=True):
        place = box_name(dataset, other).rpartition(", ")[2]
        problem = f"overlaps {place} of the same class by {share:.0%}"
        findings[int(row)] = box_finding(dataset, row, "BW126", problem)
    return findings


def leave_out_unused(dataset: Dataset) -> Dataset:
    """Leave out classes without boxes (BW128), which cannot be learned."""
    used = np.bincount(dataset.labels, minlength=len(dataset.classes)) > 0
    if used.all():
        return dataset
    unused = [dataset.classes[label] for label in np.flatnonzero(~used)]
    names = ", ".join(f"'{name}'" for name in unused[:SPELLED_OUT])
    more = f" and {len(unused) - SPELLED_OUT} more" if len(unused) > SPELLED_OUT else ""
    message = (
        f"{part_of(len(unused), len(used), 'class', 'has', 'have', 'classes')} no box: "
        f"{names}{more}"
    )
    finding = Finding("BW128", f"class '{unused[0]}'", message, "left out", classes=tuple(unused))
    return replace(
        dataset,
        classes=tuple(dataset.classes[label] for label in np.flatnonzero(used)),
        labels=(np.cumsum(used, dtype=np.int32) - 1)[dataset.labels],
        findings=(*dataset.findings, finding),
    )


def _clipped(dataset: Dataset) -> Boxes:
    limits = np.tile(dataset.sizes[dataset.image_of_box], 2).astype(np.float32)
    clipped: Boxes = dataset.boxes.clip(np.float32(0), limits)
    return clipped


def _changed(
    dataset: Dataset, boxes: Boxes, touched: NDArray[np.bool_], code: str, problem: str, done: str
) -> Dataset:
    """Replace the boxes in the touched rows, with a finding for each."""
    rows: Rows = np.flatnonzero(touched)
    findings = [
        box_finding(dataset, row, code, problem, f"{done} to {corners(boxes[row])}") for row in rows
    ]
    return replace(
        dataset,
        boxes=np.where(touched[:, None], boxes, dataset.boxes),
        findings=(*dataset.findings, *findings),
    )


def _per_box(
    dataset: Dataset, touched: NDArray[np.bool_], code: str, problem: str, done: str
) -> list[Finding]:
    rows: Rows = np.flatnonzero(touched)
    return [box_finding(dataset, row, code, problem, done) for row in rows]

"""What can be wrong with labelled photos and can be put right: one small function per problem.

Each takes a data set and returns it repaired, with a finding for each box or class it touched.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from boxwright.data.dataset import Dataset
from boxwright.data.findings import Finding
from boxwright.data.geometry import Boxes
from boxwright.data.labels import spelling_key


def repair(dataset: Dataset) -> Dataset:
    """A data set that can be trained on; every change it took is in its `findings`."""
    for check in (merge_spellings, swap_inverted, clip_outside, drop_empty):
        dataset = check(dataset)
    return dataset


def merge_spellings(dataset: Dataset) -> Dataset:
    """Class names that differ only in case or outer blanks become the commonest of them (BW107)."""
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
                f"{counts[old]} boxes have this spelling of '{name}'",
                f"renamed to '{name}'",
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
    """Boxes whose right edge is left of the left one, or bottom above top, are swapped (BW105)."""
    boxes = dataset.boxes
    upright = np.concatenate(
        [np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1
    )
    inverted = (upright != boxes).any(axis=1)
    findings = _per_box(dataset, inverted, "BW105", "has its corners swapped", "swapped back")
    return replace(dataset, boxes=upright, findings=(*dataset.findings, *findings))


def clip_outside(dataset: Dataset) -> Dataset:
    """Boxes that reach beyond the photo are clipped (BW103); those wholly outside stay."""
    clipped = _clipped(dataset)
    reaching = (clipped != dataset.boxes).any(axis=1) & _has_area(clipped)
    boxes = np.where(reaching[:, None], clipped, dataset.boxes)
    findings = _per_box(
        dataset, reaching, "BW103", "reaches beyond the photo", "clipped to the photo"
    )
    return replace(dataset, boxes=boxes, findings=(*dataset.findings, *findings))


def drop_empty(dataset: Dataset) -> Dataset:
    """Boxes of no width or height (BW106) or wholly outside (BW103) show nothing: dropped.

    The last check, because findings name a box by its place among its photo's boxes.
    """
    empty = ~_has_area(dataset.boxes)
    outside = ~empty & ~_has_area(_clipped(dataset))
    findings = [
        *_per_box(dataset, empty, "BW106", "has no area", "dropped"),
        *_per_box(dataset, outside, "BW103", "lies outside of the photo", "dropped"),
    ]
    kept = dataset.keep_boxes(~(empty | outside))
    return replace(kept, findings=(*dataset.findings, *findings))


def _clipped(dataset: Dataset) -> Boxes:
    limits = np.tile(dataset.sizes[dataset.photo_of_box], 2).astype(np.float32)
    clipped: Boxes = dataset.boxes.clip(np.float32(0), limits)
    return clipped


def _has_area(boxes: Boxes) -> NDArray[np.bool_]:
    sides: Boxes = boxes[:, 2:] - boxes[:, :2]
    both: NDArray[np.bool_] = sides.min(axis=1) > 0
    return both


def _per_box(
    dataset: Dataset, touched: NDArray[np.bool_], code: str, problem: str, done: str
) -> list[Finding]:
    """A finding for each touched box, which is named by its place among its photo's boxes."""
    findings = []
    photo_of_box = dataset.photo_of_box
    for row in np.flatnonzero(touched):
        photo = photo_of_box[row]
        width, height = dataset.sizes[photo]
        corners = ", ".join(f"{value:g}" for value in dataset.boxes[row])
        name = dataset.classes[dataset.labels[row]]
        findings.append(
            Finding(
                code,
                f"{dataset.names[photo]}, box {row - dataset.offsets[photo] + 1}",
                f"the {name} box ({corners}) {problem} ({width} x {height})",
                done,
            )
        )
    return findings

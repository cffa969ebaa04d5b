"""Suspicious boxes: one function per problem; nothing is changed.

Each function takes the dataset before boxes are dropped from it, so that a box is numbered as in
the annotation.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from boxwright.datasets.checks.locations import (
    box_finding,
    box_name,
    image_finding,
    images_of,
    overlaid,
)
from boxwright.datasets.repair import TWICE, drawn_again
from boxwright.ops.boxes import areas
from boxwright.structures.dataset import CROWD, Dataset
from boxwright.structures.findings import Finding, counted

SLIVER = 3  # pixels of the image; a shorter side is a slip of the mouse
COVERING = 0.98  # of the image
SAME_PLACE = 0.8  # IoU from which two boxes are around one object
LAYERED = 0.2  # of a class's boxes: if more overlap, and not just a few, the data is made so
FEW = 5


def slivers(dataset: Dataset) -> list[Finding]:
    """Boxes with a side above 0 but below `SLIVER` pixels (BW124)."""
    shorter = (dataset.boxes[:, 2:] - dataset.boxes[:, :2]).min(axis=1, initial=np.inf)
    rows = np.flatnonzero((shorter > 0) & (shorter < SLIVER))
    problem = "is only {:g} pixels wide or high"
    return [box_finding(dataset, i, "BW124", problem.format(round(shorter[i], 2))) for i in rows]


def covering(dataset: Dataset) -> list[Finding]:
    """Boxes that cover nearly their whole image (BW125)."""
    covered = areas(dataset.boxes) / dataset.sizes.prod(axis=1)[dataset.image_of_box]
    rows = np.flatnonzero(covered >= COVERING)
    if len(rows) == 1:
        return [box_finding(dataset, rows[0], "BW125", "covers the whole image")]
    message = f"{len(rows)} of {len(dataset.boxes)} boxes cover the whole image"
    return image_finding("BW125", images_of(dataset, rows), message)


def perhaps_twice(dataset: Dataset) -> list[Finding]:
    """Pairs of boxes of one class that overlap much, but too little to drop one (BW126)."""
    return [*drawn_again(dataset, SAME_PLACE, below=TWICE).values()]


def contradictions(dataset: Dataset) -> list[Finding]:
    """Boxes of two classes at the same position (BW134).

    If that is common for two classes, such as `person` and `woman`, the data has several labels
    per object by design, and the pair of classes gets a single finding.
    """
    single = np.flatnonzero(dataset.flags & CROWD == 0)
    groups, labels = dataset.image_of_box[single], dataset.labels[single]
    rows, earlier, _ = overlaid(dataset.boxes[single], groups, SAME_PLACE, labels)
    found: dict[tuple[int, int], dict[int, int]] = {}
    for row, other in zip(single[rows].tolist(), single[earlier].tolist(), strict=True):
        a, b = sorted((int(dataset.labels[row]), int(dataset.labels[other])))
        found.setdefault((a, b), {})[row] = other
    totals = np.bincount(dataset.labels, minlength=len(dataset.classes))
    findings = []
    for (a, b), pairs in sorted(found.items()):
        both = (dataset.classes[a], dataset.classes[b])
        if len(pairs) > max(FEW, LAYERED * min(totals[a], totals[b])):
            names = f"'{both[0]}' and '{both[1]}'"
            message = f"{counted(len(pairs), 'object is', 'objects are')} labeled both {names}"
            images = images_of(dataset, np.array([*pairs]))
            findings += image_finding("BW134", images, message, both)
            continue
        for later, other in sorted(pairs.items()):
            place = box_name(dataset, other).rpartition(", ")[2]
            other_class = dataset.classes[dataset.labels[other]]
            problem = f"overlaps {place}, which is labeled '{other_class}'"
            finding = box_finding(dataset, later, "BW134", problem)
            findings.append(replace(finding, classes=both))
    return findings

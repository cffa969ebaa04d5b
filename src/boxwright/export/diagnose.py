"""Diagnosis of an exported file whose detections differ from those of its run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.export.verify import TOLERANCES, Reference, Tolerance, agreement, sure_from
from boxwright.inference.detector import Detector
from boxwright.inference.inspection import inspect
from boxwright.structures.detections import Detections

LOOSE = Tolerance(1.0, 0.0, score=0.25, iou=0.7)
MIN_PART = 0.9  # of the sure detections, which agree if the ranges fit
CALIBRATED = "its int8 ranges are of too few images, or of images unlike these"


def diagnose(reference: Reference, file: Detector, path: Path) -> list[str]:
    """Likely reasons why `file` at `path` differs from the run of `reference`, as clauses; empty if
    no known reason applies."""
    described = inspect(path)
    reasons = [described.mismatch] if described.mismatch else []
    images, expected = reference.images, reference.found
    found = list(file.detections_in(images))
    explanations = (
        (expected, _transposed(found, images.sizes), "its boxes have x and y swapped"),
        (_nameless(expected), _nameless(found), "its classes are in a different order"),
        (
            _scoreless(expected),
            _scoreless(found),
            "its boxes are right, but its scores or classes are wrong",
        ),
    )
    agreeing = agreement(expected, found, LOOSE)[1]
    for wanted, given, reason in explanations:
        compared, explained = agreement(wanted, given, LOOSE)
        if explained > max(0.5 * compared, 2 * agreeing):
            reasons.append(reason)
    sure, equal = agreement(expected, found, TOLERANCES["int8"])
    if not reasons and described.input_range and equal < MIN_PART * sure:
        reasons.append(CALIBRATED)
    return reasons


def _transposed(found: Sequence[Detections], sizes: NDArray[np.int32]) -> list[Detections]:
    """Detections with x and y swapped, for images of `sizes` (width, height)."""
    return [
        replace(each, boxes=each.boxes[:, [1, 0, 3, 2]] * np.tile(size / size[::-1], 2))
        for each, size in zip(found, sizes, strict=True)
    ]


def _nameless(found: Sequence[Detections]) -> list[Detections]:
    return [replace(each, labels=np.zeros_like(each.labels)) for each in found]


def _scoreless(found: Sequence[Detections]) -> list[Detections]:
    min_score = sure_from(found)
    sure = _nameless([each.above(min_score) for each in found])
    return [replace(each, scores=np.ones_like(each.scores)) for each in sure]

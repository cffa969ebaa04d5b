"""Do images and labels fit?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.codes import MEANINGS
from boxwright.diagnosis.agreement import Agreement, Gain, gain
from boxwright.diagnosis.case import Case
from boxwright.diagnosis.moves import (
    FIXED,
    TRIED,
    Move,
    detections_after,
    fractions_of,
    labels_before,
    voted,
)
from boxwright.diagnosis.pixel_fit import CELLS, Likeness, PixelFit, coverage
from boxwright.diagnosis.reading import Reading, failed, not_checked, passed
from boxwright.ops.boxes import areas
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import counted

MIN_GAIN, MIN_PART = 0.06, 0.1  # of AP, and of the AP after the change
MIN_AP50 = 0.25  # after the change: detections that agree with nothing prove nothing
MIN_RATIO = 2.0  # of that and AP50 with the labels of other images: large boxes overlap by chance
NEIGHBORS = (1, -1, 2, -2)
DIGITS = re.compile(r"(\d+)")
MIN_IMAGES = 16  # to compare pixels with labels
MIN_LIKENESS, SIGMAS, FEWER_SIGMAS = 0.04, 4.0, 2.5  # gain of the correlation, standard errors
RELATED = 2.0  # standard errors by which pixels explain their own labels better than others
ERRORS = 0.1  # of the images may have errors
REMEDY = (
    "Draw the labels with `boxwright check DATA --html report.html` and look at them. If they are "
    "wrong there, repair the program that wrote or converted them, and train again."
)


class Change(NamedTuple):
    """What labels gain by a change, and the change of boxes that it is, if it is one."""

    cause: str
    gain: Gain
    move: Move | None = None


def read(case: Case) -> Reading:
    """Look for errors in the data, for classes without training images, and for a simple change of
    the labels after which they agree with the detections, or with the pixels."""
    if not len(case.rows):
        return not_checked("no labeled images were given")
    changes = [*_changes(case)]
    best = max(changes, key=lambda change: change.gain.size)
    found = _errors(case) or _untrained(case) or _moved(case, best) or _unexplained(case)
    return found or passed(
        f"the best of {len(changes)} simple changes of the labels gains "
        f"{max(best.gain.size, 0.0):.3f} AP on {counted(len(case.images), 'image')}",
        max(best.gain.size, 0.0),
        MIN_GAIN,
        "other simple changes of right labels lose AP; inaccurate boxes gain a few hundredths",
    )


def _errors(case: Case) -> Reading | None:
    """Images with errors that `boxwright check` reports."""
    for whole, _ in case.labeled():
        errors = [each for each in whole.findings if MEANINGS[each.code].severity == "error"]
        images = {each.images[0] if each.images else each.where for each in errors}
        share = len(images) / max(len(whole), len(images), 1)
        if share > ERRORS:
            codes = sorted({each.code for each in errors})
            return failed(
                f"annotations have errors: {', '.join(codes)}",
                f"{len(images)} images have errors, and {len(whole)} can be used. The first: "
                f"{errors[0]}",
                share,
                ERRORS,
                why="a few slips do not keep a detector from learning; a tenth is more than slips",
                remedy="Run `boxwright check DATA`: it lists every error with its remedy.",
            )
    return None


def _untrained(case: Case) -> Reading | None:
    """Classes that are held against the detector, but have no training box."""
    if case.training is None:
        return None
    counts = dict.fromkeys(case.training.classes, 0)
    for label, count in zip(*np.unique(case.training.labels, return_counts=True), strict=True):
        counts[case.training.classes[label]] = int(count)
    names = [case.images.classes[label] for label in case.images.labels]
    missing = [name for name in names if counts.get(name) == 0]
    share = len(missing) / max(len(names), 1)
    if share <= ERRORS:
        return None
    return failed(
        f"classes have no training boxes: {', '.join(sorted(set(missing)))}",
        f"{share:.0%} of the labeled boxes are of classes without any box in the training images",
        share,
        ERRORS,
        why="a class is learned from its boxes; without any it is never detected",
        remedy="Split the data again: `boxwright split DATA` puts each class on both sides.",
    )


# ---- Detections and labels -----------------------------------------------------------------------


def _changes(case: Case) -> Iterator[Change]:
    """Every change of boxes, and labels of neighboring files, with their gains."""
    truth, found = case.images, case.found
    for move in (*FIXED, *voted(found, truth)):
        yield Change(move.cause, gain(truth, found, detections_after(move, found, truth)), move)
    for cause, labels in _of_neighbors(case.data, case.rows):
        yield Change(cause, Gain(case.agreement, Agreement.of(labels, found)))


def _moved(case: Case, best: Change) -> Reading | None:
    after, size = best.gain.after, best.gain.size
    clear = best.gain.low is None or best.gain.low > 0
    if after.ap50 < MIN_AP50 or size < max(MIN_GAIN, MIN_PART * after.ap) or not clear:
        return None
    if best.move and after.ap50 < MIN_RATIO * _by_chance(case, best.move):
        return None
    return failed(
        best.cause,
        f"detections agree with the labels (AP50 {after.ap50:.2f}) if {best.cause}; as they are, "
        f"AP50 is {best.gain.before.ap50:.2f}",
        size,
        MIN_GAIN,
        why="right labels lose AP by such a change",
        remedy=REMEDY,
    )


def _by_chance(case: Case, move: Move) -> float:
    """AP50 of moved detections with the labels of other images."""
    moved = detections_after(move, case.found, case.images)
    return Agreement.of(_with_labels_of_others(case.images), moved).ap50


def _of_neighbors(data: Dataset, rows: NDArray[np.int64]) -> Iterator[tuple[str, Dataset]]:
    """Images with the labels of other images near them, by the order of the names, with digits as
    letters or as numbers. If an image has the labels of the next one, its own are with the last."""
    for key in (str, _natural):
        order = np.array(sorted(range(len(data)), key=lambda i: key(data.names[i])), np.int64)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        for step in NEIGHBORS:
            side = "next" if step > 0 else "last"
            cause = f"labels are off by {counted(abs(step), 'file')}: images have the {side} one's"
            others = order[(rank[rows] - step) % len(order)]
            yield cause, _with_labels_of(data, rows, others)
            if (data.sizes[rows] != data.sizes[others]).any():
                yield cause, _with_labels_of(data, rows, others, in_pixels=True)


def _natural(name: str) -> list[tuple[int, str]]:
    """A key by which 10 follows 9."""
    return [(int(part) if part.isdecimal() else -1, part) for part in DIGITS.split(name)]


def _with_labels_of(
    data: Dataset, rows: NDArray[np.int64], others: NDArray[np.int64], *, in_pixels: bool = False
) -> Dataset:
    """Images with the labels of other images, at the same fractions of the sides or in pixels."""
    images, theirs = data.select(rows), data.select(others)
    ratio = np.ones((len(rows), 2)) if in_pixels else images.sizes / theirs.sizes
    factor = ratio.astype(np.float32)[theirs.image_of_box]
    return replace(
        theirs,
        names=images.names,
        sizes=images.sizes,
        boxes=(theirs.boxes * np.tile(factor, 2)).astype(np.float32),
        ignored=theirs.ignored[:0],
        image_of_ignored=theirs.image_of_ignored[:0],
    )


def _with_labels_of_others(images: Dataset) -> Dataset:
    """Images with the labels of others, which only chance lets fit."""
    rows = np.arange(len(images))
    return _with_labels_of(images, rows, np.roll(rows, len(rows) // 2))


# ---- Pixels and labels ---------------------------------------------------------------------------


def _unexplained(case: Case) -> Reading | None:
    """Labels that pixels explain better after a change, or not at all."""
    found = (_by_pixels(case, *each) for each in case.labeled() if len(each[1]) >= MIN_IMAGES)
    return next(filter(None, found), None)


def _by_pixels(case: Case, whole: Dataset, rows: NDArray[np.int64]) -> Reading | None:
    fit = PixelFit(whole.select(rows))
    own = _explained(fit, whole.select(rows))
    clear = [
        (cause, after)
        for cause, after in _after_changes(whole, rows, fit)
        if after.mean - own.mean >= MIN_LIKENESS and _is_clear(own, after)
    ]
    if clear:
        cause, best = max(clear, key=lambda each: each[1].mean)
        return failed(
            cause,
            f"the pixels of {len(rows)} images explain the labels better if {cause}: correlation "
            f"{best.mean:.2f} above chance, {own.mean:.2f} as they are",
            best.mean - own.mean,
            MIN_LIKENESS,
            why="it is several standard errors over the images",
            remedy=REMEDY,
        )
    if own.sigmas >= RELATED or case.agreement.ap50 >= MIN_AP50 or _too_small(whole.select(rows)):
        return None
    return failed(
        "labels have nothing to do with their images",
        f"the pixels of {len(rows)} images explain their labels no better than those of other "
        f"images: correlation {own.mean:.3f} above chance",
        own.sigmas,
        RELATED,
        why="standard errors over the images; right labels reach five and more",
        remedy=REMEDY,
    )


def _too_small(images: Dataset) -> bool:
    """True if most boxes are smaller than the cells in which pixels are compared with them."""
    return bool(np.median(areas(fractions_of(images))) < 1 / CELLS**2)


def _is_clear(own: Likeness, after: Likeness) -> bool:
    """True for a gain of many standard errors, or of some if pixels explain the labels only after
    the change."""
    unrelated = own.sigmas < RELATED and after.sigmas >= SIGMAS
    return after.sigmas_above(own) >= (FEWER_SIGMAS if unrelated else SIGMAS)


def _after_changes(
    whole: Dataset, rows: NDArray[np.int64], fit: PixelFit
) -> Iterator[tuple[str, Likeness]]:
    images = whole.select(rows)
    for move in (*FIXED, *TRIED):
        yield move.cause, _explained(fit, images, move)
    for cause, labels in _of_neighbors(whole, rows):
        yield cause, _explained(fit, labels)


def _explained(fit: PixelFit, images: Dataset, move: Move | None = None) -> Likeness:
    """How much better pixels explain their own labels than those of other images. Objects are more
    often in the middle, and boxes that leave the image gather at its border: pixels explain that
    of all images."""

    def of(labels: Dataset) -> Likeness:
        boxes = fractions_of(labels) if move is None else labels_before(move, labels)
        return fit.likeness(coverage(boxes, labels.image_of_box, len(labels)))

    return of(images).above(of(_with_labels_of_others(images)))

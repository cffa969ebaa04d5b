"""Are the class names of the detector those of the data?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.checks.classes import MIN_BOXES
from boxwright.diagnosis.agreement import Agreement
from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import Reading, failed, not_checked, passed
from boxwright.diagnosis.rungs.training import has_learned
from boxwright.evaluation.confusion import confusion
from boxwright.evaluation.matching import DetectionColumns
from boxwright.structures.labels import closest_name

UNKNOWN = 0.1  # of the boxes may be of classes that the detector does not have
MIN_PAIRS = 5  # of a class
MIN_AP50 = 0.2  # regardless of names
MIN_GAIN = 0.2  # of the mean over classes
NEVER = 0.2  # of a class's pairs are named right
TRIED = 7  # classes of which all orders are tried
REMEDY = (
    "Compare the order of the names in the file (`boxwright inspect`) with that of the training, "
    "and give the right one with --labels, or export again from the run."
)


def read(case: Case) -> Reading:
    """Pair detections with labels by their boxes alone, then compare the names."""
    if not len(case.rows):
        return not_checked("no labeled images were given")
    if found := _unknown(case):
        return found
    if case.agreement.ap50 < MIN_AP50:
        return not_checked(
            f"boxes agree too little with the labels (AP50 {case.agreement.ap50:.2f}) to compare "
            "their names"
        )
    counts = _counts(case)
    known = np.flatnonzero(counts.sum(axis=1) >= MIN_PAIRS)
    if not len(known):
        return not_checked("fewer than five detections are at labeled boxes, of every class")
    shares = counts[known] / counts[known].sum(axis=1, keepdims=True)
    own = float(shares[np.arange(len(known)), known].mean())
    order = _best_order(shares, known)
    best = float(shares[np.arange(len(known)), order].mean())
    names = case.images.classes
    why = "detections at a labeled box have its name, apart from confusions of single objects"
    if best - own >= MIN_GAIN and best >= 0.5:
        swaps = ", ".join(
            f"'{names[b]}' is '{names[a]}'" for a, b in zip(known, order, strict=True) if a != b
        )
        return failed(
            f"wrong order of the classes: what the detector calls {swaps}",
            f"{own:.0%} of the detections at labeled boxes have the name of the box, {best:.0%} "
            f"if what it calls {swaps}",
            own,
            best - MIN_GAIN,
            why=why,
            remedy=REMEDY,
        )
    has_begun = case.learned is None or has_learned(case.learned)  # else a later rung says so
    if has_begun and (found := _mixed(counts, names, why) or _never(case, counts)):
        return found
    return passed(
        f"{own:.0%} of the detections at labeled boxes have the name of the box", own, NEVER, why
    )


def _mixed(counts: NDArray[np.int64], names: Sequence[str], why: str) -> Reading | None:
    """A class of the labels that is never detected as itself, or one of the detector that is never
    labeled as itself."""
    for table, label, detection in (
        (counts, "what is labeled", "is detected as"),
        (counts.T, "what the detector calls", "is labeled"),
    ):
        known = np.flatnonzero(table.sum(axis=1) >= MIN_PAIRS)
        shares = table[known] / table[known].sum(axis=1, keepdims=True)
        right = shares[np.arange(len(known)), known]
        if not len(known) or right.min() >= NEVER:
            continue
        worst = int(np.argmin(right))
        a, b = names[known[worst]], names[int(np.argmax(shares[worst]))]
        return failed(
            f"classes are mixed: {label} '{a}' {detection} '{b}'",
            f"{label} '{a}' {detection} '{b}' at {shares[worst].max():.0%} of the boxes, and "
            f"'{a}' at {right[worst]:.0%}",
            float(right[worst]),
            NEVER,
            why=why,
            remedy="Look at the boxes of both classes with `boxwright check DATA --html "
            "report.html`: were they merged, or named differently, in the training images? A "
            "class of few boxes needs more.",
        )
    return None


def _never(case: Case, counts: NDArray[np.int64]) -> Reading | None:
    """A class with few training boxes that is never detected."""
    if case.training is None:
        return None
    wanted = np.bincount(case.images.labels, minlength=len(case.images.classes))
    for label in np.flatnonzero((wanted >= MIN_PAIRS) & (np.diag(counts) == 0)):
        name = case.images.classes[label]
        ids = [i for i, each in enumerate(case.training.classes) if each == name]
        boxes = int(np.isin(case.training.labels, ids).sum())
        if boxes < MIN_BOXES:
            return failed(
                f"too few training boxes of '{name}'",
                f"none of {wanted[label]} boxes of '{name}' is found; {boxes} were in training",
                boxes,
                MIN_BOXES,
                why="a class is learned from dozens of boxes",
                remedy=f"Label more images that show '{name}', and train again.",
            )
    return None


def _unknown(case: Case) -> Reading | None:
    """Labeled boxes of classes that the detector does not have."""
    known, labels = set(case.detector.classes), case.images.labels
    missing = [name for name in case.images.classes if name not in known]
    ids = [case.images.classes.index(name) for name in missing]
    share = float(np.isin(labels, ids).mean()) if len(labels) else 0.0
    if share <= UNKNOWN:
        return None
    shown = [name for name, i in zip(missing, ids, strict=True) if (labels == i).any()]
    near = closest_name(shown[0], known)
    said = f"; '{shown[0]}' may be its '{near}'" if near else ""
    agreement: Agreement = case.agreement
    return failed(
        f"the detector has no class {', '.join(map(repr, shown))}",
        f"{share:.0%} of the labeled boxes are of classes that the detector does not have: it has "
        f"{', '.join(map(repr, sorted(known)[:5]))}{said}. Regardless of names, AP50 is "
        f"{agreement.ap50:.2f}",
        share,
        UNKNOWN,
        why="detections of another name count as wrong",
        remedy="Rename the classes of the data with --rename, or give the file the names that it "
        "was trained with by --labels. Classes that it was not trained with: --exclude-class.",
    )


def _counts(case: Case) -> NDArray[np.int64]:
    """`(C, C)`: labeled class by detected class, of the pairs at the best threshold."""
    truth, names = case.images, case.images.classes
    ids = {name: i for i, name in enumerate(names)}
    parts = []
    for index, one in enumerate(case.found):
        best = one[: 2 * (truth.rows(index).stop - truth.rows(index).start)]
        parts.append((index, best, np.array([ids.get(n, len(names)) for n in best.classes])))
    labels = np.concatenate([own[best.labels] for _, best, own in parts])
    columns = DetectionColumns(
        np.concatenate([np.full(len(best), i) for i, best, _ in parts]),
        np.concatenate([best.boxes for _, best, _ in parts]),
        np.concatenate([best.scores for _, best, _ in parts]),
        labels,
    )
    inside = labels < len(names)
    columns = DetectionColumns(
        columns.image[inside], columns.boxes[inside], columns.scores[inside], labels[inside]
    )
    counts = confusion(truth, columns, [0.0] * len(names)).counts
    return counts[:-1, :-1]


def _best_order(shares: NDArray[np.float64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row of `shares`, `(K, C)`, a column of its own, with the highest sum: of all orders,
    or, of many classes, the best pair first."""
    columns = np.flatnonzero(shares.sum(axis=0) > 0)
    columns = np.union1d(columns, known)
    if len(columns) <= TRIED:
        rows = np.arange(len(known))
        orders = permutations(columns.tolist(), len(known))
        return np.array(max(orders, key=lambda order: float(shares[rows, list(order)].sum())))
    order = np.full(len(known), -1)
    for place in np.argsort(-shares, axis=None, kind="stable"):
        row, column = divmod(int(place), shares.shape[1])
        if order[row] < 0 and column not in order:
            order[row] = column
    return order

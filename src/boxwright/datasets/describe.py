"""One-line summary of a dataset."""

from __future__ import annotations

from boxwright.structures.dataset import Dataset

NAMED = 5  # maximum number of class names
USES = {
    "train": "train",
    "val": "val",
    "test": "test",
    "unassigned": "unassigned",
}


def counted(dataset: Dataset) -> str:
    """`200 images, 217 boxes of 1 class (raccoon): 160 train, 40 test`"""
    if not len(dataset):
        return "no images"
    classes = dataset.classes
    names = ", ".join(classes[:NAMED]) + (", ..." if len(classes) > NAMED else "")
    of_classes = f" of {_many(len(classes), 'class', 'classes')} ({names})" if classes else ""
    counts = {use: len(dataset.split(split)) for split, use in USES.items()}
    parts = [f"{count} {use}" for use, count in counts.items() if count]
    images, boxes = _many(len(dataset), "image"), _many(len(dataset.boxes), "box", "boxes")
    regions = f", {_many(len(dataset.ignored), 'ignored region')}" if len(dataset.ignored) else ""
    return f"{images}, {boxes}{of_classes}{regions}: {', '.join(parts)}"


def _many(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or one + 's'}"

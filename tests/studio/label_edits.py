"""Edits of labels in tests, and what is read of them."""

from __future__ import annotations

from pathlib import Path

from label_samples import SAMPLES, put_sample

import boxwright
from boxwright.studio.store import LabeledBox, Labels, LabelStore

FORMS = list(SAMPLES)
NEW = LabeledBox("new", (1.0, 2.0, 20.0, 30.0), "dog")


def voc(tmp_path: Path) -> LabelStore:
    return LabelStore.open(put_sample(tmp_path, "voc"))


def shown(labels: Labels) -> list[tuple[str, tuple[float, ...]]]:
    return [(box.label, tuple(round(side, 3) for side in box.box)) for box in labels.boxes]


def edit(store: LabelStore, index: int, *boxes: LabeledBox, verified: bool = False) -> Labels:
    return store.write(index, Labels(boxes, verified, ""), store.read(index).etag)


def contents(root: Path, *, without: str = "") -> dict[str, bytes]:
    files = (path for path in root.iterdir() if path.is_file())
    return {path.name: path.read_bytes() for path in files if path.name != without}


def as_read(root: Path) -> dict[str, list[tuple[str, tuple[float, ...]]]]:
    """The boxes by image, as `check` and `train` read them."""
    dataset = boxwright.read(root)
    return {
        name: [
            (dataset.classes[label], tuple(round(float(side), 3) for side in box))
            for box, label in zip(
                dataset.boxes[dataset.rows(i)], dataset.labels[dataset.rows(i)], strict=True
            )
        ]
        for i, name in enumerate(dataset.names)
    }

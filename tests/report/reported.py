"""A detector that makes planted mistakes, and images to report it on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.report.run_report import Report, report
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.structures.detections import Detections

SIZE = (200, 160)
LEFT, RIGHT = (10, 20, 70, 90), (110, 60, 180, 140)


@dataclass
class Planted:
    """Finds what it was told, image by image, whatever is in the files."""

    found: dict[str, list[tuple[tuple[float, ...], float, str]]]
    classes: tuple[str, ...]
    seen: list[str] = field(default_factory=list)

    def detections_in(self, images: Dataset) -> Iterator[Detections]:
        for name in images.names:
            self.seen.append(name)
            rows = sorted(self.found.get(name, ()), key=lambda row: -row[1])
            boxes, scores, names = zip(*rows, strict=True) if rows else ((), (), ())
            labels = [self.classes.index(each) for each in names]
            yield Detections(boxes, scores, labels, self.classes, SIZE)


def drawn(root: Path, name: str, seed: int) -> None:
    """A small image of colored squares, different for each seed."""
    rng = np.random.default_rng(seed)
    squares = Image.fromarray(rng.integers(0, 255, (8, 10, 3), np.uint8))
    root.mkdir(parents=True, exist_ok=True)
    squares.resize(SIZE, Image.Resampling.NEAREST).save(root / name)


def scene(root: Path, classes: tuple[str, str] = ("cat", "dog")) -> tuple[Dataset, Planted]:
    """Test images of which each has one kind of mistake, a leak of the split, and training images.

    `leak.png` is a test image with the pixels of the training image `train0.png`.
    """
    cat, dog = classes
    boxes = {
        "right": [(LEFT, 0.9, cat), (RIGHT, 0.8, dog)],
        "class": [(LEFT, 0.9, dog), (RIGHT, 0.8, dog)],
        "location": [((10, 20, 70, 50), 0.9, cat), (RIGHT, 0.8, dog)],
        "duplicate": [(LEFT, 0.9, cat), ((12, 22, 70, 90), 0.7, cat), (RIGHT, 0.8, dog)],
        "background": [(LEFT, 0.9, cat), (RIGHT, 0.8, dog), ((80, 0, 100, 20), 0.95, dog)],
        "missed": [(RIGHT, 0.8, dog)],
        "leak": [(LEFT, 0.9, cat), (RIGHT, 0.8, dog)],
    }
    images = []
    for number, name in enumerate(boxes):
        drawn(root, f"{name}.png", 0 if name == "leak" else 100 + number)
        images.append(_image(f"{name}.png", classes, Split.TEST))
    for number in range(6):
        drawn(root, f"train{number}.png", number)
        split = Split.VAL if number > 3 else Split.TRAIN
        images.append(_image(f"train{number}.png", classes, split))
    found = {f"{name}.png": rows for name, rows in boxes.items()}
    return Dataset.of(root, images, classes), Planted(found, classes)


def report_of(
    run: Run,
    patch: pytest.MonkeyPatch,
    dataset: Dataset,
    found: Planted,
    split: str = "test",
    **provenance: Any,
) -> Report:
    """Report the planted detections as those of a run with this provenance."""
    patch.setattr(Detector, "detections_in", lambda _, images: found.detections_in(images))
    threshold = {"value": 0.5, "source": "validation", "aim": "f1", "met": True, "images": 2}
    known = {"threshold": threshold, **provenance}
    artifact = Artifact({}, found.classes, Preprocessing(32), 0.5, known)
    run.folder.mkdir(exist_ok=True)
    run.describe(artifact)
    detector = Detector(lambda images: [], artifact)  # type: ignore[arg-type]
    patch.setattr(Detector, "load", lambda *_, **__: detector)
    return report(run.folder, dataset, split=split)


def _image(name: str, classes: tuple[str, str], split: Split) -> LabeledImage:
    return LabeledImage(name, *SIZE, [LEFT, RIGHT], list(classes), split=split)

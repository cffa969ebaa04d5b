"""Run a detector on labeled images and measure it, at a threshold chosen on other images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from boxwright.datasets.evaluation_set import ALL, images_of_split
from boxwright.datasets.near_duplicates import HASHED, image_hash
from boxwright.errors import ArgumentError
from boxwright.evaluation.bootstrap import constant_box
from boxwright.evaluation.foreign import ForeignDetections, Ids, read_detections
from boxwright.evaluation.numbers import How, Numbers, numbers
from boxwright.evaluation.slices import Seen, seen_in
from boxwright.evaluation.threshold import FOLDS, STANDING, VALIDATED, Aim, Threshold, choose
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections

FOREIGN_THRESHOLD = 0.5  # of detections without a detector
Progress = Callable[[int, int], None]


class Source(Protocol):
    """A detector, or detections that are known already."""

    def detections_in(self, images: Dataset) -> Iterator[Detections]: ...


@dataclass(frozen=True)
class Options:
    """Options of `measure`.

    Attributes:
        aim: what to choose the threshold for; None keeps the detector's own.
        per_class: choose a threshold for each class.
        folds: detects in the training images without having learned from them, to choose the
            threshold where there are no validation images.
        how: options of the numbers.
    """

    aim: Aim | None = None
    per_class: bool = False
    folds: Callable[[Dataset], Sequence[Detections]] | None = None
    how: How = field(default_factory=How)


def measure(
    source: Source,
    dataset: Dataset,
    split: str,
    options: Options | None = None,
    progress: Progress = lambda done, total: None,
) -> Numbers:
    """Measure detections on one split of a dataset.

    The threshold for an aim is chosen on the validation images. Without any, it is chosen by
    `folds`; without these too, the detector's own stands, and is not validated.

    Args:
        source: a detector, or detections of a file.
        dataset: labeled images of all splits.
        split: the split that is reported, or `all`.
        options: the threshold's aim, and how to measure.
        progress: called with the number of images done and the total.

    Raises:
        ArgumentError: BW802 the threshold would be chosen on images that are reported, BW803 there
            is no such split.
        DataError: BW193 the split is empty.
        EvaluationError: as `numbers`.
    """
    options = options or Options()
    found = detect(source, dataset, split, options, progress)
    train = dataset.split(Split.TRAIN)
    return numbers(
        found.images,
        found.detections,
        found.threshold,
        seen=found.seen,
        baseline=constant_box(train, found.images) if len(train.boxes) else None,
        how=options.how,
    )


@dataclass(frozen=True, eq=False)
class Detected:
    """The images of a split, the detections in them at all scores, the threshold, and what the
    pixels say."""

    images: Dataset
    detections: Sequence[Detections]
    threshold: Threshold
    seen: Seen


def detect(
    source: Source, dataset: Dataset, split: str, options: Options, progress: Progress
) -> Detected:
    """Detect in the images of a split, and choose the threshold on the validation images.

    Arguments and errors are those of `measure`.
    """
    images, chooses = images_of_split(dataset, split), _chooses(dataset, options)
    choosers = dataset.split(chooses) if chooses else images.select([])
    if chooses and split in {chooses, ALL}:
        raise ArgumentError(
            "BW802",
            f"the threshold is chosen on the {chooses} images, so it cannot be reported on them: "
            f"take --split test, not {split}.",
        )
    by_folds = options.folds if chooses == "train" else None
    total, done = len(images) + (0 if by_folds else len(choosers)), 0

    def counted(found: Iterator[Detections]) -> Iterator[Detections]:
        nonlocal done
        for one in found:
            yield one
            done += 1
            progress(done, total)

    threshold = None
    if options.aim and chooses:
        found = by_folds(choosers) if by_folds else list(counted(source.detections_in(choosers)))
        origin = FOLDS if by_folds else VALIDATED
        threshold = choose(choosers, found, options.aim, per_class=options.per_class, source=origin)
    threshold = threshold or own_threshold(source)
    if not isinstance(source, Detector):
        found = list(counted(source.detections_in(images)))
        return Detected(images, found, threshold, Seen.of(images))
    hashes = np.zeros((len(images), HASHED), np.uint8)  # of the images as the detector decodes them

    def watch(index: int, picture: Image.Image) -> None:
        hashes[index] = image_hash(picture.convert("L"))

    found = list(counted(source.detections_in(images, watch)))
    return Detected(images, found, threshold, seen_in(hashes))


def _chooses(dataset: Dataset, options: Options) -> str | None:
    """The split whose images choose the threshold; None if it stays as it is."""
    if options.aim and len(dataset.split(Split.VAL)):
        return "val"
    return "train" if options.aim and options.folds else None


def own_threshold(source: Source) -> Threshold:
    """The threshold of a detector; for detections of a file a usual one."""
    if isinstance(source, Detector):
        return Threshold.of(source.artifact)
    return Threshold(FOREIGN_THRESHOLD, STANDING)


def foreign(
    path: Path, dataset: Dataset, paths: Sequence[Path], names: Sequence[str] = ()
) -> ForeignDetections:
    """Read the detections of another tool in the images of a dataset, which `paths` hold.

    Raises:
        EvaluationError: as `read_detections`.
    """
    return read_detections(path, dataset, names=names, ids=Ids.of(paths))


def save_threshold(folder: Path, threshold: Threshold) -> None:
    """Store a threshold in a run, which `predict` and later exports use.

    Raises:
        ArgumentError: BW802 the threshold was not validated.
        DetectorError: BW501 the folder is not a run.
    """
    run = Run(folder)
    artifact = run.artifact
    if not threshold.validated:
        raise ArgumentError(
            "BW802", "--save-threshold needs --aim, and validation images that choose it."
        )
    run.describe(artifact.with_threshold(threshold.value, threshold.to_json()))

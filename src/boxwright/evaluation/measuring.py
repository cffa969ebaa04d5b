"""Run a detector on labeled images and measure it, at a threshold chosen on other images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from boxwright.datasets.evaluation_set import images_of_split
from boxwright.errors import ArgumentError
from boxwright.evaluation.bootstrap import constant_box
from boxwright.evaluation.foreign import ForeignDetections, Ids, read_detections
from boxwright.evaluation.numbers import How, Numbers, numbers
from boxwright.evaluation.slices import Seen
from boxwright.evaluation.threshold import STANDING, Aim, Threshold, choose
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
        how: options of the numbers.
    """

    aim: Aim | None = None
    per_class: bool = False
    how: How = field(default_factory=How)


def measure(
    source: Source,
    dataset: Dataset,
    split: str,
    options: Options | None = None,
    progress: Progress = lambda done, total: None,
) -> Numbers:
    """Measure detections on one split of a dataset.

    The threshold for an aim is chosen on the validation images. Without any, the detector's own
    stands, and is not validated.

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
        seen=Seen.of(found.images),
        baseline=constant_box(train, found.images) if len(train.boxes) else None,
        how=options.how,
    )


@dataclass(frozen=True, eq=False)
class Detected:
    """The images of a split, the detections in them at all scores, and the threshold."""

    images: Dataset
    detections: Sequence[Detections]
    threshold: Threshold


def detect(
    source: Source, dataset: Dataset, split: str, options: Options, progress: Progress
) -> Detected:
    """Detect in the images of a split, and choose the threshold on the validation images.

    Arguments and errors are those of `measure`.
    """
    images, validation = images_of_split(dataset, split), dataset.split(Split.VAL)
    if options.aim is None:
        validation = validation.select([])
    elif split in {"val", "all"} and len(validation):
        raise ArgumentError(
            "BW802",
            f"a threshold is chosen on validation images, so it cannot be reported on them: take "
            f"--split test, not {split}.",
        )
    total, done = len(images) + len(validation), 0
    found: list[list[Detections]] = [[], []]
    for part, kept in zip((images, validation), found, strict=True):
        for one in source.detections_in(part):
            kept.append(one)
            done += 1
            progress(done, total)
    return Detected(images, found[0], _threshold(source, validation, found[1], options))


def _threshold(
    source: Source, validation: Dataset, found: Sequence[Detections], options: Options
) -> Threshold:
    standing = (
        Threshold.of(source.artifact)
        if isinstance(source, Detector)
        else Threshold(FOREIGN_THRESHOLD, STANDING)
    )
    if options.aim is None or not len(validation):
        return standing
    chosen = choose(validation, found, options.aim, per_class=options.per_class)
    return chosen or standing


def foreign(
    path: Path, dataset: Dataset, paths: Sequence[Path], names: Sequence[str] = ()
) -> ForeignDetections:
    """Read the detections of another tool in the images of a dataset, which `paths` hold.

    Raises:
        EvaluationError: as `read_detections`.
    """
    ids = Ids.of(paths)
    return ForeignDetections(dataset, read_detections(path, dataset, names=names, ids=ids))


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

"""Run a detector on labeled images and measure it, at a threshold chosen on other images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
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
from boxwright.inference.stream import Measure
from boxwright.inference.units import Found, crew_for, found_in
from boxwright.parallel.choice import here
from boxwright.parallel.units import Crew, Executor, Trouble
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
    executor: Executor | None = None,
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
        executor: where a detector processes the images; here by default. If it keeps going, images
            that cannot be processed are left out.

    Raises:
        ArgumentError: BW802 the threshold would be chosen on images that are reported, or the
            detector cannot be sent to a cluster; BW803 there is no such split.
        DataError: BW193 the split is empty.
        EvaluationError: as `numbers`.
    """
    options = options or Options()
    found = detect(source, dataset, split, options, progress, executor)
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
    source: Source,
    dataset: Dataset,
    split: str,
    options: Options,
    progress: Progress,
    executor: Executor | None = None,
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
    counted = _Counted(progress, len(images) + (0 if by_folds else len(choosers)))
    on, command = executor or here(), ("evaluate", dataset.root.absolute(), split)
    work: AbstractContextManager[Crew | None] = nullcontext()
    if isinstance(source, Detector):
        work = crew_for(source, counted.total, on, *command)
    threshold = None
    with work as crew:
        if options.aim and chooses:
            origin = FOLDS if by_folds else VALIDATED
            if by_folds:
                found = by_folds(choosers)
            else:
                choosers, results = _found(source, choosers, crew, counted)
                found = [one.detections for one in results]
            threshold = choose(
                choosers, found, options.aim, per_class=options.per_class, source=origin
            )
        images, results = _found(source, images, crew, counted, picture_hash)
    return Detected(
        images,
        [one.detections for one in results],
        threshold or own_threshold(source),
        seen_in(_hashes(results)) if crew else Seen.of(images),
    )


def picture_hash(picture: Image.Image) -> bytes:
    """The hash of an image as the detector decodes it."""
    return image_hash(picture.convert("L")).tobytes()


def _hashes(results: Sequence[Found]) -> NDArray[np.uint8]:
    """`(N, HASHED)`, of the pictures."""
    joined = b"".join(one.measured for one in results)
    return np.frombuffer(joined, np.uint8).reshape(-1, HASHED)


@dataclass
class _Counted:
    """Counts the images of several parts together."""

    progress: Progress
    total: int
    done: int = 0

    def part(self, size: int) -> Progress:
        """The progress of the next part, which has so many images."""
        start = self.done
        self.done += size
        return lambda done, _: self.progress(start + done, self.total)


def _found(
    source: Source,
    images: Dataset,
    crew: Crew | None,
    counted: _Counted,
    measure: Measure | None = None,
) -> tuple[Dataset, list[Found]]:
    """The images, and what is found in them at all scores. Those that cannot be processed are left
    out, if the crew of a detector keeps going."""
    progress = counted.part(len(images))
    results: list[Found] = []
    if not isinstance(source, Detector) or crew is None:
        for detections in source.detections_in(images):
            results.append(Found(detections, b""))
            progress(len(results), len(images))
        return images, results
    on, kept = crew.executor, []
    limited = replace(source, max_pixels=images.decoding.max_pixels)
    files = [images.image(index) for index in range(len(images))]
    found = found_in(limited, files, replace(crew, progress=progress), threshold=0, measure=measure)
    lost: list[Trouble] = []
    with closing(found):
        for index, one in enumerate(found):
            if isinstance(one, Found):
                kept.append(index)
                results.append(one)
            elif on.keep_going:
                lost.append(one)
            else:
                raise one.error
    if lost and not kept:
        raise lost[0].error
    on.troubles += [one for one in dict.fromkeys(lost) if one not in on.troubles]
    return images.select(kept) if lost else images, results


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

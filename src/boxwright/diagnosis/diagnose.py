"""`boxwright diagnose`: climb the ladder; the first rung that fails is the answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.evaluation_set import evaluation_data
from boxwright.datasets.source import paths_of
from boxwright.diagnosis.agreement import Agreement
from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import FAILED, NOT_REACHED, Reading
from boxwright.diagnosis.registry import RUNGS
from boxwright.formats import ReadOptions
from boxwright.inference.detector import Detector
from boxwright.structures.dataset import Dataset

GOOD = 0.5  # AP50: below, more training or more images may help
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """A rung and its reading."""

    name: str
    question: str
    reading: Reading
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return {
            "rung": self.name,
            "question": self.question,
            **self.reading.to_json(),
            "seconds": round(self.seconds, 1),
        }


@dataclass(frozen=True)
class Diagnosis:
    """The result of a diagnosis.

    Attributes:
        path: the run or file.
        images: number of labeled images that it was run on.
        agreement: AP and AP50 on these, whatever the classes; None without images.
        steps: all rungs, from the first to the last.
    """

    path: Path
    images: int
    agreement: Agreement | None
    steps: tuple[Step, ...]

    @property
    def fault(self) -> Step | None:
        """The first rung that fails; None if none does."""
        return next((step for step in self.steps if step.reading.status == FAILED), None)

    def __str__(self) -> str:
        """The answer in a few words."""
        if self.fault:
            return self.fault.reading.cause
        if self.agreement is None:
            return "no fault found, without labeled images"
        short = self.agreement.ap50 < GOOD
        return "no fault found" + ("; more training or images may help" if short else "")

    def to_json(self) -> dict[str, Any]:
        """JSON values; `fault` is null if no rung fails."""
        return {
            "path": str(self.path),
            "answer": str(self),
            "fault": self.fault.to_json() if self.fault else None,
            "images": self.images,
            "agreement": self.agreement._asdict() if self.agreement else None,
            "rungs": [step.to_json() for step in self.steps],
        }


def diagnose(
    detector: str | PathLike[str],
    data: str | Path | Dataset | Sequence[str | Path] = (),
    *,
    rename: Mapping[str, str] | None = None,
    form: str | ReadOptions | None = None,
    labels: Sequence[str] | None = None,
    trust: bool = False,
    progress: Progress = lambda question: None,
) -> Diagnosis:
    """Find out why a detector finds nothing, or nothing good.

        >>> diagnosis = boxwright.diagnose("run", "images")
        >>> print(diagnosis)
        >>> for step in diagnosis.steps:
        ...     print(step.question, step.reading.status, step.reading.measured)

    Rungs of a ladder are measured one after the other. The first that fails is the answer, and
    those after it are not reached.

    Args:
        detector: a run folder or an exported file.
        data: a folder or file of labeled images, several of them, or a dataset; those of the run
            by default. Without any, most questions about a file cannot be answered.
        rename: old class names to new ones.
        form: the name of the data's format, or all options of `read`; as in the training by
            default.
        labels: class names in id order, for a file of another tool without names.
        trust: as in `Detector.load`.
        progress: called with each question before it is answered.

    Raises:
        DataError: as `load`.
        DetectorError: as `Detector.load`.
    """
    path = Path(detector)
    opened = Detector.load(path, classes=labels, trust=trust)
    return climb(Case.of(path, opened, _images(opened, data, rename, form)), progress)


def climb(case: Case, progress: Progress = lambda question: None) -> Diagnosis:
    """Measure the rungs one after the other, up to the first that fails."""
    steps: list[Step] = []
    for name, rung in RUNGS.items():
        start = time.perf_counter()
        reading = Reading(NOT_REACHED, "")
        if not any(step.reading.status == FAILED for step in steps):
            progress(rung.question)
            reading = rung.read(case)
        steps.append(Step(name, rung.question, reading, time.perf_counter() - start))
    agreement = case.agreement if len(case.rows) else None
    return Diagnosis(case.path, len(case.rows), agreement, tuple(steps))


def _images(
    detector: Detector,
    data: str | Path | Dataset | Sequence[str | Path],
    rename: Mapping[str, str] | None,
    form: str | ReadOptions | None,
) -> Dataset | None:
    """The labeled images that are given, with the classes of the detector's training; None if none
    are."""
    given = paths_of(data)
    if given == ():
        return None
    options = None if form is None else ReadOptions.of(form)
    choice = ClassChoice.of((), (), rename)
    return evaluation_data(detector.artifact.provenance, given, choice, options)

"""`boxwright diagnose`: climb the ladder; the first rung that fails is the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boxwright.diagnosis.agreement import Agreement
from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import FAILED, NOT_REACHED, Reading
from boxwright.diagnosis.registry import RUNGS
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
    path: Path,
    detector: Detector,
    data: Dataset | None,
    progress: Progress = lambda question: None,
) -> Diagnosis:
    """Find out why a detector finds nothing, or nothing good.

    The rungs are measured one after the other; those after the first that fails are not reached.

    Args:
        path: a run folder or an exported file.
        detector: the same, loaded.
        data: labeled images of all splits; None for those of the run.
        progress: called with each question before it is answered.

    Raises:
        DataError: as `datasets.load.load`.
    """
    case = Case.of(path, detector, data)
    steps: list[Step] = []
    reached = True
    for name, rung in RUNGS.items():
        start = time.perf_counter()
        if reached:
            progress(rung.question)
        reading = rung.read(case) if reached else Reading(NOT_REACHED, "")
        steps.append(Step(name, rung.question, reading, time.perf_counter() - start))
        reached = reached and reading.status != FAILED
    agreement = case.agreement if len(case.rows) else None
    return Diagnosis(path, len(case.rows), agreement, tuple(steps))

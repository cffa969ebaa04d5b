"""Subscribers that log a run's metrics: JSON lines, and TensorBoard event files."""

from __future__ import annotations

import json
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import IO

from boxwright.evaluation import summary
from boxwright.io.faults import translating_os_errors
from boxwright.training.event_file import EventFile
from boxwright.training.events import Evaluated, Event, Started, Step

LOSS = "Loss/total_loss"
LOG_STEPS = 10  # between two reports of the losses
PICTURES = 6  # images, after the last step: each takes some hundredths of a second


def report_of(event: Event, every: int = LOG_STEPS) -> tuple[int, dict[str, float]] | None:
    """Return the step and its metrics by the Object Detection API's tags: the losses of every
    `every`-th step, and all evaluations; None for other events."""
    numbers: dict[str, float | None]
    match event:
        case Step(step=step, loss=loss) if step % every == 0:
            numbers = {
                LOSS: loss.total,
                "Loss/classification_loss": loss.classes,
                "Loss/localization_loss": loss.boxes,
                "Loss/regularization_loss": loss.penalty or None,
                "learning_rate": event.learning_rate,
                "global_step/sec": event.steps_per_second,
            }
        case Evaluated(step=step, result=result) if result:
            evaluation = result.evaluation
            numbers = summary.coco_numbers(evaluation) | summary.pascal_numbers(evaluation)
        case _:
            return None
    return step, {tag: float(value) for tag, value in numbers.items() if value is not None}


def read_log(path: Path) -> list[tuple[int, dict[str, float]]]:
    """Read what `JsonLines` wrote: step and metrics of each report, by step. Of a step that was
    repeated after a crash the last report counts; a line that a crash cut off is left out, and so
    are numbers that are not finite."""
    reports: dict[tuple[int, bool], tuple[int, dict[str, float]]] = {}
    for line in path.read_text("utf-8", "replace").splitlines() if path.is_file() else ():
        with suppress(AttributeError, KeyError, RecursionError, TypeError, ValueError):
            numbers = {name: float(value) for name, value in json.loads(line).items()}
            step = int(numbers.pop("step"))
            finite = {name: value for name, value in numbers.items() if isfinite(value)}
            reports[step, LOSS in numbers] = step, finite
    return [reports[key] for key in sorted(reports)]


class JsonLines:
    """A subscriber that appends a line of JSON per report to a file, which is opened when the
    training starts; call `close` at the end.

    Raises:
        SystemFaultError: BW902 the disk is full, BW903 the file cannot be written.
    """

    def __init__(self, path: Path, *, every: int = LOG_STEPS) -> None:
        self._path, self._every = path, every
        self._lines: IO[str] | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            with translating_os_errors(self._path):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._lines = self._path.open("a", encoding="utf-8", newline="\n")
        elif self._lines and (report := report_of(event, self._every)):
            step, numbers = report
            with translating_os_errors(self._path):
                self._lines.write(json.dumps({"step": step, **numbers}) + "\n")
                self._lines.flush()  # a killed run keeps it

    def close(self) -> None:
        if self._lines:
            with translating_os_errors(self._path):
                self._lines.close()


class TensorBoard:
    """A subscriber that writes metrics, and after the last step validation images with boxes,
    into a folder for TensorBoard; call `close` at the end.

    Raises:
        SystemFaultError: BW902 the disk is full, BW903 the folder cannot be written.
    """

    def __init__(self, folder: Path, *, every: int = LOG_STEPS) -> None:
        self._folder, self._every = folder, every
        self._file: EventFile | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            self._file = EventFile(self._folder)
        elif self._file and (report := report_of(event, self._every)):
            self._file.write(*report)
        if self._file and isinstance(event, Evaluated) and event.result and event.fraction >= 1:
            result = event.result
            shown = summary.pictures(result.truth, result.detections, images=PICTURES)
            self._file.pictures(event.step, shown)

    def close(self) -> None:
        if self._file:
            self._file.close()

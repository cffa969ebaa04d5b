"""Everything that can go wrong for a person who uses Boxwright.

    BoxwrightError
    ├── DataError            photos, annotations, label maps, datasets     BW1xx
    ├── WeightsError         pretrained weights that cannot be used        BW2xx
    ├── TrainingError        a run that cannot start, go on or be trusted  BW3xx
    ├── ExportError          a written file that is not as good as its run BW4xx
    ├── DetectorError        a detector file that cannot be run            BW5xx
    ├── EvaluationError      detections that cannot be measured            BW6xx
    ├── TfodError            configs and commands of the drop-in           BW7xx
    │   └── FlagError        a command line that is not understood
    └── SystemFaultError     a missing extra, a full disk, a locked file   BW9xx

Each error is one sentence about what is wrong and where, and one about what to do.
"""

from __future__ import annotations

from pathlib import Path


class BoxwrightError(Exception):
    """A failure the user can act on.

    `code` is stable and searchable; `where` is the file (or file and place) it is about;
    `remedy` says what to do next.
    """

    def __init__(
        self, code: str, message: str, *, remedy: str, where: str | Path | None = None
    ) -> None:
        self.code = code
        self.message = message
        self.remedy = remedy
        self.where = None if where is None else str(where)
        super().__init__(code, message)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{self.code} {place}{self.message} {self.remedy}"


class DataError(BoxwrightError):
    """A photo, an annotation or a data folder that cannot be used."""


class WeightsError(BoxwrightError):
    """Pretrained weights that are missing or do not fit."""


class TrainingError(BoxwrightError):
    """A run that cannot start, go on or be trusted."""


class ExportError(BoxwrightError):
    """An exported file that could not be made or failed its proof."""


class DetectorError(BoxwrightError):
    """A detector file or run folder that cannot be run."""


class EvaluationError(BoxwrightError):
    """Detections that cannot be measured against the truth."""


class TfodError(BoxwrightError):
    """A config, label map or folder that a command of the drop-in cannot work with."""


class FlagError(TfodError):
    """A command line of the drop-in that is not understood."""


class SystemFaultError(BoxwrightError):
    """The machine, not the data: a missing extra, a full disk, a file in use."""

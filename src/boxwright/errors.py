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
    ├── ArgumentError        arguments that do not fit each other          BW8xx
    └── SystemFaultError     a missing extra, a full disk, a locked file   BW9xx

Each error says in one sentence what is wrong and where; what to do is written in `codes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class BoxwrightError(Exception):
    """A failure that the user can act on.

        >>> try:
        ...     boxwright.predict("nowhere.jpg", "run")
        ... except boxwright.BoxwrightError as error:
        ...     print(error.code, error.where)
        BW101 nowhere.jpg

    Attributes:
        code: stable and searchable, such as `BW101`.
        message: a sentence that says what is wrong, with the offending value.
        where: the file (or file and place) that it is about.
        facts: what the code's remedy names in braces, such as `nearest`; an empty one is not known.
    """

    def __init__(
        self, code: str, message: str, *, where: str | Path | None = None, **facts: object
    ) -> None:
        self.code = code
        self.message = message
        self.where = None if where is None else str(where)
        known = {name: fact for name, fact in facts.items() if fact is not None and fact != ""}
        self.facts = {name: str(fact) for name, fact in known.items()}
        super().__init__(code, message)

    @property
    def remedy(self) -> str:
        """What to do next."""
        from boxwright.codes import MEANINGS  # 20 ms that most commands never need

        return MEANINGS[self.code].remedy_for(self.facts)

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


class ArgumentError(BoxwrightError):
    """An argument that is not understood, or does not go with another."""


def check_choice(argument: str, value: object, choices: Iterable[object]) -> None:
    """Raise ArgumentError BW803 unless `value` is one of the choices."""
    known = list(choices)
    if value not in known:
        raise ArgumentError(
            "BW803",
            f"{argument} cannot be {value!r}.",
            choices=", ".join(map(repr, known)),
        )


class SystemFaultError(BoxwrightError):
    """The machine, not the data: a missing extra, a full disk, a file in use."""

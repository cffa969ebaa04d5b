"""The errors that Boxwright raises.

    BoxwrightError
    ├── DataError            images, annotations, label maps, datasets     BW1xx
    ├── WeightsError         pretrained weights that cannot be used        BW2xx
    ├── TrainingError        a run that cannot start or continue           BW3xx
    ├── ExportError          an export that failed or lost accuracy         BW4xx
    ├── DetectorError        a detector file that cannot be run            BW5xx
    ├── SourceError          a video, camera or stream that cannot be read  BW5xx
    ├── EvaluationError      detections that cannot be evaluated           BW6xx
    ├── TfodError            configs and commands of tfod                  BW7xx
    │   └── FlagError        an invalid command line of tfod
    ├── ArgumentError        invalid or conflicting arguments              BW8xx
    └── SystemFaultError     a missing extra, a full disk, a locked file   BW9xx

Each error states the problem and its place in one sentence; `codes` has the remedies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

# Signs without ink, and spaces that look like another: a name with one looks like a name without.
# Joiners between letters of other scripts are part of their spelling.
INVISIBLE = re.compile(
    r"[\xa0\xad\u061c\u180e\u2007\u200b\u200e\u200f\u202a-\u202f\u2060-\u2064\u2066-\u2069\ufeff]"
    r"|(?<![^\x00-\x7f])[\u200c\u200d]"
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and line feed


def visible(text: str) -> str:
    """The text with escapes such as `\\u200b` for its invisible signs."""
    if text.isascii():
        return text
    return INVISIBLE.sub(lambda sign: sign[0].encode("unicode_escape").decode("ascii"), text)


def harmless(text: str) -> str:
    """The text with escapes such as `\\x1b` for control characters, which a terminal would obey."""
    return CONTROL.sub(lambda sign: f"\\x{ord(sign[0]):02x}", text)


class BoxwrightError(Exception):
    """A failure that the user can act on.

        >>> try:
        ...     boxwright.predict("nowhere.jpg", "run")
        ... except boxwright.BoxwrightError as error:
        ...     print(error.code, error.where)
        BW101 nowhere.jpg

    Attributes:
        code: a stable, searchable code, such as `BW101`.
        message: a sentence about the problem, with the offending value.
        where: the file, or the place in a file.
        facts: values for the braces in the code's remedy, such as `nearest`, without empty ones.
    """

    def __init__(
        self, code: str, message: str, *, where: str | Path | None = None, **facts: object
    ) -> None:
        self.code = code
        self.message = visible(message)
        self.where = None if where is None else str(where)
        known = {name: fact for name, fact in facts.items() if fact is not None and fact != ""}
        self.facts = {name: str(fact) for name, fact in known.items()}
        super().__init__(code, message)

    def to_json(self) -> list[Any]:
        """All that `of_json` needs."""
        return [self.code, self.message, self.where, self.facts]

    @classmethod
    def of_json(cls, told: Sequence[Any]) -> Self:
        """The error that `to_json` told."""
        code, message, where, facts = told
        return cls(code, message, where=where, **facts)

    @property
    def remedy(self) -> str:
        """What to do next."""
        from boxwright.codes import MEANINGS  # 20 ms that most commands never need

        return MEANINGS[self.code].remedy_for(self.facts)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{self.code} {place}{self.message} {self.remedy}"


class DataError(BoxwrightError):
    """An image, an annotation or a data folder that cannot be used."""


class WeightsError(BoxwrightError):
    """Pretrained weights that are missing or do not fit."""


class TrainingError(BoxwrightError):
    """A run that cannot start or continue."""


class ExportError(BoxwrightError):
    """An export that could not be made, or that lost accuracy."""


class DetectorError(BoxwrightError):
    """A detector file or run folder that cannot be run."""


class SourceError(BoxwrightError):
    """A video, camera or stream that cannot be read, or not be written as asked."""


class EvaluationError(BoxwrightError):
    """Detections that cannot be compared with the ground truth."""


class TfodError(BoxwrightError):
    """A config, label map or folder that a tfod command cannot use."""


class FlagError(TfodError):
    """An invalid command line of a tfod command."""


class ArgumentError(BoxwrightError):
    """An argument that is invalid or conflicts with another."""


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

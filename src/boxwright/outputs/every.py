"""Which frames of a video are written as images."""

from __future__ import annotations

import re
from dataclasses import dataclass

from boxwright.sources.frame import Frame, Video


@dataclass(frozen=True)
class Every:
    """A distance between frames: a number of frames or of seconds.

    Attributes:
        amount: the distance, above 0.
        in_seconds: it is in seconds.
    """

    amount: float
    in_seconds: bool

    @classmethod
    def parse(cls, text: str) -> Every:
        """`30` frames, or `2s`. Raises ValueError."""
        if re.fullmatch(r"\d+|\d*\.?\d+s", text) and float(text.rstrip("s")) > 0:
            return cls(float(text.rstrip("s")), text.endswith("s"))
        raise ValueError(f"{text!r} is neither a number of frames nor of seconds, such as 2s.")


class Chooser:
    """Tells for each frame in turn if it is written as an image. Single images are."""

    def __init__(self, every: Every | None) -> None:
        self._every = every
        self._video: Video | None = None
        self._next = 0.0

    def chooses(self, frame: Frame) -> bool:
        if frame.video is None:
            return True
        if self._every is None:
            return False
        position = float((frame.seconds if self._every.in_seconds else frame.number) or 0)
        if frame.video is not self._video:
            self._video, self._next = frame.video, position
        if position < self._next:
            return False
        steps = (position - self._next) // self._every.amount + 1
        self._next += steps * self._every.amount
        return True

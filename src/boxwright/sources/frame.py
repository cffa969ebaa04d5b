"""Frame: one image of a source; and the interface of a source."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from boxwright.images.inputs import ImageLike


@dataclass(frozen=True)
class Video:
    """What all frames of a video share.

    Attributes:
        rate: frames a second, as stated; None if unknown.
        aspect: width of a pixel of an upright frame, divided by its height.
        file: the video's file, which may have a sound track; None for a camera or stream.
    """

    rate: Fraction | None
    aspect: Fraction
    file: Path | None


@dataclass(frozen=True)
class Frame:
    """One image of a source, which is decoded when it is needed.

    Attributes:
        name: what is printed and written: the path of an image as it was given, or the name of its
            video.
        image: the image.
        number: the number of a frame in its video, from 0; None for a single image.
        seconds: its time in the video, as the video says; None for a single image.
        video: its video; None for a single image.
    """

    name: str
    image: ImageLike
    number: int | None = None
    seconds: float | None = None
    video: Video | None = None


class Source(Protocol):
    """Frames in their order. Iterating starts anew each time.

    Attributes:
        name: what was given.
        total: number of frames; None if it is unknown.
        is_video: its frames follow each other in time.
        is_live: it does not wait: whoever asks for a frame gets the newest.
    """

    @property
    def name(self) -> str: ...

    @property
    def total(self) -> int | None: ...

    @property
    def is_video(self) -> bool: ...

    @property
    def is_live(self) -> bool: ...

    def __iter__(self) -> Generator[Frame, None, None]: ...

"""Frame: one image of a source; and the interface of a source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from boxwright.images.inputs import ImageLike


@dataclass(frozen=True)
class Frame:
    """One image of a source, which is decoded when it is needed.

    Attributes:
        name: what is printed and written: the path of an image as it was given, or the name of its
            video.
        image: the image.
        number: the number of a frame in its video, from 0; None for a single image.
        seconds: the time of a frame in its video; None for a single image.
    """

    name: str
    image: ImageLike
    number: int | None = None
    seconds: float | None = None


class Source(Protocol):
    """Frames in their order. Iterating starts anew each time.

    Attributes:
        name: what was given.
        total: number of frames; None if it is unknown.
        is_video: its frames belong together, one after another in time.
    """

    @property
    def name(self) -> str: ...

    @property
    def total(self) -> int | None: ...

    @property
    def is_video(self) -> bool: ...

    def __iter__(self) -> Iterator[Frame]: ...

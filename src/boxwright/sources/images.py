"""Single images: files, those of an archive, and one from standard input."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from boxwright.images.files import ImageFile
from boxwright.sources.frame import Frame


@dataclass(frozen=True)
class Images:
    """A source of single images, by their names."""

    images: Mapping[str, ImageFile | bytes]

    is_video = is_live = False

    @property
    def name(self) -> str:
        return next(iter(self.images), "")

    @property
    def total(self) -> int:
        return len(self.images)

    def __iter__(self) -> Generator[Frame, None, None]:
        return (Frame(name, image) for name, image in self.images.items())

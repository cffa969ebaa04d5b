"""Images as they were labeled, and the way in which annotations name them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Shot:
    """An image as it was labeled.

    Attributes:
        folder: its folder, `name` its file name.
        boxes: number of boxes; None if it was never labeled.
        now: its file name today; None if it was deleted.
    """

    folder: str
    name: str
    boxes: int | None
    now: str | None

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.name}".lstrip("/")

    @property
    def stem(self) -> str:
        return self.path.rpartition(".")[0]

    @property
    def path_now(self) -> str:
        return f"{self.folder}/{self.now}".lstrip("/")

    def drawn(self) -> list[tuple[float, float, float, float]]:
        return [(2.0 + i, 3.0, 20.0 + i, 25.0) for i in range(self.boxes or 0)]


@dataclass(frozen=True)
class World:
    """Images, and the format and way in which their annotations name them.

    Attributes:
        shots: the images.
        form: the name of the format.
        prefix: what comes before the path of an image in its annotation.
        backslashes: true if these paths are those of Windows.
        apart: true if images and annotations of single images are in trees of their own.
    """

    shots: tuple[Shot, ...]
    form: str
    prefix: str = ""
    backslashes: bool = False
    apart: bool = False

    def stated(self, shot: Shot) -> str:
        path = self.prefix + shot.path
        return path.replace("/", "\\") if self.backslashes else path

    def place(self, shot: Shot) -> str:
        """The path of the image today."""
        return f"images/{shot.path_now}" if self.apart else shot.path_now

    def labeled(self) -> list[Shot]:
        return [shot for shot in self.shots if shot.boxes is not None]


def plain(name: str) -> str:
    """A file name without its suffix, as systems compare it that ignore case and Unicode forms."""
    return unicodedata.normalize("NFC", name.rpartition(".")[0]).casefold()

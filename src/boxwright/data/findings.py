"""Finding: one thing that is odd in the data, where it is, and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem that did not stop the work.

    Attributes:
        code: stable code, such as `BW105`.
        where: the file, and the box or line in it.
        message: what is wrong there, with the offending value.
        repair: what was done about it ("clipped to the photo"); empty if nothing was.
        photos: names of the photos that show it, if photos do.
        box: the box in the first of them, xyxy pixels, if it is about one.
    """

    code: str
    where: str
    message: str
    repair: str = ""
    photos: tuple[str, ...] = ()
    box: tuple[float, float, float, float] | None = None

    def __str__(self) -> str:
        done = f" -> {self.repair}" if self.repair else ""
        return f"{self.code} {self.where}: {self.message}{done}"

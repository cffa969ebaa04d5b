"""The kinds of official lists, and the form of their rows in an index.

ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,...
000026e7ee790996,freeform,/m/07j7r,1,0.071905,0.145346,0.206591,0.391306,0,1,1,0,0

ImageID,Source,LabelName,Confidence
000026e7ee790996,verification,/m/04bcr3,0
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ID_LENGTH = 16  # hexadecimal digits of an ImageID
CODE_LENGTH = 16  # bytes of a class code, at most
SIDES = ("XMin", "XMax", "YMin", "YMax")
FLAGS = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")
WHO = ("ImageID", "Source", "LabelName")
CONFIDENCE = "Confidence"
UNKNOWN = 2  # of a flag, which the files write as -1
SCALE = 10**6  # the sides are kept as whole millionths of the image
BITS = 20  # of a side: 2^20 > SCALE
SIDE = (1 << BITS) - 1
FLAG_SHIFTS = tuple(range(BITS, BITS + 2 * len(FLAGS), 2))
SOURCE_SHIFT = BITS + 2 * len(FLAGS)

COMMA, NEWLINE, MINUS, POINT, ZERO = b",\n-.0"
FIRST_SIGN = MINUS  # in cells; quotes, blanks and the ends of cells and lines come before it

Words = NDArray[np.uint64]
Mask = NDArray[np.bool_]


class Kind(NamedTuple):
    """A kind of official list: what its rows have beside image, source and class.

    Attributes:
        name: in messages.
        numbers: the columns with numbers from 0 to 1, one or four.
        width: the characters of most numbers.
        flags: the columns with 0, 1 or -1.
        sources: the values of the column `Source`, known by their first letters; the last is for
            others.
    """

    name: str
    numbers: tuple[str, ...]
    width: int
    flags: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return (*WHO, *self.numbers, *self.flags)

    def source_of(self, name: str) -> int:
        """The position of a source, by its first letter."""
        letters = [source[:1] for source in self.sources[:-1]]
        return letters.index(name[:1]) if name[:1] in letters else len(letters)


BOXES = Kind("boxes", SIDES, 8, FLAGS, ("freeform", "xclick", "activemil", ""))
LABELS = Kind(
    "labels of images",
    (CONFIDENCE,),
    1,
    (),
    ("verification", "crowdsource-verification", "machine", ""),
)


def columns_of(header: bytes, kind: Kind) -> list[int] | None:
    """The number of columns, then the positions of `kind.columns`; None if one is missing."""
    names = header.decode("utf-8", "replace").strip().lstrip("\ufeff").split(",")
    if not set(kind.columns) <= set(names):
        return None
    return [len(names), *(names.index(name) for name in kind.columns)]

"""What the lines of an official list have, in arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxwright.openimages.kinds import Mask, Words


@dataclass(frozen=True)
class Cells:
    """What `n` lines have, an entry for each.

    Attributes:
        digits: `(2, n)` the characters of the ImageIDs as numbers.
        codes: `(2, n)` class codes, the first 8 bytes and the others as numbers.
        packed: `(n,)` all numbers but the last, such as XMin, XMax and YMin, in 20 bits each.
        rest: `(n,)` the last number in 20 bits, up to five flags in two bits each; then the source.
        usable: `(n,)` False for lines that cannot be used, whose other entries mean nothing.
    """

    digits: Words
    codes: Words
    packed: Words
    rest: NDArray[np.uint32]
    usable: Mask

    def put(self, lines: Mask, others: Cells) -> None:
        """Write what `others` has into the entries of these lines."""
        for mine, theirs in (
            (self.digits, others.digits),
            (self.codes, others.codes),
            (self.packed, others.packed),
            (self.rest, others.rest),
            (self.usable, others.usable),
        ):
            mine[..., lines] = theirs


def nothing(count: int) -> Cells:
    """Cells of lines, none of which is usable."""
    words = np.zeros((2, count), np.uint64)
    rest, usable = np.zeros(count, np.uint32), np.zeros(count, np.bool_)
    return Cells(words, words.copy(), words[0].copy(), rest, usable)


def image_starts(digits: Words) -> NDArray[np.int64]:
    """The first row of each run of equal ids."""
    changes = np.ones(digits.shape[1], np.bool_)
    changes[1:] = (digits[0, 1:] != digits[0, :-1]) | (digits[1, 1:] != digits[1, :-1])
    return np.flatnonzero(changes)

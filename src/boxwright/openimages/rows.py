"""Parse the rows of the official files, a block of text at a time, in NumPy.

    ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,...
    000026e7ee790996,freeform,/m/07j7r,1,0.071905,0.145346,0.206591,0.391306,0,1,1,0,0

    ImageID,Source,LabelName,Confidence
    000026e7ee790996,verification,/m/04bcr3,0

`csv.reader` takes several times as long to split the same rows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
PADDING = bytes(32)  # after a block, so that 16 bytes can be read anywhere

COMMA, NEWLINE, POINT, ZERO, FIRST_SIGN = b",\n.0-"
NUMBER = 8  # characters of most numbers, such as 0.071905

Words = NDArray[np.uint64]
Mask = NDArray[np.bool_]


class Kind(NamedTuple):
    """A kind of official list: what its rows have beside image, source and class.

    Attributes:
        name: in messages.
        numbers: the columns with numbers from 0 to 1, one or four.
        flags: the columns with 0, 1 or -1.
        sources: the values of the column `Source`, known by their first letters; the last is for
            others.
    """

    name: str
    numbers: tuple[str, ...]
    flags: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return (*WHO, *self.numbers, *self.flags)


BOXES = Kind("boxes", SIDES, FLAGS, ("freeform", "xclick", "activemil", ""))
LABELS = Kind(
    "labels of images",
    (CONFIDENCE,),
    (),
    ("verification", "crowdsource-verification", "machine", ""),
)


def _masks(fill: int) -> Words:
    """By the number of valid bytes of a word, 0 to 8: `fill` in each of the other bytes."""
    words = [bytes(n) + bytes([fill] * (8 - n)) for n in range(9)]
    return np.array([int.from_bytes(word, "little") for word in words], np.uint64)


# A factor such as 10 * 256 + 1, which adds to each digit ten times the one before it; the bits
# between two digits; and the bits of what is joined.
JOINED = [
    tuple(map(np.uint64, (10 << 8 | 1, 8, 0x00FF00FF00FF00FF))),
    tuple(map(np.uint64, (100 << 16 | 1, 16, 0x0000FFFF0000FFFF))),
    tuple(map(np.uint64, (10_000 << 32 | 1, 32, 0xFFFFFFFF))),
]
KEPT, ZEROS = ~_masks(0xFF), _masks(ZERO)


def _source_of(kind: Kind) -> NDArray[np.uint32]:
    """The position of a source, by its first letter."""
    table = np.full(256, len(kind.sources) - 1, np.uint32)
    table[[ord(name[0]) for name in kind.sources[:-1]]] = np.arange(len(kind.sources) - 1)
    return table


SOURCE_OF = {kind: _source_of(kind) for kind in (BOXES, LABELS)}


@dataclass(frozen=True)
class Rows:
    """Rows of a list, in the order of the file.

    Attributes:
        images: `(k,)` ids of the images as numbers; an id is repeated if its rows are apart.
        starts: `(k,)` the first row of each image.
        codes: `(2, n)` class codes, the first 8 bytes and the others as numbers.
        packed: `(n,)` all numbers but the last, such as XMin, XMax and YMin, in 20 bits each.
        rest: `(n,)` the last number in 20 bits, up to five flags in two bits each, the source in
            two bits.
        unusable: the number of rows that cannot be used.
        refused: what the rows of these have whose ImageID is none, and their class codes.
    """

    images: Words
    starts: NDArray[np.int64]
    codes: Words
    packed: Words
    rest: NDArray[np.uint32]
    unusable: int
    refused: list[tuple[str, str]]


def columns_of(header: bytes, kind: Kind) -> list[int] | None:
    """The number of columns, then the positions of `kind.columns`; None if one is missing."""
    names = header.decode("utf-8", "replace").strip().lstrip("\ufeff").split(",")
    if not set(kind.columns) <= set(names):
        return None
    return [len(names), *(names.index(name) for name in kind.columns)]


def parse_rows(text: bytes, columns: Sequence[int], kind: Kind) -> Rows:
    """Parse whole lines, which end with a line feed; `columns` as from `columns_of`."""
    ends = _ends(text, columns[0])
    if ends is None:
        regular, refused = _regular(text, columns)
        rows = parse_rows(regular, columns, kind)
        unusable = rows.unusable + text.count(b"\n") - regular.count(b"\n")
        return replace(rows, unusable=unusable, refused=[*rows.refused, *refused])
    block = _Block(text, ends)
    image, source, label, *others = columns[1:]
    sides, flags = others[: len(kind.numbers)], others[len(kind.numbers) :]
    digits, starts, usable = block.ids(image)
    refused = [
        (block.text(row, image), block.text(row, label)) for row in np.flatnonzero(~usable).tolist()
    ]
    codes, is_code = block.codes(label)
    usable &= is_code
    numbers = []
    for column in sides:
        number, is_number = block.millionths(column)
        numbers.append(number)
        usable &= is_number
    *first, last = numbers
    packed = np.zeros(len(ends), np.uint64)
    for place, number in enumerate(first):
        packed |= number << np.uint64(place * BITS)
    rest = last.astype(np.uint32)
    for shift, column in zip(FLAG_SHIFTS, flags, strict=False):
        flag = np.minimum(block.first(column) - np.uint8(ZERO), np.uint8(UNKNOWN))
        rest |= flag.astype(np.uint32) << np.uint32(shift)
    rest |= SOURCE_OF[kind].take(block.first(source)) << np.uint32(SOURCE_SHIFT)
    if not usable.all():
        digits, codes = digits[:, usable], codes[:, usable]
        packed, rest = packed[usable], rest[usable]
        starts = _starts(digits)
    images = _as_numbers(digits[:, starts])
    return Rows(images, starts, codes, packed, rest, int((~usable).sum()), refused)


def unpack(packed: Words, rest: NDArray[np.uint32]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Sides `(n, 4)` in the order of `SIDES`, and flags as from `flags_of`."""
    sides = [(packed >> np.uint64(BITS * i)) & np.uint64(SIDE) for i in range(3)]
    sides.append((rest & np.uint32(SIDE)).astype(np.uint64))
    return np.stack(sides, axis=1) / SCALE, flags_of(rest, FLAGS)


def flags_of(rest: NDArray[np.uint32], names: Iterable[str]) -> NDArray[np.int8]:
    """Flags of boxes `(n, k)` in the order of the names, -1 for unknown."""
    shifts = np.array([FLAG_SHIFTS[FLAGS.index(name)] for name in names], np.uint32)
    flags: NDArray[np.int8] = ((rest[:, None] >> shifts) & np.uint32(3)).astype(np.int8)
    flags[flags == UNKNOWN] = -1
    return flags


def confidences(rest: NDArray[np.uint32]) -> NDArray[np.float64]:
    """The confidences `(n,)` of rows of `LABELS`."""
    values: NDArray[np.float64] = (rest & np.uint32(SIDE)) / SCALE
    return values


def sources(rest: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The positions of the sources of rows in `Kind.sources`."""
    return (rest >> np.uint32(SOURCE_SHIFT)).astype(np.int64)


def code_texts(codes: Words) -> list[str]:
    """The class codes of numbers, `(2, n)`."""
    cells = np.ascontiguousarray(codes.T).astype("<u8").view(f"S{CODE_LENGTH}")
    return [code.decode("utf-8", "replace") for code in cells.ravel().tolist()]


def code_words(code: str) -> Words:
    """A class code as numbers, `(2, 1)`."""
    return np.frombuffer(code.encode().ljust(CODE_LENGTH, b"\0"), "<u8", 2).reshape(2, 1)


def _ends(text: bytes, count: int) -> NDArray[np.int64] | None:
    """Where each cell ends, `(n, count)`; None if rows are irregular.

    Commas and line feeds come before `-`, the first sign in regular cells. So do quotes, blanks
    and carriage returns, which make rows irregular.
    """
    cells = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(cells < FIRST_SIGN)
    if len(ends) % count:
        return None
    table = ends.reshape(-1, count)
    if np.count_nonzero(cells == COMMA) != len(table) * (count - 1):
        return None
    return table if (cells[table[:, -1]] == NEWLINE).all() else None


def _regular(text: bytes, columns: Sequence[int]) -> tuple[bytes, list[tuple[str, str]]]:
    """The usable rows, without quotes, blanks and carriage returns; and `Rows.refused` of others
    that have all cells."""
    count, image, _, label, *_ = columns
    kept, refused = [], []
    for line in text.decode("utf-8", "replace").splitlines():
        try:
            cells = ["".join(cell.split()) for cell in next(csv.reader([line]), [])]
        except csv.Error:
            continue
        if len(cells) != count:
            continue
        if all(min(cell, default="-") >= "-" for cell in cells):
            kept.append(",".join(cells) + "\n")
        elif min(cells[image], default="-") < "-":
            refused.append((cells[image], cells[label]))
    return "".join(kept).encode(), refused


class _Block:
    """Regular rows and where their cells end, `(n, columns)`; the parts of a column."""

    def __init__(self, text: bytes, ends: NDArray[np.int64]) -> None:
        raw = text + PADDING
        self._ends = ends
        self._cells = np.frombuffer(raw, np.uint8)
        self._words = np.ndarray((len(raw) - 7,), np.dtype("<u8"), raw, strides=(1,))

    def text(self, row: int, column: int) -> str:
        """A cell."""
        place = row * self._ends.shape[1] + column  # among all cells
        begin = int(self._ends.flat[place - 1]) + 1 if place else 0
        return bytes(self._cells[begin : self._ends[row, column]]).decode("utf-8", "replace")

    def first(self, column: int) -> NDArray[np.uint8]:
        """The first character of each cell."""
        return self._cells[self._begins(column)]

    def ids(self, column: int) -> tuple[Words, NDArray[np.int64], Mask]:
        """The digits of ids, `(2, n)`, the first rows of images, and whether the ids are 16
        hexadecimal digits."""
        begins = self._begins(column)
        digits = np.stack([self._words[begins], self._words[begins + 8]])
        starts = _starts(digits)  # an image has several rows
        cells = np.ascontiguousarray(digits[:, starts].T).view(np.uint8)
        decimal = (cells >= ZERO) & (cells <= ZERO + 9)
        letter = (cells >= ord("a")) & (cells <= ord("f"))
        good: Mask = self._ends[:, column] - begins == ID_LENGTH
        if not (decimal | letter).all():
            hexadecimal = (decimal | letter).all(axis=1)
            good &= np.repeat(hexadecimal, np.diff(starts, append=len(begins)))
        return digits, starts, good

    def codes(self, column: int) -> tuple[Words, Mask]:
        """Class codes as numbers, `(2, n)`, and whether they are short enough."""
        begins = self._begins(column)
        length = self._ends[:, column] - begins
        low = self._words[begins] & KEPT[np.minimum(length, 8)]
        high = self._words[begins + 8] & KEPT[np.minimum(np.maximum(length - 8, 0), 8)]
        return np.stack([low, high]), (length > 0) & (length <= CODE_LENGTH)

    def millionths(self, column: int) -> tuple[Words, Mask]:
        """Numbers in whole millionths, limited to 0 and 1; and whether they are numbers."""
        begins = self._begins(column)
        length = self._ends[:, column] - begins
        word = self._words[begins]
        usual = bool((length == NUMBER).all())
        if not usual:  # 0.25 becomes 0.250000, and 1 becomes 1.000000
            count = np.minimum(length, NUMBER)
            word = (word & KEPT[count]) | ZEROS[count]
            whole = length == 1
            word[whole] = word[whole] & np.uint64(~0xFF00 & 2**64 - 1) | np.uint64(POINT << 8)
        digits = word ^ np.uint64(0x3030303030302E30)  # each byte 0 to 9, and the point 0
        odd = _is_odd(digits, 0x7676767676767F76)
        # Three steps join neighboring digits to numbers of 2, 4 and 8 digits.
        for factor, shift, mask in JOINED:
            digits *= factor
            digits >>= shift
            digits &= mask
        value = digits  # 10,000,000 and more if it begins with 1, which is limited below
        good = np.ones(len(word), np.bool_)
        if not usual:
            odd |= length == 0
            value += (length > NUMBER) & (self._cells[begins + NUMBER] >= ZERO + 5)
            for offset in range(NUMBER, int(length.max(initial=0)), 8):
                count = np.clip(length - offset, 0, 8)
                at = np.minimum(begins + offset, len(self._words) - 1)
                more = (self._words[at] & KEPT[count]) | ZEROS[count]
                odd |= _is_odd(more ^ ZEROS[0], 0x7676767676767676)
        for i in np.flatnonzero(odd).tolist():
            value[i], good[i] = _read(self._cells[begins[i] : begins[i] + length[i]].tobytes())
        return np.minimum(value, np.uint64(SCALE)), good

    def _begins(self, column: int) -> NDArray[np.int64]:
        if column:
            return self._ends[:, column - 1] + 1
        begins = np.zeros(len(self._ends), np.int64)
        begins[1:] = self._ends[:-1, -1] + 1
        return begins


def _is_odd(digits: Words, carry: int) -> Mask:
    """Whether a byte is more than a digit; `carry` makes such a byte overflow into its high bit."""
    odd: Mask = (digits + np.uint64(carry) | digits) & np.uint64(0x8080808080808080) != 0
    return odd


def _read(text: bytes) -> tuple[int, bool]:
    """A number of any form in whole millionths, and whether it is one."""
    try:
        number = float(text)
    except ValueError:
        return 0, False
    if not np.isfinite(number):
        return 0, False
    return round(min(max(number, 0.0), 1.0) * SCALE), True


def _starts(digits: Words) -> NDArray[np.int64]:
    """The first row of each run of equal ids."""
    changes = np.ones(digits.shape[1], np.bool_)
    changes[1:] = (digits[0, 1:] != digits[0, :-1]) | (digits[1, 1:] != digits[1, :-1])
    return np.flatnonzero(changes)


def _as_numbers(digits: Words) -> Words:
    """Ids of 16 hexadecimal digits, `(2, k)`, as numbers `(k,)`."""
    cells = np.ascontiguousarray(digits.T).view(np.uint8)
    values = (cells & 15) + 9 * (cells >> 6)  # "a" is 0x61
    pairs = values[:, ::2] << 4 | values[:, 1::2]
    return np.ascontiguousarray(pairs).view(">u8").ravel().astype(np.uint64)

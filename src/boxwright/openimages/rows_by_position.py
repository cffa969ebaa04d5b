"""Lines of the official form, whose cells are found by their position.

    000026e7ee790996,freeform,/m/07j7r,1,0.071905,0.145346,0.206591,0.391306,0,1,1,0,0

Most lines have all cells after the class code at the same places: sides have eight characters, and
flags one. In others each cell is found by the comma before it. `rows_by_csv` reads lines that are
neither, such as those with quotes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from boxwright.openimages.cells import Cells, image_starts, nothing
from boxwright.openimages.kinds import (
    BITS,
    BOXES,
    CODE_LENGTH,
    COMMA,
    FIRST_SIGN,
    FLAG_SHIFTS,
    ID_LENGTH,
    LABELS,
    MINUS,
    NEWLINE,
    POINT,
    SCALE,
    SOURCE_SHIFT,
    UNKNOWN,
    ZERO,
    Kind,
    Mask,
    Words,
)

HEAD = 24  # bytes of a line with its ImageID and the first letter of its source
NUMBER_WORDS = 3  # of eight bytes, in which a number of full precision fits
PADDING = bytes(512)  # after a block, so that windows can begin anywhere in it
AFTER_CODE = 3  # the column after image, source and class code
HEX_LETTERS = b"af"  # the first and the last

Positions = NDArray[np.int64]


def _words_of(fill: int) -> Words:
    """By the number of characters in a word, 0 to 8: `fill` in each of the other bytes."""
    words = [bytes(n) + bytes([fill] * (8 - n)) for n in range(9)]
    return np.array([int.from_bytes(word, "little") for word in words], np.uint64)


ZEROS = _words_of(ZERO)
NUMBER_ZEROS = np.uint64(0x3030303030302E30)  # 0.000000 as a word
POINT_FOR_ZERO = np.uint64((ZERO ^ POINT) << 8)
ONE_CHARACTER = ZEROS[1] ^ POINT_FOR_ZERO  # what makes 1 a word of 1.000000
# A factor such as 10 * 256 + 1, which adds to each digit ten times the one before it; the bits
# between two digits; and the bits of what is joined.
JOINED = [
    tuple(map(np.uint64, (10 << 8 | 1, 8, 0x00FF00FF00FF00FF))),
    tuple(map(np.uint64, (100 << 16 | 1, 16, 0x0000FFFF0000FFFF))),
    tuple(map(np.uint64, (10_000 << 32 | 1, 32, 0xFFFFFFFF))),
]
# What makes a byte that is more than a digit, or than the point 0, overflow into its high bit.
DIGITS, POINT_AND_DIGITS = np.uint64(0x7676767676767676), np.uint64(0x7676767676767F76)
EACH = np.uint64(0x0101010101010101)
HIGH_BITS, FIRST_SIGNS = EACH << np.uint64(7), EACH * np.uint64(FIRST_SIGN)
ALL_BYTES, BYTE = ~np.uint64(0), np.uint64(0xFF)
ONE, SEVEN, EIGHT, LAST = map(np.uint64, (1, 7, 8, 56))


def _by_letter(kind: Kind) -> tuple[NDArray[np.uint32], Positions]:
    """The position of a source and its length, by its first letter."""
    found = [kind.source_of(chr(letter)) for letter in range(256)]
    lengths = [len(kind.sources[position]) for position in found]
    return np.array(found, np.uint32), np.array(lengths, np.int64)


SOURCES = {kind: _by_letter(kind) for kind in (BOXES, LABELS)}


@dataclass(frozen=True)
class _Layout:
    """The rest of a line, from the comma after its class code on.

    Attributes:
        kind: of the list.
        last: the last column that is read.
        is_whole: it is the last one of the line.
        columns: the columns of the numbers, then of the flags.
        begins: where these cells begin in most lines.
        width: bytes up to the sign after the last cell that is read, and with it.
        signs, masks: the commas among them, and their bits.
    """

    kind: Kind
    last: int
    is_whole: bool
    columns: tuple[int, ...]
    begins: tuple[int, ...]
    width: int
    signs: Words
    masks: Words


@lru_cache
def _layout(columns: tuple[int, ...], kind: Kind) -> _Layout | None:
    """The layout of lines of these columns; None if image, source and class are not the first."""
    count, image, source, label, *others = columns
    if (image, source, label) != (0, 1, 2):
        return None
    numbers, last = others[: len(kind.numbers)], max(others)
    text, begins = b",", {}
    for column in range(AFTER_CODE, last + 1):
        begins[column] = len(text)
        text += bytes(kind.width if column in numbers else 1) + b","
    if is_whole := last == count - 1:
        text = text[:-1] + b"\n"
    signs = np.frombuffer(text.ljust(-(-len(text) // 8) * 8, b"\0"), np.uint8)
    masks = np.where(signs > 0, np.uint8(0xFF), np.uint8(0))
    return _Layout(
        kind,
        last,
        is_whole,
        tuple(others),
        tuple(begins[column] for column in others),
        len(text),
        signs.view("<u8"),
        masks.view("<u8"),
    )


def read_by_position(text: bytes, columns: Sequence[int], kind: Kind) -> tuple[Cells, Mask]:
    """Read whole lines; `columns` as from `columns_of`. Also returns `(n,)` True for lines of
    another form, which are not usable."""
    raw = text + PADDING
    signs = np.frombuffer(raw, np.uint8)[: len(text)]
    ends = np.flatnonzero(signs == NEWLINE) + 1
    layout = _layout(tuple(columns), kind)
    if layout is None or not len(ends):
        return nothing(len(ends)), np.ones(len(ends), np.bool_)
    begins = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    head = _windows(raw, begins, HEAD)
    digits = np.stack([head[:, 0], head[:, 1]])
    letters = np.ascontiguousarray(head.view(np.uint8)[:, ID_LENGTH + 1])
    fits = (head.view(np.uint8)[:, ID_LENGTH] == COMMA) & _are_hexadecimal(digits)
    if not layout.is_whole:
        fits &= _have_commas(signs, begins, columns[0] - 1)
    sources, lengths = SOURCES[kind]
    before = begins + ID_LENGTH + 1 + lengths.take(letters)  # the comma before the class code
    codes, length, good = _cells(raw, before, CODE_LENGTH // 8)
    fits &= good
    after = before + 1 + length
    packed, rest, usual = _at_positions(raw, after, ends, layout)
    others = np.flatnonzero(fits & ~usual)
    if len(others):
        packed[others], rest[others], good = _by_commas(raw, after[others], ends[others], layout)
        usual[others] = good
    fits &= usual
    rest |= sources.take(letters) << np.uint32(SOURCE_SHIFT)
    return Cells(digits, codes, packed, rest, fits), ~fits


def _are_hexadecimal(digits: Words) -> Mask:
    """Whether all 16 characters of an id are hexadecimal digits."""
    starts = image_starts(digits)  # an image has several rows
    cells = np.ascontiguousarray(digits[:, starts].T).view(np.uint8)
    decimal = (cells >= ZERO) & (cells <= ZERO + 9)
    letter = (cells >= HEX_LETTERS[0]) & (cells <= HEX_LETTERS[1])
    valid = decimal | letter
    if valid.all():
        return np.ones(digits.shape[1], np.bool_)
    return np.repeat(valid.all(axis=1), np.diff(starts, append=digits.shape[1]))


def _have_commas(signs: NDArray[np.uint8], begins: Positions, count: int) -> Mask:
    """Whether each line has so many commas."""
    commas = signs == COMMA
    if np.count_nonzero(commas) == count * len(begins):
        return np.ones(len(begins), np.bool_)
    good: Mask = np.add.reduceat(commas, begins, dtype=np.int64) == count
    return good


def _at_positions(
    raw: bytes, after: Positions, ends: Positions, layout: _Layout
) -> tuple[Words, NDArray[np.uint32], Mask]:
    """Numbers and flags as in `Cells`, and whether the lines have the usual layout."""
    kind = layout.kind
    tail = _windows(raw, after, len(layout.signs) * 8)
    characters = tail.view(np.uint8)
    rest_of_line = ends - after
    good = rest_of_line == layout.width if layout.is_whole else rest_of_line >= layout.width
    wrong = (tail ^ layout.signs) & layout.masks
    if wrong.any():
        good &= ~wrong.any(axis=1)
    numbers = []
    for begin in layout.begins[: len(kind.numbers)]:
        if kind.width == 1:
            words = characters[:, begin] | ONE_CHARACTER
        else:  # at no multiple of eight bytes
            words = np.ndarray((len(tail),), "<u8", tail.data, begin, (characters.shape[1],))
        number, is_number = _millionths(words)
        numbers.append(number)
        good &= is_number
    flags = [characters[:, begin] for begin in layout.begins[len(kind.numbers) :]]
    packed, rest = _packed(numbers, flags)
    return packed, rest, good


def _by_commas(
    raw: bytes, at: Positions, ends: Positions, layout: _Layout
) -> tuple[Words, NDArray[np.uint32], Mask]:
    """Numbers and flags as in `Cells`, of lines with cells of any length from the commas at `at`
    on; and whether the lines have the official form."""
    good = np.ones(len(at), np.bool_)
    count = len(layout.kind.numbers)
    numbers, flags = layout.columns[:count], layout.columns[count:]
    found: dict[int, Words] = {}
    for column in range(AFTER_CODE, layout.last + 1):
        if column in flags:
            word = _windows(raw, at, 8)[:, 0]
            found[column] = word >> EIGHT & BYTE
            length = 1 + (found[column] == MINUS).astype(np.int64)
            good &= (word & BYTE) == COMMA
        else:
            cells, length, is_cell = _cells(raw, at, NUMBER_WORDS if column in numbers else 1)
            good &= is_cell
            if column in numbers:
                found[column], is_number = _numbers(cells, length)
                good &= is_number
        at = at + 1 + length
    good &= at == ends - 1 if layout.is_whole else np.frombuffer(raw, np.uint8)[at] == COMMA
    packed, rest = _packed(
        [found[column] for column in numbers],
        [found[column].astype(np.uint8) for column in flags],
    )
    return packed, rest, good


def _windows(raw: bytes, begins: Positions, size: int) -> Words:
    """The bytes from each position on, `(n, size / 8)` words. NumPy copies a window of any size in
    the time that a word takes."""
    anywhere = np.ndarray((len(raw) - size + 1,), np.dtype(f"V{size}"), raw, strides=(1,))
    return anywhere[begins].view("<u8").reshape(-1, size // 8)


def _cells(raw: bytes, before: Positions, words: int) -> tuple[Words, Positions, Mask]:
    """The bytes of cells as numbers, `(words, n)`, their lengths, and whether the cells are not
    empty, are shorter than these words, and have a comma before them, at `before`."""
    windows = _windows(raw, before, 8 * words + 8).T
    cells = np.empty((words, len(before)), np.uint64)
    length, goes_on = np.zeros(len(before), np.uint64), np.ones(len(before), np.bool_)
    for cell, word, following in zip(cells, windows, windows[1:], strict=False):
        shifted = word >> EIGHT | following << LAST
        inside = _before_sign(shifted) * goes_on
        np.bitwise_and(shifted, inside, out=cell)
        length += _count(inside)
        goes_on = inside == ALL_BYTES
    good = ((windows[0] & BYTE) == COMMA) & (length > 0) & ~goes_on
    return cells, length.astype(np.int64), good


def _before_sign(words: Words) -> Words:
    """The bits of the bytes before the first sign, such as a comma, or of all bytes.

    A byte below `FIRST_SIGN` borrows from its high bit, see "Determine if a word has a byte less
    than n" in Anderson's "Bit Twiddling Hacks".
    """
    signs = (words - FIRST_SIGNS) & ~words & HIGH_BITS
    first = signs & (~signs + ONE)
    return (first >> SEVEN) - ONE


def _count(masks: Words) -> Words:
    """The number of bytes that are all ones."""
    return ((masks & EACH) * EACH) >> LAST


def _numbers(cells: Words, length: Positions) -> tuple[Words, Mask]:
    """Numbers of any length, as from `_cells`, in whole millionths; and whether they have a digit
    and perhaps a point and digits. 0.25 becomes 0.250000, and 1 becomes 1.000000."""
    first, second, _ = cells
    words = first | ZEROS[np.minimum(length, 8)]
    words[length == 1] ^= POINT_FOR_ZERO
    numbers, good = _millionths(words)
    for cell, offset in zip(cells[1:], (8, 16), strict=True):
        more = cell | ZEROS[np.clip(length - offset, 0, 8)]
        good &= _odd_bytes(more ^ ZEROS[0], DIGITS) == 0
    numbers += (second & BYTE) >= ZERO + 5  # the seventh digit after the point
    return np.minimum(numbers, np.uint64(SCALE)), good


def _millionths(words: Words) -> tuple[Words, Mask]:
    """Numbers of eight characters in whole millionths, limited to 1; and whether they have a
    digit, a point, and digits."""
    digits = words ^ NUMBER_ZEROS
    good = _odd_bytes(digits, POINT_AND_DIGITS) == 0
    # Three steps join neighboring digits to numbers of 2, 4 and 8 digits.
    for factor, shift, mask in JOINED:
        digits *= factor
        digits >>= shift
        digits &= mask
    return np.minimum(digits, np.uint64(SCALE)), good  # a number of 1 and more has eight digits


def _odd_bytes(digits: Words, carry: np.uint64) -> Words:
    """Not 0 where a byte is more than a digit; `carry` makes it overflow into its high bit."""
    return (digits + carry | digits) & HIGH_BITS


def _packed(
    numbers: Sequence[Words], flags: Sequence[NDArray[np.uint8]]
) -> tuple[Words, NDArray[np.uint32]]:
    """Numbers, and the first characters of flags, as in `Cells`."""
    *first, last = numbers
    packed = np.zeros(len(last), np.uint64)
    for place, number in enumerate(first):
        packed |= number << np.uint64(place * BITS)
    rest = last.astype(np.uint32)
    for shift, flag in zip(FLAG_SHIFTS, flags, strict=False):
        known = np.minimum(flag - np.uint8(ZERO), np.uint8(UNKNOWN))
        rest |= known.astype(np.uint32) << np.uint32(shift)
    return packed, rest

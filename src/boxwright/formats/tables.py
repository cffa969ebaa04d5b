"""Read and write delimited text; the separator is detected."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

from boxwright.errors import INVISIBLE, DataError
from boxwright.io.files import write_text
from boxwright.io.text import encoding_of, open_text

SEPARATORS = ",;\t|"
STATED = re.compile(rf"sep=([{SEPARATORS}])[{SEPARATORS}]*\r?\n?")  # first line, for Excel
DECIMAL_COMMA = re.compile(r"\A(-?[0-9]+),([0-9]+)\Z")
HEAD = 4096  # bytes at the start of a text that are searched for its first line
MAX_FIRST_LINE = 1 << 16  # characters of the first line that are searched for the separator
MAX_LINE = 1 << 24  # characters of a line; other texts may have all of theirs in one


def first_rows(path: Path, count: int) -> list[list[str]]:
    """The first rows of a table in any encoding; fewer if the file is not a table."""
    found = []
    try:
        for _, row in islice(rows(path, errors="replace"), count):
            found.append(row)
    except DataError:
        pass
    return found


def rows(path: Path, errors: str = "strict") -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the stripped cells of each row that is not blank.

    Numbers have a decimal point, also in spreadsheets from countries with a decimal comma.

    Args:
        path: the file.
        errors: how to handle bytes that are not UTF-8, as in `open`.

    Raises:
        DataError: BW120 the file is not a table, BW160 it cannot be read as text.
    """
    try:
        with open_text(path, errors) as lines:
            yield from rows_of(lines)
    except csv.Error as error:
        raise DataError("BW120", f"the CSV list cannot be read ({error}).", where=path) from error


def rows_of(lines: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Yield what `rows` does from an open file. Raises csv.Error: it is not a table."""
    first = lines.readline(MAX_FIRST_LINE)
    stated = STATED.fullmatch(first)
    separator = stated[1] if stated else separator_of(first)
    if not stated:
        lines.seek(0)
    reader = csv.reader(_lines(lines), delimiter=separator)
    for row in reader:
        cells = [cell.strip() for cell in row]
        if separator != ",":
            cells = [DECIMAL_COMMA.sub(r"\1.\2", cell) for cell in cells]
        if any(cells):
            yield reader.line_num + (stated is not None), cells


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise csv.Error("it has a line that is too long for a table")
        yield line


def first_words(path: Path) -> list[str] | None:
    """The words of the first line that is not blank; None if the file cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return None
    lines = head.decode(encoding_of(head), "replace").splitlines()
    return next((cells for line in lines if (cells := words(line))), [])


def words(line: str) -> list[str]:
    """The words of a line; spaces without ink separate them too."""
    cells = line.split()
    if line.isascii():
        return cells
    return [cell for cell in cells if INVISIBLE.sub("", cell)]


def write_rows(path: Path, lines: Iterable[Sequence[object]]) -> None:
    """Write a table, separated by commas.

    Raises:
        DataError: BW141 a name contains a character that UTF-8 cannot encode, or has outer spaces,
            which readers of tables strip.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    for line in lines:
        if padded := [cell for cell in line if isinstance(cell, str) and cell != cell.strip()]:
            raise DataError("BW141", f"the name {padded[0]!r} has spaces around it.", where=path)
        table.writerow(line)
    try:
        write_text(path, text.getvalue())
    except UnicodeEncodeError as error:
        raise DataError(
            "BW141",
            f"the name {error.object[error.start : error.end]!r} contains a character that UTF-8 "
            "cannot encode.",
            where=path,
        ) from error


def separator_of(line: str) -> str:
    """The most frequent separator of the line, outside of quotes."""
    return max(SEPARATORS, key=re.sub('"[^"]*"', "", line).count)

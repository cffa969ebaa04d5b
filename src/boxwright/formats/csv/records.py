"""The records of a CSV file: the rows of an image."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from typing import Any, NamedTuple

from boxwright.errors import DataError
from boxwright.formats.csv.columns import Columns, Shape, understand
from boxwright.formats.editing import refilled
from boxwright.formats.tables import separator_of
from boxwright.io.text import RawText

LOOKED_AT = 20  # first rows that are read to detect the columns
EDITABLE = frozenset({Shape.CORNERS, Shape.SIDES, Shape.CENTER})


class Row(NamedTuple):
    """A row, as text and as cells."""

    text: str
    cells: list[str]


class Records:
    """The records of a CSV file; rows that are not edited keep their text.

    A record says what the columns mean, so that it can be read by itself.
    """

    def __init__(self, content: bytes, path: str) -> None:
        self._raw = RawText.of(content, path)
        lines = list(io.StringIO(self._raw.text, newline=""))
        self._separator = separator_of(lines[0] if lines else "")
        self._rows: list[Row] = []
        reader, start = csv.reader(lines, delimiter=self._separator), 0
        try:
            for cells in reader:
                self._rows.append(Row("".join(lines[start : reader.line_num]), cells))
                start = reader.line_num
        except csv.Error as error:
            message = f"the CSV list cannot be read ({error})."
            raise DataError("BW120", message, where=path) from error
        first = [[cell.strip() for cell in row.cells] for row in self._rows if any(row.cells)]
        columns = understand(first[:LOOKED_AT])
        if not isinstance(columns, Columns) or columns.shape not in EDITABLE:
            message = "its boxes are not in four columns, or the columns are unclear."
            raise DataError("BW179", message, where=path)
        self.columns = columns
        self._width = max(len(first[0]), 1 + max(chain(columns.box, [columns.image])))
        self._by_name: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._rows[int(columns.header) :]:
            if name := self._name(row):
                self._by_name[name].append(row)
        for name, rows in self._by_name.items():
            if len({columns.split_in(row.cells) for row in rows}) > 1:
                message = f"its rows of {name} have several splits, so that they may be two images."
                raise DataError("BW179", message, where=path)

    def get(self, name: str) -> Any:
        rows = self._by_name.get(name)
        if not rows:
            return None
        return {"width": self._width, "rows": [row.cells for row in rows]}

    def put(self, name: str, record: Any) -> None:
        old = self._by_name.pop(name, [])
        kept = {tuple(row.cells): row for row in old}
        new = []
        for cells in record["rows"] if record else []:
            new.append(kept.get(tuple(cells)) or Row(self._line(cells), cells))
        mine = {id(row) for row in old}
        header = self._rows[: int(self.columns.header)]
        if self._rows and not self._rows[-1].text.endswith(("\n", "\r")):
            last = self._rows.pop()
            self._rows.append(Row(last.text + self._raw.line_end, last.cells))
            mine |= {id(self._rows[-1])} if id(last) in mine else set()
        rest = self._rows[len(header) :]
        self._rows = [*header, *refilled(((row, id(row) in mine) for row in rest), new)]
        if new:
            self._by_name[name] = new

    def content(self) -> bytes:
        return self._raw.bytes_of("".join(row.text for row in self._rows))

    def names(self) -> Iterable[str]:
        """The names of all images."""
        return self._by_name.keys()

    def _name(self, row: Row) -> str:
        return self.columns.name_in([cell.strip() for cell in row.cells])

    def _line(self, cells: list[str]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=self._separator, lineterminator=self._raw.line_end).writerow(
            cells
        )
        return text.getvalue()

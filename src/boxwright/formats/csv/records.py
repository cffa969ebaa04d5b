"""The records of a CSV file: the rows of an image."""

from __future__ import annotations

import csv
import io
from itertools import chain
from typing import Any, NamedTuple

from boxwright.errors import DataError
from boxwright.formats.csv.columns import Columns, Shape, understand
from boxwright.formats.parts import Parts
from boxwright.formats.records import Unlisted
from boxwright.formats.tables import separator_of
from boxwright.io.text import RawText
from boxwright.structures.dataset import Split

LOOKED_AT = 20  # first rows that are read to detect the columns
EDITABLE = frozenset({Shape.CORNERS, Shape.SIDES, Shape.CENTER})


class Row(NamedTuple):
    """A row, as text and as cells."""

    text: str
    cells: list[str]


class Records(Unlisted):
    """The records of a CSV file; rows that are not edited keep their text.

    A record says what the columns mean, so that it can be read by itself.
    """

    def __init__(self, content: bytes, path: str) -> None:
        self._raw = RawText.of(content, path)
        lines = list(io.StringIO(self._raw.text, newline=""))
        self._separator = separator_of(lines[0] if lines else "")
        rows: list[Row] = []
        reader, start = csv.reader(lines, delimiter=self._separator), 0
        try:
            for cells in reader:
                rows.append(Row("".join(lines[start : reader.line_num]), cells))
                start = reader.line_num
        except csv.Error as error:
            message = f"the CSV list cannot be read ({error})."
            raise DataError("BW120", message, where=path) from error
        first = [[cell.strip() for cell in row.cells] for row in rows if any(row.cells)]
        columns = understand(first[:LOOKED_AT])
        if not isinstance(columns, Columns) or columns.shape not in EDITABLE:
            message = "its boxes are not in four columns, or the columns are unclear."
            raise DataError("BW179", message, where=path)
        self.columns = columns
        self._width = max(len(first[0]), 1 + max(chain(columns.box, [columns.image])))
        if rows and not rows[-1].text.endswith(("\n", "\r")):
            rows[-1] = Row(rows[-1].text + self._raw.line_end, rows[-1].cells)
        start = int(columns.header)
        self._header = "".join(row.text for row in rows[:start])
        self._parts = Parts((self._name(row), row) for row in rows[start:])
        splits: dict[str, Split] = {}
        for row in rows[start:] if columns.split is not None else ():
            name, split = self._name(row), columns.split_in(row.cells)
            if splits.setdefault(name, split) is not split:
                message = f"its rows of {name} have several splits, so that they may be two images."
                raise DataError("BW179", message, where=path)

    def get(self, name: str) -> Any:
        rows = self._parts.of(name) if name else None
        if not rows:
            return None
        return {"width": self._width, "rows": [row.cells for row in rows]}

    def put(self, name: str, record: Any) -> None:
        kept = {tuple(row.cells): row for row in self._parts.of(name)}
        cells = record["rows"] if record else []
        self._parts.put(name, [kept.get(tuple(one)) or Row(self._line(one), one) for one in cells])

    def boxes(self, record: Any) -> Any:
        columns = [*self.columns.box, self.columns.image, self.columns.name]
        return [[cell for i, cell in enumerate(row) if i in columns] for row in record["rows"]]

    def content(self) -> bytes:
        return self._raw.bytes_of(self._header + "".join(row.text for row in self._parts))

    def _name(self, row: Row) -> str:
        return self.columns.name_in([cell.strip() for cell in row.cells])

    def _line(self, cells: list[str]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=self._separator, lineterminator=self._raw.line_end).writerow(
            cells
        )
        return text.getvalue()

"""Edit the rows of an image in a CSV file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from boxwright.errors import DataError
from boxwright.formats.annotations import BadEntryError, Labeled
from boxwright.formats.csv.columns import Columns, Shape
from boxwright.formats.csv.format import NAMELESS, CsvFile
from boxwright.formats.csv.records import Records
from boxwright.formats.editing import Edit, EditedBox
from boxwright.formats.json_file import Object
from boxwright.formats.records import record_bytes

Cells = list[str]


class Editor:
    """The editor of CSV records.

    Args:
        relative: the boxes of the files are fractions.
    """

    def __init__(self, *, relative: bool) -> None:
        self._relative = relative
        self._columns: dict[str, Columns] = {}

    def opened(self, content: bytes, path: str) -> Records:
        records = Records(content, path)
        self._columns[path] = records.columns
        return records

    def labeled(self, content: bytes | None, path: str) -> Labeled:
        if content is None:
            return Labeled(path, relative=self._relative)
        file = CsvFile(Path(), path, self._columns[path])
        rows = json.loads(content)["rows"]
        try:
            for line, row in enumerate(rows, 1):
                file.add([cell.strip() for cell in row], line)
        except BadEntryError as error:
            raise DataError("BW110", f"{error}.", where=path) from error
        one = next(iter(file.images.values()))
        one.relative = self._relative
        return one

    def edited(self, content: bytes | None, path: str, edit: Edit) -> bytes:
        columns = self._columns[path]
        record: Object = json.loads(content) if content else {"width": 0, "rows": []}
        width = max(record["width"], 1 + max([columns.image, *columns.box]))
        old: list[Cells] = record["rows"]
        start = [*old[0]] if old else [""] * width
        bare = _bare(start, columns, edit)
        boxed = [row for row in old if _has_box(row, columns)]
        before = self.labeled(content, path)
        rows = [_row(boxed, before, bare, columns, box) for box in edit.boxes] or [bare]
        return record_bytes({"width": width, "rows": rows})


def _bare(first: Sequence[str], columns: Columns, edit: Edit) -> Cells:
    """The row of an image without objects: its name, folder, size and split."""
    kept = {columns.image, columns.folder, *(columns.size or ()), columns.split}
    row = [cell if i in kept else "" for i, cell in enumerate(first)]
    if not row[columns.image].strip():
        row[columns.image] = edit.name
        for place, side in zip(columns.size or (), edit.size, strict=False):
            row[place] = str(side)
    return row


def _has_box(row: Sequence[str], columns: Columns) -> bool:
    return any(row[i].strip() for i in columns.box if i < len(row))


def _row(
    boxed: Sequence[Cells], before: Labeled, bare: Cells, columns: Columns, box: EditedBox
) -> Cells:
    row = [*(bare if box.origin is None else boxed[box.origin])]
    if box.sides is not None:
        for place, value in zip(columns.box, _numbers(columns.shape, box.sides), strict=True):
            row[place] = value
    if columns.name is not None and (box.origin is None or box.name != before.names[box.origin]):
        row[columns.name] = box.name
    elif columns.name is None and box.name != NAMELESS:
        raise DataError("BW180", "the file has no column for the class.")
    return row


def _numbers(shape: Shape, sides: Sequence[float]) -> Iterator[str]:
    xmin, ymin, xmax, ymax = sides
    values: Sequence[float] = sides
    if shape is Shape.SIDES:
        values = xmin, ymin, xmax - xmin, ymax - ymin
    elif shape is Shape.CENTER:
        values = (xmin + xmax) / 2, (ymin + ymax) / 2, xmax - xmin, ymax - ymin
    for value in values:
        yield np.format_float_positional(np.float64(round(value, 10)), trim="-")

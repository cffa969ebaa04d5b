"""CSV files with a row per box, from any tool.

The tutorials' `filename,width,height,class,xmin,ymin,xmax,ymax` is one of many layouts. The header
names the columns; keras-retinanet's and Google's files are recognized without a header. The values
of the whole file show if boxes are pixels or fractions of the image's sides.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from boxwright.errors import DataError
from boxwright.formats.about import About
from boxwright.formats.annotations import (
    BadEntryError,
    Broken,
    Holds,
    Labeled,
    Labels,
    number,
    numbers,
    size_of,
)
from boxwright.formats.around import around
from boxwright.formats.coordinates import Size
from boxwright.formats.csv.columns import EMPTY, Columns, Shape, understand
from boxwright.formats.csv.records import LOOKED_AT, Records
from boxwright.formats.csv.together import put_together
from boxwright.formats.folder import Folder, folded, split_path, stem
from boxwright.formats.records import apply_edits, overtaken, waiting_edits
from boxwright.formats.repeats import sizes_differ
from boxwright.formats.shapes import decimals
from boxwright.formats.splits import file_split
from boxwright.formats.tables import first_rows, rows, rows_of, write_rows
from boxwright.formats.units import are_fractions
from boxwright.io.text import RawText
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding, counted
from boxwright.structures.labels import write_label_map

TITLE = "CSV"
HOLDS = Holds.SPLITS | Holds.CLASS_ORDER | Holds.FRACTIONS
BY_STEM = False
ABOUT = About(
    sources=(
        "The tutorials' `xml_to_csv.py`, Roboflow, keras-retinanet, keras-frcnn, Google's AutoML, "
        "the traffic signs of GTSDB and most scripts."
    ),
    files=(
        "A `.csv`, `.tsv` or `.txt` with a row per box: "
        "`filename,width,height,class,xmin,ymin,xmax,ymax` and most other columns."
    ),
    detected="By the names of the columns, or without a header by the values of the first rows.",
    written=("*_labels.csv", "label_map.pbtxt"),
    quirks=(
        "Boxes may be corners, a corner with width and height, a center with width and height, or "
        "a list in one cell, in pixels or fractions. The values of the whole file show which.",
        "A column with the folder, the video or a longer path of the image is used with its name "
        "where names repeat; otherwise the image may have been moved since.",
        "Rows of one file name are of different images if they have different splits, or are in "
        "different files and not beside the image, and have no box in common. Then each image is "
        "in a folder that is called after the split or the file. Files with classes of their own "
        "are put together, and files that go on with the last image of another one, if one folder "
        "has all their images.",
        "Files with different boxes for one object, as of two people, are not put together "
        "(`BW113`).",
        "Texts are read only where no other table of boxes is (`BW155`).",
        "A row with neither box nor class means an image without objects.",
        "Classes that are numbers get their names from a table beside them, `0,cat` (`BW158`).",
        "Without a column of classes, all boxes are of the class `object` (`BW148`).",
    ),
)
SUFFIXES = (".csv", ".tsv")
TEXT = ".txt"
MAX_TEXTS = 50  # that are looked at to detect tables: there may be one for each image
BESIDE = "is a table of boxes too; beside other tables, such as {}, no text is read"
IMAGES = "images"
HEADER = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")
MAX_CLASSES = 10_000  # rows of a table of class names
NAMELESS = "object"  # class name if the file has none


def detect(folder: Folder) -> bool:
    """True if there is a CSV file with images and boxes."""
    sample = sorted(_lone_texts(folder), key=lambda path: path.count("/"))[:MAX_TEXTS]
    return any(True for _ in _tables(folder, [*folder.with_suffix(*SUFFIXES), *sample]))


def read(folder: Folder) -> Labels:
    """Read every CSV file with boxes; lists of splits take precedence over lists of all images.

    Texts are read only if there is no other table: beside one, they are often copies of it in
    other words, or what a detector found.
    """
    labels = Labels()
    files = []
    usual = [*_tables(folder, folder.with_suffix(*SUFFIXES))]
    texts = [*_tables(folder, _lone_texts(folder) if usual else folder.with_suffix(TEXT))]
    if usual:
        message = BESIDE.format(usual[0][0])
        labels.findings += [Finding("BW155", path, message, "not used") for path, _ in texts]
    for path, columns in usual or texts:
        if isinstance(columns, Columns):
            files.append(CsvFile(folder.root, path, columns).read())
        else:
            labels.broken.append(Broken("BW110", f"{path}:1", columns))
    for one in files:
        labels.broken += one.broken
        labels.findings += one.findings
    _use_plain_names(files)
    labels.images = put_together(folder, files)
    for one in files:
        if one.replaced:
            message = (
                f"{counted(one.replaced, 'box is', 'boxes are')} not in the lists of the splits"
            )
            labels.findings.append(Finding("BW159", one.path, message, "not used"))
    used = {name for one in labels.images for name in one.names}
    labels.classes = _class_list(folder, used) or _name_numbers(folder, used, labels)
    return labels


def _tables(folder: Folder, paths: Sequence[str]) -> Iterator[tuple[str, Columns | str]]:
    """The tables of boxes with their columns, or with what is unclear about them.

    A text is one only if nothing is.
    """
    for path in paths:
        columns = understand(first_rows(folder.root / path, LOOKED_AT))
        if isinstance(columns, Columns) or (columns and not path.lower().endswith(TEXT)):
            yield path, columns


def _lone_texts(folder: Folder) -> list[str]:
    """The texts that do not have the name of an image, as label files of one have."""
    texts = folder.with_suffix(TEXT)
    images = {folded(stem(name)) for names in folder.images.values() for name in names if texts}
    return [path for path in texts if folded(stem(split_path(path)[1])) not in images]


def _use_plain_names(files: Sequence[CsvFile]) -> None:
    """Let columns with folders only be hints for images whose names are unique: the images may have
    been sorted into other folders since."""
    named = [(one, file.plain[one.image]) for file in files for one in file.labeled]
    last = [folded(split_path(plain)[1]) for _, plain in named]
    count = Counter(last)
    for (one, plain), name in zip(named, last, strict=True):
        if one.image != plain and count[name] == 1:
            one.hint, one.record, one.image = one.image, one.image, plain


def image_folder(split: Split) -> str:
    """One folder for all images; the names of the lists state the splits."""
    return IMAGES


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write the tutorials' lists, `train_labels.csv` and so on, and the label map.

    Raises:
        DataError: BW141 a name cannot be written as UTF-8.
    """
    last = Counter(split_path(name)[1] for name in names)
    for split in Split:
        chosen = np.flatnonzero(dataset.splits == split).tolist()
        lines: list[Sequence[object]] = [HEADER]
        for i in chosen:
            name = names[i]
            if last[split_path(name)[1]] == 1:  # the tutorials' scripts search for it in images
                name = name.removeprefix(f"{IMAGES}/")
            boxes = dataset.rows(i)
            lines += (
                [name, *dataset.sizes[i], dataset.classes[label], *decimals(box)]
                for box, label in zip(dataset.boxes[boxes], dataset.labels[boxes], strict=True)
            )
        if chosen:
            word = "" if split is Split.UNASSIGNED else f"{split.name.lower()}_"
            write_rows(target / f"{word}labels.csv", lines)
    if dataset.classes:
        write_label_map(target / "label_map.pbtxt", dataset.classes)


@dataclass
class CsvFile:
    """Reader of one CSV file.

    Attributes:
        images: the images by their names in the file, and their splits.
        bare: line, image and class of the rows with a class but no box.
        split: the split in the file's name or folder.
        replaced: number of boxes that the lists of splits lack.
        stated: the cells with the size of each image in its first row.
        sized: the first row of each image that states another size.
        of_boxes: these sizes are those of the boxes.
        splits: the first split that rows state of an image.
        plain: the names of images without what a column says of their folders.
    """

    root: Path
    path: str
    columns: Columns
    images: dict[tuple[str, Split], Labeled] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    bare: list[tuple[int, str, str]] = field(default_factory=list)
    split: Split = Split.UNASSIGNED
    replaced: int = 0
    stated: dict[tuple[str, Split], tuple[str, ...]] = field(default_factory=dict)
    sized: dict[str, Broken] = field(default_factory=dict)
    of_boxes: bool = True
    splits: dict[str, Split] = field(default_factory=dict)
    plain: dict[str, str] = field(default_factory=dict)

    def read(self) -> CsvFile:
        self.split = file_split(self.path)
        unusable: set[str] = set()
        try:
            table = self._table()
            for line, row in islice(table, int(self.columns.header), None):
                try:
                    self.add(row, line)
                except BadEntryError as error:
                    self.broken.append(Broken("BW110", f"{self.path}:{line}", str(error)))
                    unusable.add(self.columns.name_in(row))
        except DataError as error:
            self.broken.append(Broken.of(error, self.path))
        if not self.of_boxes:
            self.broken += self.sized.values()
            unusable |= self.sized.keys()
        boxed = {name for one in self.images.values() for name in one.names}
        for line, name, label in self.bare:
            if label in boxed or not boxed:  # other classes mean no object, such as 'No finding'
                message = f"has the class '{label}' but no box"
                self.broken.append(Broken("BW110", f"{self.path}:{line}", message))
                unusable.add(name)
        # With only some of its boxes, an image would teach the other objects as background.
        for key in list(self.images):
            if not unusable.isdisjoint({key[0], split_path(key[0])[1]}):
                del self.images[key]
        self._settle()
        return self

    @property
    def labeled(self) -> Iterable[Labeled]:
        """The images."""
        return self.images.values()

    def _split_of(self, name: str, said: Split) -> Split:
        """The split of an image in a row that states it, or in an earlier one of the image."""
        if said is Split.UNASSIGNED:
            return self.splits.get(name, said)
        self.splits.setdefault(name, said)
        return said

    def add(self, row: list[str], line: int) -> None:
        """Add the box of a row to its image. Raises BadEntryError."""
        columns, split = self.columns, self.split
        try:
            name = columns.name_in(row)
            if columns.shape is Shape.POINTS:
                row += [""] * (max(columns.box) + 1 - len(row))  # commas at its end are optional
            label = NAMELESS if columns.name is None else row[columns.name]
            cells = [row[i] for i in columns.box]
            if columns.split is not None:
                split = self._split_of(name, columns.split_in(row))
        except IndexError:
            raise BadEntryError(f"has only {counted(len(row), 'column')}") from None
        if not name:
            raise BadEntryError("names no image")
        self.plain.setdefault(name, columns.plain_name_in(row))
        one = self.images.get((name, split))
        if one is None:
            one = Labeled(self.path, name, place=f":{line}", split=split)
            self.images[name, split] = one
            if columns.size:
                one.size = self._size(row)
                self.stated[name, split] = _cells(row, columns.size)
        if not any(cells) or all(cell.lower() in EMPTY for cell in cells):
            if columns.name is not None and label.lower() not in EMPTY:
                self.bare.append((line, name, label))
            return
        box = _box(columns.shape, cells)
        if not label:
            raise BadEntryError("has no class name")
        one.add(label, box)
        if columns.size and _cells(row, columns.size) != self.stated[name, split]:
            self._compare(one, self._size(row), box, line)

    def _size(self, row: Sequence[str]) -> Size:
        return size_of(*_cells(row, self.columns.size or (0, 0)))

    def _compare(self, one: Labeled, size: Size, box: Sequence[float], line: int) -> None:
        """Note that a row states another size of the image than earlier rows."""
        if sizes_differ(one, Labeled(self.path, size=size)):
            sides = box[2] - box[0], box[3] - box[1]
            self.of_boxes &= all(abs(a - b) <= 1 for a, b in zip(sides, size, strict=True))
            message = f"'{one.image}' is {size} pixels, but {one.size} in {one.where}"
            self.sized.setdefault(one.image, Broken("BW157", f"{self.path}:{line}", message))

    def _table(self) -> Iterator[tuple[int, list[str]]]:
        """The rows of the file, with the edits that wait beside it."""
        path = self.root / self.path
        edits = waiting_edits(path)
        if not edits:
            return rows(path)
        records = Records(path.read_bytes(), str(path))
        used = apply_edits(records, edits)
        self.findings += overtaken(self.path, [name for name in edits if name not in used])
        text = RawText.of(records.content(), path).text
        return rows_of(io.StringIO(text, newline=""))

    def _settle(self) -> None:
        """Decide if boxes are pixels or fractions, after all rows are read."""
        boxes = sum(len(one.names) for one in self.images.values())
        fractions = self.columns.fractions
        if fractions is None:  # beside sizes they are pixels, unless all say otherwise
            fractions = self.columns.size is None and are_fractions(self.images.values())
        for one in self.images.values():
            one.relative = fractions
            if self.sized and self.of_boxes:
                one.size = None
        if boxes and self.columns.name is None:
            message = f"no column is the class; all boxes get the class '{NAMELESS}'"
            self.findings.append(Finding("BW148", self.path, message))


def _cells(row: Sequence[str], columns: tuple[int, int]) -> tuple[str, ...]:
    return tuple(row[i] if len(row) > i else "" for i in columns)


def _box(shape: Shape, cells: Sequence[str]) -> list[float]:
    if shape is Shape.LIST:
        cells = re.findall(r"[^\s,;]+", cells[0].strip("[](){}"))
        if len(cells) != 4:
            raise BadEntryError(f"its box has {counted(len(cells), 'number')}, not 4")
    if shape is Shape.POINTS:
        across, down = (numbers([c for c in cells[start::2] if c]) for start in (0, 1))
        if not across or not down:
            raise BadEntryError("its box has no corners")
        return [min(across), min(down), max(across), max(down)]
    values = numbers(cells)
    if shape is Shape.CORNERS:
        return values
    x, y, width, height = values
    if width < 0 or height < 0:
        raise BadEntryError(f"its box has the negative size {width:g} x {height:g}")
    if shape is Shape.CENTER:
        x, y = x - width / 2, y - height / 2
    return [x, y, x + width, y + height]


def _class_list(folder: Folder, used: set[str]) -> list[str]:
    """The classes in the order of a keras-retinanet class list, `name,id`, that has them all."""
    for path in folder.with_suffix(*SUFFIXES):
        ids: dict[str, int] = {}
        try:
            for _, row in rows(folder.root / path):
                if len(row) != 2 or not row[1].isdecimal():
                    break
                ids[row[0]] = int(row[1])
            else:
                if used and used <= ids.keys():
                    return sorted(ids, key=ids.__getitem__)
        except (DataError, ValueError):
            continue
    return []


def _name_numbers(folder: Folder, used: set[str], labels: Labels) -> list[str]:
    """Name classes that are numbers from a table, `0,cat`, that has them all; returns the names."""
    if not used or not all(name.isdecimal() for name in used):
        return []
    for path in around(folder, *SUFFIXES):
        try:
            table = [row for _, row in islice(rows(folder.root / path), MAX_CLASSES)]
        except DataError:
            continue
        numbered = [row for row in table if len(row) == 2 and row[0].isdecimal()]
        names = {row[0]: row[1] for row in numbered if row[1] and number(row[1]) is None}
        if len(names) >= len(table) - 1 and used <= names.keys():  # there may be a header
            for one in labels.images:
                one.names = [names[name] for name in one.names]
            message = f"names {counted(len(names), 'class', 'classes')} by their numbers"
            labels.findings.append(Finding("BW158", path, message, "used"))
            return [names[key] for key in sorted(names, key=int)]
    return []

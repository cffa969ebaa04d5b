"""Open Images: its official CSV files, and the folders of the OIDv4 ToolKit.

    ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,...
    000026e7ee790996,freeform,/m/07j7r,1,0.071905,0.145346,0.206591,0.391306,0,1,1,0,0

The official files have the boxes of millions of images; rows of images that are not in the folder
are skipped. `openimages.folders` reads the ToolKit's folders.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from boxwright.errors import DataError
from boxwright.formats.about import About
from boxwright.formats.annotations import Broken, Holds, Labeled, Labels, number
from boxwright.formats.around import around
from boxwright.formats.folder import Folder, join, split_path, stem
from boxwright.formats.openimages.folders import has_label_folders, read_label_folders
from boxwright.formats.openimages.image_labels import (
    IMAGE_LABELS,
    read_image_labels,
    write_image_labels,
)
from boxwright.formats.openimages.rows_here import OfficialFile
from boxwright.formats.splits import file_split
from boxwright.formats.tables import first_rows, rows, write_rows
from boxwright.structures.dataset import CROWD, OCCLUDED, TRUNCATED, Dataset, Split
from boxwright.structures.findings import Finding, counted

TITLE = "Open Images"
HOLDS = (
    Holds.TRUNCATED
    | Holds.CROWD
    | Holds.OCCLUDED
    | Holds.SPLITS
    | Holds.CLASS_ORDER
    | Holds.FRACTIONS
    | Holds.VERIFIED_CLASSES
)
BY_STEM = True
ABOUT = About(
    sources="The Open Images data set and the OIDv4 ToolKit.",
    files=(
        "The official `*-annotations-bbox.csv` files with `class-descriptions-boxable.csv`, or "
        "the ToolKit's folders, such as `train/Apple/Label`."
    ),
    detected=(
        "By the columns `ImageID`, `LabelName`, `XMin` and so on of a CSV file, or by text files "
        "in folders named `Label`."
    ),
    written=(
        "*-annotations-bbox.csv",
        "class-descriptions-boxable.csv",
    ),
    quirks=(
        "The official files describe millions of images; rows of images that are not here are "
        "skipped and counted (`BW101`).",
        "Class names are from any table of two columns, code and name, such as FiftyOne's "
        "`metadata/classes.csv`, also one folder above.",
        "`*-annotations-human-imagelabels*.csv` say which classes people looked for in an image; "
        "they are written if that is known. "
        "The other classes are unknown in it: training does not learn from the image that it lacks "
        "them, and evaluation ignores detections of them there.",
        "`IsGroupOf` is the flag crowd. Depictions and views of the inside are ordinary boxes.",
        "The ToolKit downloads an image once for each of its classes; the copies become one image "
        "with all boxes.",
    ),
)
HEADER = (
    *("ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax"),
    *("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside"),
)
NEEDED = HEADER[:1] + HEADER[2:8]
SIDES = ("XMin", "YMin", "XMax", "YMax")
FLAGS = {"IsOccluded": OCCLUDED, "IsTruncated": TRUNCATED, "IsGroupOf": CROWD}
UNKNOWN = -1  # value of an unknown flag
DESCRIPTIONS = "class-descriptions-boxable.csv"
SPLITS = {Split.TRAIN: "train", Split.VAL: "validation", Split.TEST: "test"}


def detect(folder: Folder) -> bool:
    """True if there are official files with boxes, or folders of the ToolKit."""
    return bool(_box_files(folder)) or has_label_folders(folder)


def read(folder: Folder) -> Labels:
    """Read the boxes of the images in the folder.

    The ToolKit stores the official files beside its folders; its folders take precedence.

    Raises:
        DataError: BW101 there are boxes, but their images are missing.
    """
    files = _box_files(folder)
    if not files or has_label_folders(folder):
        return read_label_folders(folder)
    labels = Labels()
    descriptions = _descriptions(folder, labels)
    here = {
        key
        for either in (folder, folder.unopened())
        for parent, names in either.images.items()
        for n in names
        for key in _ids(parent, n)
    }
    elsewhere, unusable = 0, set[str]()
    verified = read_image_labels(folder, here, descriptions)
    for path, header in files.items():
        boxes = _BoxFile(folder.root, path, header, here, names=descriptions)
        labels.images += boxes.read()
        labels.broken += boxes.broken
        elsewhere += boxes.elsewhere
        unusable |= boxes.unusable
    for one in labels.images:
        if one.image in verified:
            one.verified_classes = verified[one.image].verified_classes
    boxed = unusable.union(one.image for one in labels.images)
    labels.images += [
        one for name, one in verified.items() if one.verified_classes and name not in boxed
    ]
    if not labels.images and not labels.broken:
        raise DataError(
            "BW101",
            f"no image in this folder has any of the boxes ({elsewhere}).",
            where=folder.root.absolute(),
        )
    if elsewhere:
        message = (
            f"{counted(elsewhere, 'box belongs', 'boxes belong')} to images that are not in this "
            "folder"
        )
        labels.findings.append(Finding("BW101", next(iter(files)), message, "skipped"))
    used = {name for one in labels.images for name in one.names}
    labels.classes = [name for name in dict.fromkeys(descriptions.values()) if name in used]
    if nameless := sorted(used.difference(labels.classes)):
        message = (
            f"the class descriptions lack {counted(len(nameless), 'class', 'classes')}, such as "
            f"{nameless[0]}"
        )
        labels.findings.append(Finding("BW148", next(iter(files)), message, "named by their codes"))
    return labels


def image_folder(split: Split) -> str:
    """One folder per split, with the names of Open Images."""
    return SPLITS.get(split, "images")


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write the official files: boxes of each split, and the class descriptions.

    Raises:
        DataError: BW141 a name cannot be written as UTF-8.
    """
    codes = [
        name if _is_code(name) else f"/boxwright/{i}" for i, name in enumerate(dataset.classes)
    ]
    stems = Counter(stem(split_path(name)[1]) for name in names)
    ids = [own if stems[own := stem(split_path(n)[1])] == 1 else stem(n) for n in names]
    for split in Split:
        chosen = np.flatnonzero(dataset.splits == split).tolist()
        if chosen:
            lines = (row for i in chosen for row in _rows(dataset, i, ids[i], codes))
            word = f"{SPLITS[split]}-" if split in SPLITS else ""
            write_rows(target / f"{word}annotations-bbox.csv", [HEADER, *lines])
            place = target / f"{word}{IMAGE_LABELS}"
            write_image_labels(dataset, chosen, [ids[i] for i in chosen], codes, place)
    if codes:
        pairs = zip(codes, dataset.classes, strict=True)
        write_rows(target / DESCRIPTIONS, pairs)


def _box_files(folder: Folder) -> dict[str, list[str]]:
    """Map official file with boxes -> its header."""
    found = {}
    for path in folder.with_suffix(".csv"):
        header = first_rows(folder.root / path, 1)
        if header and set(header[0]) >= set(NEEDED):
            found[path] = header[0]
    return found


def _ids(parent: str, name: str) -> Iterator[bytes]:
    """The names of an image in the files: its stem, or with as many of its folders as make stems
    unique."""
    own = stem(name)
    yield own.encode("utf-8", "surrogateescape")
    for folder in reversed(parent.split("/") if parent else []):
        own = join(folder, own)
        yield own.encode("utf-8", "surrogateescape")


def _descriptions(folder: Folder, labels: Labels) -> dict[str, str]:
    """Class code -> name, `/m/01g317,Person`, from all tables of two columns."""
    names: dict[str, str] = {}
    for path in around(folder, ".csv"):
        first = first_rows(folder.root / path, 2)  # some have a header
        if not first or len(first[-1]) != 2 or not first[-1][0].startswith("/"):
            continue
        try:
            for _, row in rows(folder.root / path):
                if len(row) == 2 and row[0].startswith("/"):
                    names.setdefault(row[0], row[1])
        except DataError as error:
            labels.broken.append(Broken.of(error, path))
    return names


@dataclass
class _BoxFile(OfficialFile):
    """Reader of one official file with boxes.

    Attributes:
        names: class code -> name.
        unusable: images with a row that cannot be used.
    """

    names: dict[str, str] = field(default_factory=dict)
    unusable: set[str] = field(default_factory=set)

    def read(self) -> list[Labeled]:
        split = file_split(self.path)
        column = {name: i for i, name in enumerate(self.header)}
        images: dict[str, Labeled] = {}
        for line, name, row in self.rows():
            if name not in images:
                images[name] = Labeled(
                    self.path,
                    name,
                    place=f":{line}",
                    relative=True,
                    split=split,
                    anywhere=True,
                )
            if fault := self._add(images[name], row, column):
                self.broken.append(Broken("BW110", f"{self.path}:{line}", fault))
                self.unusable.add(name)
        return [one for name, one in images.items() if name not in self.unusable]

    def _add(self, one: Labeled, row: Sequence[str], column: dict[str, int]) -> str:
        """Add the box of a row; returns the reason if the row is invalid."""
        if len(row) < len(self.header):
            return f"has {counted(len(row), 'column')} instead of {len(self.header)}"
        code = row[column["LabelName"]].strip()
        if not code:
            return "has no LabelName"
        box = []
        for side in SIDES:
            value = number(row[column[side]])
            if value is None:
                return f"{side} is '{row[column[side]][:40]}', not a number"
            box.append(value)
        flags = sum(bit for name, bit in FLAGS.items() if _is_set(row, column.get(name)))
        one.add(self.names.get(code, code), box, flags)
        return ""


def _is_set(row: Sequence[str], place: int | None) -> bool:
    return place is not None and row[place].strip() == "1"


def _is_code(name: str) -> bool:
    return name.startswith(("/m/", "/g/"))


def _rows(dataset: Dataset, index: int, image: str, codes: Sequence[str]) -> Iterator[list[object]]:
    width, height = dataset.sizes[index]
    rows = dataset.rows(index)
    boxes = dataset.boxes[rows].astype(np.float64) / [width, height, width, height]
    for box, label, flags in zip(boxes, dataset.labels[rows], dataset.flags[rows], strict=True):
        xmin, ymin, xmax, ymax = (
            np.format_float_positional(v, precision=10, trim="-") for v in box
        )
        truncated, group = int(flags & TRUNCATED > 0), int(flags & CROWD > 0)
        occluded = 1 if flags & OCCLUDED else UNKNOWN
        yield [
            *(image, "freeform", codes[label], 1, xmin, xmax, ymin, ymax),
            *(occluded, truncated, group, UNKNOWN, UNKNOWN),
        ]

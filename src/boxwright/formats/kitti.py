"""KITTI's labels of objects: label_2/000001.txt belongs to image_2/000001.png.

    Car 0.00 0 -1.57 614.24 181.78 727.31 284.77 1.57 1.73 4.15 1.00 1.75 13.22 1.62

A line is the class, how much of the object is outside of the image (0 to 1), how much of it is
hidden (0 to 3), an angle, and xmin, ymin, xmax, ymax in pixels. The seven numbers about space and
a score are not used. DontCare marks regions with objects that nobody labeled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
)
from boxwright.formats.folder import Folder, folded, split_path, stem
from boxwright.formats.label_paths import SUFFIX, at_changed_names, label_path, label_paths
from boxwright.formats.tables import first_words
from boxwright.io.files import write_text
from boxwright.structures.dataset import OCCLUDED, TRUNCATED, Dataset, Split

TITLE = "KITTI"
HOLDS = (
    Holds.TRUNCATED
    | Holds.OCCLUDED
    | Holds.IGNORED_REGIONS
    | Holds.SPLITS
    | Holds.EMPTY_IMAGES
    | Holds.FRACTIONS
)
BY_STEM = True
ABOUT = About(
    sources="The KITTI data set, NVIDIA TAO, Datumaro and FiftyOne.",
    files="A `.txt` for each image, in `label_2` beside `image_2` or in `labels` beside `images`.",
    detected="By text files whose first line has a class and 14 or 15 numbers.",
    written=("*/label_2/*.txt",),
    quirks=(
        "`DontCare` regions count neither as objects nor as background.",
        "Objects that are partly outside of the image are truncated, and those of occlusion 1 or "
        "2 occluded. Places in space and scores are not used.",
        "Class names with spaces cannot be written (`BW141`), because spaces separate the columns.",
    ),
)
IMAGES, LABELS = "image_2", "label_2"  # of the left color camera
FOLDERS = ((IMAGES, LABELS), ("images", "labels"))
SPLITS = {Split.TRAIN: "training", Split.VAL: "validation", Split.TEST: "testing"}
IGNORED = "DontCare"
COLUMNS = (15, 16)  # without and with a score
OCCLUSIONS = frozenset({-1, 0, 1, 2, 3})  # -1 in ignored regions, 3 is unknown
HIDDEN = frozenset({1, 2})
SAMPLED = 50  # text files that are read to detect labels
UNKNOWN_SPACE = "-1 -1 -1 -1000 -1000 -1000 -10"  # KITTI's numbers for unknown places in space
FAR = 2.0  # larger numbers are not fractions, as those of YOLO's shapes are


def is_line(cells: Sequence[str]) -> bool:
    """True if these are the cells of a line of KITTI's."""
    if len(cells) not in COLUMNS:
        return False
    values = [number(cell) for cell in cells[1:]]
    known = [value for value in values if value is not None]
    if len(known) < len(values) or known[1] not in OCCLUSIONS:
        return False
    return number(cells[0]) is None or max(map(abs, known)) > FAR


def detect(folder: Folder) -> bool:
    """True if text files have KITTI's lines."""
    texts = folder.with_suffix(SUFFIX)
    return any(_is_label(folder, path) for path in texts[:: 1 + len(texts) // SAMPLED])


def read(folder: Folder) -> Labels:
    """Read every label file; an empty one marks an image without objects."""
    labels = Labels()
    for path in _files(folder):
        outcome = _read(folder.root, path)
        if isinstance(outcome, Broken):
            labels.broken.append(outcome)
        else:
            labels.images.append(outcome)
    return labels


def image_folder(split: Split) -> str:
    """image_2 in a folder for each split."""
    return f"{SPLITS[split]}/{IMAGES}" if split in SPLITS else IMAGES


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write a label file for each image, also for images without objects.

    Raises:
        DataError: BW141 a class name has a space, which separates the columns, is the name of
            ignored regions, or cannot be written as UTF-8.
    """
    for name in dataset.classes:
        if name.split() != [name] or name.lower() == IGNORED.lower():
            reason = "separates columns by spaces and ignores regions called DontCare"
            raise DataError("BW141", f"the class {name!r} cannot be written: KITTI {reason}.")
    for i, name in enumerate(names):
        try:
            write_text(target / label_path(name, IMAGES, LABELS), "".join(_lines(dataset, i)))
        except UnicodeEncodeError as error:
            message = f"{error.object[error.start : error.end]!r} cannot be written as UTF-8."
            raise DataError("BW141", message) from error


def _is_label(folder: Folder, path: str) -> bool | None:
    """True if the first line is KITTI's; None if the file is empty, but not in a label_2."""
    words = first_words(folder.root / path)
    if words == []:
        return LABELS in split_path(path)[0].lower().split("/") or None
    return is_line(words or ())


def _files(folder: Folder) -> Iterator[str]:
    """The label files, files beside them that are empty or called after an image, and empty files
    where the labels of an image belong, although a tool may have changed its name."""
    states = {path: _is_label(folder, path) for path in folder.with_suffix(SUFFIX)}
    parents = {split_path(path)[0] for path, state in states.items() if state}
    images = {folded(stem(name)) for names in folder.images.values() for name in names}
    empty = [path for path, state in states.items() if state is None]
    placed = at_changed_names(empty, label_paths(folder, FOLDERS))
    for path, state in states.items():
        parent, name = split_path(path)
        expected = state is None or folded(stem(name)) in images
        if state or path in placed or (parent in parents and expected):
            yield path


def _read(root: Path, path: str) -> Labeled | Broken:
    one = Labeled(path, alone=True)
    try:
        lines = (root / path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return Broken("BW110", path, f"cannot be read ({error})")
    for line, cells in enumerate(map(str.split, lines), start=1):
        if not cells:
            continue
        if len(cells) not in COLUMNS:
            return Broken("BW110", f"{path}:{line}", f"has {len(cells)} columns instead of 15")
        try:
            values = numbers(cells[1:])
        except BadEntryError as error:
            return Broken("BW110", f"{path}:{line}", str(error))
        truncated, occluded, _, *box = values[:7]
        if cells[0].lower() == IGNORED.lower():
            one.ignored += box
        else:
            outside = TRUNCATED if truncated > 0 else 0
            one.add(cells[0], box, outside | (OCCLUDED if occluded in HIDDEN else 0))
    return one


def _lines(dataset: Dataset, index: int) -> Iterator[str]:
    rows = dataset.rows(index)
    for box, label, flags in zip(
        dataset.boxes[rows], dataset.labels[rows], dataset.flags[rows], strict=True
    ):
        truncated = "1.00" if flags & TRUNCATED else "0.00"
        hidden = int(flags & OCCLUDED > 0)
        yield f"{dataset.classes[label]} {truncated} {hidden} -10 {_sides(box)} {UNKNOWN_SPACE}\n"
    for region in dataset.ignored_in(index):
        yield f"{IGNORED} -1 -1 -10 {_sides(region)} {UNKNOWN_SPACE}\n"


def _sides(box: Iterable[np.float32]) -> str:
    return " ".join(np.format_float_positional(side, unique=True, trim="-") for side in box)

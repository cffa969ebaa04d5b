"""The folders of the OIDv4 ToolKit, `train/Apple/0a1b.jpg` and `train/Apple/Label/0a1b.txt`.

A line is `Granny Smith 12.8 30.0 401.5 388.2`: the class, and xmin ymin xmax ymax in pixels. An
image with two classes is downloaded twice, and each copy has the boxes of one class.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import DataError
from boxwright.formats.annotations import BadEntryError, Broken, Labeled, Labels, number, numbers
from boxwright.formats.folder import Folder, folded, split_path, stem
from boxwright.formats.pairing import pair
from boxwright.formats.tables import first_words, words
from boxwright.images.decoding import read_header
from boxwright.io.text import read_text
from boxwright.structures.findings import Finding, counted

LABEL_FOLDERS = frozenset({"label", "labels"})
SAMPLED = 50  # text files that are read to detect labels
MEASURED = 200  # images that are used to detect the order of the corners
MAX_WORDS = 6  # numbers after the first word; KITTI's lines have more
USUAL = (0, 1, 2, 3)
ORDERS = {  # order of the numbers -> positions of xmin, ymin, xmax, ymax
    "xmin ymin xmax ymax": USUAL,
    "xmax ymax xmin ymin": (2, 3, 0, 1),
    "ymin xmin ymax xmax": (1, 0, 3, 2),
    "xmin xmax ymin ymax": (0, 2, 1, 3),
    "ymax xmax ymin xmin": (3, 2, 1, 0),
}


def has_label_folders(folder: Folder) -> bool:
    """True if there are Label folders with boxes."""
    texts = _texts(folder)
    sample = [p for p in texts[:: 1 + len(texts) // SAMPLED] if _is_label(folder.root / p)]
    return any(match.image for match in pair(folder, [Labeled(p, alone=True) for p in sample]))


def read_label_folders(folder: Folder) -> Labels:
    """Read every label file. Copies of an image in several class folders become one image."""
    labels = Labels()
    for path in _texts(folder):
        outcome = _read(folder.root, path)
        if isinstance(outcome, Broken):
            labels.broken.append(outcome)
        else:
            labels.images.append(outcome)
    paths = [match.image for match in pair(folder, labels.images)]
    _put_in_order(folder, labels, paths)
    _merge_duplicates(folder, labels, paths)
    return labels


def _texts(folder: Folder) -> list[str]:
    return [
        path
        for path in folder.with_suffix(".txt")
        if split_path(split_path(path)[0])[1].lower() in LABEL_FOLDERS
    ]


def _is_label(path: Path) -> bool:
    cells = first_words(path) or []
    numeric = [number(cell) is not None for cell in cells]
    is_kitti = len(cells) > MAX_WORDS and all(numeric[1:])
    return len(cells) >= 5 and all(numeric[-4:]) and not numeric[0] and not is_kitti


def _read(root: Path, path: str) -> Labeled | Broken:
    one = Labeled(path, alone=True)
    try:
        lines = read_text(root / path).splitlines()
    except DataError as error:
        return Broken.of(error, path)
    for line, text in enumerate(lines, start=1):
        cells = words(text)
        if not cells:
            continue
        if len(cells) < 5:
            return Broken("BW110", f"{path}:{line}", "is not a class and four coordinates")
        try:
            one.add(" ".join(cells[:-4]), numbers(cells[-4:]))
        except BadEntryError as error:
            return Broken("BW110", f"{path}:{line}", str(error))
    return one


def _put_in_order(folder: Folder, labels: Labels, paths: Sequence[str | None]) -> None:
    """Reorder the corners if nearly all boxes fit their images only in another order."""
    boxes, sizes = _measured(folder, labels.images, paths)
    order = _order(boxes, sizes)
    if order == "xmin ymin xmax ymax":
        return
    for one in labels.images:
        drawn = np.asarray(one.boxes, np.float64).reshape(-1, 4)
        one.boxes = drawn[:, ORDERS[order]].ravel().tolist()
    message = f"the numbers are {order}; in the usual order the boxes would not fit their images"
    labels.findings.append(Finding("BW144", labels.images[0].path, message, "read in that order"))


def _measured(
    folder: Folder, images: Sequence[Labeled], paths: Sequence[str | None]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unchanged boxes of some images, `(n, 4)`, and the sizes of their images, `(n, 2)`."""
    boxes: list[float] = []
    sizes: list[tuple[int, int]] = []
    for one, image in list(zip(images, paths, strict=True))[:: 1 + len(images) // MEASURED]:
        if image is None or not one.names:
            continue
        try:
            header = read_header(folder.root / image)
        except DataError:
            continue
        boxes += one.boxes
        sizes += [(header.width, header.height)] * len(one.names)
    return np.array(boxes).reshape(-1, 4), np.array(sizes, np.float64).reshape(-1, 2)


def _order(boxes: NDArray[np.float64], sizes: NDArray[np.float64]) -> str:
    """The order in which nearly all boxes are valid and inside their images."""
    usual, *_ = ORDERS
    if not len(boxes):
        return usual
    fit = {}
    for name, paths in ORDERS.items():
        first, second = boxes[:, paths[:2]], boxes[:, paths[2:]]
        inside = (first > -1) & (first <= second) & (second < sizes + 1)
        fit[name] = inside.all(axis=1)
    shares = {name: float(fits.mean()) for name, fits in fit.items()}
    best = max(shares, key=shares.__getitem__)
    misfits = int((~fit[usual]).sum())
    is_other = shares[usual] <= 0.5 or (shares[usual] <= 0.9 and misfits >= 5)
    return best if shares[best] >= 0.95 and is_other else usual


def _merge_duplicates(folder: Folder, labels: Labels, paths: Sequence[str | None]) -> None:
    """Combine the boxes of an image in several class folders of a split on one of its copies.

    Copies have the same name and the same number of bytes.
    """
    kept: dict[tuple[str, str, int], Labeled] = {}
    images: list[Labeled] = []
    for one, image in zip(labels.images, paths, strict=True):
        if image is None:
            images.append(one)
            continue
        around = split_path(split_path(split_path(one.path)[0])[0])[0]
        try:
            length = (folder.root / image).stat().st_size
        except OSError:
            length = -1
        first = kept.setdefault((around, folded(stem(split_path(image)[1])), length), one)
        if first is one:
            images.append(one)
            continue
        labels.duplicates.add(image)
        first.add_missing(one)
    labels.images = images
    if labels.duplicates:
        duplicates = tuple(sorted(labels.duplicates))
        message = (
            f"{counted(len(duplicates), 'image is', 'images are')} in several class folders, such "
            f"as {duplicates[0]}"
        )
        repair = "one copy gets the boxes of all"
        labels.findings.append(
            Finding("BW130", split_path(duplicates[0])[0], message, repair, duplicates)
        )

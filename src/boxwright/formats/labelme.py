"""LabelMe: one JSON file per image beside it, with rectangles and other shapes in pixels."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats import json_file, json_kinds
from boxwright.formats.about import About
from boxwright.formats.annotations import Holds, Labeled, Labels
from boxwright.formats.folder import Folder, join, relative, split_path, stem
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.shapes import box_around, decimals, shapes_finding
from boxwright.formats.splits import folder_split
from boxwright.io.files import write_text
from boxwright.io.text import read_text
from boxwright.structures.dataset import (
    CROWD,
    DIFFICULT,
    OCCLUDED,
    TRUNCATED,
    Dataset,
    Split,
)
from boxwright.structures.findings import Finding

TITLE = "LabelMe"
KIND = "labelme"  # in `json_kinds`
HOLDS = (
    Holds.DIFFICULT
    | Holds.TRUNCATED
    | Holds.CROWD
    | Holds.OCCLUDED
    | Holds.SPLITS
    | Holds.EMPTY_IMAGES
    | Holds.CLASS_ORDER
    | Holds.UNUSED_CLASSES
    | Holds.FRACTIONS
)
BY_STEM = True
ABOUT = About(
    sources="labelme, X-AnyLabeling and AnyLabeling.",
    files=(
        "A `.json` for each image, beside it or in another folder. `labels.txt` may have the "
        "order of the classes."
    ),
    detected="By `shapes` with `points`, or `imagePath`, in a JSON file.",
    written=("*/*.json", "labels.txt"),
    quirks=(
        "Polygons, circles and other shapes become boxes. Shapes of one class and `group_id` are "
        "parts of one object.",
        "The flags `difficult`, `truncated` and `crowd` of a shape are kept.",
        "The pixels in `imageData` are ignored: the image has to be a file.",
    ),
)
VERSION = "5.5.0"  # LabelMe version whose format is written
LIST = "labels.txt"  # LabelMe reads its list of class names from such a file
NOT_CLASSES = frozenset({"__ignore__", "_background_"})  # first lines of LabelMe's own lists
FLAGS = {"difficult": DIFFICULT, "truncated": TRUNCATED, "crowd": CROWD, "occluded": OCCLUDED}
BOX = "rectangle"

image_folder = json_file.image_folder


def detect(folder: Folder) -> bool:
    """True if a JSON file has LabelMe shapes."""
    return json_kinds.holds(folder, KIND)


def read(folder: Folder) -> Labels:
    """Read every annotation; an annotation without shapes marks an image without objects."""
    labels, shapes = Labels(), Counter[str]()
    for path, content in json_file.read_all(folder, KIND, dict, labels.broken):
        try:
            labels.images.append(_image(content, path, shapes))
        except UnusableError as error:
            labels.broken.append(error.in_file(path))
    if labels.images:
        labels.findings += shapes_finding(labels.images[0].path, shapes)
    labels.classes = _listed_classes(folder, labels)
    return labels


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write a file beside each image; images in no folder are written to a folder of their split.

    Raises:
        DataError: BW141 a class name has a line break, which the list of classes cannot contain.
    """
    taken = Counter(stem(name) for name in names)
    for i, name in enumerate(names):
        parent = split_path(name)[0]
        split = Split(int(dataset.splits[i]))
        if split not in {Split.UNASSIGNED, folder_split(parent)}:
            parent = join(image_folder(split), parent)
        entry = split_path(stem(name) if taken[stem(name)] == 1 else name)[1]
        width, height = dataset.sizes[i].tolist()
        content = {
            "version": VERSION,
            "flags": {},
            "shapes": list(_shapes(dataset, i)),
            "imagePath": relative(name, parent),
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
        json_file.write(target / parent / f"{entry}.json", content, indent=2)
    if dataset.classes:
        write_text(target / LIST, "".join(f"{_line(name)}\n" for name in dataset.classes))


def _image(content: Object, path: str, shapes: Counter[str]) -> Labeled:
    image = Labeled(path, alone=True, split=folder_split(split_path(path)[0]))
    if isinstance(content.get("imagePath"), str):
        image.image = content["imagePath"]
    image.size = json_file.stated_size(content, "imageWidth", "imageHeight")
    groups: dict[tuple[str, str], int] = {}
    for place, shape in json_file.objects(content.get("shapes"), "shapes"):
        label = json_file.class_name(shape.get("label"), place)
        kind = str(shape.get("shape_type") or "polygon")
        box = _box(json_file.points(shape.get("points"), f"{place}.points"), kind, place)
        if kind == BOX:
            image.add(label, box, _flags(shape))
            continue
        shapes[kind] += 1
        group = (label, str(shape.get("group_id")))
        if shape.get("group_id") is None or group not in groups:
            groups[group] = len(image.names)
            image.add(label, box, _flags(shape))
        else:  # another part of a partly hidden object
            part = slice(4 * groups[group], 4 * groups[group] + 4)
            before = image.boxes[part]
            image.boxes[part] = box_around([before[:2], before[2:], box[:2], box[2:]])
    return image


def _box(points: list[list[float]], kind: str, place: str) -> list[float]:
    if kind == BOX and len(points) < 2:
        raise UnusableError(place, "is a rectangle with only one corner")
    if kind != "circle":
        return box_around(points)
    if len(points) != 2:
        raise UnusableError(place, "is a circle without a center and a point on its edge")
    (x, y), rim = points
    radius = math.dist((x, y), rim)
    return [x - radius, y - radius, x + radius, y + radius]


def _flags(shape: Object) -> int:
    """The flags of a shape; AnyLabeling has an extra field for difficult objects."""
    stated = shape.get("flags")
    said = {**stated, **shape} if isinstance(stated, dict) else shape
    return sum(bit for name, bit in FLAGS.items() if said.get(name) is True)


def _listed_classes(folder: Folder, labels: Labels) -> Sequence[str]:
    """The first list of classes that has all used classes."""
    used = {name for image in labels.images for name in image.names}
    lists = [path for path in folder.with_suffix(".txt") if split_path(path)[1].lower() == LIST]
    for path in sorted(lists, key=lambda path: path.count("/")):
        try:
            text = read_text(folder.root / path)
        except DataError as error:
            labels.findings.append(Finding(error.code, path, error.message, "not used"))
            continue
        listed = [line for line in text.split("\n") if line and line not in NOT_CLASSES]
        if used <= set(listed):
            return list(dict.fromkeys(listed))
    return ()


def _shapes(dataset: Dataset, index: int) -> Iterator[Object]:
    rows = dataset.rows(index)
    for box, label, flags in zip(
        dataset.boxes[rows], dataset.labels[rows], dataset.flags[rows], strict=True
    ):
        xmin, ymin, xmax, ymax = decimals(box)
        yield {
            "label": dataset.classes[label],
            "points": [[xmin, ymin], [xmax, ymax]],
            "group_id": None,
            "description": "",
            "shape_type": BOX,
            "flags": {name: True for name, bit in FLAGS.items() if flags & bit},
            "mask": None,
        }


def _line(name: str) -> str:
    if re.search(r"[\r\n]", name):
        raise DataError(
            "BW141",
            f"the class name {name!r} has a line break, which {LIST} cannot contain.",
        )
    return name

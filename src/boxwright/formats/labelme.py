"""LabelMe: one JSON file per image beside it, with rectangles and other shapes in pixels."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from boxwright.errors import DataError
from boxwright.formats import json_file, json_kinds
from boxwright.formats.about import About
from boxwright.formats.annotations import Holds, Labeled, Labels
from boxwright.formats.class_list import ClassList
from boxwright.formats.editing import FLAGS, Edit, EditedBox, encoded, refilled
from boxwright.formats.folder import Folder, join, relative, split_path, stem
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.name_lists import IGNORED, NOT_CLASSES
from boxwright.formats.shapes import box_around, decimals, shapes_finding
from boxwright.formats.splits import folder_split
from boxwright.io.files import write_text
from boxwright.io.text import read_text
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding

TITLE = "LabelMe"
KIND = "labelme"  # in `json_kinds`
HOLDS = (
    Holds.DIFFICULT
    | Holds.TRUNCATED
    | Holds.CROWD
    | Holds.OCCLUDED
    | Holds.IGNORED_REGIONS
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
        "Shapes of `__ignore__` are regions that count neither as objects nor as background. "
        "`_background_` is no class either.",
        "The flags `difficult`, `truncated` and `crowd` of a shape are kept.",
        "The pixels in `imageData` are ignored: the image has to be a file.",
    ),
)
VERSION = "5.5.0"  # LabelMe version whose format is written
LIST = "labels.txt"  # LabelMe reads its list of class names from such a file
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
        DataError: BW141 a class name has a line break, which the list of classes cannot contain,
            or is LabelMe's own name of what is no class.
    """
    taken = Counter(stem(name) for name in names)
    for i, name in enumerate(names):
        parent = split_path(name)[0]
        split = Split(int(dataset.splits[i]))
        if split not in {Split.UNASSIGNED, folder_split(parent)}:
            parent = join(image_folder(split), parent)
        entry = split_path(stem(name) if taken[stem(name)] == 1 else name)[1]
        width, height = dataset.sizes[i].tolist()
        content = _file(relative(name, parent), width, height, list(_shapes(dataset, i)))
        json_file.write(target / parent / f"{entry}.json", content, indent=2)
    if dataset.classes:
        write_text(target / LIST, "".join(f"{_line(name)}\n" for name in dataset.classes))


def _image(content: Object, path: str, shapes: Counter[str]) -> Labeled:
    image = Labeled(path, alone=True, split=folder_split(split_path(path)[0]))
    if isinstance(content.get("imagePath"), str):
        image.image = content["imagePath"]
    image.size = json_file.stated_size(content, "imageWidth", "imageHeight")
    for members in _grouped(content):
        boxes = []
        for place, shape in members:
            kind = _kind(shape)
            boxes.append(
                _box(json_file.points(shape.get("points"), f"{place}.points"), kind, place)
            )
            if kind != BOX:
                shapes[kind] += 1
        label = json_file.class_name(members[0][1].get("label"), members[0][0])
        corners = [corner for box in boxes for corner in (box[:2], box[2:])]
        whole = boxes[0] if len(boxes) == 1 else box_around(corners)
        if label == IGNORED:
            image.ignored += whole
        elif label not in NOT_CLASSES:
            image.add(label, whole, _flags(members[0][1]))
    return image


def _grouped(content: Object) -> list[list[tuple[str, Object]]]:
    """The shapes of each object, with their positions: several if parts of it are hidden."""
    found: list[list[tuple[str, Object]]] = []
    groups: dict[tuple[str, str], list[tuple[str, Object]]] = {}
    for place, shape in json_file.objects(content.get("shapes"), "shapes"):
        members = [(place, shape)]
        if _kind(shape) != BOX and shape.get("group_id") is not None:
            label = json_file.class_name(shape.get("label"), place)
            known = groups.setdefault((label, str(shape["group_id"])), members)
            if known is not members:
                known.append((place, shape))
                continue
        found.append(members)
    return found


def _kind(shape: Object) -> str:
    return str(shape.get("shape_type") or "polygon")


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
        yield _shape(dataset.classes[label], decimals(box), int(flags))
    for region in dataset.ignored_in(index):
        yield _shape(IGNORED, decimals(region), 0)


def _shape(label: str, box: Sequence[float], flags: int) -> Object:
    xmin, ymin, xmax, ymax = box
    return {
        "label": label,
        "points": [[xmin, ymin], [xmax, ymax]],
        "group_id": None,
        "description": "",
        "shape_type": BOX,
        "flags": {name: True for name, bit in FLAGS.items() if flags & bit},
        "mask": None,
    }


def _file(image_path: str, width: int, height: int, shapes: Sequence[Object]) -> Object:
    return {
        "version": VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": image_path,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }


def _line(name: str) -> str:
    if re.search(r"[\r\n]", name):
        raise DataError(
            "BW141",
            f"the class name {name!r} has a line break, which {LIST} cannot contain.",
        )
    if name in NOT_CLASSES:
        raise DataError("BW141", f"the class name {name!r} is none of a class in LabelMe.")
    return name


class Editor:
    """The editor of LabelMe's files."""

    suffix = json_kinds.SUFFIX
    by_stem = False
    classes: ClassList | None

    def __init__(self, classes: ClassList | None = None) -> None:
        self.classes = classes

    def mirrored(self, image: str) -> str:
        return ""

    def labeled(self, content: bytes | None, path: str) -> Labeled:
        if content is None:
            return Labeled(path, alone=True)
        try:
            return _image(json_file.JsonText(content, path).value, path, Counter())
        except UnusableError as error:
            raise error.as_error(path) from error

    def edited(self, content: bytes | None, path: str, edit: Edit) -> bytes:
        if content is None:
            image_path = relative(edit.image, split_path(path)[0])
            shapes = [_new_shape(box) for box in edit.boxes]
            text = json.dumps(_file(image_path, *edit.size, shapes), indent=2, ensure_ascii=False)
            return encoded(f"{text}\n")
        file = json_file.JsonText(content, path)
        before, groups = self.labeled(content, path), _grouped(file.value)
        pieces = [([shape for _, shape in members], _is_object(members)) for members in groups]
        objects = [shapes for shapes, is_object in pieces if is_object]
        new = [_edited_shapes(objects, before, box) for box in edit.boxes]
        shapes = [shape for members in refilled(pieces, new) for shape in members]
        return file.bytes_of({**file.value, "shapes": shapes})


def _is_object(members: Sequence[tuple[str, Object]]) -> bool:
    return members[0][1].get("label") not in NOT_CLASSES


def _new_shape(box: EditedBox) -> Object:
    return _shape(box.name, decimals(np.asarray(box.sides, np.float32)), box.flags)


def _edited_shapes(
    objects: Sequence[list[Object]], before: Labeled, box: EditedBox
) -> list[Object]:
    """The shapes of an object after an edit; one that is moved becomes a rectangle."""
    if box.origin is None:
        return [_new_shape(box)]
    shapes = [dict(shape) for shape in objects[box.origin]]
    if box.sides is not None:
        xmin, ymin, xmax, ymax = decimals(np.asarray(box.sides, np.float32))
        shape = shapes[0]
        has_four = _kind(shape) == BOX and len(shape["points"]) == 4  # of X-AnyLabeling
        corners = [[xmin, ymin], [xmax, ymin], [xmax, ymax], [xmin, ymax]]
        shape["points"] = corners if has_four else corners[::2]
        shape["shape_type"] = BOX
        if shape.get("mask") is not None:
            shape["mask"] = None
        shapes = [shape]
    changed = before.flags[box.origin] ^ box.flags
    for shape in shapes:
        if box.name != before.names[box.origin]:
            shape["label"] = box.name
        for name, bit in FLAGS.items():
            if changed & bit and name in shape:
                shape[name] = bool(box.flags & bit)
            elif changed & bit:
                stated = shape.get("flags")
                stated = stated if isinstance(stated, dict) else {}
                shape["flags"] = {**stated, name: bool(box.flags & bit)}
    return shapes

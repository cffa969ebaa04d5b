"""Supervisely: a project's meta.json, and dataset/ann/a.jpg.json for dataset/img/a.jpg.

Boxes are pixels: the two corners of rectangles, and shapes that become boxes.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from boxwright.formats import json_file, json_kinds
from boxwright.formats.about import About
from boxwright.formats.annotations import Holds, Labeled, Labels
from boxwright.formats.folder import Folder, join, split_path, stem
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.label_paths import mirrored
from boxwright.formats.shapes import box_around, decimals, shapes_finding
from boxwright.formats.splits import WORDS, folder_split
from boxwright.structures.dataset import CROWD, DIFFICULT, OCCLUDED, TRUNCATED, Dataset, Split
from boxwright.structures.findings import Finding

TITLE = "Supervisely"
KIND = "supervisely"  # in `json_kinds`
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
BY_STEM = False
ABOUT = About(
    sources="Supervisely.",
    files="A project: `meta.json`, and in each dataset `ann/a.jpg.json` for `img/a.jpg`.",
    detected="By `objects` with `classTitle`, or `classes` with `shape`, in a JSON file.",
    written=("meta.json", "*/ann/*.json"),
    quirks=(
        "Polygons, bitmaps, lines and graphs become boxes; rotated rectangles are refused.",
        "The name of the dataset is the split, otherwise a tag train, val or test of the image. "
        "Other tags of images are not used (`BW165`).",
        "The tags `difficult`, `truncated`, `crowd` and `occluded` of an object are its flags.",
    ),
)
META, IMAGES, LABELS = "meta.json", "img", "ann"
DATASETS = {Split.TRAIN: "train", Split.VAL: "val", Split.TEST: "test"}
DATASET = "ds0"  # of images without a split
FLAGS = {"difficult": DIFFICULT, "truncated": TRUNCATED, "crowd": CROWD, "occluded": OCCLUDED}
BOX = "rectangle"
COLORS = ("#5DB300", "#E81123", "#6917AA", "#015CDA", "#4894FE", "#257FFD", "#FFAA1D", "#E3008C")
PNG = b"\x89PNG\r\n\x1a\n"
PNG_HEAD = 24  # bytes up to the end of the size


def detect(folder: Folder) -> bool:
    """True if a JSON file has Supervisely's objects or classes."""
    return json_kinds.holds(folder, KIND)


def read(folder: Folder) -> Labels:
    """Read every annotation; an annotation without objects marks an image without objects."""
    labels, shapes = Labels(), Counter[str]()
    classes: list[str] = []
    tagged = 0
    for path, content in json_file.read_all(folder, KIND, dict, labels.broken):
        try:
            if "objects" not in content and "classes" in content:
                classes += _classes(content)
                continue
            image, tags = _image(content, path, shapes)
        except UnusableError as error:
            labels.broken.append(error.in_file(path))
            continue
        labels.images.append(image)
        tagged += tags
    if labels.images:
        where = labels.images[0].path
        labels.findings += shapes_finding(where, shapes)
        if tagged:
            message = f"there are {tagged} tags of whole images"
            labels.findings.append(Finding("BW165", where, message, "not used"))
    labels.classes = list(dict.fromkeys(classes))
    return labels


def image_folder(split: Split) -> str:
    """img in a dataset for each split."""
    return f"{DATASETS.get(split, DATASET)}/{IMAGES}"


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write meta.json and a file for each image, with the flags of boxes as tags.

    Raises:
        DataError: BW141 a name cannot be written as UTF-8.
    """
    classes = [
        {"title": name, "shape": BOX, "color": COLORS[i % len(COLORS)], "geometry_config": {}}
        for i, name in enumerate(dataset.classes)
    ]
    tags = [{"name": name, "value_type": "none", "color": COLORS[0]} for name in FLAGS]
    meta = {"classes": classes, "tags": tags, "projectType": "images"}
    json_file.write(target / META, meta)
    for i, name in enumerate(names):
        width, height = dataset.sizes[i].tolist()
        content = {
            "description": "",
            "tags": [],
            "size": {"height": height, "width": width},
            "objects": list(_objects(dataset, i)),
        }
        json_file.url_path(name)  # refuses what JSON files that hold the name refuse
        place = _label_path(name, Split(int(dataset.splits[i])))
        json_file.write(target / place, content)


def _image(content: Object, path: str, shapes: Counter[str]) -> tuple[Labeled, int]:
    """The image, and its number of tags that are not its split."""
    parent, file = split_path(path)
    image = Labeled(path, stem(file), alone=True, split=folder_split(parent))
    if isinstance(content.get("size"), dict):
        image.size = json_file.stated_size(content["size"], "width", "height")
    tags = list(_tags(content))
    splits = {WORDS[tag.lower()] for tag in tags if tag.lower() in WORDS}
    if image.split is Split.UNASSIGNED and len(splits) == 1:
        image.split = splits.pop()
    for place, one in json_file.objects(content.get("objects"), "objects"):
        name = json_file.class_name(one.get("classTitle"), place)
        box, kind = _box(one, place)
        flags = {FLAGS.get(tag.lower(), 0) for tag in _tags(one)}
        image.add(name, box, sum(flags))
        if kind != BOX:
            shapes[kind] += 1
    return image, sum(tag.lower() not in WORDS for tag in tags)


def _tags(content: Object) -> Iterator[str]:
    """The names of tags, which old versions wrote as texts."""
    tags = content.get("tags")
    for tag in tags if isinstance(tags, list) else ():
        name = tag.get("name") if isinstance(tag, dict) else tag
        if isinstance(name, str):
            yield name


def _box(one: Object, place: str) -> tuple[list[float], str]:
    """The box of an object, and the kind of its shape."""
    kind, points = one.get("geometryType"), one.get("points")
    if one.get("angle") not in (None, 0):
        raise UnusableError(place, "is a rotated rectangle, which is not read")
    if isinstance(one.get("bitmap"), dict):
        return _box_of_bitmap(one["bitmap"], f"{place}.bitmap"), str(kind or "bitmap")
    if isinstance(one.get("nodes"), dict):
        located = [node.get("loc") for node in one["nodes"].values() if isinstance(node, dict)]
        return box_around(json_file.points(located, f"{place}.nodes")), str(kind or "graph")
    corners = points.get("exterior") if isinstance(points, dict) else points
    box = box_around(json_file.points(corners, f"{place}.points"))
    if not isinstance(kind, str):
        kind = BOX if isinstance(corners, list) and len(corners) == 2 else "polygon"
    return box, kind


def _box_of_bitmap(bitmap: Object, place: str) -> list[float]:
    """The box of a mask: a PNG of the object's box, of which only the size is unpacked."""
    (origin,) = json_file.points([bitmap.get("origin")], f"{place}.origin")
    try:
        packed = base64.b64decode(bitmap.get("data") or "")
        head = zlib.decompressobj().decompress(packed, PNG_HEAD)
    except (TypeError, ValueError, binascii.Error, zlib.error) as error:
        raise UnusableError(place, f"its data are not a packed PNG ({error})") from error
    if len(head) < PNG_HEAD or not head.startswith(PNG):
        raise UnusableError(place, "its data are not a packed PNG")
    width, height = struct.unpack(">II", head[16:])
    (x, y) = origin
    return [x, y, x + width, y + height]


def _classes(content: Object) -> Iterator[str]:
    """The class names in the project's order."""
    for place, one in json_file.objects(content.get("classes"), "classes"):
        yield json_file.class_name(one.get("title"), place)


def _label_path(image: str, split: Split) -> str:
    """The last folder img becomes ann; an image elsewhere has its file in its split's dataset."""
    path = mirrored(image, IMAGES, LABELS)
    if path:
        return f"{path}.json"
    return join(f"{DATASETS.get(split, DATASET)}/{LABELS}", f"{image}.json")


def _objects(dataset: Dataset, index: int) -> Iterator[Object]:
    rows = dataset.rows(index)
    for box, label, flags in zip(
        dataset.boxes[rows], dataset.labels[rows], dataset.flags[rows], strict=True
    ):
        xmin, ymin, xmax, ymax = decimals(box)
        yield {
            "description": "",
            "geometryType": BOX,
            "tags": [{"name": name, "value": None} for name, bit in FLAGS.items() if flags & bit],
            "classTitle": dataset.classes[label],
            "points": {"exterior": [[xmin, ymin], [xmax, ymax]], "interior": []},
        }

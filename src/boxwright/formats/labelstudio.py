"""Label Studio: a JSON list of tasks, from its exports JSON and JSON-MIN.

Boxes are percentages of the image's sides, rotated about their top left corner. They are converted
to pixels of the size at which the tool displayed the image, because that size shows if the tool
applied EXIF. The tool's rotate button (`image_rotation`) rotates the boxes with the image, so the
boxes refer to the image before this rotation.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from boxwright.formats import json_file, json_kinds
from boxwright.formats.about import About
from boxwright.formats.annotations import Holds, Labeled, Labels
from boxwright.formats.coordinates import Size
from boxwright.formats.folder import Folder, split_path
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.shapes import box_around, decimals, shapes_finding
from boxwright.formats.splits import folder_split
from boxwright.images.kinds import names_image
from boxwright.structures.dataset import Dataset

TITLE = "Label Studio"
KIND = "labelstudio"  # in `json_kinds`
HOLDS = Holds.SPLITS | Holds.EMPTY_IMAGES | Holds.FRACTIONS
BY_STEM = False
ABOUT = About(
    sources="Label Studio.",
    files=(
        "Its exports JSON and JSON-MIN, with the images anywhere in the folder. CSV and TSV "
        "exports are not read."
    ),
    detected=(
        "By a JSON list of tasks with `annotations` and their `result`, or of rows with regions."
    ),
    written=("*/tasks.json",),
    quirks=(
        "The last annotation of a task that was not cancelled counts; skipped tasks and "
        "predictions are ignored.",
        "Boxes are percentages of the sides. Rotated rectangles, ellipses and polygons become "
        "boxes; brush and video regions are refused.",
        "The prefix of uploaded images, such as `3f2a91c0-`, may be missing from the image files.",
    ),
)
FILE = "tasks.json"
LOCAL = "/data/local-files/?d="  # images below the folder that Label Studio serves
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://+")
HUNDRED = Size(100, 100)
SIZE = ("original_width", "original_height")
UNBOXED = frozenset({"rle", "imageDataURL", "vertices", "sequence"})
DRAWN = UNBOXED | {"x", "points"}

image_folder = json_file.image_folder


class Region(NamedTuple):
    """One drawn region: its position in the file, its shape in percent, its classes."""

    place: str
    value: Object
    names: list[str]


def detect(folder: Folder) -> bool:
    """True if a JSON file is a list of tasks with annotations."""
    return json_kinds.holds(folder, KIND)


def read(folder: Folder) -> Labels:
    """Read the completed tasks; skipped tasks and predictions are ignored."""
    labels = Labels()
    for path, content in json_file.read_all(folder, KIND, list, labels.broken):
        shapes: Counter[str] = Counter()
        tasks: dict[str, Labeled] = {}
        for i, task in enumerate(content):
            try:
                one = _image(task, path, f"[{i}]", shapes)
            except UnusableError as error:
                labels.broken.append(error.in_file(path))
                continue
            if one is not None:  # JSON-MIN repeats a task for each annotation; the last one is used
                tasks[one.image] = one
        labels.images += tasks.values()
        labels.findings += shapes_finding(path, shapes)
    return labels


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write one file of tasks per split. Label Studio imports them if it serves `target`."""
    for folder, indices in json_file.by_folder(dataset):
        tasks = [
            {
                "data": {"image": LOCAL + json_file.url_path(names[i])},
                "annotations": [{"result": list(_results(dataset, i))}],
            }
            for i in indices
        ]
        json_file.write(target / folder / FILE, tasks)


def _image(task: object, path: str, place: str, shapes: Counter[str]) -> Labeled | None:
    """The image of a task with its last annotation; None if the task is not completed."""
    if not isinstance(task, dict):
        raise UnusableError(place, json_file.unlike(task, "a task"))
    whole = isinstance(task.get("data"), dict)
    regions = _regions_of_task(task, place) if whole else _regions_of_row(task, place)
    if regions is None:
        return None
    name = _image_name(task["data"] if whole else task, place)
    split = folder_split(split_path(path)[0])
    image = Labeled(path, name, place=f", {place}", percent=True, split=split)
    image.size = next((size for one in regions if (size := _size(one.value))), None)
    for one in regions:
        kind, box = _box(one, image.size)
        if kind:
            shapes[kind] += 1
        for label in one.names:
            image.add(label, box)
    if image.size is None:
        image.relative, image.boxes = True, [side / 100 for side in image.boxes]
    return image


def _regions_of_task(task: Object, place: str) -> list[Region] | None:
    """The regions of the last annotation of a JSON export that was not cancelled."""
    key = "annotations" if "annotations" in task else "completions"
    finished = [
        (where, one)
        for where, one in json_file.objects(task.get(key) or [], f"{place}.{key}")
        if not one.get("was_cancelled")
    ]
    if not finished:
        return None
    where, annotation = finished[-1]
    results = list(json_file.objects(annotation.get("result"), f"{where}.result"))
    labeled = {str(one.get("id")) for _, one in results if _labels(one.get("value"))}
    regions = []
    for where, one in results:
        value = one.get("value")
        names = _labels(value)
        if not isinstance(value, dict) or not _is_drawn(value):
            continue  # a comment on the whole image, or a relation of two regions
        if not names and str(one.get("id")) in labeled:
            continue  # the same region again, only with its text or its shape
        size = {side: one[side] for side in SIZE if side in one}
        regions.append(Region(where, {**value, **size}, _class_names(names, where)))
    return regions


def _regions_of_row(row: Object, place: str) -> list[Region]:
    """The regions in all lists of a row of a JSON-MIN export."""
    return [
        Region(where, value, _class_names(_labels(value), where))
        for key, values in row.items()
        if isinstance(values, list) and any(_is_drawn(value) for value in values)
        for where, value in json_file.objects(values, f"{place}.{key}")
    ]


def _labels(value: object) -> list[object]:
    """The labels in a region's `rectanglelabels`, `polygonlabels`, `labels` and similar keys."""
    if not isinstance(value, dict):
        return []
    lists = (value[key] for key in value if key.endswith("labels"))
    return next((one for one in lists if isinstance(one, list) and one), [])


def _class_names(labels: list[object], place: str) -> list[str]:
    return [json_file.class_name(label, place) for label in labels or [None]]


def _is_drawn(value: object) -> bool:
    return isinstance(value, dict) and not DRAWN.isdisjoint(value)


def _size(value: Object) -> Size | None:
    size = json_file.stated_size(value, *SIZE)
    return size if size and min(size) > 0 else None


def _box(region: Region, size: Size | None) -> tuple[str, list[float]]:
    """The kind of shape of a region, empty for a box, and its bounding box, xyxy.

    The box is in pixels of an image of `size`, or in percent if `size` is unknown.
    """
    place, value, _ = region
    width, height = size or HUNDRED
    turn = math.radians(json_file.coordinates({"rotation": 0, **value}, ("rotation",), place)[0])
    if turn and size is None:
        raise UnusableError(place, "is rotated, but the size of its image is missing")

    def pixels(across: str, down: str) -> tuple[float, float]:
        x, y = json_file.coordinates(value, (across, down), place)
        return x * width / 100, y * height / 100

    if "points" in value:
        corners = json_file.points(value["points"], f"{place}.points")
        scaled = [[x * width / 100, y * height / 100] for x, y in corners]
        return "polygons", box_around(scaled)
    if UNBOXED & value.keys():
        raise UnusableError(place, "is a brush or video region, which has no box; draw a rectangle")
    x, y = pixels("x", "y")
    if "radiusX" in value:
        a, b = pixels("radiusX", "radiusY")
        wide = math.hypot(a * math.cos(turn), b * math.sin(turn))
        high = math.hypot(a * math.sin(turn), b * math.cos(turn))
        return "ellipses", [x - wide, y - high, x + wide, y + high]
    if "height" not in value:
        return "points", [x, y, x, y]
    wide, high = pixels("width", "height")
    if not turn:
        return "", [x, y, x + wide, y + high]
    cos, sin = math.cos(turn), math.sin(turn)
    corners = [[x + a * cos - b * sin, y + a * sin + b * cos] for a in (0, wide) for b in (0, high)]
    return "rotated rectangles", box_around(corners)


def _image_name(fields: Object, place: str) -> str:
    """The image of a task, from its URL: uploaded, served, or anywhere on the web."""
    texts = [text for text in (fields.get("image"), *fields.values()) if isinstance(text, str)]
    paths = [path for path in map(_path_in_url, texts) if names_image(split_path(path)[1])]
    if not paths:
        raise UnusableError(place, "names no image")
    return unquote(paths[0])


def _path_in_url(url: str) -> str:
    path, _, query = url.replace("\\", "/").partition("?")
    for field in query.split("&"):
        if field.startswith("d="):
            path = field[2:]
    return SCHEME.sub("", path).lstrip("/")


def _results(dataset: Dataset, index: int) -> Iterator[Object]:
    width, height = dataset.sizes[index].tolist()
    rows = dataset.rows(index)
    for i, (box, label) in enumerate(zip(dataset.boxes[rows], dataset.labels[rows], strict=True)):
        xmin, ymin, xmax, ymax = decimals(box)
        yield {
            "id": f"box{i + 1}",
            "type": "rectanglelabels",
            "from_name": "label",
            "to_name": "image",
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "value": {
                "x": 100 * xmin / width,
                "y": 100 * ymin / height,
                "width": 100 * (xmax - xmin) / width,
                "height": 100 * (ymax - ymin) / height,
                "rotation": 0,
                "rectanglelabels": [dataset.classes[label]],
            },
        }

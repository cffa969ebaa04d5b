"""Label Studio: a JSON list of tasks, from its exports JSON and JSON-MIN.

Boxes are percentages of the image's sides, rotated about their top left corner. They are converted
to pixels of the size at which the tool displayed the image, because that size shows if the tool
applied EXIF. The tool's rotate button (`image_rotation`) rotates the boxes with the image, so the
boxes refer to the image before this rotation.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from boxwright.formats import json_file, json_kinds
from boxwright.formats.about import About
from boxwright.formats.annotations import Broken, Holds, Labeled, Labels
from boxwright.formats.coordinates import Size
from boxwright.formats.folder import Folder, split_path
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.labelstudio.images import (
    Slot,
    Target,
    UnclearError,
    Views,
    images_in,
    slot_of,
    urls_without_image,
)
from boxwright.formats.repeats import add_once
from boxwright.formats.shapes import box_around, decimals, shapes_finding
from boxwright.formats.splits import folder_split
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding, counted

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
        "The last annotation of a task that was not cancelled counts; regions of the others are "
        "counted (`BW159`), and predictions are ignored.",
        "A task may have several images. A region is on the image of its tag, if that has the name "
        "of a field of the task, or by its place in a list. For tags of other names, save the "
        "labeling configuration as an `.xml` file beside the export; without it the task is "
        "refused (`BW156`).",
        "Boxes are percentages of the sides. Rotated rectangles, ellipses and polygons become "
        "boxes; brush and video regions are refused.",
        "The prefix of uploaded images, such as `3f2a91c0-`, may be missing from the image files.",
    ),
)
FILE = "tasks.json"
LOCAL = "/data/local-files/?d="  # images below the folder that Label Studio serves
HUNDRED = Size(100, 100)
SIZE = ("original_width", "original_height")
UNBOXED = frozenset({"rle", "imageDataURL", "vertices", "sequence"})
DRAWN = UNBOXED | {"x", "points"}

image_folder = json_file.image_folder


class Region(NamedTuple):
    """One drawn region.

    Attributes:
        place: its position in the file.
        value: its shape in percent.
        names: its classes.
        target: what it says about its image.
    """

    place: str
    value: Object
    names: list[str]
    target: Target


class Task(NamedTuple):
    """A completed task.

    Attributes:
        place: its position in the file.
        images: its images.
        regions: those of its last annotation.
        others: fields that may show something else.
    """

    place: str
    images: dict[Slot, str]
    regions: list[Region]
    others: set[str]


def detect(folder: Folder) -> bool:
    """True if a JSON file is a list of tasks with annotations."""
    return json_kinds.holds(folder, KIND)


def read(folder: Folder) -> Labels:
    """Read the completed tasks; skipped tasks and predictions are ignored."""
    labels = Labels()
    for path, content in json_file.read_all(folder, KIND, list, labels.broken):
        _File(folder, path, labels).read(content)
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


@dataclass
class _File:
    """Reader of one file.

    Attributes:
        shapes: kind of shape -> number of regions.
        unused: number of regions in annotations that are not used.
    """

    folder: Folder
    path: str
    labels: Labels
    shapes: Counter[str] = field(default_factory=Counter)
    unused: int = 0

    def read(self, content: list[object]) -> None:
        """Add the images of the tasks to the labels."""
        tasks: dict[object, Task] = {}
        for i, entry in enumerate(content):
            try:
                key, task = self._task(entry, f"[{i}]")
            except UnusableError as error:
                self.labels.broken.append(error.in_file(self.path))
                continue
            if task is not None:
                if key in tasks:
                    self.unused += len(tasks[key].regions)
                tasks[key] = task
        add_once(self.labels, self.path, list(self._records(list(tasks.values()))))
        self.labels.findings += shapes_finding(self.path, self.shapes)
        if self.unused:
            count = counted(self.unused, "region is", "regions are")
            message = f"{count} in skipped or replaced annotations"
            self.labels.findings.append(Finding("BW159", self.path, message, "not used"))

    def _task(self, entry: object, place: str) -> tuple[object, Task | None]:
        """A task, None if it is not completed, and a key that other annotations of it share."""
        if not isinstance(entry, dict):
            raise UnusableError(place, json_file.unlike(entry, "a task"))
        if isinstance(entry.get("data"), dict):
            fields = entry["data"]
            regions = self._regions(entry, place)
            if regions is None:
                return place, None
            key: object = place
        else:  # JSON-MIN repeats a task for each annotation; the last one is used
            fields, regions = _fields_of_row(entry), _regions_of_row(entry, place)
            key = json_file.shown(entry.get("id")) if "id" in entry else place
        images = images_in(fields)
        if not images:
            raise UnusableError(place, "names no image")
        return (key, *images.values()), Task(place, images, regions, urls_without_image(fields))

    def _regions(self, task: Object, place: str) -> list[Region] | None:
        """The regions of the last annotation of a JSON export that was not cancelled."""
        key = "annotations" if "annotations" in task else "completions"
        finished: list[tuple[str, Object]] = []
        for where, one in json_file.objects(task.get(key) or [], f"{place}.{key}"):
            if one.get("was_cancelled"):
                self.unused += _count(one)
            else:
                finished.append((where, one))
        if not finished:
            return None
        self.unused += sum(_count(one) for _, one in finished[:-1])
        where, annotation = finished[-1]
        return list(_regions_of_annotation(annotation, where))

    def _records(self, tasks: Sequence[Task]) -> Iterator[Labeled]:
        """The images of the tasks that were shown for labeling, also those without regions."""
        views = self._views(tasks)
        drawn: list[dict[Slot, list[Region]]] = []
        for task in tasks:
            try:
                drawn.append(_by_image(task, views))
            except UnusableError as error:
                self._refuse(error)
                drawn.append({})
        labeled = {slot.field for slots in drawn for slot, regions in slots.items() if regions}
        for task, slots in zip(tasks, drawn, strict=True):
            fields = dict.fromkeys(slot.field for slot in slots)
            if len(fields) > 1 and not labeled:
                reason = f"has images in {', '.join(fields)}, and no region on any of them"
                self._refuse(UnusableError(task.place, reason))
                continue
            try:
                yield from [
                    self._image(task, slot, regions)
                    for slot, regions in slots.items()
                    if len(fields) == 1 or slot.field in labeled
                ]
            except UnusableError as error:
                self.labels.broken.append(error.in_file(self.path))

    def _views(self, tasks: Sequence[Task]) -> Views:
        tags = list(dict.fromkeys(one.target.tag for task in tasks for one in task.regions))
        fields = {slot.field for task in tasks for slot in task.images}
        one_each = all(len(task.images) == 1 for task in tasks)
        views = Views() if one_each and len(tags) < 2 else Views.configured(self.folder)
        views.guess(tags, fields.union(*(task.others for task in tasks)))
        return views

    def _refuse(self, error: UnusableError) -> None:
        where = f"{self.path}, {error.place}"
        self.labels.broken.append(Broken("BW156", where, error.reason))

    def _image(self, task: Task, slot: Slot, regions: Sequence[Region]) -> Labeled:
        split = folder_split(split_path(self.path)[0])
        place = f", {task.place}"
        image = Labeled(self.path, task.images[slot], place=place, percent=True, split=split)
        image.size = next((size for one in regions if (size := _size(one.value))), None)
        for one in regions:
            kind, box = _box(one, image.size)
            if kind:
                self.shapes[kind] += 1
            for label in one.names:
                image.add(label, box)
        if image.size is None:
            image.relative, image.boxes = True, [side / 100 for side in image.boxes]
        return image


def _by_image(task: Task, views: Views) -> dict[Slot, list[Region]]:
    """The regions on each image of a task. Raises UnusableError if a region's image is unclear."""
    regions: dict[Slot, list[Region]] = {slot: [] for slot in task.images}
    for one in task.regions:
        try:
            regions[slot_of(one.target, task.images, views)].append(one)
        except UnclearError as error:
            raise UnusableError(one.place, str(error)) from error
    return regions


def _regions_of_annotation(annotation: Object, place: str) -> Iterator[Region]:
    results = list(json_file.objects(annotation.get("result"), f"{place}.result"))
    labeled = {str(one.get("id")) for _, one in results if _labels(one.get("value"))}
    for where, one in results:
        value = one.get("value")
        names = _labels(value)
        if not isinstance(value, dict) or not _is_drawn(value):
            continue  # a comment on the whole image, or a relation of two regions
        if not names and str(one.get("id")) in labeled:
            continue  # the same region again, only with its text or its shape
        size = {side: one[side] for side in SIZE if side in one}
        target = Target(_word(one, "to_name"), _word(one, "from_name"), _index(one))
        yield Region(where, {**value, **size}, _class_names(names, where), target)


def _count(annotation: Object) -> int:
    """Number of regions of an annotation that is not used."""
    results = annotation.get("result")
    values = [one.get("value") for one in results or () if isinstance(one, dict)]
    return sum(_is_drawn(value) and bool(_labels(value)) for value in values)


def _fields_of_row(row: Object) -> Object:
    return {key: value for key, value in row.items() if not _holds_regions(value)}


def _regions_of_row(row: Object, place: str) -> list[Region]:
    """The regions in all lists of a row of a JSON-MIN export."""
    return [
        Region(where, value, _class_names(_labels(value), where), _of_row(key, value))
        for key, values in row.items()
        if _holds_regions(values)
        for where, value in json_file.objects(values, f"{place}.{key}")
    ]


def _holds_regions(value: object) -> bool:
    return isinstance(value, list) and any(_is_drawn(one) for one in value)


def _of_row(control: str, value: Object) -> Target:
    return Target(_word(value, "to_name"), control, _index(value))


def _word(fields: Object, key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""


def _index(fields: Object) -> int | None:
    index = fields.get("item_index")
    return index if type(index) is int else None


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
    place, value = region.place, region.value
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

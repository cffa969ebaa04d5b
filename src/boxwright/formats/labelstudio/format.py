"""Label Studio: a JSON list of tasks, from its exports JSON and JSON-MIN.

Boxes are percentages of the image's sides, rotated about their top left corner. They are converted
to pixels of the size at which the tool displayed the image, because that size shows if the tool
applied EXIF. The tool's rotate button (`image_rotation`) rotates the boxes with the image, so the
boxes refer to the image before this rotation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from boxwright.formats import json_file, json_kinds
from boxwright.formats.about import About
from boxwright.formats.annotations import Broken, Holds, Labeled, Labels
from boxwright.formats.folder import Folder, split_path
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.labelstudio.images import (
    Slot,
    UnclearError,
    Views,
    images_in,
    slot_of,
    urls_without_image,
)
from boxwright.formats.labelstudio.records import LOCAL, Records, list_key
from boxwright.formats.labelstudio.regions import (
    BOX,
    Control,
    Region,
    add_regions,
    count_regions,
    holds_regions,
    new_result,
    rectangle,
    regions_of_annotation,
    regions_of_row,
)
from boxwright.formats.repeats import add_once
from boxwright.formats.shapes import decimals, shapes_finding
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

image_folder = json_file.image_folder


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
    for path, content in json_file.read_all(
        folder, KIND, list, labels.broken, opened=Records, findings=labels.findings
    ):
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
            fields, regions = _fields_of_row(entry), regions_of_row(entry, place)
            key = json_file.shown(entry.get("id")) if "id" in entry else place
        images = images_in(fields)
        if not images:
            raise UnusableError(place, "names no image")
        return (key, *images.values()), Task(place, images, regions, urls_without_image(fields))

    def _regions(self, task: Object, place: str) -> list[Region] | None:
        """The regions of the last annotation of a JSON export that was not cancelled."""
        key = list_key(task)
        finished: list[tuple[str, Object]] = []
        for where, one in json_file.objects(task.get(key) or [], f"{place}.{key}"):
            if one.get("was_cancelled"):
                self.unused += count_regions(one)
            else:
                finished.append((where, one))
        if not finished:
            return None
        self.unused += sum(count_regions(one) for _, one in finished[:-1])
        where, annotation = finished[-1]
        return list(regions_of_annotation(annotation, where))

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
        self.shapes.update(add_regions(image, regions))
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


def _fields_of_row(row: Object) -> Object:
    return {key: value for key, value in row.items() if not holds_regions(value)}


def _results(dataset: Dataset, index: int) -> Iterator[Object]:
    width, height = dataset.sizes[index].tolist()
    rows = dataset.rows(index)
    for i, (box, label) in enumerate(zip(dataset.boxes[rows], dataset.labels[rows], strict=True)):
        value = {**rectangle(decimals(box), width, height), BOX: [dataset.classes[label]]}
        yield new_result(f"box{i + 1}", Control(), (width, height), value)

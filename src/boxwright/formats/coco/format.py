"""COCO: one JSON file for many images, used by the COCO dataset, Roboflow and CVAT.

Boxes are x, y, width, height in pixels from the image's top left corner, which is 0, 0. Category
ids may have gaps and any order; classes are sorted by id.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from boxwright.formats import json_file, json_kinds
from boxwright.formats.about import About
from boxwright.formats.annotations import Broken, Holds, Labeled, Labels
from boxwright.formats.coco.boxes import any_box, is_rotated, usual_boxes
from boxwright.formats.coco.records import Records, image_name
from boxwright.formats.folder import Folder, relative, split_path
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.name_lists import NOT_CLASSES
from boxwright.formats.repeats import add_once
from boxwright.formats.shapes import decimals, shapes_finding
from boxwright.formats.splits import file_split
from boxwright.formats.units import id_shift, shifted_ids
from boxwright.structures.dataset import CROWD, OCCLUDED, Dataset, Split
from boxwright.structures.findings import Finding, counted

TITLE = "COCO"
KIND = "coco"  # in `json_kinds`
HOLDS = (
    Holds.CROWD
    | Holds.OCCLUDED
    | Holds.SPLITS
    | Holds.EMPTY_IMAGES
    | Holds.CLASS_ORDER
    | Holds.UNUSED_CLASSES
    | Holds.FRACTIONS
)
BY_STEM = False
ABOUT = About(
    sources=(
        "The COCO and LVIS data sets, CVAT, Label Studio, Roboflow, X-AnyLabeling and most other "
        "tools."
    ),
    files=(
        "One `.json` for many images, in any folder. Several files are read together; the name or "
        "the folder of each may state its split."
    ),
    detected="By the lists `images`, `annotations` and `categories` in a JSON file.",
    written=("*/_annotations.coco.json",),
    quirks=(
        "Polygons and masks become boxes where an annotation has no `bbox`. CVAT's attribute "
        "`rotation` turns a `bbox`, and the box around it is used (`BW143`).",
        "Category ids may have gaps and any order. A category that is only the parent of all "
        "others, as Roboflow writes, is left out, and so is LabelMe's `_background_`.",
        "Files of other tasks, such as `captions_*.json`, are ignored beside `instances_*.json`.",
        "Boxes of records that repeat an image are combined (`BW113`).",
        "An image without annotations is an image without objects.",
    ),
)
FILE = "_annotations.coco.json"  # Roboflow's name
INSTANCES = "instances_"
OTHER_TASKS = ("captions_", "image_info_", "panoptic_", "person_keypoints_", "stuff_")
WHOLE = re.compile("-?[0-9]{1,18}")
IDS = {int, float, str}
T = TypeVar("T")
NONE = -1  # the number of no image
HINTS = ("path", "coco_url")  # longer paths, by COCO Annotator and the COCO dataset

image_folder = json_file.image_folder


def detect(folder: Folder) -> bool:
    """True if a JSON file has COCO's lists of images and annotations."""
    return json_kinds.holds(folder, KIND)


def read(folder: Folder) -> Labels:
    """Read all images in the files; an image without annotations has no objects."""
    labels = Labels()
    order: dict[str, tuple[int, int]] = {}
    others = _of_other_tasks(folder)
    bare: dict[str, int] = {}  # file -> number of images, for which it has no annotations
    for path, content in json_file.read_all(
        folder,
        KIND,
        dict,
        labels.broken,
        without=others,
        opened=Records,
        findings=labels.findings,
    ):
        if "annotations" not in content and isinstance(content.get("images"), list):
            bare[path] = len(content["images"])
            continue
        try:
            source = CocoFile(path, file_split(path))
            source.read(content, labels)
        except UnusableError as error:
            labels.broken.append(error.in_file(path))
            continue
        for key, name in source.used_categories():
            order[name] = min(order.get(name, key), key)
    for path, count in bare.items():
        if labels.images:
            message = f"it lists {counted(count, 'image')} and has no annotations"
            labels.findings.append(Finding("BW109", path, message, "not used"))
        else:
            labels.broken.append(Broken("BW110", f"{path}, annotations", "is missing"))
    labels.classes = sorted(order, key=lambda name: order[name])
    return labels


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write one file per split, in Roboflow's layout; ids start at 1."""
    categories = [
        {"id": i, "name": name, "supercategory": ""} for i, name in enumerate(dataset.classes, 1)
    ]
    for folder, indices in json_file.by_folder(dataset):
        images: list[Object] = []
        annotations: list[Object] = []
        for image_id, i in enumerate(indices, 1):
            width, height = dataset.sizes[i].tolist()
            file_name = relative(names[i], folder)
            images.append(
                {"id": image_id, "width": width, "height": height, "file_name": file_name}
            )
            rows = dataset.rows(i)
            for box, label, flags in zip(
                dataset.boxes[rows], dataset.labels[rows], dataset.flags[rows], strict=True
            ):
                annotations.append(
                    new_annotation(
                        len(annotations) + 1, image_id, int(label) + 1, decimals(box), int(flags)
                    )
                )
        content = {
            "info": {},
            "licenses": [],
            "categories": categories,
            "images": images,
            "annotations": annotations,
        }
        json_file.write(target / folder / FILE, content)


def new_annotation(
    number: int | None, image_id: object, category_id: object, box: Sequence[float], flags: int
) -> Object:
    """The annotation of a box, xyxy."""
    xmin, ymin, xmax, ymax = box
    wide, high = round(xmax - xmin, 9), round(ymax - ymin, 9)
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [xmin, ymin, wide, high],
        "area": wide * high,
        "segmentation": [],
        "iscrowd": int(bool(flags & CROWD)),
        **({"attributes": {"occluded": True}} if flags & OCCLUDED else {}),
    }


@dataclass
class CocoFile:
    """Reader of one COCO file.

    Attributes:
        path: the file, below the root.
        split: the split of its images.
        names: category id -> name.
        parents: category id -> supercategory.
        boxes: category id -> number of boxes.
        images: image id -> image; two ids may have the same image.
    """

    path: str
    split: Split
    names: dict[str, str] = field(default_factory=dict)
    parents: dict[str, object] = field(default_factory=dict)
    boxes: Counter[str] = field(default_factory=Counter)
    images: dict[str, Labeled] = field(default_factory=dict)

    def read(self, content: Object, labels: Labels) -> None:
        for place, one in json_file.objects(content.get("categories"), "categories"):
            self._add_category(one, place)
        if "images" not in content and "videos" in content:
            raise UnusableError(
                "videos", "are labeled frame by frame; export each frame as an image"
            )
        for place, one in json_file.objects(content.get("images"), "images"):
            self._add_image(one, place)
        self._shift_ids(content.get("annotations"), labels)
        annotations = json_file.entries(content.get("annotations"), "annotations")
        shapes: Counter[str] = Counter()
        unusable = self._add_boxes(annotations, labels, shapes)
        images = self.images.values()
        sound = (image for image in images if (image.image, image.hint) not in unusable)
        add_once(labels, self.path, sound)
        labels.findings += shapes_finding(self.path, shapes)

    def used_categories(self) -> list[tuple[tuple[int, int], str]]:
        """A sort key and a name for each category, without pure supercategories.

        Roboflow writes a category 0 that is the parent of all others and has no boxes, and
        LabelMe's script one for the background.
        """
        categories = []
        for place, (key, name) in enumerate(self.names.items()):
            others = [parent for other, parent in self.parents.items() if other != key]
            above_all = bool(others) and all(parent == name for parent in others)
            if self.boxes[key] or not (above_all or name in NOT_CLASSES):
                number = int(key) if WHOLE.fullmatch(key) else 0
                categories.append(((number, place), name))
        return categories

    def _shift_ids(self, annotations: object, labels: Labels) -> None:
        """Let the names follow the annotations, if these count categories from another number."""
        entries = annotations if isinstance(annotations, list) else []
        stated = (one.get("category_id") for one in entries if isinstance(one, dict))
        used = {_key(one) for one in {one for one in stated if type(one) in IDS}}
        if used <= self.names.keys() or not all(map(WHOLE.fullmatch, {*used, *self.names})):
            return
        numbers = set(map(int, used))
        if shift := id_shift(numbers, list(map(int, self.names))):
            self.names = {str(int(key) - shift): name for key, name in self.names.items()}
            self.parents = {str(int(key) - shift): name for key, name in self.parents.items()}
            labels.findings.append(shifted_ids(self.path, numbers, shift))

    def _add_category(self, one: Object, place: str) -> None:
        key = _key(one.get("id"))
        name = json_file.class_name(one.get("name"), place)
        if not key:
            raise UnusableError(place, f"the id of '{name}' is {json_file.shown(one.get('id'))}")
        if self.names.setdefault(key, name) != name:
            raise UnusableError(place, f"'{name}' has the id of '{self.names[key]}'")
        self.parents[key] = one.get("supercategory")

    def _add_image(self, one: Object, place: str) -> None:
        key, name = _key(one.get("id")), image_name(one)
        if not key or not isinstance(name, str) or not name:
            missing = "file_name" if key else "id"
            raise UnusableError(place, f"its {missing} is {json_file.shown(one.get(missing))}")
        size = json_file.stated_size(one, "width", "height")
        image = Labeled(self.path, name, size=size, place=f", {place}", split=self.split)
        image.hint = next((one[key] for key in HINTS if isinstance(one.get(key), str)), "")
        known = self.images.setdefault(key, image)
        if (known.image, known.size, known.hint) != (name, size, image.hint):
            raise UnusableError(place, f"'{name}' has the id of '{known.image}'")

    def _add_boxes(
        self, annotations: Sequence[Object], labels: Labels, shapes: Counter[str]
    ) -> set[tuple[str, str]]:
        """Add all boxes to their images; returns images with an unusable one, as in `add_once`.

        Annotations may be millions. They are read by column, and only unusual ones by row.
        """
        images = list(self.images.values())
        numbers = {key: i for i, key in enumerate(self.images)}
        stated = [one.get("image_id") for one in annotations]
        owners = np.array(_by_key(stated, lambda key: numbers.get(key, NONE)), np.int64)
        categories = _by_key([one.get("category_id") for one in annotations], str)
        unknown = np.array([key not in self.names for key in categories], np.bool_)
        boxes = usual_boxes([one.get("bbox") for one in annotations])
        rotated = np.array([is_rotated(one) for one in annotations], np.bool_)
        unusual = (owners == NONE) | unknown | rotated | np.isnan(boxes).any(axis=1)
        unusable = set()
        for i in np.flatnonzero(unusual).tolist():
            owner = images[owners[i]] if owners[i] != NONE else None
            try:
                boxes[i] = self._unusual_box(annotations[i], f"annotations[{i}]", owner, shapes)
            except UnusableError as error:
                labels.broken.append(error.in_file(self.path))
                owners[i] = NONE
                if owner is not None:
                    unusable.add((owner.image, owner.hint))
        rows = np.argsort(owners, kind="stable")
        rows = rows[np.searchsorted(owners[rows], 0) :]
        ends = np.searchsorted(owners[rows], np.arange(len(images)), side="right").tolist()
        flat = boxes[rows].ravel().tolist()
        used = [categories[i] for i in rows.tolist()]
        self.boxes.update(used)
        names = [self.names[key] for key in used]
        ordered = (annotations[i] for i in rows.tolist())
        flags = [_flags(one) if one.get("iscrowd") or "attributes" in one else 0 for one in ordered]
        for image, start, end in zip(images, [0, *ends], ends, strict=False):
            image.boxes = flat[4 * start : 4 * end]
            image.names, image.flags = names[start:end], flags[start:end]
        return unusable

    def _unusual_box(
        self, one: Object, place: str, owner: Labeled | None, shapes: Counter[str]
    ) -> list[float]:
        if owner is None:
            stated = json_file.shown(one.get("image_id"))
            raise UnusableError(place, f"its image_id is {stated}, but no image has this id")
        category = _key(one.get("category_id"))
        if category not in self.names:
            stated = json_file.shown(one.get("category_id"))
            reason = f"its category_id is {stated}, but no category has this id"
            raise UnusableError(place, reason, "BW163" if category else "BW110")
        box, shape = any_box(one, place)
        if shape:
            shapes[shape] += 1
        return box


def _flags(one: Object) -> int:
    """The flags of a box; CVAT has an attribute for occluded objects."""
    flags = CROWD if one.get("iscrowd") in (1, "1") else 0
    said = one.get("attributes")
    if isinstance(said, dict) and said.get("occluded") in (True, 1, "1", "true"):
        flags |= OCCLUDED
    return flags


def _by_key(values: list[Any], find: Callable[[str], T]) -> list[T]:
    """What `find` returns for the `_key` of each value; it is called once for equal ones."""
    if {*map(type, values)} <= {int, str}:
        found = {value: find(_key(value)) for value in {*values}}
        return list(map(found.__getitem__, values))
    return [find(_key(value)) for value in values]


def _key(value: object) -> str:
    """An id as text, because tools write ids as numbers or text; empty if invalid."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _of_other_tasks(folder: Folder) -> set[str]:
    """The COCO dataset's files of captions, keypoints and so on beside its files of boxes."""
    located = [(path, *split_path(path)) for path in folder.with_suffix(json_kinds.SUFFIX)]
    boxed = {parent for _, parent, name in located if name.startswith(INSTANCES)}
    return {
        path for path, parent, name in located if parent in boxed and name.startswith(OTHER_TASKS)
    }

"""Create ML: a JSON list of images, written by Apple's tools, LabelImg, RectLabel and Roboflow.

Boxes are the x and y of their center, width and height, in pixels from the image's top left.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from boxwright.formats import json_file, json_kinds
from boxwright.formats.about import About
from boxwright.formats.annotations import Holds, Labeled, Labels
from boxwright.formats.editing import Edit, EditedBox
from boxwright.formats.folder import Folder, relative, split_path
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.records import Unlisted, chosen_keys, record_bytes
from boxwright.formats.repeats import add_once
from boxwright.formats.shapes import decimals
from boxwright.formats.splits import folder_split
from boxwright.structures.dataset import Dataset

TITLE = "Create ML"
KIND = "createml"  # in `json_kinds`
HOLDS = Holds.VERIFIED | Holds.SPLITS | Holds.EMPTY_IMAGES | Holds.FRACTIONS
BY_STEM = False
ABOUT = About(
    sources="Apple's tools, RectLabel, Roboflow and LabelImg.",
    files="One `.json` for many images.",
    detected="By a JSON list of objects with `image` and `annotations`.",
    written=("*/_annotations.createml.json",),
    quirks=(
        "Boxes are the center, width and height in pixels.",
        "Boxes of entries that repeat an image are combined (`BW113`).",
    ),
)
FILE = "_annotations.createml.json"  # Roboflow's name
IMAGE_KEYS = ("image", "imagefilename")
LIST_KEYS = ("annotations", "annotation")

image_folder = json_file.image_folder


def detect(folder: Folder) -> bool:
    """True if a JSON file has Create ML's list of images."""
    return json_kinds.holds(folder, KIND)


def read(folder: Folder) -> Labels:
    """Read all images in the files; an image without annotations has no objects."""
    labels = Labels()
    for path, content in json_file.read_all(
        folder, KIND, list, labels.broken, opened=Records, findings=labels.findings
    ):
        images: list[Labeled] = []
        for i, entry in enumerate(content):
            try:
                images.append(_image(entry, path, f"[{i}]"))
            except UnusableError as error:
                labels.broken.append(error.in_file(path))
        add_once(labels, path, images)
    return labels


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write one file per split, beside the images, in Roboflow's layout."""
    for folder, indices in json_file.by_folder(dataset):
        content = []
        for i in indices:
            rows = dataset.rows(i)
            annotations = [
                {"label": dataset.classes[label], "coordinates": _centered(decimals(box))}
                for box, label in zip(dataset.boxes[rows], dataset.labels[rows], strict=True)
            ]
            image = relative(names[i], folder)
            verified = {"verified": True} if dataset.verified[i] else {}  # of LabelImg
            content.append({"image": image, **verified, "annotations": annotations})
        json_file.write(target / folder / FILE, content)


def _image(entry: object, path: str, place: str) -> Labeled:
    if not isinstance(entry, dict):
        raise UnusableError(place, json_file.unlike(entry, "an object"))
    name = _first(entry, IMAGE_KEYS)
    if not isinstance(name, str) or not name:
        raise UnusableError(place, f"its image {json_file.unlike(name, 'an image name')}")
    image = Labeled(path, name, place=f", {place}", split=folder_split(split_path(path)[0]))
    image.verified = entry.get("verified") is True
    for where, one in json_file.objects(_first(entry, LIST_KEYS), f"{place}.annotations"):
        label = json_file.class_name(one.get("label"), where)
        x, y, width, height = json_file.coordinates(
            one.get("coordinates"), ("x", "y", "width", "height"), f"{where}.coordinates"
        )
        image.add(label, (x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    return image


def _first(entry: Object, keys: Sequence[str]) -> object:
    return next((entry[key] for key in keys if key in entry), None)


def _centered(box: Sequence[float]) -> dict[str, float]:
    xmin, ymin, xmax, ymax = box
    return {
        "x": round((xmin + xmax) / 2, 9),
        "y": round((ymin + ymax) / 2, 9),
        "width": round(xmax - xmin, 9),
        "height": round(ymax - ymin, 9),
    }


class Records(Unlisted):
    """The records of a file: its entries, by the names of their images."""

    def __init__(self, content: bytes, path: str) -> None:
        self._text = json_file.JsonText(content, path)
        self._entries: list[Object] = self._text.value
        self._numbers = {str(_first(one, IMAGE_KEYS)): i for i, one in enumerate(self._entries)}

    def get(self, name: str) -> Any:
        return self._entries[self._numbers[name]] if name in self._numbers else None

    def put(self, name: str, record: Any) -> None:
        if name in self._numbers and record is not None:
            self._entries[self._numbers[name]] = record
        elif name in self._numbers:
            gone = self._numbers.pop(name)
            del self._entries[gone]
            self._numbers = {one: i - (i > gone) for one, i in self._numbers.items()}
        elif record is not None:
            self._numbers[name] = len(self._entries)
            self._entries.append(record)

    def boxes(self, record: Any) -> Any:
        listed = _first(record, LIST_KEYS)
        return chosen_keys(listed if isinstance(listed, list) else [], "label", "coordinates")

    def content(self) -> bytes:
        return self._text.bytes_of(self._entries)


class Editor:
    """The editor of Create ML's records."""

    def opened(self, content: bytes, path: str) -> Records:
        return Records(content, path)

    def labeled(self, content: bytes | None, path: str) -> Labeled:
        if content is None:
            return Labeled(path)
        try:
            return _image(json.loads(content), path, "")
        except UnusableError as error:
            raise error.as_error(path) from error

    def edited(self, content: bytes | None, path: str, edit: Edit) -> bytes:
        if content is None:
            record: Object = {IMAGE_KEYS[0]: edit.name, LIST_KEYS[0]: []}
        else:
            record = json.loads(content)
        key = next(key for key in LIST_KEYS if key in record)
        before = self.labeled(content, path)
        record[key] = [_annotation(record[key], before, box) for box in edit.boxes]
        if before.verified != edit.verified:
            record["verified"] = edit.verified
        return record_bytes(record)


def _annotation(old: Sequence[Object], before: Labeled, box: EditedBox) -> Object:
    one = {} if box.origin is None else dict(old[box.origin])
    if box.origin is None or box.name != before.names[box.origin]:
        one["label"] = box.name
    if box.sides is not None:
        one["coordinates"] = _centered(decimals(np.asarray(box.sides, np.float32)))
    return one

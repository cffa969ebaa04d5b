"""Edit the tasks of Label Studio's JSON exports."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from boxwright.errors import DataError
from boxwright.formats.annotations import Labeled
from boxwright.formats.editing import Edit, EditedBox, parts_kept, refilled
from boxwright.formats.folder import Folder
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.labelstudio.images import images_in
from boxwright.formats.labelstudio.records import (
    Records,
    annotation_of,
    list_key,
    new_task,
    results_of,
)
from boxwright.formats.labelstudio.regions import (
    BOX,
    SHAPE,
    Control,
    Region,
    add_regions,
    class_key,
    new_result,
    rectangle,
    regions_of_annotation,
)
from boxwright.formats.ownership import Ownership
from boxwright.formats.records import record_bytes
from boxwright.formats.shapes import decimals
from boxwright.io.text import read_text


@dataclass(frozen=True)
class Editor:
    """The editor of Label Studio's records.

    Attributes:
        control: of new boxes.
        like: the data of a task that new tasks are like.
    """

    control: Control
    like: Object | None

    @classmethod
    def of(cls, folder: Folder, own: Ownership) -> Editor:
        """The editor of a folder with these annotations.

        Raises:
            DataError: BW179 some tasks have several images, or are from a JSON-MIN export.
        """
        tasks: list[Any] = []
        for path in dict.fromkeys(one.path for one in own.labels.images):
            where = folder.root / path
            found = json.loads(read_text(where))
            for task in found:
                if not isinstance(task.get("data"), dict):
                    message = "an export as JSON-MIN cannot be edited; export it as JSON."
                    raise DataError("BW179", message, where=where)
                if len(images_in(task["data"])) != 1:
                    raise DataError("BW179", "some of its tasks have several images.", where=where)
            tasks += found
        boxes = (one for one in results_of(tasks) if one.get("type") == BOX)
        names = Counter(
            Control(one["from_name"], one["to_name"])
            for one in boxes
            if {"from_name", "to_name"} <= one.keys()
        )
        control = next(iter(names.most_common(1)), (Control(), 0))[0]
        return cls(control, tasks[0]["data"] if tasks else None)

    def opened(self, content: bytes, path: str) -> Records:
        return Records(content, path)

    def labeled(self, content: bytes | None, path: str) -> Labeled:
        labeled = Labeled(path, percent=True)
        try:
            add_regions(labeled, _regions({} if content is None else json.loads(content)))
        except UnusableError as error:
            raise error.as_error(path) from error
        return labeled

    def edited(self, content: bytes | None, path: str, edit: Edit) -> bytes:
        task = new_task(edit.name, self.like) if content is None else json.loads(content)
        before, regions = self.labeled(content, path), _regions(task)
        annotation = annotation_of(task)
        if annotation is None:
            annotation = {"result": []}
            task = {**task, list_key(task): [*(task.get(list_key(task)) or []), annotation]}
        numbers = [_number(region) for region in regions]
        results = annotation.get("result") or []
        pieces = [(result, i in numbers) for i, result in enumerate(results)]
        new = list(self._results(before, regions, results, edit))
        left = {one.get("id") for one in new}
        gone = {results[i].get("id") for i in numbers} - left - {None}
        shapes = {one.get("id"): _shape_of(one) for one in new if one.get("id") is not None}
        annotation["result"] = [
            _followed(one, shapes) for one in refilled(pieces, new) if gone.isdisjoint(_meant(one))
        ]
        if "result_count" in annotation:
            annotation["result_count"] = len(annotation["result"])
        return record_bytes(task)

    def _results(
        self, before: Labeled, regions: Sequence[Region], results: Sequence[Object], edit: Edit
    ) -> Iterator[Object]:
        """The regions after an edit, as in VGG Image Annotator: one with several classes stays one
        while all of its boxes are as they were, and becomes a region for each otherwise."""
        owners = [i for i, region in enumerate(regions) for _ in region.names]
        count, kept = Counter(owners), parts_kept(owners, before, edit.boxes)
        width, height = before.size or edit.size
        taken = {one.get("id") for one in results}
        done: set[int] = set()
        for box in edit.boxes:
            shape = None if box.sides is None else self._shape(box, before)
            if box.origin is None:
                key = _new_id(box, taken)
                value = {**(shape or {}), BOX: [box.name]}
                yield new_result(key, self.control, (width, height), value)
                continue
            owner = owners[box.origin]
            old = results[_number(regions[owner])]
            if owner in kept:
                if owner not in done:
                    yield old
            else:
                is_new = count[owner] > 1 or box.name != before.names[box.origin]
                one = _edited(old, shape, box.name if is_new else None)
                yield {**one, "id": _new_id(box, taken)} if owner in done else one
            done.add(owner)

    @staticmethod
    def _shape(box: EditedBox, before: Labeled) -> Object:
        if before.size is None:  # fractions
            return rectangle(box.sides or (), 1, 1)
        return rectangle(decimals(np.asarray(box.sides, np.float32)), *before.size)


def _regions(task: Object) -> list[Region]:
    annotation = annotation_of(task)
    return [] if annotation is None else list(regions_of_annotation(annotation, ""))


def _number(region: Region) -> int:
    """The number of a region in the list of results."""
    return int(region.place.rpartition("[")[2].removesuffix("]"))


def _edited(result: Object, shape: Object | None, name: str | None) -> Object:
    """A region with another shape or class, where they are not None."""
    value, kind = result["value"], class_key(result["value"])
    names = value.get(kind)
    if shape is not None:
        rest = {key: one for key, one in value.items() if key not in SHAPE and key != kind}
        kind = kind if kind in {BOX, "labels"} else BOX
        value = {**shape, **rest, kind: names}
        result = {**result, "type": BOX if result.get("type") != "labels" else "labels"}
    if name is not None:
        value = {**value, kind: [name]}
    return {**result, "value": value}


def _shape_of(result: Object) -> Object:
    return {key: one for key, one in result["value"].items() if key in SHAPE}


def _followed(result: Object, shapes: Mapping[Any, Object]) -> Object:
    """A result that repeats the shape of a region has the one that the region has now."""
    value, shape = result.get("value"), shapes.get(result.get("id"))
    if shape is None or not isinstance(value, dict) or value.keys().isdisjoint(SHAPE):
        return result
    rest = {key: one for key, one in value.items() if key not in SHAPE}
    return result if {**rest, **shape} == value else {**result, "value": {**rest, **shape}}


def _meant(result: Object) -> set[Any]:
    """The regions that a result is about: two for a relation."""
    return {result.get(key) for key in ("id", "from_id", "to_id")} - {None}


def _new_id(box: EditedBox, taken: set[Any]) -> str:
    """An id that no region has; `taken` gets it."""
    number = len(taken)
    while True:
        said = json.dumps([box.name, box.sides, number])
        key = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:10]
        if key not in taken:
            taken.add(key)
            return key
        number += 1

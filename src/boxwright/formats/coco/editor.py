"""Edit the records of a COCO file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from boxwright.errors import DataError
from boxwright.formats.annotations import Labeled, Labels
from boxwright.formats.coco.boxes import is_rotated
from boxwright.formats.coco.format import CocoFile, new_annotation
from boxwright.formats.coco.records import NEW, Records
from boxwright.formats.editing import Edit, EditedBox
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.records import record_bytes
from boxwright.formats.shapes import decimals
from boxwright.structures.dataset import CROWD, OCCLUDED, Split


class Editor:
    """The editor of COCO's records."""

    def opened(self, content: bytes, path: str) -> Records:
        return Records(content, path)

    def labeled(self, content: bytes | None, path: str) -> Labeled:
        if content is None:
            return Labeled(path)
        record = json.loads(content)
        labels = Labels()
        try:
            whole = {**record, "images": [record["image"]]}
            CocoFile(path, Split.UNASSIGNED).read(whole, labels)
        except UnusableError as error:
            raise error.as_error(path) from error
        if labels.broken:
            raise DataError(labels.broken[0].code, f"{labels.broken[0].message}.", where=path)
        return labels.images[0]

    def edited(self, content: bytes | None, path: str, edit: Edit) -> bytes:
        if content is None:
            width, height = edit.size
            image = {
                "id": NEW,
                "width": width,
                "height": height,
                "file_name": edit.name,
            }
            record: Object = {"image": image, "annotations": [], "categories": []}
        else:
            record = json.loads(content)
        before = self.labeled(content, path)
        ids = {one["name"]: one["id"] for one in record["categories"]}
        categories = list(record["categories"])
        for name in dict.fromkeys(box.name for box in edit.boxes):
            if name not in ids:
                ids[name] = f"{NEW} {name}"
                categories.append({"id": ids[name], "name": name, "supercategory": ""})
        image_id, old = record["image"]["id"], record["annotations"]
        annotations = [_annotation(old, before, box, image_id, ids[box.name]) for box in edit.boxes]
        used = {one["category_id"] for one in annotations}
        categories = [one for one in categories if one["id"] in used]
        return record_bytes({**record, "annotations": annotations, "categories": categories})


def _annotation(
    old: Sequence[Object], before: Labeled, box: EditedBox, image: Any, category: Any
) -> Object:
    if box.origin is None:
        return new_annotation(None, image, category, _decimals(box), box.flags)
    one = dict(old[box.origin])
    if box.sides is not None:
        new = new_annotation(None, image, category, _decimals(box), box.flags)
        one["bbox"] = new["bbox"]
        one |= {key: new[key] for key in ("area", "segmentation") if key in one}
        if is_rotated(old[box.origin]):
            one["attributes"] = {**one["attributes"], "rotation": 0.0}
    if box.name != before.names[box.origin]:
        one["category_id"] = category
    changed = before.flags[box.origin] ^ box.flags
    if changed & CROWD:
        one["iscrowd"] = int(bool(box.flags & CROWD))
    if changed & OCCLUDED:
        stated = one.get("attributes")
        stated = stated if isinstance(stated, dict) else {}
        one["attributes"] = {**stated, "occluded": bool(box.flags & OCCLUDED)}
    return one


def _decimals(box: EditedBox) -> list[float]:
    return decimals(np.asarray(box.sides, np.float32))

"""The records of a COCO file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from boxwright.formats.editing import refilled
from boxwright.formats.json_file import JsonText, Object

NEW = "new"  # start of the id of an image or category that gets a number when it is written


class Records:
    """The records of a COCO file: an image, its annotations, and their categories."""

    def __init__(self, content: bytes, path: str) -> None:
        self._text = JsonText(content, path)
        self._value: Object = self._text.value
        self._images = {image_name(one): one for one in self._value["images"]}
        self._by_id: defaultdict[Any, list[Object]] = defaultdict(list)
        for one in self._value["annotations"]:
            self._by_id[one.get("image_id")].append(one)

    def get(self, name: str) -> Any:
        image = self._images.get(name)
        if image is None:
            return None
        annotations = self._by_id[image["id"]]
        used = {one.get("category_id") for one in annotations}
        categories = [one for one in self._value["categories"] if one["id"] in used]
        return {"image": image, "annotations": annotations, "categories": categories}

    def put(self, name: str, record: Any) -> None:
        if record == self.get(name):
            return
        before = self._images.get(name)
        if record is None:
            if before is not None:
                self._replace(before, [])
                self._value["images"].remove(before)
                del self._images[name]
            return
        ids = self._categories(record["categories"])
        image = record["image"]
        if before is None:
            others = {one["id"] for one in self._value["images"]}
            if image["id"] == NEW or image["id"] in others:
                image = {**image, "id": _next(others)}
            self._value["images"].append(image)
        else:
            image = {**image, "id": before["id"]}
            images = self._value["images"]
            images[next(i for i, one in enumerate(images) if one is before)] = image
        self._images[name] = image
        taken = {
            one.get("id") for one in self._value["annotations"] if one["image_id"] != image["id"]
        }
        new = _next({*taken, *(one.get("id") for one in record["annotations"])})
        annotations = []
        for one in record["annotations"]:
            number = one.get("id")
            if number is None or number in taken:
                number, new = new, new + 1
            category = ids[one["category_id"]]
            annotations.append(
                {**one, "id": number, "image_id": image["id"], "category_id": category}
            )
        self._replace(image, annotations)

    def content(self) -> bytes:
        return self._text.bytes_of(self._value)

    def _replace(self, image: Object, annotations: list[Object]) -> None:
        pieces = ((one, one.get("image_id") == image["id"]) for one in self._value["annotations"])
        self._value["annotations"] = list(refilled(pieces, annotations))
        self._by_id[image["id"]] = annotations

    def _categories(self, stated: Sequence[Object]) -> dict[Any, Any]:
        """Id of a category in a record -> id of that name here, where it is added if need be."""
        here = self._value["categories"]
        names = {one["name"]: one["id"] for one in here}
        ids = {}
        for one in stated:
            if one["name"] not in names:
                names[one["name"]] = _next(names.values())
                here.append({**one, "id": names[one["name"]]})
            ids[one["id"]] = names[one["name"]]
        return ids


def image_name(one: Object) -> Any:
    """The name in the record of an image."""
    name = one.get("file_name")
    if not name and isinstance(one.get("coco_url"), str):  # LVIS
        return "/".join(one["coco_url"].split("/")[-2:])
    return name


def _next(ids: Any) -> int:
    """A number above all ids, which may be numbers or text."""
    return 1 + max((int(one) for one in ids if str(one).isdecimal()), default=0)

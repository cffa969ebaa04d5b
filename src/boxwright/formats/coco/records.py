"""The records of a COCO file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from boxwright.formats.json_file import JsonText, Object
from boxwright.formats.parts import Parts
from boxwright.formats.records import chosen_keys

NEW = "new"  # start of the id of an image or category that gets a number when it is written


class Records:
    """The records of a COCO file: an image, its annotations, and their categories.

    Whoever puts the same edits into the same file has the same records, in whatever order: others
    know them by their bytes. So categories are sorted, and the number of a deleted annotation is
    not given to a new one, which could be put before the deletion.
    """

    def __init__(self, content: bytes, path: str) -> None:
        self._text = JsonText(content, path)
        self._value: Object = self._text.value
        self._images = Parts((image_name(one), one) for one in self._value["images"])
        self._annotations = Parts((one.get("image_id"), one) for one in self._value["annotations"])
        self._ids = Counter(one.get("id") for one in self._value["annotations"])

    def get(self, name: str) -> Any:
        image = self._image(name)
        if image is None:
            return None
        annotations = self._annotations.of(image["id"])
        used = {one.get("category_id") for one in annotations}
        categories = [one for one in self._value["categories"] if one["id"] in used]
        categories.sort(key=lambda one: (len(str(one["id"])), str(one["id"])))
        return {"image": image, "annotations": annotations, "categories": categories}

    def put(self, name: str, record: Any) -> None:
        if record == self.get(name):
            return
        before = self._image(name)
        if record is None:
            if before is not None:
                self._replace(before["id"], [])
                self._images.put(name, self._images.of(name)[:-1])
            return
        ids = self._categories(record["categories"])
        image = record["image"]
        if before is None:
            others = {one["id"] for one in self._images}
            if image["id"] == NEW or image["id"] in others:
                image = {**image, "id": _next(others)}
        else:
            image = {**image, "id": before["id"]}
        self._images.put(name, [*self._images.of(name)[:-1], image])
        self._replace(image["id"], [])
        new = None
        annotations = []
        for one in record["annotations"]:
            number = one.get("id")
            if number is None or self._ids[number]:
                if new is None:
                    new = _next([*self._ids, *(one.get("id") for one in record["annotations"])])
                number, new = new, new + 1
            category = ids[one["category_id"]]
            annotations.append(
                {**one, "id": number, "image_id": image["id"], "category_id": category}
            )
        self._replace(image["id"], annotations)

    def boxes(self, record: Any) -> Any:
        size = chosen_keys([record["image"]], "width", "height")
        keys = "bbox", "segmentation", "category_id", "iscrowd"
        return size + chosen_keys(record["annotations"], *keys)

    def content(self) -> bytes:
        lists = {"images": [*self._images], "annotations": [*self._annotations]}
        return self._text.bytes_of({**self._value, **lists})

    def listed(self, name: str) -> list[Any]:
        stated = enumerate(self._value["categories"])
        return [[place, one] for place, one in stated if str(one["name"]) == name]

    def relist(self, old: str, new: str | None) -> None:
        categories = self._value["categories"]
        into = next((one["id"] for one in categories if str(one["name"]) == new), None)
        mine = [one for _, one in self.listed(old)]
        if new is not None and into is None:
            for one in mine:
                one["name"] = new
            return
        used = {str(one.get("category_id")) for one in self._annotations}  # perhaps of other images
        self._value["categories"] = [
            one for one in categories if one not in mine or str(one["id"]) in used
        ]

    def restore(self, listed: list[Any]) -> None:
        categories = self._value["categories"]
        for place, entry in listed:
            if all(one["id"] != entry["id"] and one["name"] != entry["name"] for one in categories):
                categories.insert(place, entry)

    def _image(self, name: str) -> Object | None:
        """An image by its name; the last one if several have it."""
        return next(reversed(self._images.of(name)), None)

    def _replace(self, image: Any, annotations: list[Object]) -> None:
        self._ids.subtract(one.get("id") for one in self._annotations.of(image))
        self._ids.update(one.get("id") for one in annotations)
        self._annotations.put(image, annotations)

    def _categories(self, stated: Sequence[Object]) -> dict[Any, Any]:
        """Id of a category in a record -> id of that name here, where it is added if need be, with
        its id if that is free."""
        here = self._value["categories"]
        names = {one["name"]: one["id"] for one in here}
        ids = {}
        for one in stated:
            if one["name"] not in names:
                taken, key = {one["id"] for one in here}, one["id"]
                is_new = key in taken or str(key).startswith(NEW)
                names[one["name"]] = _next(taken) if is_new else key
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

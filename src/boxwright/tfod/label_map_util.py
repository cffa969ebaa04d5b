"""Label maps, with the function names of the API's utils/label_map_util.py.

from boxwright.tfod import label_map_util

category_index = label_map_util.create_category_index_from_labelmap("label_map.pbtxt")
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from boxwright.structures.labels import Item, read_items


class Category(TypedDict):
    """A class, as the API's evaluation and drawing functions take it."""

    id: int
    name: str


@dataclass(frozen=True)
class LabelMap:
    """The items of a label map, like the API's message of the same name."""

    item: tuple[Item, ...]


def load_labelmap(path: str | Path) -> LabelMap:
    """Read a label map file.

    Raises:
        DataError: BW116 it cannot be used; the message gives line and reason.
    """
    return LabelMap(tuple(read_items(path)))


def convert_label_map_to_categories(
    label_map: LabelMap | None, max_num_classes: int, use_display_name: bool = True
) -> list[Category]:
    """Return the classes with ids from 1 to `max_num_classes`, each id once.

    Without a label map their names are `category_1` and so on.
    """
    if label_map is None:
        numbers = range(1, max_num_classes + 1)
        return [{"id": number, "name": f"category_{number}"} for number in numbers]
    names: dict[int, str] = {}
    for item in label_map.item:
        if item.id <= max_num_classes:
            names.setdefault(item.id, item.display_name if use_display_name else item.name)
    return [{"id": number, "name": name} for number, name in names.items()]


def create_category_index(categories: Iterable[Category]) -> dict[int, Category]:
    """Return the classes by id: `{1: {"id": 1, "name": "helmet"}}`."""
    return {category["id"]: category for category in categories}


def create_category_index_from_labelmap(
    label_map_path: str | Path, use_display_name: bool = True
) -> dict[int, Category]:
    """Return the classes of a label map file by id. Raises as `load_labelmap`."""
    label_map = load_labelmap(label_map_path)
    largest = max(item.id for item in label_map.item)
    return create_category_index(
        convert_label_map_to_categories(label_map, largest, use_display_name)
    )


def get_label_map_dict(
    label_map_path: str | Path, use_display_name: bool = False
) -> dict[str, int]:
    """Return the ids of a label map file by name, of two ids the first. Raises as
    `load_labelmap`."""
    items = reversed(load_labelmap(label_map_path).item)
    return {item.display_name if use_display_name else item.name: item.id for item in items}

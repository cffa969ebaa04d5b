"""The records of a JSON file of VGG Image Annotator: its images, by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from boxwright.formats.json_file import JsonText, Object
from boxwright.formats.records import chosen_keys

METADATA, ATTRIBUTES, ORDER = "_via_img_metadata", "_via_attributes", "_via_image_id_list"


class Records:
    """The images of a project, or of annotations that were exported without one.

    Args:
        content: of the file.
        path: of the file, for messages.
        attribute: the region attribute that is the class, whose options are the list of classes.
    """

    def __init__(self, content: bytes, path: str, attribute: str | None = None) -> None:
        self._attribute = attribute
        self._text = JsonText(content, path)
        self._value: Object = self._text.value
        self._images: Object = self._value.get(METADATA, self._value)
        self._keys: dict[str, str] = {}
        for key, one in self._images.items():
            if not key.startswith("_via_"):
                self._keys.setdefault(str(one["filename"]), key)

    def get(self, name: str) -> Any:
        return self._images[self._keys[name]] if name in self._keys else None

    def put(self, name: str, record: Any) -> None:
        listed = self._value.get(ORDER)
        if record is None:
            if name in self._keys:
                key = self._keys.pop(name)
                del self._images[key]
                if isinstance(listed, list) and key in listed:
                    listed.remove(key)
            return
        if name not in self._keys:
            key = f"{record['filename']}{record['size']}"  # as the tool makes it
            self._keys[name] = key
            if isinstance(listed, list):
                listed.append(key)
        self._images[self._keys[name]] = record
        for attribute, value in _values(record):
            self._offer(attribute, value)

    def boxes(self, record: Any) -> Any:
        return chosen_keys(regions_of(record), "shape_attributes")

    def content(self) -> bytes:
        return self._text.bytes_of(self._value)

    def listed(self, name: str) -> list[Any]:
        options = self._options(self._attribute)
        return [[[*options].index(name), name, options[name]]] if name in options else []

    def relist(self, old: str, new: str | None) -> None:
        options = self._options(self._attribute)
        kept = [
            (new if name == old else name, about)
            for name, about in options.items()
            if name != old or (new is not None and new not in options)
        ]
        _fill(options, kept)

    def restore(self, listed: list[Any]) -> None:
        options = self._options(self._attribute)
        for place, name, about in listed:
            if name not in options:
                kept = [*options.items()]
                kept.insert(place, (name, about))
                _fill(options, kept)

    def _offer(self, attribute: str, value: str) -> None:
        """Let a value be among those that the tool offers, if it offers some."""
        options = self._options(attribute)
        if options:
            options.setdefault(value, "")

    def _options(self, attribute: str | None) -> Object:
        """The values of a region attribute that the tool offers; they can be changed in place."""
        attributes = self._value.get(ATTRIBUTES)
        described = attributes.get("region") if isinstance(attributes, dict) else None
        one = described.get(attribute) if isinstance(described, dict) else None
        options = one.get("options") if isinstance(one, dict) else None
        return options if isinstance(options, dict) else {}


def regions_of(record: Mapping[str, Any]) -> list[Object]:
    """The regions of an image; version 1 numbers them in an object."""
    listed = record.get("regions") or []
    return list(listed.values()) if isinstance(listed, dict) else list(listed)


def _fill(options: Object, entries: list[tuple[Any, Any]]) -> None:
    options.clear()
    options.update(entries)


def _values(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for region in regions_of(record):
        for attribute, value in (region.get("region_attributes") or {}).items():
            if isinstance(value, str) and value:
                yield attribute, value
            elif isinstance(value, dict):
                yield from ((attribute, name) for name in value)

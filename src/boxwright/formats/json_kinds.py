"""Detect the format of a JSON file from its first keys, without parsing the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from boxwright.formats.folder import Folder

SUFFIX = ".json"
HEAD = 1 << 15  # bytes at the start of a file that are read for detection
LONGER_HEADS = (1 << 20, 1 << 23)  # that are read if it shows nothing, as before long lists
DEEPEST = 4  # nested levels that are read
SKIPPED = 30  # nested levels of a value that is passed over at once
MAX_SIGNS = 50_000  # keys and brackets that are read one by one
MAX_ITEMS = 500  # of a list in an object, where other keys may follow
DAMAGED = "damaged"  # the kind of a file that does not begin as JSON

# A file that has all keys of a line is of that format. "[]" matches the items of a list and "*"
# any key.
SIGNATURES: tuple[tuple[str, frozenset[tuple[str, ...]]], ...] = tuple(
    (name, frozenset(tuple(path.split("/")) for path in paths.split()))
    for name, paths in (
        ("coco", "images/[]/file_name"),
        ("coco", "annotations/[]/category_id"),
        ("coco", "categories/[]/supercategory"),
        ("coco", "images annotations"),
        ("labelme", "shapes/[]/points"),
        ("labelme", "imagePath"),
        ("labelme", "imageData"),
        ("labelstudio", "[]/annotations/[]/result"),
        ("labelstudio", "[]/completions"),
        ("labelstudio", "[]/data []/annotations"),
        ("labelstudio", "[]/data []/predictions"),
        ("labelstudio", "[]/annotation_id"),
        ("labelstudio", "[]/*/[]/original_width"),
        ("createml", "[]/annotations/[]/coordinates"),
        ("createml", "[]/annotation/[]/coordinates"),
        ("createml", "[]/image []/annotations"),
        ("createml", "[]/imagefilename"),
        ("vott", "assets/*/asset"),
        ("vott", "asset/path regions"),
        ("vott", "asset/name regions"),
        ("vott", "frames/*/[]"),
        ("vott", "inputTags"),
        ("via", "_via_settings"),
        ("via", "_via_img_metadata"),
        ("via", "*/filename */regions */file_attributes"),
        ("via", "*/filename */regions/[]/shape_attributes"),
        ("via", "*/filename */fileref"),
        ("supervisely", "objects/[]/classTitle"),
        ("supervisely", "objects tags size/height size/width"),
        ("supervisely", "classes/[]/title classes/[]/shape"),
    )
)
TELLING = frozenset(path for _, paths in SIGNATURES for path in paths)
OPEN = frozenset(path[:end] for path in TELLING for end in range(len(path)))  # go on in one
TEXT = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
SIGN = re.compile(  # the next key or bracket, or the start of a text that does not end
    rf'(?:[^"\[\]{{}}]++|{TEXT}(?!\s*+:))*+(?:(?P<key>{TEXT})\s*+:|(?P<sign>[{{}}\[\]"]))',
    re.DOTALL,
)


def _within(levels: int) -> str:
    """A pattern of all that is in brackets up to their end, with further brackets inside."""
    deeper = rf"|[\[{{]{_within(levels - 1)}[\]}}]" if levels else ""
    return rf'(?:[^"\[\]{{}}]++|{TEXT}{deeper})*+'


VALUE = re.compile(rf"(?:\s*[\[{{]{_within(SKIPPED)}[\]}}])?", re.DOTALL)
REST = re.compile(_within(SKIPPED), re.DOTALL)


def holds(folder: Folder, kind: str) -> bool:
    """True if the folder has a file of the format `kind`. Reads only the start of each file."""
    return any(kind_of(folder.root / path) == kind for path in folder.with_suffix(SUFFIX))


def kind_of(file: Path) -> str:
    """The format of a JSON file; DAMAGED if it is not JSON, "" if it is of no known format."""
    try:
        with file.open("rb") as opened:
            kind = _kind_in(opened.read(HEAD))
        stat = file.stat()
    except OSError:
        return DAMAGED
    if kind or stat.st_size <= HEAD:
        return kind
    return _kind_of_large(str(file), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1 << 17)  # more files than folders have, or each format would read them all
def _kind_of_large(file: str, size: int, _changed: int) -> str:
    """The format of a file whose first bytes do not show it. Every format asks for it."""
    for head in LONGER_HEADS:
        with Path(file).open("rb") as opened:
            kind = _kind_in(opened.read(head))
        if kind or size <= head:
            return kind
    return ""


def _kind_in(data: bytes) -> str:
    """The format of a JSON file that starts with these bytes."""
    head = data.decode(json.detect_encoding(data), "replace").lstrip("\ufeff \t\r\n")
    if not head.startswith(("{", "[")):
        return DAMAGED
    seen: set[tuple[str, ...]] = set()
    for path in _outline(head):
        if not TELLING.isdisjoint(path):
            seen.update(path)
            for kind, needed in SIGNATURES:
                if needed <= seen:
                    return kind
    return ""


def _outline(head: str) -> Iterator[tuple[tuple[str, ...], ...]]:
    """Yield each path of keys and lists in JSON text that may end early, plain and with `*`.

    A `*` is in the place of the first key, or of the second one. Values that have no key of a
    signature are passed over, and so are the later items of a list in an object.
    """
    place: list[str] = []
    items = [0]  # of the list or object at each level of `place`, and outside
    known: dict[tuple[str, ...], bool] = {}  # path -> some signature goes on below it
    at = 0
    for _ in range(MAX_SIGNS):
        if not (match := SIGN.match(head, at)):
            return
        key, sign, at = match["key"], match["sign"], match.end()
        if key:
            place[-1] = key[1:-1]
        elif sign in {"{", "["}:
            items[-1] += 1
            if items[-1] > MAX_ITEMS and len(place) > 1 and place[-1] == "[]":
                at, items[-1] = _end(REST, head, at - 1), 0
                continue
            place.append("[]" if sign == "[" else "")
            items.append(0)
        elif sign in {"}", "]"}:
            place.pop()
            items.pop()
        if not place or sign == '"':
            return
        if (key or sign == "[") and len(place) <= DEEPEST:
            path = tuple(place)
            if path not in known:
                spellings = _spellings(path)
                yield spellings
                known[path] = not OPEN.isdisjoint(spellings)
            if not known[path]:
                at = _end(VALUE if key else REST, head, at)


def _end(pattern: re.Pattern[str], head: str, at: int) -> int:
    """Where a match ends that starts here; here if there is none."""
    match = pattern.match(head, at)
    return match.end() if match else at


def _spellings(path: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """A path as it is, and with a `*` for its second or its first key."""
    starred = (path[0], "*", *path[2:]) if path[1:2] not in {(), ("[]",)} else path
    return path, starred, path if path[0] == "[]" else ("*", *path[1:])

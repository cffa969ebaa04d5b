"""Labels as JSON, in both directions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from boxwright.errors import ArgumentError
from boxwright.export.targets import TARGETS
from boxwright.formats.editing import FLAGS
from boxwright.studio.class_edits import Change
from boxwright.studio.current import current
from boxwright.studio.store import LabeledBox, Labels, LabelStore

MAX_BOXES = 10_000  # of an image
ROWS = 200  # that are told at once, so that other requests come between
FAR = 1e9  # pixels; not a number is not below it
KEYS, VIEWING = "labelimg", "viewing"  # presets of keys.js
MAX_NAME = 500  # characters of a class


def image_json(store: LabelStore, index: int) -> dict[str, Any]:
    """All that the page shows of an image, except for its pixels."""
    labels = store.read(index)
    blind = index in store.blind()
    width, height = store.size(index)
    proposals = () if blind else store.journal.proposals(index)
    return {
        "index": index,
        "name": store.names[index],
        "width": width,
        "height": height,
        "etag": tag(store, labels.etag),
        "moves": len(store.class_edits.moves),
        "verified": labels.verified,
        "blind": blind,
        "boxes": [_box_json(box) for box in labels.boxes],
        "proposals": [
            {"key": one.key, "box": one.box, "label": one.label, "score": round(one.score, 3)}
            for one in proposals
        ],
        "can_undo": store.can_undo(index),
        "can_redo": store.can_redo(index),
    }


def classes_json(store: LabelStore) -> dict[str, Any]:
    """The classes, and what was done to them: a page may know earlier ones."""
    return {"classes": store.classes, "moves": store.class_edits.moves}


def tag(store: LabelStore, etag: str) -> str:
    """The etag of labels for a page. An edit of classes makes it another one, as boxes that a page
    is about to save may be of a class that is gone."""
    return f"{etag}.{len(store.class_edits.moves)}"


def untagged(store: LabelStore, stated: str) -> str:
    """The etag of labels that a page states; that of none if the classes are others now."""
    return stated.removesuffix(tag(store, ""))


def folder_json(store: LabelStore) -> dict[str, Any]:
    """What the page needs to begin."""
    return {
        "name": store.folder.absolute().name,
        "format": store.format,
        "holds": sorted(store.holds),
        "read_only": store.read_only,
        **classes_json(store),
        "images": len(store.names),
        "current": current(store),
        "keys": VIEWING if store.read_only else store.journal.get("keys", KEYS),
        "targets": list(TARGETS),
    }


def rows_json(store: LabelStore, start: int, count: int) -> dict[str, Any]:
    """Rows of the list of images."""
    blind, proposals = store.blind(), store.journal.counts()
    return {
        "total": len(store.names),
        **classes_json(store),
        "rows": [
            {
                "index": row.index,
                "name": row.name,
                "state": row.state,
                "boxes": row.boxes,
                "classes": row.classes,
                "blind": row.index in blind,
                "proposals": 0 if row.index in blind else proposals.get(row.index, 0),
            }
            for row in store.rows(start, count)
        ],
    }


def any_labeled(store: LabelStore, among: Collection[int] | None = None) -> bool:
    """True if some images are labeled, of all or of those with these indices."""
    return any(map(store.is_labeled, range(len(store.names)) if among is None else among))


def labels_from(body: Mapping[str, Any], etag: str) -> Labels:
    """The labels that a page sends. Raises ArgumentError BW808."""
    boxes, verified = body.get("boxes"), body.get("verified", False)
    if not (isinstance(boxes, list) and len(boxes) <= MAX_BOXES and isinstance(verified, bool)):
        raise malformed("boxes or verified")
    return Labels(tuple(map(_box_from, boxes)), verified, etag)


def change_classes(store: LabelStore, body: Mapping[str, Any]) -> dict[str, Any]:
    """Do or preview what the page asks for with a class. Raises ArgumentError BW808."""
    action, preview = text_from(body, "action"), body.get("preview", False)
    name, to = class_from(body, "name", ""), class_from(body, "to", "")
    if not isinstance(preview, bool) or (action != "undo" and not name.strip()):
        raise malformed("name")
    match action:
        case "add":
            change = store.class_edits.add(name)
        case "rename" | "merge" if to.strip():
            change = store.class_edits.move(name, to, preview=preview)
        case "delete":
            change = store.class_edits.move(name, None, preview=preview)
        case "undo":
            change = store.class_edits.undo() or Change(0, 0)
        case _:
            raise malformed("action or to")
    return {
        "images": change.images,
        "boxes": change.boxes,
        "left": change.left,
        **classes_json(store),
    }


def remember(store: LabelStore, name: str, key: str) -> None:
    """Add a key to those that the journal has under a name."""
    store.journal.set(name, sorted({*store.journal.get(name, []), key}))


def text_from(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A text of a request. Raises ArgumentError BW808."""
    value = body.get(name, default)
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise malformed(name)
    return value


def class_from(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """The name of a class in a request, which label files can hold. Raises ArgumentError BW808."""
    value = text_from(body, name, default)
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise malformed(name) from error
    return value


def keys_from(body: Mapping[str, Any], name: str) -> frozenset[str]:
    """Keys of a request. Raises ArgumentError BW808."""
    keys = body.get(name, [])
    if not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
        raise malformed(name)
    return frozenset(keys)


def malformed(what: str) -> ArgumentError:
    return ArgumentError("BW808", f"the request has an unusable value for {what}.")


def _box_json(box: LabeledBox) -> dict[str, Any]:
    flags = {flag: getattr(box, flag) for flag in FLAGS}
    return {"key": box.key, "box": box.box, "label": box.label, **flags}


def _box_from(value: Any) -> LabeledBox:
    if not isinstance(value, dict):
        raise malformed("boxes")
    corners = value.get("box")
    if not (isinstance(corners, list) and len(corners) == 4 and all(map(_is_number, corners))):
        raise malformed("box")
    xmin, ymin, xmax, ymax = map(float, corners)
    flags = {flag: value.get(flag, False) for flag in FLAGS}
    label = class_from(value, "label")
    if not (
        xmin < xmax
        and ymin < ymax
        and label.strip()
        and all(isinstance(flag, bool) for flag in flags.values())
    ):
        raise malformed("box")
    return LabeledBox(text_from(value, "key", ""), (xmin, ymin, xmax, ymax), label, **flags)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < FAR

"""Findings of `check`, and label suspects, as a queue for the page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from boxwright import api
from boxwright.codes import MEANINGS
from boxwright.structures.findings import Finding

MAX_ITEMS = 2000  # of each kind in a queue, open and accepted
ACCEPTED = "accepted"  # in the journal: the keys of findings that are right as they are

Item = dict[str, Any]


def findings(folder: Path, form: str, names: Sequence[str]) -> list[Item]:
    """The findings of `check`, worst first, each with the index of its image and the box.

    Args:
        folder, form: the labeled images and their format.
        names: the images in the order of the page.

    Raises:
        DataError: as `check`.
    """
    index = {name: i for i, name in enumerate(names)}
    items = []
    for one in api.check(folder, form).findings:
        image = one.images[0] if _is_of_an_image(one) else None
        remedy = MEANINGS[one.code].remedy
        boxes = [one.box] if one.box else []
        message = f"{one.where}: {one.message}"
        items.append(_item(image, index, "check", one.code, message, remedy, boxes))
    return items


def suspected(suspects: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Item]:
    """Suspects as `read_queue` returns them, in the same form as `findings`.

    A suspect in an image that is not here belongs to no image of the page.
    """
    index = {name: i for i, name in enumerate(names)}
    return [
        _item(
            one["image"],
            index,
            "suspect",
            one["code"],
            f"{one['image']}: {one['message']}",
            one["remedy"],
            one["boxes"],
        )
        for one in suspects
    ]


def queue(items: Sequence[Item], accepted: Collection[str]) -> dict[str, Any]:
    """Items with whether they are `accepted`, and the number of open ones that are left out."""
    kept: list[Item] = []
    room = {True: MAX_ITEMS, False: MAX_ITEMS}
    left_out = 0
    for item in items:
        done = item["key"] in accepted
        if item["kind"] == "suspect" or room[done]:
            room[done] -= item["kind"] != "suspect"
            kept.append({**item, "accepted": done})
        elif not done:
            left_out += 1
    return {"items": kept, "left_out": left_out}


def _item(
    image: str | None,
    index: Mapping[str, int],
    kind: str,
    code: str,
    message: str,
    remedy: str,
    boxes: Sequence[Sequence[float]],
) -> Item:
    """An item; its key stays the same while it says the same about the same image."""
    said = json.dumps([image, kind, code, message, boxes])
    return {
        "key": hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        "index": None if image is None else index.get(image),
        "kind": kind,
        "code": code,
        "message": message,
        "remedy": remedy,
        "boxes": boxes,
    }


def _is_of_an_image(finding: Finding) -> bool:
    """False for a class or the whole folder, with some images as examples."""
    return bool(finding.images) and finding.where.startswith(finding.images[0])

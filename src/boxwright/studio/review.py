"""Findings of `check`, and label suspects, as a queue for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from boxwright import api
from boxwright.codes import MEANINGS
from boxwright.structures.findings import Finding

MAX_ITEMS = 2000


def findings(folder: Path, form: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """The findings of `check`, worst first, each with the index of its image and the box.

    Args:
        folder, form: the labeled images and their format.
        names: the images in the order of the page.

    Raises:
        DataError: as `check`.
    """
    index = {name: i for i, name in enumerate(names)}
    return [
        {
            "index": index.get(one.images[0]) if _is_of_an_image(one) else None,
            "kind": "check",
            "code": one.code,
            "message": f"{one.where}: {one.message}",
            "remedy": MEANINGS[one.code].remedy,
            "boxes": [one.box] if one.box else [],
        }
        for one in api.check(folder, form).findings[:MAX_ITEMS]
    ]


def suspected(items: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Suspects as `read_queue` returns them, in the same form as `findings`.

    A suspect in an image that is not here belongs to no image of the page.
    """
    index = {name: i for i, name in enumerate(names)}
    return [
        {
            "index": index.get(one["image"]),
            "kind": "suspect",
            "code": one["code"],
            "message": f"{one['image']}: {one['message']}",
            "remedy": one["remedy"],
            "boxes": one["boxes"],
        }
        for one in items
    ]


def _is_of_an_image(finding: Finding) -> bool:
    """False for a class or the whole folder, with some images as examples."""
    return bool(finding.images) and finding.where.startswith(finding.images[0])

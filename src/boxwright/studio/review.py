"""Findings of `check` as a queue for the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from boxwright import api
from boxwright.codes import MEANINGS

MAX_ITEMS = 2000


def findings(folder: Path, form: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """The findings of `check`, worst first, each with the index of its first image and the box.

    Args:
        folder, form: the labeled images and their format.
        names: the images in the order of the page.

    Raises:
        DataError: as `check`.
    """
    index = {name: i for i, name in enumerate(names)}
    return [
        {
            "index": index.get(one.images[0]) if one.images else None,
            "kind": "check",
            "code": one.code,
            "message": one.message,
            "remedy": MEANINGS[one.code].remedy,
            "boxes": [one.box] if one.box else [],
        }
        for one in api.check(folder, form).findings[:MAX_ITEMS]
    ]

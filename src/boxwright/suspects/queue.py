"""The queue of suspects in a file, as `boxwright suspects` writes it, for those who review it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from boxwright.errors import DataError

FORMAT, SCHEMA = "boxwright-suspects", 1
TEXTS = ("image", "kind", "code", "message", "remedy")


def read_queue(path: str | Path) -> list[dict[str, Any]]:
    """The items of a queue, the most suspicious first.

    Returns:
        For each the texts `image`, `kind`, `code`, `message` and `remedy`, and `boxes`: the label,
        if there is one, and the object, `[xmin, ymin, xmax, ymax]` in pixels.

    Raises:
        DataError: BW184 it is no such file, or of a later version.
    """
    try:
        queue = json.loads(Path(path).read_bytes())
        if queue["format"] != FORMAT or queue["schema"] != SCHEMA:
            raise ValueError(f"it says {queue['format']!r}, schema {queue['schema']!r}")
        return [_item(number, item) for number, item in enumerate(queue["items"])]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise DataError("BW184", f"is no list of suspects: {reason}.", where=path) from error


def _item(number: int, item: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: item[name] for name in TEXTS}
    boxes = [[float(side) for side in box["box"]] for box in item["boxes"]]
    sound = all(len(box) == 4 and all(map(math.isfinite, box)) for box in boxes)
    if not sound or not all(isinstance(text, str) for text in texts.values()):
        raise ValueError(f"item {number} is damaged")
    return {**texts, "boxes": boxes}

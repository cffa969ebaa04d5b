"""The file that says that labels are the predictions of a detector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from boxwright.io.files import write_json
from boxwright.structures.findings import Finding

NAME = "predictions.json"
KIND = "boxwright-predictions"


def describe(folder: Path, about: Mapping[str, Any]) -> None:
    """Say in `predictions.json` that the labels of a folder are predictions, and how they were
    made."""
    write_json(folder / NAME, {"format": KIND, **about})


def finding(folder: Path) -> Finding | None:
    """The warning about the labels of a folder with such a file."""
    with suppress(OSError, RecursionError, ValueError):
        about = json.loads((folder / NAME).read_bytes())
        if isinstance(about, dict) and about.get("format") == KIND:
            message = (
                f"{about.get('boxes')} boxes in {about.get('images')} images are predictions of "
                f"{about.get('detector')} above {about.get('threshold')}, which nobody has looked "
                "at"
            )
            return Finding("BW531", NAME, message)
    return None

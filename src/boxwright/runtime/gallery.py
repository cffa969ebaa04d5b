"""Gallery: many photos through a detector, each drawn with its boxes, all boxes in one JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.data.detections import Detections
from boxwright.data.images import read_photo
from boxwright.errors import DataError
from boxwright.files import write_json, writing
from boxwright.media.draw import draw
from boxwright.runtime.detector import Detector

AT_ONCE = 16  # photos in memory
QUALITY = 92  # of the drawn JPEGs


def write_gallery(
    detector: Detector, photos: Iterable[Path], out: str | Path, *, threshold: float | None = None
) -> dict[str, Any]:
    """Detect in every photo; write `<name>.jpg` with the boxes drawn, and `detections.json`.

    A photo that cannot be read does not stop the others.

    Args:
        detector: what to detect with.
        photos: paths.
        out: the folder to write to.
        threshold: lowest score to keep; None takes the detector's own.

    Returns:
        What `detections.json` holds: `classes`, `threshold`; `photos` with their size, the name
        of the drawn one and `detections` (class, score, pixel box); `failed` with code and message.
    """
    out = Path(out)
    least = detector.artifact.threshold if threshold is None else threshold
    done: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    taken: set[str] = set()
    for path, photo, detections in _detected(detector, iter(photos), failed):
        kept = detections.above(least)
        name = _fresh(path, taken)
        with writing(out / name) as draft:
            draw(photo, kept).save(draft, quality=QUALITY)
        done.append(
            {
                "photo": str(path),
                "width": photo.shape[1],
                "height": photo.shape[0],
                "drawn": name,
                "detections": kept.to_json(),
            }
        )
    result = {
        "classes": list(detector.classes),
        "threshold": least,
        "photos": done,
        "failed": failed,
    }
    write_json(out / "detections.json", result)
    return result


def _detected(
    detector: Detector, paths: Iterator[Path], failed: list[dict[str, str]]
) -> Iterator[tuple[Path, NDArray[np.uint8], Detections]]:
    """Every photo that can be read with all its detections; the others go into `failed`."""
    while some := list(islice(paths, AT_ONCE)):
        readable = []
        for path in some:
            try:
                readable.append((path, read_photo(path)))
            except DataError as error:
                failed.append({"photo": str(path), "code": error.code, "message": error.message})
        found = detector.predict_many(photo for _, photo in readable)
        for (path, photo), detections in zip(readable, found, strict=True):
            yield path, photo, detections


def _fresh(photo: Path, taken: set[str]) -> str:
    """`<stem>.jpg`, or `<stem>-2.jpg` if a photo from another folder has that, and so on."""
    name, number = f"{photo.stem}.jpg", 1
    while name.lower() in taken:
        number += 1
        name = f"{photo.stem}-{number}.jpg"
    taken.add(name.lower())
    return name

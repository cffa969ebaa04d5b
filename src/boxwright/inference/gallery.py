"""Gallery: detect in many images, draw the boxes, and write all detections to one JSON file."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from boxwright.errors import DataError
from boxwright.images.decoding import decode, decoded
from boxwright.images.opening import pillow_picture
from boxwright.images.options import MAX_PIXELS
from boxwright.images.preprocessing import ENOUGH
from boxwright.inference.detector import Detector, Input, read_ahead, readers
from boxwright.io.faults import translating_os_errors
from boxwright.io.files import write_json, writing
from boxwright.io.scratch import sync
from boxwright.structures.detections import Detections
from boxwright.visualize.draw import contact_sheet, draw_on

Pictures = Literal["small", "full", "none"]

AT_ONCE, WHOLE_AT_ONCE = 16, 4  # images per batch, small or full; twice as many in memory
MAX_SIDE = 1600  # longer side of a small picture; JPEGs are decoded to at least half of it
QUALITY = 92  # of the drawn JPEGs
SHEET, DETECTIONS = "contact_sheet.jpg", "detections.json"
MARK = b"Drawn by Boxwright"  # comment of the drawn JPEGs, which may be replaced
ON_SHEET, COLUMNS = 24, 4  # drawn images on the contact sheet
THUMBNAIL = 400  # pixels of its images' longer side


@dataclass(frozen=True)
class Loaded:
    """A decoded image, for the network and for drawing.

    Attributes:
        path: the image file.
        shown: the network's input.
        picture: the picture to draw on, possibly smaller than the image; None for no picture.
    """

    path: Path
    shown: Input
    picture: Image.Image | None


def write_gallery(
    detector: Detector,
    images: Sequence[Path],
    out: str | Path,
    *,
    threshold: float | None = None,
    pictures: Pictures = "small",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Detect in every image; write `<name>.jpg` with the boxes drawn, and `detections.json`.

    Files of an earlier call are replaced. Others stay: a picture gets another name then. An
    unreadable image does not stop the run. Threads decode, draw and write while the network
    processes other images.

    Args:
        detector: the detector.
        images: paths of the images.
        out: the folder to write to.
        threshold: lowest score to keep; None takes the detector's own.
        pictures: `small` for drawn images of at most 1600 pixels a side (faster for large JPEGs),
            full-size ones, or none.
        progress: called with the number of finished images and the total.

    Returns:
        The content of `detections.json`: `classes`; `threshold`; `contact_sheet`, the file name of
        the contact sheet (None for fewer than two images); `images` with size, name of the drawn
        picture (None without) and `detections` (class, score, box in pixels of the original
        image); `failed` with code and message.

    Raises:
        DataError: BW194 a detections.json is there that this function did not write.
    """
    out = Path(out)
    _refuse_to_replace(out / DETECTIONS)
    min_score = detector.artifact.threshold if threshold is None else threshold
    done: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    here = out.resolve()  # images in the output folder are not overwritten
    taken = {path.name.lower() for path in images if path.resolve().parent == here}
    sheet_name = _fresh(Path(SHEET), taken, out)
    drawing: deque[Future[None]] = deque()
    thumbnails: list[Image.Image] = []  # small as soon as they are drawn
    at_once = WHOLE_AT_ONCE if pictures == "full" else AT_ONCE

    def load(path: Path) -> Loaded | DataError:
        try:
            return _load(detector, path, pictures)
        except DataError as error:
            return error

    with ThreadPoolExecutor(readers()) as pool:
        for batch in read_ahead(pool, load, images, at_once):
            loaded = [each.result() for each in batch]
            seen = [each for each in loaded if isinstance(each, Loaded)]
            failed += [_failure(each) for each in loaded if isinstance(each, DataError)]
            found = detector.detect([each.shown for each in seen]) if seen else []
            for each, detections in zip(seen, found, strict=True):
                kept = detections.above(min_score)
                name = None
                if each.picture is not None:
                    name = _fresh(each.path, taken, out)
                    on_sheet = len(thumbnails) < ON_SHEET
                    thumbnails += [each.picture] if on_sheet else []
                    drawing.append(
                        pool.submit(_draw, each.picture, kept, out / name, shrink=on_sheet)
                    )
                done.append(_entry(each, kept, name))
            while len(drawing) > at_once:
                drawing.popleft().result()
            progress(len(done) + len(failed), len(images))
        for drawn in drawing:
            drawn.result()
    sheet = sheet_name if len(thumbnails) > 1 else None
    if sheet:
        _write_sheet(thumbnails, done, out / sheet)
    result = {
        "classes": list(detector.classes),
        "threshold": min_score,
        "contact_sheet": sheet,
        "images": done,
        "failed": failed,
    }
    write_json(out / DETECTIONS, result)
    with translating_os_errors(out):
        sync(out)
    return result


def _load(detector: Detector, path: Path, pictures: Pictures) -> Loaded:
    """The image, decoded once for detection and drawing."""
    if pictures == "none":
        return Loaded(path, detector.prepare(path), None)
    options = detector.artifact.preprocessing.decode_options(detector.max_pixels)
    if pictures == "full":
        image = decode(path, options)
        return Loaded(path, detector.prepare(image), image.picture)
    short_side = ENOUGH * detector.artifact.preprocessing.size
    with decoded(path, options, short_side=short_side, long_side=MAX_SIDE // 2) as image:
        return Loaded(path, detector.prepare(image), _small(image.picture))


def _small(picture: Image.Image) -> Image.Image:
    if max(picture.size) > MAX_SIDE:
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BILINEAR)
    return picture


def _draw(picture: Image.Image, detections: Detections, target: Path, *, shrink: bool) -> None:
    """Draw the image's boxes, scaled to the picture, and write it; then make it a thumbnail if
    `shrink` is True."""
    with writing(target, synced=False) as draft:
        draw_on(picture, detections.resized(picture.size))
        picture.save(draft, format="JPEG", quality=QUALITY, comment=MARK)
    if shrink:
        picture.thumbnail((THUMBNAIL, THUMBNAIL))


def _write_sheet(thumbnails: list[Image.Image], done: list[dict[str, Any]], target: Path) -> None:
    """Write the first drawn images on one contact sheet, with their names and counts."""
    captions = [
        f"{Path(each['image']).name}: {len(each['detections'])}" for each in done[: len(thumbnails)]
    ]
    columns = min(COLUMNS, len(thumbnails))
    with writing(target) as draft:
        sheet = contact_sheet(thumbnails, columns=columns, captions=captions)
        sheet.save(draft, format="JPEG", quality=QUALITY, comment=MARK)


def _entry(loaded: Loaded, detections: Detections, name: str | None) -> dict[str, Any]:
    return {
        "image": _readable(loaded.path),
        "width": loaded.shown.width,
        "height": loaded.shown.height,
        "drawn": name,
        "detections": detections.to_json(),
    }


def _failure(error: DataError) -> dict[str, str]:
    return {
        "image": _readable(Path(str(error.where))),
        "code": error.code,
        "message": error.message,
    }


def _readable(path: Path) -> str:
    """A path as valid UTF-8 text; invalid bytes are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _refuse_to_replace(path: Path) -> None:
    """Refuse to replace a file that `write_gallery` did not write.

    Raises:
        DataError: BW194.
    """
    if not os.path.lexists(path):
        return
    with suppress(OSError, ValueError, RecursionError):
        content = json.loads(path.read_bytes())
        if isinstance(content, dict) and content.keys() >= {"classes", "threshold", "images"}:
            return
    raise DataError("BW194", "predict did not write this file, and would replace it.", where=path)


def _fresh(image: Path, taken: set[str], out: Path) -> str:
    """`<stem>.jpg`, or `<stem>-2.jpg` and so on if that name is taken, in `out` by a file that is
    not one of ours."""
    name, number = f"{image.stem}.jpg", 1
    while name.lower() in taken or not _is_free(out / name):
        number += 1
        name = f"{image.stem}-{number}.jpg"
    taken.add(name.lower())
    return name


def _is_free(path: Path) -> bool:
    if not os.path.lexists(path):
        return True
    with suppress(Exception), pillow_picture(path, str(path), MAX_PIXELS) as picture:
        return picture.format == "JPEG" and picture.info.get("comment") == MARK
    return False  # Pillow raises many different classes for what is no picture

"""Detect in sources, and write the predictions with any number of outputs at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from boxwright.errors import BoxwrightError, check_choice
from boxwright.inference.detector import Detector, readers
from boxwright.inference.stream import AT_ONCE, WHOLE_AT_ONCE, Picture, Prediction, predictions
from boxwright.io.faults import translating_os_errors
from boxwright.io.interrupts import undisturbed
from boxwright.io.scratch import sync
from boxwright.outputs.output import Background, Job, Record
from boxwright.outputs.registry import OUTPUTS
from boxwright.sources.frame import Frame, Source
from boxwright.sources.images import Images
from boxwright.structures.findings import counted

class Predicted(NamedTuple):
    """What was written.

    Attributes:
        content: that of `detections.json`: `classes`; `threshold`; `contact_sheet`, the file name
            of the contact sheet (None for fewer than two images); `images`, if `json` was written,
            with size, name of the drawn picture (None without) and `detections` (class, score, box
            in pixels of the original image); `failed` with code and message.
        images, boxes: their numbers.
    """

    content: dict[str, Any]
    images: int
    boxes: int


USUAL = ("drawn", "json")
PICTURES: tuple[Picture, ...] = ("none", "small", "full")  # each can serve for those before it


def write_predictions(
    detector: Detector,
    sources: Sequence[Source],
    out: str | Path,
    to: Sequence[str] = USUAL,
    *,
    threshold: float | None = None,
    full_size: bool = False,
    file: Path | None = None,
    tell: Callable[[str], None] = print,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Predicted:
    """Detect in every frame of the sources, and write what the outputs of these names write.

    Files of an earlier call are replaced. Others stay: a picture gets another name then. What
    cannot be read does not stop the others. Threads decode, draw and write while the network
    processes other images. After Ctrl-C the outputs have what was done until then.

    Args:
        detector: the detector.
        sources: as `sources.opening.sources` finds them.
        out: the folder to write to.
        to: names of outputs, see `outputs.registry`.
        threshold: lowest score to keep; None takes the detector's own.
        full_size: draw on full-size images, and not on at most 1600 pixels a side, which is faster
            for large JPEGs.
        file: the detector's file or run, whose hash is stored beside labels.
        tell: called with each line of a table, and each sentence for people.
        progress: called with the number of finished images and the total.

    Raises:
        ArgumentError: BW803 there is no such output.
        DataError: BW194 a file or folder is there that no earlier call wrote.
        SystemFaultError: BW902 the disk is full, BW903 the folder cannot be written.
        KeyboardInterrupt: after Ctrl-C, when all is written.
    """
    for name in to:
        check_choice("to", name, OUTPUTS)
    rows = [OUTPUTS[name] for name in OUTPUTS if name in to]
    picture = max((row.picture(full_size) for row in rows), key=PICTURES.index, default="none")
    out = Path(out)
    failed: list[dict[str, str]] = []
    result: dict[str, Any] = {
        "classes": list(detector.classes),
        "threshold": detector.artifact.threshold if threshold is None else threshold,
        "contact_sheet": None,
        "images": [],
        "failed": failed,
    }
    done, boxes, total = 0, 0, sum(each.total or 0 for each in sources)

    def fail(frame: Frame, error: BoxwrightError) -> None:
        name = _readable(frame.name)
        failed.append({"image": name, "code": error.code, "message": error.message})
        progress(done + len(failed), total)

    stopped: KeyboardInterrupt | None = None
    with ThreadPoolExecutor(readers()) as pool, ExitStack() as stack:
        found = partial(
            predictions, detector, pool=pool, threshold=threshold, picture=picture, failed=fail
        )
        background = Background(pool, WHOLE_AT_ONCE if picture == "full" else AT_ONCE)
        taken = _images_in(out, sources)
        job = Job(out, taken, detector.classes, file, result, background, tell, full_size)
        adds = [stack.enter_context(row.open(job)) for row in reversed(rows)]  # ends the first first
        try:
            for prediction in chain.from_iterable(map(found, sources)):
                with undisturbed():
                    record = Record(prediction, _entry(prediction))
                    for add in reversed(adds):
                        add(record)
                    done, boxes = done + 1, boxes + len(prediction.detections)
                progress(done + len(failed), total)
        except KeyboardInterrupt as stop:
            stopped = stop
    if any(row.writes for row in rows):
        with translating_os_errors(out):
            sync(out)
    if stopped:
        stopped.add_note(f"{counted(done, 'image')} are done.")
        raise stopped
    return Predicted(result, done, boxes)


def _images_in(out: Path, sources: Sequence[Source]) -> set[str]:
    """Lower-case names of the images in the output folder, which are not overwritten."""
    here = out.resolve()
    images = (each for one in sources if isinstance(one, Images) for each in one.images.values())
    paths = (each for each in images if isinstance(each, Path))
    return {path.name.lower() for path in paths if path.resolve().parent == here}


def _entry(prediction: Prediction) -> dict[str, Any]:
    frame, detections = prediction.frame, prediction.detections
    width, height = detections.image_size or (0, 0)
    video = {} if frame.number is None else {"frame": frame.number, "seconds": frame.seconds}
    return {
        "image": _readable(frame.name),
        "width": width,
        "height": height,
        **video,
        "drawn": None,
        "detections": detections.to_json(),
    }


def _readable(name: str) -> str:
    """A name as valid UTF-8 text; invalid bytes are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")

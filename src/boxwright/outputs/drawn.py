"""Images with their boxes drawn, and a contact sheet of the first ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from PIL import Image

from boxwright.inference.stream import Prediction, small
from boxwright.outputs.output import Add, Job, Output, Record
from boxwright.outputs.own_files import fresh, save
from boxwright.outputs.picture import draw_prediction
from boxwright.visualize.draw import contact_sheet

SHEET = "contact_sheet"
ON_SHEET, COLUMNS = 24, 4  # drawn images on the contact sheet
THUMBNAIL = 400  # pixels of its images' longer side


@contextmanager
def drawn(job: Job) -> Iterator[Add]:
    """Draw on each picture and write it as `<name>.jpg`."""
    sheet = fresh(SHEET, job.taken, job.out)
    thumbnails: list[Image.Image] = []  # small as soon as they are drawn
    captions: list[str] = []

    def add(record: Record) -> None:
        picture = record.picture
        name = fresh(stem_of(record), job.taken, job.out)
        on_sheet = len(thumbnails) < ON_SHEET
        picture = picture if job.full_size else small(picture)
        if on_sheet:
            thumbnails.append(picture)
            captions.append(
                f"{Path(record.entry['image']).name}: {len(record.prediction.detections)}"
            )
        record.entry["drawn"] = name
        job.background.run(_draw, picture, record.prediction, job.out / name, on_sheet)

    yield add
    job.background.wait()
    if len(thumbnails) > 1:
        columns = min(COLUMNS, len(thumbnails))
        whole = contact_sheet(thumbnails, columns=columns, captions=captions)
        save(whole, job.out / sheet, synced=True)
        job.result["contact_sheet"] = sheet


def stem_of(record: Record) -> str:
    """The stem for a file about a frame: the image's own, and in a video the frame's number."""
    frame = record.prediction.frame
    stem = _stem(frame.name)
    return stem if frame.number is None else f"{stem}-{frame.number:06}"


@lru_cache(maxsize=64)
def _stem(name: str) -> str:
    """Kept, since all frames of a stream have one name: Path interns its parts, and Python's table
    of such strings would grow by a megabyte."""
    return Path(name).stem


def _draw(picture: Image.Image, prediction: Prediction, target: Path, shrink: bool) -> None:
    """Draw on the picture and write it; then make it a thumbnail if `shrink` is True."""
    draw_prediction(picture, prediction)
    save(picture, target)
    if shrink:
        picture.thumbnail((THUMBNAIL, THUMBNAIL))


OUTPUT = Output(drawn, lambda full_size: "full" if full_size else "small", only="stills")

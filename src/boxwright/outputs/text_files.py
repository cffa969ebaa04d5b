"""JSON, JSON lines, CSV and COCO results."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from boxwright.io.files import growing, growing_json, json_text, write_json
from boxwright.outputs.drawn import stem_of
from boxwright.outputs.output import Add, Job, Output, Record
from boxwright.outputs.own_files import refuse_to_replace

DETECTIONS, LINES, TABLE = "detections.json", "detections.jsonl", "detections.csv"
RESULTS, IMAGES = "coco_results.json", "coco_images.json"
SIDES = ("xmin", "ymin", "xmax", "ymax")
COLUMNS = ("image", "frame", "seconds", "class", "score", *SIDES, "width", "height")
IDENTITY = "track_id"  # the last column if objects are tracked


@contextmanager
def whole_json(job: Job) -> Iterator[Add]:
    """Write `detections.json` at the end, with all that the other outputs have said."""
    path = job.out / DETECTIONS

    def is_own(file: TextIO) -> bool:
        content = json.load(file)
        return isinstance(content, dict) and content.keys() >= {"classes", "threshold", "images"}

    refuse_to_replace(path, is_own)
    yield lambda record: job.result["images"].append(record.entry)
    write_json(path, job.result)


@contextmanager
def json_lines(job: Job) -> Iterator[Add]:
    """Write a line to `detections.jsonl` for each image, as soon as it is processed."""
    path = job.out / LINES

    def is_own(file: TextIO) -> bool:
        first = file.readline()
        return not first or json.loads(first).keys() >= {"image", "detections"}

    refuse_to_replace(path, is_own)
    with growing(path) as write:
        yield lambda record: write(json_text(record.entry, indent=None) + "\n")


@contextmanager
def table(job: Job) -> Iterator[Add]:
    """Write a row to `detections.csv` for each box, as soon as its image is processed."""
    path = job.out / TABLE
    columns = (*COLUMNS, IDENTITY) if job.tracks else COLUMNS
    headers = {",".join(COLUMNS), ",".join((*COLUMNS, IDENTITY))}
    refuse_to_replace(path, lambda file: file.readline().strip() in headers)
    with growing(path) as write:
        rows = csv.writer(_Lines(write), lineterminator="\n")
        rows.writerow(columns)

        def add(record: Record) -> None:
            entry = record.entry
            place = (entry["image"], entry.get("frame"), entry.get("seconds"))
            for each in entry["detections"]:
                about = (each["class"], each["score"], *each["box"])
                size = (entry["width"], entry["height"])
                identity = (each.get(IDENTITY),) if job.tracks else ()
                rows.writerow((*place, *about, *size, *identity))

        yield add


class _Lines:
    """A file for `csv.writer`, which takes any object with a method `write`."""

    def __init__(self, write: Any) -> None:
        self.write = write


@contextmanager
def coco_results(job: Job) -> Iterator[Add]:
    """Write `coco_results.json`, and `coco_images.json` with the names behind its ids.

    Categories are numbered from 1 in the order of the classes, images from 1 in theirs.
    """

    def is_own(file: TextIO) -> bool:
        content = json.load(file)
        return isinstance(content, list) and (not content or "file_name" in content[0])

    refuse_to_replace(job.out / RESULTS, is_own)
    refuse_to_replace(job.out / IMAGES, lambda file: json.load(file).keys() == NAMES)

    categories = [{"id": number, "name": name} for number, name in enumerate(job.classes, 1)]
    ends = f'], "categories": {json_text(categories, indent=None)}}}'
    numbers = itertools.count(1)
    with (
        growing_json(job.out / RESULTS) as add_result,
        growing_json(job.out / IMAGES, '{"images": [', ends) as add_image,
    ):

        def add(record: Record) -> None:
            is_still = record.prediction.frame.number is None
            name = record.entry["image"] if is_still else f"{stem_of(record)}.jpg"
            number = next(numbers)
            size = {"width": record.entry["width"], "height": record.entry["height"]}
            add_image({"id": number, "file_name": name, **size})
            for each in record.prediction.detections.to_coco(number):
                label = job.classes[each["category_id"] - 1]
                add_result({**each, "file_name": name, "category_name": label})

        yield add


NAMES = {"images", "categories"}
JSON = Output(whole_json, gathers=True)
JSON_LINES, CSV, COCO = map(Output, (json_lines, table, coco_results))

"""A JPEG of each detected object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from boxwright.outputs.drawn import stem_of
from boxwright.outputs.output import Add, Job, Output, Record
from boxwright.outputs.own_files import fresh, save

FOLDER = "crops"
UNFIT = re.compile(r"[^\w-]+")  # for the name of a folder, on any system


@contextmanager
def crops(job: Job) -> Iterator[Add]:
    """Write each object to `crops/<class>/<image>.jpg`, the best first."""
    folders = _folders(job.classes)
    taken: dict[str, set[str]] = {name: set() for name in folders.values()}

    def add(record: Record) -> None:
        picture, found = record.picture, record.prediction.detections
        edges = np.hstack([np.floor(found.boxes[:, :2]), np.ceil(found.boxes[:, 2:])])
        for label, edge in zip(found.labels.tolist(), edges.astype(int).tolist(), strict=True):
            left, top, right, bottom = edge
            if left < right and top < bottom:
                folder = job.out / FOLDER / folders[label]
                name = fresh(stem_of(record), taken[folders[label]], folder)
                job.background.run(save, picture.crop((left, top, right, bottom)), folder / name)

    yield add
    job.background.wait()


def _folders(classes: Sequence[str]) -> dict[int, str]:
    """The folder of each class. Names that differ only in signs that files cannot have get a
    number."""
    folders: dict[int, str] = {}
    for label, name in enumerate(classes):
        safe = UNFIT.sub("_", name)[:60] or "_"
        is_taken = safe.lower() in {other.lower() for other in folders.values()}
        folders[label] = f"{safe}-{label}" if is_taken else safe
    return folders


OUTPUT = Output(crops, lambda _: "full", only="stills", identities=False)

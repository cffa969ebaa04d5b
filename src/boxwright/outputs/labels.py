"""Predictions as labeled images, in any format that can be written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from boxwright.datasets.convert import check_free, write_verified
from boxwright.formats import FORMATS, predictions
from boxwright.formats.yolo.format import add_scores
from boxwright.images.inputs import open_image
from boxwright.io.scratch import scratch_folder
from boxwright.outputs.drawn import stem_of
from boxwright.outputs.output import Add, Job, Output, Record
from boxwright.outputs.own_files import fresh, save
from boxwright.structures.dataset import Dataset, LabeledImage

SUFFIX = "-labels"


@contextmanager
def labels(form: str, job: Job) -> Iterator[Add]:
    """Write a folder of labeled images, and `predictions.json` beside the labels.

    Raises:
        DataError: BW194 the folder exists: somebody may have corrected its labels. BW141 the format
            cannot store the name of a class.
    """
    target = job.out / f"{form}{SUFFIX}"
    check_free(target)
    images: list[LabeledImage] = []
    scores: list[list[float]] = []
    taken: set[str] = set()

    def complete(draft: Path, names: list[str]) -> None:
        if form == "yolo":
            add_scores(draft, names, scores)
        about = {
            "detector": job.detector.name if job.detector else None,
            "sha256": _hash(job.detector) if job.detector else None,
            "threshold": job.result["threshold"],
            "images": len(images),
            "boxes": sum(map(len, scores)),
        }
        predictions.describe(draft, about)

    with scratch_folder(job.out) as scratch:
        nothing = Dataset.of(job.out, [], job.classes)
        FORMATS[form].write(nothing, [], scratch)  # raises BW141 now and not after hours

        def add(record: Record) -> None:
            found = record.prediction.detections
            names = [found.classes[label] for label in found.labels]
            size = (record.entry["width"], record.entry["height"])
            path = _image_file(record, taken, scratch)
            images.append(LabeledImage(path.absolute().as_posix(), *size, found.boxes, names))
            scores.append(found.scores.tolist())

        yield add
        dataset = Dataset.of(job.out, images, job.classes)
        for lost in write_verified(dataset, target, form, complete=complete):
            job.tell(str(lost))


def _image_file(record: Record, taken: set[str], scratch: Path) -> Path:
    """The file of the image; that of a frame without one is written."""
    frame = record.prediction.frame
    if isinstance(frame.image, str | Path):
        return Path(frame.image)
    path = scratch / fresh(stem_of(record), taken, scratch)
    save(open_image(frame.image).picture, path)
    return path


def _hash(detector: Path) -> str:
    """SHA-256 of a file, or of all files of a folder in the order of their names."""
    digest = hashlib.sha256()
    files = sorted(detector.rglob("*")) if detector.is_dir() else [detector]
    for path in filter(Path.is_file, files):
        digest.update(path.read_bytes())
    return digest.hexdigest()


OUTPUTS = SimpleNamespace(
    **{
        form: Output(partial(labels, form), only="stills", identities=False, gathers=True)
        for form in FORMATS
    }
)

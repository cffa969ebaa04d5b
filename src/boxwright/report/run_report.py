"""`report`: measure a detector, and write a page and its JSON."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.source import paths_of, source_of
from boxwright.datasets.stats import stats_of
from boxwright.evaluation.bootstrap import constant_box
from boxwright.evaluation.matching import DetectionColumns, gather
from boxwright.evaluation.measuring import own_threshold
from boxwright.evaluation.numbers import How, Numbers, numbers
from boxwright.evaluation.slices import Seen
from boxwright.formats import ReadOptions
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.io.files import write_json, write_text
from boxwright.report.facts import Facts, exports_of, recipe_of, times_of
from boxwright.report.mistaken import draw_examples, worst_images
from boxwright.report.request import Labels, Request, Subject
from boxwright.report.run_page import page
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections
from boxwright.training.writers import read_log

MAX_COMPARED = 10_000  # training images, for leaks of the split
Progress = Callable[[int, int], None]


class Report(NamedTuple):
    """A report that was written.

    Attributes:
        page: the HTML file.
        json: the JSON file beside it.
        content: the content of the JSON file.
        numbers: what was measured; None without images.
        says: what happens at the threshold, in one sentence.
        size: bytes of the page.
        seconds: what measuring and writing took.
    """

    page: Path
    json: Path
    content: dict[str, Any]
    numbers: Numbers | None
    says: str
    size: int
    seconds: float


class _Measured(NamedTuple):
    """The detections above the threshold, the numbers, and the leaks of the split."""

    found: DetectionColumns
    numbers: Numbers
    training_images: int | None
    leaked: tuple[str, ...]


def report(
    detector: str | PathLike[str] | Detector,
    data: str | Path | Dataset | Sequence[str | Path] = (),
    *,
    out: str | Path | None = None,
    split: str | None = None,
    detections: str | Path | None = None,
    classes: Sequence[str] = (),
    exclude: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    form: str | ReadOptions | None = None,
    labels: Labels | None = None,
    slices: str | Path | None = None,
    trust: bool = False,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Write all that is known about a detector as one HTML page, and as JSON beside it.

        >>> written = boxwright.report("run", "images", out="report.html")
        >>> print(written.page, written.json)
        report.html report.json
        >>> print(written.numbers.at_threshold.recall.value)

    Args:
        detector: a run, an exported file, or a loaded detector; with `detections`, the data.
        data: labeled images as for `evaluate`. Without any, the validation images of the run.
        out: the HTML file; by default `report.html` in the run folder, or in this folder.
        split: `test`, `val`, `train` or `all` images of `data`; `test` by default.
        detections: a file of detections of any tool to report instead.
        classes: the classes to measure; those of the training by default.
        exclude: classes to ignore.
        rename: old class names to new ones.
        form: the name of the data's format, or all options of `read`.
        labels: class names in id order, or a file of them, for a detector without names.
        slices: a CSV file that divides the images; its first column names them.
        trust: as for `Detector.load`.
        progress: called with the number of images done and the total.

    Raises:
        ArgumentError: BW802 the data or the split is missing, BW803 there is no such split, BW804
            `out` is not the name of a page.
        DataError, DetectorError, EvaluationError: as for `evaluate`.
        SystemFaultError: BW902, BW903 the page cannot be written.
    """
    started = time.monotonic()
    request = Request(
        detector,
        paths_of(data),
        None if out is None else Path(out),
        split,
        None if detections is None else Path(detections),
        ClassChoice.of(classes, exclude, rename),
        None if form is None else ReadOptions.of(form),
        labels,
        None if slices is None else Path(slices),
        trust,
    )
    target, split, path = request.target(), request.split, request.path
    subject = request.subject()
    images = request.images(subject)
    measured = _measure(subject, images, request.slices, progress) if len(images) else None
    facts = Facts(
        name=request.name,
        command=request.command(),
        next_step=request.next_step(subject),
        split=split,
        dataset=subject.dataset,
        stats=stats_of(subject.dataset, subject.input_size),
        numbers=measured.numbers if measured else None,
        worst=worst_images(images, measured.found) if measured else {},
        training_images=measured.training_images if measured else None,
        leaked=measured.leaked if measured else (),
        recipe=recipe_of(subject.provenance),
        log=read_log(Run(path).log) if path else (),
        exports=exports_of(path) if path else (),
        times=times_of(path) if path else {},
    )
    drawn = [one for kind in facts.worst.values() for one in kind]
    pictures = draw_examples(images, measured.found, drawn) if measured else []
    text = "\n".join(page(facts, images, dict(zip(drawn, pictures, strict=True))))
    write_text(target, text)
    content = facts.to_json(images)
    write_json(target.with_suffix(".json"), content)
    return Report(
        target,
        target.with_suffix(".json"),
        content,
        facts.numbers,
        facts.says,
        len(text.encode("utf-8")),
        time.monotonic() - started,
    )


def _measure(
    subject: Subject, images: Dataset, slices: Path | None, progress: Progress
) -> _Measured:
    found: list[Detections] = []
    for each in subject.source.detections_in(images):
        found.append(each)
        progress(len(found), len(images))
    training = _training(subject, images)
    threshold = own_threshold(subject.source)
    compared = training if 0 < len(training) <= MAX_COMPARED else None
    seen = Seen.of(images, compared)
    measured = numbers(
        images,
        found,
        threshold,
        seen=seen,
        baseline=constant_box(training, images) if len(training.boxes) else None,
        how=How(table=slices),
    )
    above = gather(images, found).above(threshold.by_class(images.classes))
    leaked = np.flatnonzero(seen.leaked) if seen.leaked is not None else ()
    names = tuple(images.names[i] for i in leaked)
    return _Measured(above, measured, len(compared) if compared else None, names)


def _training(subject: Subject, images: Dataset) -> Dataset:
    """The images that the detector learned from or was chosen by, as far as they are known: those
    of the data, else those of the run."""
    own = source_of(subject.provenance)
    known = _learned(subject.dataset, images)
    if not len(known) and own and all(path.exists() for path in own.paths):
        known = _learned(own.load(strict=False), images)
    return known


def _learned(dataset: Dataset, images: Dataset) -> Dataset:
    same = images.root.resolve() == dataset.root.resolve()
    names = set(images.names) if same else set()
    assigned = (dataset.splits == Split.TRAIN) | (dataset.splits == Split.VAL)
    others = np.array([name not in names for name in dataset.names], np.bool_)
    return dataset.select(assigned & others)

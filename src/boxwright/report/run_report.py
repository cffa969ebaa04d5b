"""`report`: measure a detector, and write a page and its JSON."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.evaluation_set import evaluation_data, images_of_split, validation_images
from boxwright.datasets.source import known_paths, source_of
from boxwright.errors import ArgumentError
from boxwright.evaluation.bootstrap import constant_box
from boxwright.evaluation.matching import DetectionColumns, gather
from boxwright.evaluation.measuring import Source, foreign, own_threshold
from boxwright.evaluation.numbers import How, Numbers, numbers
from boxwright.evaluation.slices import Seen
from boxwright.formats import ReadOptions
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.io.files import write_json, write_text
from boxwright.report.facts import FORMAT, Facts, exports_of, recipe_of, times_of
from boxwright.report.html import check_name
from boxwright.report.mistaken import draw_examples, worst_images
from boxwright.report.run_page import page
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections
from boxwright.training.writers import read_log

MAX_COMPARED = 10_000  # training images, for leaks of the split
VAL, TEST = "val", "test"
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


class _Subject(NamedTuple):
    """What is reported.

    Attributes:
        path: the run, its file, or the file of detections; None for a loaded detector.
        source: where the detections are from.
        provenance: what the detector says about its training.
        dataset: labeled images of all splits.
        paths: where they are; empty for a run's own.
        words: of the command, without options of the split.
    """

    path: Path | None
    source: Source
    provenance: Mapping[str, Any]
    dataset: Dataset
    paths: tuple[Path, ...]
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.path.absolute().name if self.path else "detector"


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
    labels: Sequence[str] | None = None,
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
        classes, exclude, rename, form, labels: as for `evaluate`.
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
    target = _target(detector if detections is None else detections, out)
    choice = ClassChoice.of(classes, exclude, rename)
    options = None if form is None else ReadOptions.of(form)
    if detections is not None:
        subject = _of_detections(Path(detections), detector, data, choice, options, labels)
    else:
        subject = _of_detector(detector, data, choice, options, labels, trust)
    named = bool(subject.paths) or isinstance(data, Dataset)
    split = split or (TEST if named else VAL)
    images = _images(subject, split, named)
    measured = _measure(subject, images, slices, progress) if len(images) else None
    path = subject.path
    facts = Facts(
        name=subject.name,
        command=_command(subject.words, split, named=bool(subject.paths)) if path else "",
        next_step=_next(subject) if path and split == VAL else (),
        split=split,
        dataset=subject.dataset,
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


def _of_detector(
    detector: str | PathLike[str] | Detector,
    data: str | Path | Dataset | Sequence[str | Path],
    choice: ClassChoice,
    options: ReadOptions | None,
    labels: Sequence[str] | None,
    trust: bool,
) -> _Subject:
    path = None if isinstance(detector, Detector) else Path(detector)
    opened = (
        detector
        if isinstance(detector, Detector)
        else Detector.load(Path(detector), classes=labels, trust=trust)
    )
    provenance = opened.artifact.provenance
    paths = () if isinstance(data, Dataset) else _paths(data)
    dataset = evaluation_data(
        provenance, data if isinstance(data, Dataset) else paths, choice, options
    )
    words = (str(path or "DETECTOR"), *map(str, paths))
    return _Subject(path, opened, provenance, dataset, paths, words)


def _of_detections(
    path: Path,
    first: str | PathLike[str] | Detector,
    data: str | Path | Dataset | Sequence[str | Path],
    choice: ClassChoice,
    options: ReadOptions | None,
    labels: Sequence[str] | None,
) -> _Subject:
    if isinstance(first, Detector) or isinstance(data, Dataset):
        raise ArgumentError("BW802", "with detections of a file, give the paths of the data.")
    paths = (Path(first), *_paths(data))
    dataset = evaluation_data({}, paths, choice, options)
    source = foreign(path, dataset, paths, labels or ())
    words = (*map(str, paths), "--detections", str(path))
    return _Subject(path, source, {}, dataset, paths, words)


def _paths(data: str | Path | Sequence[str | Path]) -> tuple[Path, ...]:
    return tuple(map(Path, [data] if isinstance(data, str | Path) else data))


def _target(named: str | PathLike[str] | Detector, out: str | Path | None) -> Path:
    """The page to write.

    Raises:
        ArgumentError: BW804 it, or the JSON beside it, would replace another file.
    """
    in_run = not isinstance(named, Detector) and Run(Path(named)).exists()
    usual = Run(Path(cast(str, named))).report if in_run else Path("report.html")
    target = usual if out is None else Path(out)
    check_name(target, "--out")
    beside = target.with_suffix(".json")
    if beside.exists() and not _is_report(beside):
        raise ArgumentError("BW804", f"--out cannot replace '{beside}', which is no report.")
    return target


def _is_report(path: Path) -> bool:
    try:
        known = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(known, dict) and known.get("format") == FORMAT


def _images(subject: _Subject, split: str, named: bool) -> Dataset:
    """The images to measure; without `named` data only validation images, maybe none."""
    if not named and split != VAL:
        raise ArgumentError(
            "BW802", f"{split} images are reported only with data: boxwright report MODEL DATA."
        )
    if split == VAL and not subject.paths:
        return validation_images(subject.provenance, subject.dataset)
    return images_of_split(subject.dataset, split)


def _measure(
    subject: _Subject, images: Dataset, slices: str | Path | None, progress: Progress
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
        how=How(table=None if slices is None else Path(slices)),
    )
    above = gather(images, found).above(threshold.by_class(images.classes))
    leaked = np.flatnonzero(seen.leaked) if seen.leaked is not None else ()
    names = tuple(images.names[i] for i in leaked)
    return _Measured(above, measured, len(compared) if compared else None, names)


def _training(subject: _Subject, images: Dataset) -> Dataset:
    """The images that the detector learned from or was chosen by, as far as they are known: those
    of the data, else those of the run."""
    own = source_of(subject.provenance)
    known = _learned(subject.dataset, images)
    if not len(known) and own and all(path.exists() for path in own.paths):
        known = _learned(own.load(strict=False), images)
    return known


def _learned(dataset: Dataset, images: Dataset) -> Dataset:
    names = set(images.names) if images.root == dataset.root else set()
    assigned = (dataset.splits == Split.TRAIN) | (dataset.splits == Split.VAL)
    others = np.array([name not in names for name in dataset.names], np.bool_)
    return dataset.select(assigned & others)


def _next(subject: _Subject) -> tuple[str, str]:
    data = [str(path) for path in known_paths(subject.provenance)] or ["DATA"]
    if len(subject.dataset.split(TEST)):
        said = "Measure on test images, which decided nothing:"
        return said, _command([*subject.words[:1], *data], TEST, named=True)
    said = "There are no test images. Set some aside, and train again:"
    return said, " ".join(["boxwright split", *map(shlex.quote, data), "--anew"])


def _command(words: Sequence[str], split: str, *, named: bool) -> str:
    usual = TEST if named else VAL
    options = [] if split == usual else ["--split", split]
    return " ".join(["boxwright report", *map(shlex.quote, [*words, *options])])

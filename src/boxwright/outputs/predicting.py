"""Detect in sources, and write the predictions with any number of outputs at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from boxwright.errors import BoxwrightError, SourceError, check_choice
from boxwright.inference.detector import Detector, readers
from boxwright.inference.stream import (
    AT_ONCE,
    WHOLE_AT_ONCE,
    Failed,
    Picture,
    Prediction,
)
from boxwright.inference.units import crew_for_sources, predictions_by
from boxwright.io.faults import translating_os_errors
from boxwright.io.interrupts import undisturbed
from boxwright.io.scratch import sync
from boxwright.outputs.every import Chooser, Every
from boxwright.outputs.output import Add, Background, Job, Output, Record
from boxwright.outputs.registry import OUTPUTS
from boxwright.parallel.choice import here
from boxwright.parallel.units import Crew, Executor
from boxwright.sources.frame import Frame, Source
from boxwright.sources.images import Images
from boxwright.structures.findings import counted
from boxwright.tracking.counting import Counts
from boxwright.tracking.following import Tracking, tracked


class Predicted(NamedTuple):
    """What was written.

    Attributes:
        content: that of `detections.json`: `classes`; `threshold`; `contact_sheet`, the file name
            of the contact sheet (None for fewer than two images); `images`, if `json` was written,
            with size, name of the drawn picture (None without) and `detections` (class, score, box
            in pixels of the original image); `failed` with code and message; `counts` of each video
            if objects were tracked.
        images, boxes: their numbers.
        counts: what was counted in each video, by its name, if objects were tracked.
    """

    content: dict[str, Any]
    images: int
    boxes: int
    counts: dict[str, Counts]


FOR_VIDEOS = ("video", "frames", "mot")
PICTURES: tuple[Picture, ...] = ("none", "small", "full")  # each can serve for those before it


def write_predictions(
    detector: Detector,
    sources: Sequence[Source],
    out: str | Path,
    to: Sequence[str] | None = None,
    *,
    every: Every | None = None,
    threshold: float | None = None,
    full_size: bool = False,
    file: Path | None = None,
    tracking: Tracking | None = None,
    executor: Executor | None = None,
    tell: Callable[[str], None] = lambda text: None,
    print_line: Callable[[str], None] = print,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Predicted:
    """Detect in every frame of the sources, and write what the outputs of these names write.

    Files of an earlier call are replaced. Others stay: a picture gets another name then. What
    cannot be read does not stop the others. Threads decode, draw and write while the network
    processes other images. After Ctrl-C the outputs have what was done until then.

    On a cluster, its machines find the objects in units of image files, and this one writes the
    outputs, for which it decodes again what it draws. Here, very many images that are not drawn are
    divided into units too. What was found in units is kept until all is written, so that after an
    interruption the same call continues there.

    Args:
        detector: the detector.
        sources: as `sources.opening.sources` finds them.
        out: the folder to write to.
        to: names of outputs, see `outputs.registry`; None writes drawn images with a JSON file,
            and drawn videos with JSON lines.
        every: which frames of a video are written as images: in `frames` by default, and with
            `to` by all outputs of images. None with `to` takes all frames.
        threshold: lowest score to keep; None takes the detector's own.
        full_size: draw on full-size images, and not on at most 1600 pixels a side, which is faster
            for large JPEGs.
        file: the detector's file or run, whose hash is stored beside labels.
        tracking: how the objects of videos are tracked and counted; None if they are not.
        executor: where objects are found; here by default. If it keeps going, the images of a unit
            that fails are among those that cannot be read.
        tell: called with sentences for people, such as what a format cannot store.
        print_line: called with each line of a table.
        progress: called with the number of finished images and the total.

    Raises:
        ArgumentError: BW803 there is no such output, BW802 a source or the detector is nothing for
            a cluster.
        DataError: BW194 a file or folder is there that no earlier call wrote.
        SourceError: BW534 `to` has videos or frames, BW522 objects are to be tracked, and no source
            is a video.
        SystemFaultError: BW902 the disk is full, BW903 the folder cannot be written, BW906 a
            machine of the cluster cannot do its part.
        KeyboardInterrupt: after Ctrl-C, when all is written.
    """
    sources = tracked(sources, tracking)
    names = _chosen(to, sources, every)
    rows = [OUTPUTS[name] for name in names]
    _tell_limits(names, sources, tracking is not None, tell)
    chooser = Chooser(every or (Every(1, in_seconds=False) if to else None))
    out = Path(out)
    result: dict[str, Any] = {
        "classes": list(detector.classes),
        "threshold": detector.artifact.threshold if threshold is None else threshold,
        "contact_sheet": None,
        "images": [],
        "failed": [],
        **({"counts": {}} if tracking else {}),
    }
    full = any(row.picture(full_size) == "full" for row in rows)
    pictures = any(row.picture(full_size) != "none" for row in rows)
    with (
        crew_for_sources(
            detector, sources, executor or here(), "predict", out.absolute(), pictures=pictures
        ) as crew,
        ThreadPoolExecutor(readers()) as pool,
    ):
        job = Job(
            out,
            _images_in(out, sources),
            detector.classes,
            file,
            result,
            Background(pool, WHOLE_AT_ONCE if full else AT_ONCE),
            tell,
            print_line,
            full_size,
            tracking is not None,
        )
        call = _Call(detector, sources, rows, chooser, threshold, tracking, job, progress)
        call.write(pool, crew)
    return Predicted(result, call.done, call.boxes, call.counts)


@dataclass
class _Call:
    """A call of `write_predictions`, and how far it is."""

    detector: Detector
    sources: Sequence[Source]
    rows: Sequence[Output]
    chooser: Chooser
    threshold: float | None
    tracking: Tracking | None
    job: Job
    progress: Callable[[int, int], None]
    done: int = 0
    boxes: int = 0
    counts: dict[str, Counts] = field(default_factory=dict)
    told: int = 0  # images

    def __post_init__(self) -> None:
        self._total = sum(each.total or 0 for each in self.sources)
        self._failed = self.job.result["failed"]

    def write(self, pool: ThreadPoolExecutor, crew: Crew | None) -> None:
        """Write all outputs."""
        out, stopped = self.job.out, None
        writes = any(row.writes for row in self.rows)
        if writes:
            with translating_os_errors(out):
                out.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            adds = [stack.enter_context(row.open(self.job)) for row in reversed(self.rows)]
            adds.reverse()  # as the stack turns them
            try:
                for source in self.sources:
                    self._write(source, adds, pool, crew)
            except KeyboardInterrupt as stop:
                stopped = stop
        if writes:
            with translating_os_errors(out):
                sync(out)
        if stopped:
            what = "frame" if any(source.is_video for source in self.sources) else "image"
            stopped.add_note(f"{counted(self.done, what)} done.")
            raise stopped

    def _write(
        self, source: Source, adds: Sequence[Add], pool: ThreadPoolExecutor, crew: Crew | None
    ) -> None:
        able = [row for row in self.rows if _takes(row, source)]
        pictures = [row.picture(self.job.full_size) for row in able]
        picture = max(pictures, key=PICTURES.index)
        start = self.done + len(self._failed)
        how: dict[str, Any] = {"threshold": self.threshold, "picture": picture, "failed": self.fail}
        own = crew and replace(crew, progress=lambda done, _: self._tell(start + done))
        found = predictions_by(own, self.detector, source, pool, tracking=self.tracking, **how)
        with closing(_until_unreadable(found, source, self.fail)) as readable:
            for prediction in readable:
                with undisturbed():
                    self._add(prediction, able, adds)
                self._tell(self.done + len(self._failed))

    def _add(self, prediction: Prediction, able: Sequence[Output], adds: Sequence[Add]) -> None:
        is_still = self.chooser.chooses(prediction.frame)
        record = Record(prediction, _entry(prediction), is_still)
        if prediction.counts:
            self.counts[record.entry["image"]] = prediction.counts
            self.job.result["counts"][record.entry["image"]] = record.entry["counts"]
        for row, add in zip(self.rows, adds, strict=True):
            if row in able and (is_still or row.only != "stills"):
                add(record)
        self.done, self.boxes = self.done + 1, self.boxes + len(prediction.detections)

    def fail(self, frame: Frame, error: BoxwrightError) -> None:
        """Note a frame that cannot be read."""
        name = _readable(frame.name)
        self._failed.append({"image": name, "code": error.code, "message": error.message})
        self._tell(self.done + len(self._failed))

    def _tell(self, finished: int) -> None:
        if finished > self.told:  # units are ahead of what is written
            self.told = finished
            self.progress(finished, self._total)


def _chosen(to: Sequence[str] | None, sources: Sequence[Source], every: Every | None) -> list[str]:
    """The names of the outputs, in the order of the registry."""
    videos = any(source.is_video for source in sources)
    images = not all(source.is_video for source in sources)
    if to is None:
        usual = ["drawn"] * images + ["video", *(["frames"] if every else [])] * videos
        to = [*usual, "jsonl" if videos else "json"]
    for name in to:
        check_choice("to", name, OUTPUTS)
        if name in FOR_VIDEOS and not videos:
            raise SourceError("BW534", f"no video is given to write {name} of.")
    return [name for name in OUTPUTS if name in to]


def _tell_limits(
    names: Sequence[str], sources: Sequence[Source], tracks: bool, tell: Callable[[str], None]
) -> None:
    endless = any(source.is_live for source in sources)
    for name in names:
        if tracks and not OUTPUTS[name].identities:
            tell(f"{name} leaves out the identities of objects.")
        if endless and OUTPUTS[name].gathers:
            tell(
                f"{name} is written at the end, and needs more memory with every frame until then."
            )


def _takes(output: Output, source: Source) -> bool:
    return output.only != "videos" or source.is_video


def _until_unreadable(
    found: Iterator[Prediction], source: Source, fail: Failed
) -> Generator[Prediction, None, None]:
    """The predictions of a source, as far as it can be read."""
    try:
        yield from found
    except SourceError as error:
        fail(Frame(source.name, b""), error)


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
        **({"counts": prediction.counts.to_json()} if prediction.counts else {}),
    }


def _readable(name: str) -> str:
    """A name as valid UTF-8 text; invalid bytes are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")

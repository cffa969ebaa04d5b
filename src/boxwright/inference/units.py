"""Detect in very many images in units, see `parallel.units`: here, or on the machines of a cluster.

A machine of a cluster loads the detector from its file, once in each process.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Executor as Pool
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from boxwright.errors import ArgumentError, BoxwrightError, DataError
from boxwright.images.files import ImageFile, path_of, version
from boxwright.inference.detector import MAX_THREADS, Detector, Origin, read_ahead, readers
from boxwright.inference.run import Run
from boxwright.inference.stream import (
    AT_ONCE,
    WHOLE_AT_ONCE,
    Failed,
    Measure,
    Picture,
    Prediction,
    picture_of,
    predictions,
)
from boxwright.parallel.choice import executor
from boxwright.parallel.cores import Cores
from boxwright.parallel.kept import Kept, kept_for, name_of
from boxwright.parallel.units import Crew, Executor, Trouble
from boxwright.sources.frame import Frame, Source
from boxwright.sources.images import Images
from boxwright.structures.detections import Detections
from boxwright.tracking.following import Tracking

Completed = Prediction | tuple[Frame, BoxwrightError]


class Found(NamedTuple):
    """The detections in an image, and what was measured in its picture."""

    detections: Detections
    measured: bytes


@contextmanager
def crew_for(detector: Detector, images: int, on: Executor, *command: object) -> Iterator[Crew]:
    """What does the units of a command on so many images, whose results are kept until it ends.

    Raises:
        ArgumentError: BW802 a detector without a file cannot be loaded on a cluster.
    """
    if detector.origin is None:
        if on.elsewhere:
            raise ArgumentError("BW802", "a cluster loads the detector from its file: give a path.")
        yield Crew(on, Kept())
        return
    with kept_for(images, *command, detector.origin) as kept:
        yield Crew(on, kept)


@contextmanager
def crew_for_sources(
    detector: Detector,
    sources: Sequence[Source],
    on: Executor,
    *command: object,
    pictures: bool = False,
) -> Iterator[Crew | None]:
    """As `crew_for`, for the image files among the sources; None if frames are to be taken one
    after another. That is better here for few images, and where outputs need the pictures, which
    are decoded for the network anyway.

    Raises:
        ArgumentError: BW802 on a cluster, a source is no image file.
    """
    for source in sources if on.elsewhere else ():
        if not isinstance(source, Images):
            raise _no_file(source.name, "a video or stream")
        if any(isinstance(image, bytes) for image in source.images.values()):
            raise _no_file(source.name, "an image from standard input")
    images = sum(source.total for source in sources if isinstance(source, Images))
    if pictures and not on.elsewhere:
        yield None
        return
    with crew_for(detector, images, on, *command) as crew:
        yield crew if on.elsewhere or crew.kept.lasts else None


def _no_file(name: str, what: str) -> ArgumentError:
    message = f"a cluster reads image files, and {name} is {what}: leave out --on for it."
    return ArgumentError("BW802", message)


def streamed(
    detector: Detector,
    sources: Sequence[Source],
    on: str | Executor,
    *,
    threshold: float | None = None,
    tracking: Tracking | None = None,
) -> Generator[Prediction, None, None]:
    """Detect in every frame of the sources; see `Detector.stream`."""
    with (
        executor(on) as chosen,
        crew_for_sources(detector, sources, chosen, "stream", pictures=True) as crew,
        ThreadPoolExecutor(readers()) as pool,
    ):
        how: dict[str, Any] = {"threshold": threshold, "tracking": tracking}
        for source in sources:
            with closing(predictions_by(crew, detector, source, pool, **how)) as found:
                yield from found


def predictions_by(
    crew: Crew | None,
    detector: Detector,
    source: Source,
    pool: Pool,
    *,
    tracking: Tracking | None = None,
    **how: Any,
) -> Generator[Prediction, None, None]:
    """Detect in every frame of a source, in units if it has image files and there is a crew.

    Args:
        how: options of `predictions` of `inference.stream`.
    """
    if crew and isinstance(source, Images):
        return predictions_in_units(detector, source, pool, crew, **how)
    return predictions(detector, source, pool, tracking=tracking, **how)


def predictions_in_units(
    detector: Detector,
    source: Images,
    pool: Pool,
    crew: Crew,
    *,
    threshold: float | None = None,
    picture: Picture = "none",
    failed: Failed | None = None,
) -> Generator[Prediction, None, None]:
    """As `predictions` of `inference.stream`, for image files. Pictures are decoded again, here.

    Raises:
        BoxwrightError: as `predictions`; the work on a unit failed, unless `failed` is called.
    """

    def complete(pair: tuple[Frame, Found | Trouble]) -> Completed:
        frame, found = pair
        if isinstance(found, Trouble):
            return frame, found.error
        try:
            return Prediction(frame, found.detections, picture_of(detector, frame, picture))
        except DataError as error:  # it has changed meanwhile
            return frame, error

    files = [image for image in source.images.values() if not isinstance(image, bytes)]
    at_once = WHOLE_AT_ONCE if picture == "full" else AT_ONCE
    with closing(found_in(detector, files, crew, threshold=threshold, picture=picture)) as found:
        pairs = zip(source, found, strict=True)
        completed: Iterator[Completed]
        if picture == "none":
            completed = map(complete, pairs)
        else:
            batches = read_ahead(pool, complete, pairs, at_once)
            completed = (each.result() for batch in batches for each in batch)
        for done in completed:
            if isinstance(done, Prediction):
                yield done
            elif failed is None:
                raise done[1]
            else:
                failed(*done)


def found_in(
    detector: Detector,
    images: Sequence[ImageFile],
    crew: Crew,
    *,
    threshold: float | None = None,
    picture: Picture = "none",
    measure: Measure | None = None,
) -> Generator[Found | Trouble, None, None]:
    """Detect in each image in turn. One that cannot be read, and each of a unit that is lost, has a
    `Trouble` instead.

    Args:
        detector: the detector.
        images: image files, which a cluster's machines see under the same paths.
        crew: does the units.
        threshold: lowest score to keep; None takes the detector's own.
        picture: how the images are decoded, see `inference.stream.predictions`.
        measure: a function of a module, called with the decoded picture of each image.

    Raises:
        BoxwrightError: the work on a unit failed, and the crew does not keep going.
    """
    sent = Sent(detector)

    def part_of(rows: range) -> Part:
        return Part(sent, images[rows.start : rows.stop], threshold, picture, measure)

    for rows, outcome in crew.run(part_of, len(images), detect_part):
        if isinstance(outcome, Trouble):
            yield from [outcome] * len(rows)
            continue
        for index, one in zip(rows, _unpacked(outcome, detector.classes), strict=True):
            if isinstance(one, BoxwrightError):
                yield Trouble(str(images[index]), 1, 1, one, lost=True)
            else:
                yield one


class Sent:
    """A detector for the work on units: itself in this process, and in another one what is loaded
    there from its file.

    Attributes:
        origin, max_pixels, tiling: of the detector.
        files: those that it was loaded from.
        versions: when they changed, see `images.files`.
    """

    def __init__(self, detector: Detector) -> None:
        self._here: Detector | None = detector
        self.origin, self.max_pixels = detector.origin, detector.max_pixels
        self.tiling = detector.tiling
        self.files = tuple(_files(detector.origin.path)) if detector.origin else ()
        self.versions = tuple(map(version, self.files))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_here": None}

    def on(self, cores: int | None) -> Detector:
        """The detector, which uses so many cores. Raises as `Detector.load`."""
        if self._here is not None:
            return self._here
        origin = cast("Origin", self.origin)  # `crew_for` lets nothing else go elsewhere
        loaded = _loaded(origin, cores and min(cores, MAX_THREADS), self.versions)
        return replace(loaded, max_pixels=self.max_pixels, tiling=self.tiling)


@lru_cache(maxsize=1)
def _loaded(origin: Origin, threads: int | None, versions: tuple[str, ...]) -> Detector:
    """The detector of a process, which several units need."""
    return Detector.load(
        origin.path,
        classes=origin.classes,
        threads=threads,
        unnamed=origin.unnamed,
        trust=origin.trust,
    )


def _files(path: Path) -> list[Path]:
    """The files of a detector: of a run those that describe its network."""
    run = Run(path)
    if run.exists():
        return [run.description, run.weights]
    return sorted(filter(Path.is_file, path.rglob("*"))) if path.is_dir() else [path]


@dataclass(frozen=True)
class Part:
    """The images of a unit, and how to detect in them; arguments as those of `found_in`."""

    detector: Sent
    images: Sequence[ImageFile]
    threshold: float | None
    picture: Picture
    measure: Measure | None

    def name(self) -> str:
        sent = self.detector
        detector = (sent.origin, sent.max_pixels, sent.tiling, sent.versions)
        how = (self.threshold, self.picture, self.measure and self.measure.__name__)
        return name_of(*detector, *how, *map(version, self.images))

    def paths(self) -> list[Path]:
        return [path_of(self.images[0]), path_of(self.images[-1]), *self.detector.files]

    def __str__(self) -> str:
        return f"{self.images[0]} to {self.images[-1]}"


def detect_part(part: Part, cores: Cores) -> bytes:
    """Detect in the images of a unit, see `Work`.

    The result is a line of JSON, with the size of each image, the number of its detections and the
    length of what was measured, or with its error; then boxes, scores and labels of all images, and
    what was measured.
    """
    detector = part.detector.on(cores.number)
    said: list[Any] = [None] * len(part.images)
    columns: list[list[bytes]] = [[], [], [], []]

    def failed(frame: Frame, error: BoxwrightError) -> None:
        said[int(frame.name)] = {"error": error.to_json()}
        cores.done(1)

    source = Images({str(i): image for i, image in enumerate(part.images)})
    with ThreadPoolExecutor(cores.number or readers()) as pool:
        found_here = predictions(
            detector,
            source,
            pool,
            threshold=part.threshold,
            picture=part.picture,
            failed=failed,
            measure=part.measure,
        )
        for each in found_here:
            found = each.detections
            said[int(each.frame.name)] = [found.image_size, len(found), len(each.measured)]
            values = (found.boxes, found.scores, found.labels)
            for column, value in zip(columns, values, strict=False):
                column.append(value.tobytes())
            columns[-1].append(each.measured)
            cores.done(1)
    return json.dumps(said).encode("ascii") + b"\n" + b"".join(map(b"".join, columns))


def _unpacked(result: bytes, classes: tuple[str, ...]) -> Iterator[Found | DataError]:
    """What `detect_part` packed."""
    line, _, content = result.partition(b"\n")
    said = json.loads(line)
    counts = [0 if isinstance(one, dict) else one[1] for one in said]
    total, at = sum(counts), 0
    boxes = np.frombuffer(content, np.float32, 4 * total).reshape(-1, 4)
    scores = np.frombuffer(content, np.float32, total, offset=16 * total)
    labels = np.frombuffer(content, np.int32, total, offset=20 * total)
    end = 24 * total
    for one, count in zip(said, counts, strict=True):
        if isinstance(one, dict):
            yield DataError.of_json(one["error"])
            continue
        (width, height), _, length = one
        rows = slice(at, at + count)
        own = Detections(boxes[rows], scores[rows], labels[rows], classes, (width, height))
        yield Found(own, content[end : end + length])
        at, end = at + count, end + length

"""Detector: inference with a trained detector from any kind of file."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import DetectorError
from boxwright.images.decoding import Decoded, decoded
from boxwright.images.files import ByteRange
from boxwright.images.inputs import ImageLike, open_image
from boxwright.images.options import MAX_PIXELS
from boxwright.images.preprocessing import ENOUGH
from boxwright.inference.artifact import Artifact
from boxwright.inference.engines import Engine, network_of
from boxwright.inference.file_kinds import opened, wrong_names
from boxwright.inference.tiling import Region, Tiling, merged, size_of
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

if TYPE_CHECKING:
    from boxwright.parallel.units import Executor as Where
    from boxwright.sources.frame import Frame
    from boxwright.tracking.tracker import NewTracker

MAX_THREADS = 64
AT_ONCE = 16  # tiles
Source = TypeVar("Source")
Read = TypeVar("Read")


class Origin(NamedTuple):
    """What a detector was loaded from, with arguments of `Detector.load`."""

    path: Path
    classes: tuple[str, ...] | None
    unnamed: bool
    trust: bool


@dataclass(frozen=True, eq=False)
class Detector:
    """A trained detector, ready for inference.

        >>> detector = boxwright.Detector.load("run/detector.tflite")
        >>> for name, score, box in detector.predict("image.jpg"):
        ...     print(name, score, box)
        >>> for detections in detector.predict_many(["image.jpg", "other.jpg"], threshold=0.3):
        ...     print(len(detections), detections.image_size)

    Attributes:
        engine: runs the network.
        artifact: the description in the detector's file.
        max_pixels: image files with more are refused.
        tiling: how large images are cut into tiles, which are detected beside the whole image; None
            for the whole image alone. A detector that has learned from tiles begins with these.
        origin: what it was loaded from; None if it never was in a file.
    """

    engine: Engine
    artifact: Artifact
    max_pixels: int = MAX_PIXELS
    tiling: Tiling | None = None
    origin: Origin | None = None

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        classes: Sequence[str] | None = None,
        threads: int | None = None,
        unnamed: bool = False,
        trust: bool = False,
    ) -> Detector:
        """Open a run, a SavedModel, OpenVINO or Triton folder, or a .tflite, .onnx or frozen .pb.

        Args:
            path: the folder or file.
            classes: class names in id order, for a file without names, or to rename the classes.
            threads: number of threads per image, or for a .tflite number of images of a batch to
                process in parallel; not used by TensorFlow. None uses all cores, up to four.
            unnamed: accept a .tflite without class names; its classes are then called
                `class 0` and so on.
            trust: load a SavedModel or frozen graph whatever its operators do: TensorFlow has some
                that read and write files and run programs. Only for files of people you trust.

        Raises:
            DetectorError: BW501 the path is not a detector, BW502 it is damaged, BW503 a newer
                Boxwright wrote it, BW504 it has no class names, BW505 it cannot be run here,
                BW506 `classes` has the wrong length, BW508 the result for its golden image differs
                from the stored one, BW512 it has operators that may do more than compute, BW515 it
                asks for too much memory.
            SystemFaultError: BW901 the package that runs this kind of file is not installed.
            ValueError: `threads` is not 1 to 64.
        """
        path = Path(path)
        if threads is not None and not 1 <= threads <= MAX_THREADS:
            raise ValueError(f"threads must be 1 to {MAX_THREADS}, not {threads}")
        engine, artifact = opened(path, classes, threads, unnamed=unnamed, trust=trust)
        names = artifact.classes if classes else None
        origin = Origin(path.absolute(), names, unnamed, trust)
        detector = cls(engine, artifact, tiling=Tiling.trained(artifact), origin=origin)
        detector.check_golden(path)
        return detector

    @classmethod
    def of(
        cls, detector: str | PathLike[str] | Detector, classes: Sequence[str] | None = None
    ) -> Detector:
        """The detector itself, or that of a path; raises as `load`."""
        if isinstance(detector, Detector):
            return detector
        return cls.load(Path(detector), classes=classes)

    def check_golden(self, where: Path) -> None:
        """Raise DetectorError BW508 if the golden image's result differs from the stored one."""
        golden = self.artifact.golden
        if golden is None:
            return
        (detections,) = self.engine(golden.image[None])
        network = network_of(self.engine) if golden.raw else None
        if difference := golden.difference(detections, network, len(self.classes)):
            raise DetectorError(
                "BW508",
                f"gives another result for its golden image than when written: {difference}.",
                where=where,
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in id order."""
        return self.artifact.classes

    def predict(
        self, image: ImageLike, *, threshold: float | None = None, bgr: bool = False
    ) -> Detections:
        """Detect in one image.

        Args:
            image: a path, the bytes of an image file, an open file, a Pillow image, or an array of
                uint8: RGB `(H, W, 3)`, RGBA `(H, W, 4)`, gray `(H, W)` or `(H, W, 1)`.
            threshold: lowest score to return; None takes the detector's own
                (`artifact.threshold`), 0 returns all.
            bgr: True for an array with blue as the first channel, as OpenCV reads images.

        Raises:
            DataError: BW101 the image does not exist, BW102 it is damaged, BW167 it is of a format
                that is not opened, BW168 it has more than `max_pixels`.
            DetectorError: BW507 `image` has an unsupported type.
        """
        (detections,) = self.detect([self.prepare(image, bgr=bgr)])
        return self.kept(detections, threshold)

    __call__ = predict

    def predict_many(
        self,
        images: Iterable[ImageLike],
        *,
        threshold: float | None = None,
        bgr: bool = False,
        batch_size: int = 16,
    ) -> Iterator[Detections]:
        """Detect in several images; arguments as in `predict`, plus `batch_size`.

        Images are read ahead while the network processes a batch. Raises the errors of `predict`
        when the iterator reaches the image in question.
        """
        found = self._detect_many(partial(self.prepare, bgr=bgr), images, batch_size)
        return (self.kept(detections, threshold) for detections in found)

    def stream(
        self,
        source: str | Path | Sequence[str | Path],
        *,
        threshold: float | None = None,
        track: str | NewTracker | None = None,
        on: str | Where = "local",
    ) -> Iterator[tuple[Frame, Detections]]:
        """Detect in all images of folders, patterns, lists and archives, one after another.

            >>> for frame, detections in detector.stream(["image.jpg", "images"]):
            ...     print(frame.name, len(detections))

        Memory does not grow, however many there are.

        Args:
            source: one or several sources, as `boxwright.sources.opening.sources` takes them.
            threshold: as in `predict`.
            track: give the objects of videos identities, `Detections.track_ids`: the name of a
                tracker, such as `bytetrack`, or a function that returns a `Tracker` for a video of
                so many frames a second and a threshold.
            on: where images are processed: `local`, `ray` or `ray=ADDRESS` for a Ray cluster, whose
                machines load the detector from its file.

        Raises:
            ArgumentError: BW802 what is given cannot be processed on a cluster, BW803 there is no
                such tracker or `on`, BW815 no cluster answers.
            DataError: BW191 there is no such file or folder, BW192 it contains no images; and the
                errors of `predict` when the iterator reaches the image in question.
            SourceError: BW522 `track` is given, and no source is a video.
            SystemFaultError: BW901 the package `trackers` or Ray is not installed, BW906 a machine
                of the cluster cannot do its part.
        """
        from boxwright.inference.units import streamed
        from boxwright.sources.opening import sources
        from boxwright.tracking.following import Tracking, tracked

        tracking = None if track is None else Tracking.by(track)
        given = tracked(sources(source), tracking)
        for each in streamed(self, given, on, threshold=threshold, tracking=tracking):
            yield each.frame, each.detections

    def detections_in(self, images: Dataset) -> Iterator[Detections]:
        """All detections in each image of a dataset, at any score, with its limit of pixels."""
        preprocessing = self.artifact.preprocessing
        options = preprocessing.decode_options(images.decoding.max_pixels)

        def prepare(index: int) -> Input:
            with decoded(images.image(index), options, short_side=self.short_side) as whole:
                return self.prepare(whole)

        return self._detect_many(prepare, range(len(images)))

    def _detect_many(
        self, prepare: Callable[[Source], Input], images: Iterable[Source], batch_size: int = 16
    ) -> Iterator[Detections]:
        with ThreadPoolExecutor(max_workers=readers()) as pool:
            for batch in read_ahead(pool, prepare, images, batch_size):
                yield from self.detect([image.result() for image in batch])

    def kept(self, detections: Detections, threshold: float | None) -> Detections:
        """Those of at least this score; None takes the detector's own, which classes may have."""
        return detections if threshold == 0 else detections[self.passing(detections, threshold)]

    def weakest(self, threshold: float | None) -> float:
        """The lowest score that `kept` keeps of any class."""
        return min(self.artifact.thresholds) if threshold is None else threshold

    def passing(self, detections: Detections, threshold: float | None) -> NDArray[np.bool_]:
        """`(n,)`, True for those that `kept` keeps."""
        if threshold is not None:
            return detections.scores >= threshold
        limits = np.array(self.artifact.thresholds, np.float32)
        passing: NDArray[np.bool_] = detections.scores >= limits[detections.labels]
        return passing

    def prepare(self, image: ImageLike | Decoded, *, bgr: bool = False) -> Input:
        """Convert an image to the input of `detect`. Raises the errors of `predict`.

        Without tiles, a large JPEG is decoded at a fraction of its size, see
        `images.preprocessing.read_square`.
        """
        preprocessing = self.artifact.preprocessing
        if not isinstance(image, Decoded):
            options = preprocessing.decode_options(self.max_pixels)
            if isinstance(image, str | Path | ByteRange | bytes):
                with decoded(image, options, short_side=self.short_side) as whole:
                    return self.prepare(whole)
            image = open_image(image, options, short_side=self.short_side, bgr=bgr)
        regions = self.tiling.regions(image.width, image.height) if self.tiling else []
        tiles = tuple(
            Tile(preprocessing.resize(image.picture.crop(region)), region) for region in regions
        )
        return Input(preprocessing.resize(image.picture), image.width, image.height, tiles)

    @property
    def short_side(self) -> int | None:
        """The pixels of an image's shorter side that are enough for `prepare`; None for all."""
        return None if self.tiling else ENOUGH * self.artifact.preprocessing.size

    def detect(self, batch: Sequence[Input]) -> list[Detections]:
        """All detections in each of several prepared images, at any score."""
        wholes = self._detect([(image.pixels, image.width, image.height) for image in batch])
        return [
            merged(whole, [tile.region for tile in image.tiles], self._detect_in_tiles(image.tiles))
            if image.tiles
            else whole
            for image, whole in zip(batch, wholes, strict=True)
        ]

    def _detect_in_tiles(self, tiles: Sequence[Tile]) -> list[Detections]:
        squares = [(tile.pixels, *size_of(tile.region)) for tile in tiles]
        parts = (squares[i : i + AT_ONCE] for i in range(0, len(squares), AT_ONCE))
        return [found for part in parts for found in self._detect(part)]

    def _detect(self, squares: Sequence[tuple[NDArray[np.uint8], int, int]]) -> list[Detections]:
        """The detections in squares of the input size, in pixels of their width and height."""
        found = self.engine(np.stack([pixels for pixels, _, _ in squares]))
        for label in {int(label) for _, _, labels in found for label in labels}:
            if not 0 <= label < len(self.classes):
                raise wrong_names(f"detected an object of class {label}", self.classes)
        to_image = self.artifact.preprocessing.to_image
        return [
            Detections(
                to_image(boxes, width, height),
                scores,
                labels.astype(np.int32),
                self.classes,
                (width, height),
            )
            for (_, width, height), (boxes, scores, labels) in zip(squares, found, strict=True)
        ]


class Tile(NamedTuple):
    """A tile of an image, resized to `(S, S, 3)` uint8, and where it is."""

    pixels: NDArray[np.uint8]
    region: Region


@dataclass(frozen=True)
class Input:
    """An image resized to `(S, S, 3)` uint8, its original size, and its tiles."""

    pixels: NDArray[np.uint8]
    width: int
    height: int
    tiles: tuple[Tile, ...] = ()


def readers() -> int:
    """Number of threads that decode images."""
    return min(8, os.cpu_count() or 1)


def read_ahead(
    pool: Executor, read: Callable[[Source], Read], images: Iterable[Source], batch_size: int
) -> Iterator[list[Future[Read]]]:
    """Results of `read` for the images, in batches; the next batch is read ahead."""
    waiting: deque[Future[Read]] = deque()
    source = iter(images)
    try:
        while True:
            for image in islice(source, 2 * batch_size - len(waiting)):
                waiting.append(pool.submit(read, image))
            if not waiting:
                return
            yield [waiting.popleft() for _ in range(min(batch_size, len(waiting)))]
    finally:
        for unwanted in waiting:
            unwanted.cancel()

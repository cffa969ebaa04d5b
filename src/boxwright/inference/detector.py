"""Detector: any trained detector, whatever kind of file it is in, applied to photos."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.errors import DetectorError
from boxwright.images.decoding import ByteRange, Decoded, ImageFile, decode, rgb_of
from boxwright.images.preprocessing import ENOUGH
from boxwright.inference.artifact import Artifact
from boxwright.inference.engines import Engine, network_of
from boxwright.inference.file_kinds import opened, wrong_names
from boxwright.structures.detections import Detections

MAX_THREADS = 64
ImageLike: TypeAlias = ImageFile | NDArray[np.uint8] | Image.Image
Source = TypeVar("Source")
Read = TypeVar("Read")


@dataclass(frozen=True, eq=False)
class Detector:
    """A trained detector, ready to be shown photos.

        detector = Detector.load("run/detector.tflite")
        for name, score, box in detector.predict("photo.jpg"):
            ...

    Attributes:
        engine: what runs the network.
        artifact: what the detector's file says about itself.
    """

    engine: Engine
    artifact: Artifact

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        classes: Sequence[str] | None = None,
        threads: int | None = None,
        unnamed: bool = False,
    ) -> Detector:
        """Open a run, a SavedModel or an OpenVINO folder, or a .tflite, .onnx or frozen .pb file.

        Args:
            path: the folder or file.
            classes: names in id order, for a file from elsewhere that has none inside, or to
                rename the classes.
            threads: for what TensorFlow does not run, how many one photo is looked at with, or for
                a .tflite how many photos of a batch are looked at together; None uses every core,
                up to four.
            unnamed: whether to take a .tflite without class names all the same; its classes are
                then called `class 0` and so on.

        Raises:
            DetectorError: BW501 there is no detector, BW502 it is damaged, BW503 a newer
                Boxwright wrote it, BW504 it has no class names, BW505 it cannot be run here,
                BW506 `classes` are not as many as the detector has, BW508 it computes something
                else from its golden image than when it was written.
            SystemFaultError: BW901 what runs this kind of file is not installed.
            ValueError: `threads` is not 1 to 64.
        """
        path = Path(path)
        if threads is not None and not 1 <= threads <= MAX_THREADS:
            raise ValueError(f"threads must be 1 to {MAX_THREADS}, not {threads}")
        detector = cls(*opened(path, classes, threads, unnamed=unnamed))
        detector.check_golden(path)
        return detector

    def check_golden(self, where: Path) -> None:
        """Raise DetectorError BW508 if what the golden image gives is not what it gave."""
        golden = self.artifact.golden
        if golden is None:
            return
        (detections,) = self.engine(golden.image[None])
        network = network_of(self.engine) if golden.raw else None
        if difference := golden.difference(detections, network, len(self.classes)):
            raise DetectorError(
                "BW508",
                f"does not compute from its golden image what it computed when it was written: "
                f"{difference}.",
                where=where,
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in id order."""
        return self.artifact.classes

    def predict(self, image: ImageLike, *, threshold: float | None = None) -> Detections:
        """Detect in one photo.

        Args:
            image: a path, an RGB array `(H, W, 3)` uint8, or a Pillow image.
            threshold: lowest score to return; None takes the detector's own
                (`artifact.threshold`), 0 returns all.

        Raises:
            DataError: BW101 there is no such photo, BW102 it is damaged.
            DetectorError: BW507 `image` is none of these.
        """
        (detections,) = self.detect([self.prepare(image)])
        return detections.above(self.artifact.threshold if threshold is None else threshold)

    __call__ = predict

    def predict_many(
        self, images: Iterable[ImageLike], *, batch_size: int = 16
    ) -> Iterator[Detections]:
        """All detections of each photo in turn, however low they score.

        The next photos are read while the network looks at a batch. Raises as `predict`, when
        the iterator gets to the photo in question.
        """
        with ThreadPoolExecutor(max_workers=readers()) as pool:
            for batch in read_ahead(pool, self.prepare, images, batch_size):
                yield from self.detect([image.result() for image in batch])

    def prepare(self, image: ImageLike | Decoded) -> Input:
        """A photo as `detect` takes it. Raises as `predict`.

        A large JPEG's file is decoded at a fraction of its size: see
        `images.preprocessing.read_square`.
        """
        preprocessing = self.artifact.preprocessing
        if isinstance(image, str | Path | ByteRange):
            image = decode(image, short_side=ENOUGH * preprocessing.size)
        if isinstance(image, Decoded):
            return Input(preprocessing.resize(image.picture), image.width, image.height)
        pixels = _pixels(image)
        return Input(preprocessing.resize(pixels), pixels.shape[1], pixels.shape[0])

    def detect(self, batch: Sequence[Input]) -> list[Detections]:
        """All detections in each of some prepared photos, however low they score."""
        found = self.engine(np.stack([image.pixels for image in batch]))
        for label in {int(label) for _, _, labels in found for label in labels}:
            if not 0 <= label < len(self.classes):
                raise wrong_names(f"found an object of class {label}", self.classes)
        to_image = self.artifact.preprocessing.to_image
        return [
            Detections(
                to_image(boxes, image.width, image.height),
                scores,
                labels.astype(np.int32),
                self.classes,
            )
            for image, (boxes, scores, labels) in zip(batch, found, strict=True)
        ]


@dataclass(frozen=True)
class Input:
    """A photo resized to `(S, S, 3)` uint8, and the size it had."""

    pixels: NDArray[np.uint8]
    width: int
    height: int


def readers() -> int:
    """How many threads decode photos at once."""
    return min(8, os.cpu_count() or 1)


def read_ahead(
    pool: Executor, read: Callable[[Source], Read], images: Iterable[Source], batch_size: int
) -> Iterator[list[Future[Read]]]:
    """What `read` makes of the photos, in batches; while one is worked on the next is read."""
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


def _pixels(image: Any) -> NDArray[np.uint8]:
    if isinstance(image, Image.Image):
        return rgb_of(image)
    kind = type(image).__name__
    if isinstance(image, np.ndarray):
        if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size:
            return image
        kind = f"an array of {image.dtype} {image.shape}"
    raise DetectorError("BW507", f"a photo is expected, not {kind}.")

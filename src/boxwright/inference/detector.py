"""Detector: any trained detector, whatever kind of file it is in, applied to photos."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import DetectorError
from boxwright.images.decoding import Decoded
from boxwright.images.inputs import ImageLike, open_image
from boxwright.images.preprocessing import ENOUGH
from boxwright.inference.artifact import Artifact
from boxwright.inference.engines import Engine, network_of
from boxwright.inference.file_kinds import opened, wrong_names
from boxwright.structures.detections import Detections

MAX_THREADS = 64
Source = TypeVar("Source")
Read = TypeVar("Read")


@dataclass(frozen=True, eq=False)
class Detector:
    """A trained detector, ready to be shown photos.

        >>> detector = boxwright.Detector.load("run/detector.tflite")
        >>> for name, score, box in detector.predict("image.jpg"):
        ...     print(name, score, box)
        >>> for detections in detector.predict_many(["image.jpg", "other.jpg"], threshold=0.3):
        ...     print(len(detections), detections.image_size)

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
            bgr: whether an array has blue first, as OpenCV reads images.

        Raises:
            DataError: BW101 there is no such image, BW102 it is damaged.
            DetectorError: BW507 `image` is none of these.
        """
        (detections,) = self.detect([self.prepare(image, bgr=bgr)])
        return self._kept(detections, threshold)

    __call__ = predict

    def predict_many(
        self,
        images: Iterable[ImageLike],
        *,
        threshold: float | None = None,
        bgr: bool = False,
        batch_size: int = 16,
    ) -> Iterator[Detections]:
        """Detect in each image in turn; all arguments but `batch_size` are those of `predict`.

        The next images are read while the network looks at a batch. Raises as `predict`, when
        the iterator gets to the image in question.
        """
        prepare = partial(self.prepare, bgr=bgr)
        with ThreadPoolExecutor(max_workers=readers()) as pool:
            for batch in read_ahead(pool, prepare, images, batch_size):
                for detections in self.detect([image.result() for image in batch]):
                    yield self._kept(detections, threshold)

    def _kept(self, detections: Detections, threshold: float | None) -> Detections:
        least = self.artifact.threshold if threshold is None else threshold
        return detections.above(least) if least > 0 else detections

    def prepare(self, image: ImageLike | Decoded, *, bgr: bool = False) -> Input:
        """An image as `detect` takes it. Raises as `predict`.

        A large JPEG's file is decoded at a fraction of its size: see
        `images.preprocessing.read_square`.
        """
        preprocessing = self.artifact.preprocessing
        if not isinstance(image, Decoded):
            image = open_image(image, short_side=ENOUGH * preprocessing.size, bgr=bgr)
        return Input(preprocessing.resize(image.picture), image.width, image.height)

    def detect(self, batch: Sequence[Input]) -> list[Detections]:
        """All detections in each of some prepared photos, however low they score."""
        found = self.engine(np.stack([image.pixels for image in batch]))
        for label in {int(label) for _, _, labels in found for label in labels}:
            if not 0 <= label < len(self.classes):
                raise wrong_names(f"detected an object of class {label}", self.classes)
        to_image = self.artifact.preprocessing.to_image
        return [
            Detections(
                to_image(boxes, image.width, image.height),
                scores,
                labels.astype(np.int32),
                self.classes,
                (image.width, image.height),
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

"""Detector: any trained detector, whatever kind of file it is in, applied to photos."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.data.detections import Detections
from boxwright.data.images import Decoded, PhotoFile, Slice, decode, is_photo, rgb_of
from boxwright.data.preprocessing import ENOUGH, Preprocessing
from boxwright.errors import DetectorError
from boxwright.runtime import litert
from boxwright.runtime.artifact import Artifact, damaged, without_class_names
from boxwright.runtime.engines import Engine, KerasEngine, SavedModelEngine, TFLiteEngine
from boxwright.runtime.names import placeholder

PhotoLike: TypeAlias = PhotoFile | NDArray[np.uint8] | Image.Image
Photo = TypeVar("Photo")
Read = TypeVar("Read")
SAVED_ARTIFACT = Path("assets.extra") / litert.ARTIFACT_NAME  # inside a SavedModel folder


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
        """Open a run folder, a SavedModel folder or a .tflite file.

        Args:
            path: the folder or file.
            classes: names in id order, for a .tflite from elsewhere that has none inside, or to
                rename the classes.
            threads: for a .tflite, how many one photo is looked at with, or how many photos of a
                batch are looked at together; None uses every core, up to four.
            unnamed: whether to take a .tflite without class names all the same; its classes are
                then called `class 0` and so on.

        Raises:
            DetectorError: BW501 there is no detector, BW502 it is damaged, BW503 a newer
                Boxwright wrote it, BW504 it has no class names, BW505 it cannot be run here,
                BW506 `classes` are not as many as the detector has.
        """
        path = Path(path)
        if (path / "run.json").is_file():
            return _renamed(_load_run(path), classes, path)
        if (path / "saved_model.pb").is_file():
            return _renamed(_load_saved_model(path), classes, path)
        if path.is_file() and (path.suffix.lower() == ".tflite" or begins_as_tflite(path)):
            return _load_tflite(path, classes, threads, unnamed)
        raise not_a_detector(path)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in id order."""
        return self.artifact.classes

    def predict(self, photo: PhotoLike, *, threshold: float | None = None) -> Detections:
        """Detect in one photo.

        Args:
            photo: a path, an RGB array `(H, W, 3)` uint8, or a Pillow image.
            threshold: lowest score to return; None takes the detector's own
                (`artifact.threshold`), 0 returns all.

        Raises:
            DataError: BW101 there is no such photo, BW102 it is damaged.
            DetectorError: BW507 `photo` is none of these.
        """
        (detections,) = self.detect([self.prepare(photo)])
        return detections.above(self.artifact.threshold if threshold is None else threshold)

    __call__ = predict

    def predict_many(
        self, photos: Iterable[PhotoLike], *, batch_size: int = 16
    ) -> Iterator[Detections]:
        """All detections of each photo in turn, however low they score.

        The next photos are read while the network looks at a batch. Raises as `predict`, when
        the iterator gets to the photo in question.
        """
        with ThreadPoolExecutor(max_workers=readers()) as pool:
            for batch in read_ahead(pool, self.prepare, photos, batch_size):
                yield from self.detect([photo.result() for photo in batch])

    def prepare(self, photo: PhotoLike | Decoded) -> Input:
        """A photo as `detect` takes it. Raises as `predict`.

        A large JPEG's file is decoded at a fraction of its size: see `preprocessing.read_square`.
        """
        preprocessing = self.artifact.preprocessing
        if isinstance(photo, str | Path | Slice):
            photo = decode(photo, shortest=ENOUGH * preprocessing.size)
        if isinstance(photo, Decoded):
            return Input(preprocessing.resize(photo.picture), photo.width, photo.height)
        pixels = _pixels(photo)
        return Input(preprocessing.resize(pixels), pixels.shape[1], pixels.shape[0])

    def detect(self, batch: Sequence[Input]) -> list[Detections]:
        """All detections in each of some prepared photos, however low they score."""
        found = self.engine(np.stack([photo.pixels for photo in batch]))
        to_photo = self.artifact.preprocessing.to_photo
        return [
            Detections(
                to_photo(boxes, photo.width, photo.height),
                scores,
                labels.astype(np.int32),
                self.classes,
            )
            for photo, (boxes, scores, labels) in zip(batch, found, strict=True)
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
    pool: Executor, read: Callable[[Photo], Read], photos: Iterable[Photo], batch_size: int
) -> Iterator[list[Future[Read]]]:
    """What `read` makes of the photos, in batches; while one is worked on the next is read."""
    waiting: deque[Future[Read]] = deque()
    source = iter(photos)
    try:
        while True:
            for photo in islice(source, 2 * batch_size - len(waiting)):
                waiting.append(pool.submit(read, photo))
            if not waiting:
                return
            yield [waiting.popleft() for _ in range(min(batch_size, len(waiting)))]
    finally:
        for unwanted in waiting:
            unwanted.cancel()


def _pixels(photo: Any) -> NDArray[np.uint8]:
    if isinstance(photo, Image.Image):
        return rgb_of(photo)
    kind = type(photo).__name__
    if isinstance(photo, np.ndarray):
        if photo.dtype == np.uint8 and photo.ndim == 3 and photo.shape[2] == 3 and photo.size:
            return photo
        kind = f"an array of {photo.dtype} {photo.shape}"
    raise DetectorError(
        "BW507",
        f"a photo is expected, not {kind}.",
        remedy="Give a path, a Pillow image, or an RGB array of uint8 (height, width, 3).",
    )


def _load_run(folder: Path) -> Detector:
    from boxwright.runtime.run import Run

    run = Run(folder)
    artifact = run.artifact  # before Keras is imported, which takes seconds

    from boxwright.models import ssd

    anchors = ssd.anchors(ssd.ModelSpec.from_json(artifact.model))
    return Detector(KerasEngine(run.build_model(), anchors, artifact.preprocessing), artifact)


def _load_saved_model(folder: Path) -> Detector:
    described = folder / SAVED_ARTIFACT
    if not described.is_file():
        raise without_class_names(folder)
    artifact = Artifact.from_text(described.read_bytes(), where=described)
    return Detector(SavedModelEngine(folder), artifact)


def _load_tflite(
    path: Path, classes: Sequence[str] | None, threads: int | None, unnamed: bool
) -> Detector:
    if not begins_as_tflite(path):
        raise damaged("it does not begin as a .tflite does", path)
    content = path.read_bytes()
    engine = TFLiteEngine(content, where=path, threads=threads)
    artifact = litert.read_artifact(content, where=path)
    if artifact is None:
        if not classes and not (unnamed and engine.num_classes):
            raise without_class_names(path)
        names = [placeholder(i) for i in range(engine.num_classes or len(classes or ()))]
        artifact = Artifact({}, tuple(names), Preprocessing(size=engine.input_size))
        if engine.loses_a_class:
            engine = TFLiteEngine(content, where=path, threads=1, at_once=engine.at_once)
    return _renamed(Detector(engine, artifact), classes, path)


def begins_as_tflite(path: Path) -> bool:
    """Whether a file's first bytes are those of a .tflite."""
    with path.open("rb") as file:
        return file.read(8)[4:] == litert.MAGIC


def _renamed(detector: Detector, classes: Sequence[str] | None, where: Path) -> Detector:
    """The detector with other class names, if any are given."""
    if classes is None:
        return detector
    if len(classes) != len(detector.classes):
        raise DetectorError(
            "BW506",
            f"tells {len(detector.classes)} classes apart, but {len(classes)} names were given.",
            where=where,
            remedy="Name every class in id order; an id that is not used needs a name too.",
        )
    return replace(detector, artifact=replace(detector.artifact, classes=tuple(classes)))


def not_a_detector(path: Path) -> DetectorError:
    """The error for a path where no detector is."""
    if not path.exists():
        what = "there is no such file or folder."
    elif path.is_file():
        what = "is a photo, not a detector." if is_photo(path) else "is not a detector file."
    elif any(is_photo(inside) for inside in path.iterdir()):
        what = "is a folder of photos, not a detector."
    else:
        what = "is a folder without a detector: neither run.json nor saved_model.pb is in it."
    return DetectorError(
        "BW501",
        what,
        where=path,
        remedy="Give the run folder of a training, or a .tflite file or SavedModel folder "
        "written by `boxwright export`.",
    )

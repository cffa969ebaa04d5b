"""Detector: any trained detector, whatever kind of file it is in, applied to photos."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.data.detections import Detections
from boxwright.data.images import PhotoFile, Slice, is_photo, read_photo, rgb_of
from boxwright.data.preprocessing import Preprocessing
from boxwright.errors import DetectorError
from boxwright.runtime import litert
from boxwright.runtime.artifact import Artifact, damaged, without_class_names
from boxwright.runtime.engines import (
    Engine,
    FrozenEngine,
    KerasEngine,
    OnnxEngine,
    OpenVinoEngine,
    SavedModelEngine,
    TFLiteEngine,
)
from boxwright.runtime.engines.frozen import INPUT
from boxwright.runtime.engines.openvino import NETWORK_NAME

PhotoLike: TypeAlias = PhotoFile | NDArray[np.uint8] | Image.Image
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
    ) -> Detector:
        """Open a run, a SavedModel or an OpenVINO folder, or a .tflite or .onnx file.

        Args:
            path: the folder or file.
            classes: names in id order, for a file from elsewhere that has none inside, or to
                rename the classes.
            threads: for what TensorFlow does not run; None uses every core, up to four.

        Raises:
            DetectorError: BW501 there is no detector, BW502 it is damaged, BW503 a newer
                Boxwright wrote it, BW504 it has no class names, BW505 it cannot be run here,
                BW506 `classes` are not as many as the detector has, BW508 it does not find in its
                golden photo what it found when it was written.
            SystemFaultError: BW901 what runs this kind of file is not installed.
        """
        path = Path(path)
        detector = cls._opened(path, classes, threads)
        detector.check_golden(path)
        return detector

    @classmethod
    def _opened(cls, path: Path, classes: Sequence[str] | None, threads: int | None) -> Detector:
        if (path / "run.json").is_file():
            return _renamed(_load_run(path), classes, path)
        if (path / "saved_model.pb").is_file():
            return _renamed(_load_saved_model(path), classes, path)
        if (path / NETWORK_NAME).is_file():
            return _renamed(_load_openvino(path, threads), classes, path)
        if path.is_file() and (path.suffix.lower() == ".tflite" or _begins_as_tflite(path)):
            return _load_tflite(path, classes, threads)
        if path.is_file() and (path.suffix.lower() == ".pb" or _begins_as_frozen(path)):
            return _load_frozen(path, classes)
        if path.is_file() and (path.suffix.lower() == ".onnx" or _begins_as_onnx(path)):
            return _load_onnx(path, classes, threads)
        raise _not_a_detector(path)

    def check_golden(self, where: Path) -> None:
        """Raise DetectorError BW508 if the golden photo, where there is one, gives other boxes."""
        golden = self.artifact.golden
        if golden is None:
            return
        (found,) = self.engine(golden.photo[None])
        missing = int((~golden.found_in(found)).sum())
        if missing:
            raise DetectorError(
                "BW508",
                f"does not find {missing} of the {len(golden.labels)} objects that it found in its "
                "golden photo when it was written.",
                where=where,
                remedy="Its weights, its outputs or the program that runs it have changed: copy it "
                "again, export it again, or run it with another version of the runtime.",
            )

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
        (detections,) = self._detect([self._read(photo)])
        return detections.above(self.artifact.threshold if threshold is None else threshold)

    __call__ = predict

    def predict_many(
        self, photos: Iterable[PhotoLike], *, batch_size: int = 16
    ) -> Iterator[Detections]:
        """All detections of each photo in turn, however low they score.

        The next photos are read while the network looks at a batch. Raises as `predict`, when
        the iterator gets to the photo in question.
        """
        waiting: deque[Future[_Input]] = deque()
        source = iter(photos)
        with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as readers:
            while True:
                for photo in islice(source, 2 * batch_size - len(waiting)):
                    waiting.append(readers.submit(self._read, photo))
                if not waiting:
                    return
                batch = [waiting.popleft() for _ in range(min(batch_size, len(waiting)))]
                yield from self._detect([photo.result() for photo in batch])

    def _read(self, photo: PhotoLike) -> _Input:
        pixels = _pixels(photo)
        height, width = pixels.shape[:2]
        return _Input(self.artifact.preprocessing.resize(pixels), width, height)

    def _detect(self, batch: list[_Input]) -> list[Detections]:
        found = self.engine(np.stack([photo.pixels for photo in batch]))
        highest = max((int(labels.max()) for _, _, labels in found if len(labels)), default=0)
        if highest >= len(self.classes):
            raise _wrong_names(f"found an object of class {highest}", self.classes)
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
class _Input:
    """A photo resized to `(S, S, 3)` uint8, and the size it had."""

    pixels: NDArray[np.uint8]
    width: int
    height: int


def _pixels(photo: PhotoLike) -> NDArray[np.uint8]:
    if isinstance(photo, str | Path | Slice):
        return read_photo(photo)
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


def _load_openvino(folder: Path, threads: int | None) -> Detector:
    described = folder / litert.ARTIFACT_NAME
    if not described.is_file():
        raise without_class_names(folder)
    artifact = Artifact.from_text(described.read_bytes(), where=described)
    return Detector(OpenVinoEngine(folder, threads=threads), artifact)


def _load_frozen(path: Path, classes: Sequence[str] | None) -> Detector:
    engine = FrozenEngine(path)
    if engine.description is not None:
        artifact = Artifact.from_text(engine.description, where=path)
        return _renamed(Detector(engine, artifact), classes, path)
    if classes:
        return Detector(engine, Artifact({}, tuple(classes), Preprocessing()))
    raise without_class_names(path)


def _load_onnx(path: Path, classes: Sequence[str] | None, threads: int | None) -> Detector:
    engine = OnnxEngine(path.read_bytes(), where=path, threads=threads)
    if engine.description is not None:
        artifact = Artifact.from_text(engine.description, where=path)
    elif classes:
        artifact = Artifact({}, tuple(classes), Preprocessing(size=engine.input_size))
    else:
        raise without_class_names(path)
    return _renamed(Detector(engine, artifact), classes, path)


def _load_tflite(path: Path, classes: Sequence[str] | None, threads: int | None) -> Detector:
    if not _begins_as_tflite(path):
        raise damaged("it does not begin as a .tflite does", path)
    content = path.read_bytes()
    engine = TFLiteEngine(content, where=path, threads=threads)
    artifact = litert.read_artifact(content, where=path)
    if artifact is None:
        artifact = _foreign_artifact(engine, classes, path)
        if engine.loses_a_class:
            engine = TFLiteEngine(content, where=path, threads=1)
    return _renamed(Detector(engine, artifact), classes, path)


def _foreign_artifact(engine: TFLiteEngine, classes: Sequence[str] | None, path: Path) -> Artifact:
    """What is known of a .tflite from elsewhere, of its metadata if it has any."""
    said = engine.metadata
    labels = said.labels if said else ()
    if not labels and not classes:
        raise without_class_names(path)
    count = max(engine.num_classes or len(classes or ()), len(labels))
    artifact = Artifact({}, _distinct(labels, count), Preprocessing(size=engine.input_size))
    shown_from = said.threshold if said else None
    if shown_from is not None and 0 <= shown_from <= 1:
        artifact = replace(artifact, threshold=shown_from)
    return artifact


def _distinct(labels: Sequence[str], count: int) -> tuple[str, ...]:
    """`count` names: a label that is missing, or says nothing, becomes its number."""
    numbered = [f"class {i}" for i in range(count)]
    used = Counter(labels)
    for i, label in enumerate(labels):
        if label and used[label] == 1 and label != "???":
            numbered[i] = label
    return tuple(numbered)


def _begins_as_tflite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8)[4:] == litert.MAGIC


def _begins_as_frozen(path: Path) -> bool:
    """With a node, the photos."""
    with path.open("rb") as file:
        head = file.read(64)
    return head[:1] == b"\n" and INPUT.encode() in head


def _begins_as_onnx(path: Path) -> bool:
    """With the format's version in one byte and a string, the name of the program that wrote it."""
    with path.open("rb") as file:
        head = file.read(3)
    return head[:1] == b"\x08" and head[2:] == b"\x12"


def _renamed(detector: Detector, classes: Sequence[str] | None, where: Path) -> Detector:
    """The detector with other class names, if any are given."""
    if classes is None:
        return detector
    if len(classes) != len(detector.classes):
        raise _wrong_names(f"tells {len(detector.classes)} classes apart", classes, where)
    return replace(detector, artifact=replace(detector.artifact, classes=tuple(classes)))


def _wrong_names(what: str, names: Sequence[str], where: Path | None = None) -> DetectorError:
    return DetectorError(
        "BW506",
        f"{what}, but {len(names)} names were given.",
        where=where,
        remedy="Name every class in id order; an id that is not used needs a name too.",
    )


def _not_a_detector(path: Path) -> DetectorError:
    if not path.exists():
        what = "there is no such file or folder."
    elif path.is_file():
        what = "is a photo, not a detector." if is_photo(path) else "is not a detector file."
    elif any(is_photo(inside) for inside in path.iterdir()):
        what = "is a folder of photos, not a detector."
    else:
        what = f"is a folder without a detector: no run.json, saved_model.pb or {NETWORK_NAME}."
    return DetectorError(
        "BW501",
        what,
        where=path,
        remedy="Give the run folder of a training, or what `boxwright export` wrote.",
    )

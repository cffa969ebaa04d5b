"""A detector that is served, and its replacement when its file changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from boxwright.errors import BoxwrightError
from boxwright.inference.artifact import Artifact
from boxwright.inference.contract import Contract
from boxwright.inference.detector import Detector
from boxwright.inference.file_kinds import FILE_KINDS, kind_of
from boxwright.inference.inspection import inspect
from boxwright.inference.litert import ARTIFACT_NAME
from boxwright.inference.run import Run
from boxwright.io.files import Signature, signature
from boxwright.serving.refusals import Refusal
from boxwright.structures.detections import Detections

ONE_AT_A_TIME = frozenset({".tflite", "OpenVINO"})  # kinds with an interpreter for each worker
SOON = {"Retry-After": "1"}  # seconds
Stamp = tuple[tuple[str, Signature], ...]


class Loaded:
    """A detector file in memory, warmed up.

    Args:
        detectors: one for each worker; they may be the same.
        kind: a key of `FILE_KINDS`.
        contract: inputs and outputs of the file; None of a run folder.

    Attributes:
        artifact: the file's description.
        kind, contract: see above.
    """

    def __init__(
        self, detectors: Sequence[Detector], kind: str, contract: Contract | None = None
    ) -> None:
        self.artifact: Artifact = detectors[0].artifact
        self.kind, self.contract = kind, contract
        self._idle: SimpleQueue[Detector] = SimpleQueue()
        for detector in detectors:
            self._idle.put(detector)

    @contextmanager
    def borrowed(self) -> Iterator[Detector]:
        """A detector for one of the workers."""
        detector = self._idle.get()
        try:
            yield detector
        finally:
            self._idle.put(detector)


def load(
    path: Path,
    *,
    workers: int,
    max_pixels: int,
    classes: Sequence[str] | None = None,
    trust: bool = False,
) -> Loaded:
    """Load a detector file for several workers, and run it once for each.

    Args:
        path: the file or folder.
        workers: number of threads that will use it.
        max_pixels: of an image.
        classes, trust: as for `Detector.load`.

    Raises:
        BoxwrightError: as `Detector.load`; BW514 it cannot be run.
    """
    kind = kind_of(path)
    count = workers if kind in ONE_AT_A_TIME else 1
    opened = [
        replace(Detector.load(path, classes=classes, threads=1, trust=trust), max_pixels=max_pixels)
        for _ in range(count)
    ]
    for detector in opened:
        side = detector.artifact.preprocessing.size
        detector.predict(np.zeros((side, side, 3), np.uint8))
    contract = inspect(path, trust=trust).contract
    return Loaded([opened[i % count] for i in range(workers)], kind, contract)


class Model:
    """A detector that is served under a name. Its file may be replaced meanwhile, so read a
    property when it is needed.

    Args:
        name: the name in addresses.
        path: the file or folder.
        open_file: loads it; see `load`.

    Attributes:
        name, path: see above.
        version: 1, and one more after each replacement of the file; 0 before it is ready.
    """

    def __init__(self, name: str, path: Path, open_file: Callable[[Path], Loaded]) -> None:
        self.name, self.path, self.version = name, path, 0
        self._open = open_file
        self._loaded: Loaded | None = None
        self._tried: Stamp = ()
        self._last: Stamp = ()

    @property
    def ready(self) -> bool:
        """True after the warm-up; the other properties exist only then."""
        return self._loaded is not None

    @property
    def loaded(self) -> Loaded:
        """The detectors. Raises Refusal 503 before the warm-up."""
        if self._loaded is None:
            raise Refusal(503, f"The model {self.name} is being loaded.", SOON)
        return self._loaded

    @property
    def kind(self) -> str:
        """The kind of the file, a key of `FILE_KINDS`, such as `.tflite`."""
        return self.loaded.kind

    @property
    def artifact(self) -> Artifact:
        """The file's own description."""
        return self.loaded.artifact

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in id order."""
        return self.artifact.classes

    @property
    def contract(self) -> Contract | None:
        """Inputs and outputs of the file; None of a run folder."""
        return self.loaded.contract

    def kept(
        self,
        detections: Detections,
        score: float | None = None,
        classes: Sequence[str] | None = None,
    ) -> Detections:
        """Those of at least this score, and of these classes.

        Args:
            detections: as `Service.detect` returns them.
            score: None takes the detector's own thresholds, 0 all.
            classes: names; None takes all.

        Raises:
            Refusal: 400 there is no such class, or the score is not in [0, 1].
        """
        if score is not None and not 0 <= score <= 1:
            raise Refusal(400, f"A score is a number from 0 to 1, not {score:g}.")
        artifact = self.artifact  # of a newer file than the detections, perhaps
        own = dict(zip(artifact.classes, artifact.thresholds, strict=True))
        names = detections.classes
        limits = [own.get(name, artifact.threshold) if score is None else score for name in names]
        wanted = np.array([classes is None or name in classes for name in names], np.bool_)
        if unknown := sorted({*(classes or ())} - {*names}):
            raise Refusal(400, f"There is no class {unknown[0]!r}, but {', '.join(names)}.")
        enough = detections.scores >= np.array(limits, np.float32)[detections.labels]
        return detections[enough & wanted[detections.labels]]

    def load(self) -> None:
        """Load the file, and take it into use. Raises the errors of `open_file`; then what was in
        use remains so."""
        self._tried = self._last = self._stamp()
        self._loaded = self._open(self.path)
        self.version += 1

    def is_replaced(self) -> bool:
        """True if the file is another one than was loaded, and was so at the last call too: it may
        still be being written."""
        stamp, last = self._stamp(), self._last
        self._last = stamp
        return stamp == last != self._tried

    def _stamp(self) -> Stamp:
        """What changes with the files that make up the detector."""
        try:
            files = FILE_KINDS[kind_of(self.path)].checks.files(self.path)
            described = (Run(self.path).description, self.path / ARTIFACT_NAME)
            return tuple((str(each), signature(each)) for each in (*files, *described))
        except (BoxwrightError, OSError):  # while it is exchanged
            return ()

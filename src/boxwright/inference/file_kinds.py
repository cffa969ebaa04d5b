"""Detector file formats: how each is recognized, described and run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from boxwright.errors import DetectorError
from boxwright.images.decoding import is_image
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference import admission, litert
from boxwright.inference.admission import Checks
from boxwright.inference.artifact import Artifact, damaged, without_class_names
from boxwright.inference.class_names import NO_NAMES, ClassNames, placeholder
from boxwright.inference.engines import (
    Engine,
    FrozenEngine,
    KerasEngine,
    OnnxEngine,
    OpenVinoEngine,
    SavedModelEngine,
    TFLiteEngine,
)
from boxwright.inference.engines.engine import loading
from boxwright.inference.engines.frozen import INPUT
from boxwright.inference.engines.openvino import NETWORK_NAME, WEIGHTS_NAME
from boxwright.inference.engines.savedmodel import SAVED_ARTIFACT
from boxwright.inference.onnx_file import ARTIFACT_KEY, read_onnx
from boxwright.inference.run import Run
from boxwright.inference.triton_folder import CONFIG_NAME, NETWORK
from boxwright.safety.limits import DefectError
from boxwright.safety.onnx import check_onnx
from boxwright.safety.openvino import check_openvino
from boxwright.safety.tensorflow_graph import SAVED_MODEL_NAME, check_frozen, check_saved_model
from boxwright.safety.tflite import check_tflite
from boxwright.structures.registry import Registry

TRIALS = "boxwright.inference.trials"


class FileKind(NamedTuple):
    """A kind of detector file.

    Attributes:
        matches: `(path)`: True if a path is of this kind.
        open_engine: `(path, threads, classes)`: the engine that runs it; `classes` is the number
            of class names, if any are given.
        read_artifact: `(path, engine)`: the artifact in the file, None if another program wrote
            it. If it needs an engine and gets None, it opens one.
        reads_alone: True if `read_artifact` works without an engine.
        checks: what such a file must pass before anything else reads it.
        extras, packages: what has to be installed to run it, besides Boxwright: extras of it, and
            packages whose extra would also install what trains.
    """

    matches: Callable[[Path], bool]
    open_engine: Callable[[Path, int | None, int | None], Any]
    read_artifact: Callable[[Path, Any], Artifact | None]
    reads_alone: bool = True
    checks: Checks = Checks()
    extras: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


def kind_of(path: Path) -> str:
    """The kind of a detector file or folder: the first match in `FILE_KINDS`.

    Raises:
        DetectorError: BW501 it is not a detector.
    """
    with suppress(OSError, ValueError):  # invalid file name
        for name, kind in FILE_KINDS.items():
            if kind.matches(path):
                return name
    raise _not_a_detector(path)


def is_detector(path: Path) -> bool:
    """True for a detector file or folder of any kind."""
    try:
        return bool(kind_of(path))
    except DetectorError:
        return False


def refusal(path: Path) -> str | None:
    """Why a detector file is loaded only with `trust`, as a sentence without subject; None if that
    is not needed. Raises the errors of `kind_of`."""
    operators = FILE_KINDS[kind_of(path)].checks.operators
    try:
        if operators:
            operators(path)
    except DetectorError as error:
        return error.message
    except DefectError:  # is raised again when it is loaded
        pass
    return None


def opened(
    path: Path, classes: Sequence[str] | None, threads: int | None, *, unnamed: bool, trust: bool
) -> tuple[Engine, Artifact]:
    """The engine and the artifact of a detector file; see `Detector.load`."""
    kind = FILE_KINDS[kind_of(path)]
    admit(path, trust=trust)
    count = len(classes) if classes else None
    with loading(path):
        if kind.reads_alone:  # reports damage before the slow import of a framework
            artifact = kind.read_artifact(path, None)
            if artifact is None and path.is_dir():
                raise without_class_names(path)
            engine = kind.open_engine(path, threads, count)
        else:
            engine = kind.open_engine(path, threads, count)
            artifact = kind.read_artifact(path, engine)
    if artifact is None:
        artifact = _foreign(engine, classes, path, unnamed=unnamed)
        if isinstance(engine, TFLiteEngine) and engine.loses_a_class:
            engine = engine.on_one_thread()
    takes = getattr(engine, "input_size", artifact.preprocessing.size)
    if takes != artifact.preprocessing.size:
        size = artifact.preprocessing.size
        raise damaged(f"its description says {size} pixels, but its network takes {takes}", path)
    if isinstance(classes, ClassNames):
        classes = classes.fitting(len(artifact.classes))
    if classes is not None and len(classes) != len(artifact.classes):
        raise wrong_names(f"has {len(artifact.classes)} classes", classes, path)
    return engine, replace(artifact, classes=tuple(classes)) if classes else artifact


def admit(path: Path, *, trust: bool = False) -> None:
    """Check a detector file before a runtime loads it. Raises the errors of `kind_of` and
    `admission.admit`."""
    admission.admit(path, FILE_KINDS[kind_of(path)].checks, trust=trust)


def remember(path: Path) -> None:
    """Need no checks for a detector file that Boxwright wrote. Raises the errors of `kind_of`."""
    admission.remember(path, FILE_KINDS[kind_of(path)].checks)


def wrong_names(what: str, names: Sequence[str], where: Path | None = None) -> DetectorError:
    """The error for a number of names that differs from the number of classes."""
    return DetectorError("BW506", f"{what}, but {len(names)} names were given.", where=where)


def _foreign(engine: Any, classes: Sequence[str] | None, path: Path, *, unnamed: bool) -> Artifact:
    """The artifact of a file that another program wrote; its metadata may name classes."""
    labels: Any = getattr(engine, "labels", NO_NAMES)
    known = getattr(engine, "num_classes", None)
    if not labels and not classes and not (unnamed and known):
        raise without_class_names(path)
    count = known or len(labels) or len(classes or ())
    named: list[str] = labels.fitting(count)
    names = (*named, *map(placeholder, range(len(named), count)))
    size = getattr(engine, "input_size", Preprocessing.size)
    head, said = getattr(engine, "head", None), getattr(engine, "metadata", None)
    artifact = Artifact({}, names, Preprocessing(size, letterbox=bool(head and head.letterbox)))
    shown_from = said.threshold if said else None
    if head and shown_from is None:
        shown_from = head.threshold
    if shown_from is not None and 0 <= shown_from <= 1:
        artifact = replace(artifact, threshold=shown_from)
    return artifact


def _not_a_detector(path: Path) -> DetectorError:
    if not _exists(path):
        what = "there is no such file or folder."
    elif not path.is_dir():
        what = "is an image, not a detector." if is_image(path) else "is not a detector file."
    elif path.is_dir() and any(is_image(inside) for inside in path.iterdir()):
        what = "is a folder of images, not a detector."
    else:
        what = "is a folder without a detector: it has neither run.json nor saved_model.pb."
    return DetectorError("BW501", what, where=path)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


# ---- The kinds ---------------------------------------------------------------------------------


def _start_run(folder: Path, threads: int | None, classes: int | None) -> KerasEngine:
    run = Run(folder)
    return KerasEngine(run.build_model(), run.artifact.preprocessing)


def _start_onnx(path: Path, threads: int | None, classes: int | None) -> OnnxEngine:
    return OnnxEngine(path.read_bytes(), where=path, threads=threads, classes=classes)


def _in_onnx(path: Path) -> Artifact | None:
    return _inside(read_onnx(path.read_bytes(), where=path).metadata.get(ARTIFACT_KEY), path)


def _beside(described: Path) -> Artifact | None:
    """The artifact in a file next to the network."""
    if not described.is_file():
        return None
    return Artifact.from_text(described.read_bytes(), where=described)


def _tflite_content(path: Path) -> bytes:
    content = path.read_bytes()
    if content[4:8] != litert.MAGIC:
        raise damaged("it has no .tflite header", path)
    return content


def _inside(text: str | bytes | None, path: Path) -> Artifact | None:
    return None if text is None else Artifact.from_text(text, where=path)


def _is_file(suffix: str, begins: Callable[[bytes], bool]) -> Callable[[Path], bool]:
    """A test for files with that suffix or that header."""

    def matches(path: Path) -> bool:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return path.suffix.lower() == suffix or begins(file.read(64))

    return matches


FILE_KINDS: Registry[FileKind] = Registry(
    {
        "run folder": FileKind(
            lambda path: Run(path).exists(),
            _start_run,
            lambda path, _: Run(path).artifact,
            checks=Checks(
                trial=f"{TRIALS}:try_run",
                files=lambda folder: [Run(folder).weights],
            ),
            extras=("train",),
        ),
        "SavedModel": FileKind(
            lambda path: (path / SAVED_MODEL_NAME).is_file(),
            lambda path, *_: SavedModelEngine(path),
            lambda path, _: _beside(path / SAVED_ARTIFACT),
            checks=Checks(
                operators=check_saved_model,
                trial=f"{TRIALS}:try_saved_model",
                files=lambda folder: folder.rglob("*"),
            ),
            extras=("train",),
        ),
        "OpenVINO": FileKind(
            lambda path: (path / NETWORK_NAME).is_file(),
            lambda path, threads, _: OpenVinoEngine(path, threads=threads),
            lambda path, _: _beside(path / litert.ARTIFACT_NAME),
            checks=Checks(
                structure=lambda folder: check_openvino(folder / NETWORK_NAME),
                trial=f"{TRIALS}:try_openvino",
                files=lambda folder: [folder / NETWORK_NAME, folder / WEIGHTS_NAME],
            ),
            packages=("openvino",),
        ),
        "Triton model": FileKind(
            lambda path: (path / CONFIG_NAME).is_file() and (path / NETWORK).is_file(),
            lambda path, threads, classes: _start_onnx(path / NETWORK, threads, classes),
            lambda path, _: _in_onnx(path / NETWORK),
            checks=Checks(
                structure=lambda folder: check_onnx(folder / NETWORK),
                trial=f"{TRIALS}:try_triton",
                files=lambda folder: [folder / NETWORK],
            ),
            packages=("onnxruntime",),
        ),
        ".tflite": FileKind(
            _is_file(".tflite", lambda head: head[4:8] == litert.MAGIC),
            lambda path, threads, classes: TFLiteEngine(
                _tflite_content(path), where=path, threads=threads, classes=classes
            ),
            lambda path, _: litert.read_artifact(_tflite_content(path), where=path),
            checks=Checks(structure=check_tflite, trial=f"{TRIALS}:try_tflite"),
        ),
        "frozen graph": FileKind(
            _is_file(".pb", lambda head: head[:1] == b"\n" and INPUT.encode() in head),
            lambda path, *_: FrozenEngine(path),
            lambda path, engine: _inside((engine or FrozenEngine(path)).description, path),
            reads_alone=False,
            checks=Checks(operators=check_frozen, trial=f"{TRIALS}:try_frozen"),
            extras=("train",),
        ),
        ".onnx": FileKind(  # the format version in one byte, then the producer
            _is_file(".onnx", lambda head: head[:1] == b"\x08" and head[2:3] == b"\x12"),
            _start_onnx,
            lambda path, _: _in_onnx(path),
            checks=Checks(structure=check_onnx, trial=f"{TRIALS}:try_onnx"),
            packages=("onnxruntime",),
        ),
    }
)

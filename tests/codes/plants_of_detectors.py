"""Faults of exporting, running and measuring a detector: BW4xx, BW5xx and BW6xx."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from place import Place, Plant, checked, raised

from boxwright.evaluation.matching import gather
from boxwright.export.calibrate import Calibration
from boxwright.export.export import destination, export
from boxwright.export.verify import Reference
from boxwright.formats import predictions
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference import file_kinds
from boxwright.inference.admission import Checks, admit
from boxwright.inference.artifact import Artifact
from boxwright.inference.class_names import read_names
from boxwright.inference.detector import Detector
from boxwright.inference.engines.engine import batch_side, running
from boxwright.inference.golden import Golden
from boxwright.models.registry import family
from boxwright.ops.operation_check import CHECKING
from boxwright.outputs.predicting import write_predictions
from boxwright.safety import trial
from boxwright.safety.tensorflow_graph import check_frozen
from boxwright.sources.images import Images
from boxwright.sources.opening import sources
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.structures.detections import Detections
from boxwright.tracking.following import Tracking, tracked
from folders import VocFolder

ARTIFACT = Artifact({}, ("cat",), Preprocessing(300))
NOBODY: Any = None  # a detector that is not asked
GOLDEN = Golden(
    np.zeros((300, 300, 3), np.uint8),
    np.array([[0, 0, 1, 1]], np.float32),
    np.array([0.9], np.float32),
    np.array([0]),
)


class Blind:
    """An engine that finds nothing."""

    input_size = 300

    def __call__(self, images: Any) -> list[Any]:
        nothing = np.zeros(0, np.float32)
        return [(np.zeros((0, 4), np.float32), nothing, nothing.astype(np.int64)) for _ in images]


def opening(artifact: Artifact, classes: list[str] | None = None) -> Plant:
    """Open a file of a kind that says this about itself, and finds nothing."""

    def plant(place: Place) -> object:
        kind = file_kinds.FileKind(
            lambda path: True, lambda *_: Blind(), lambda path, engine: artifact
        )
        place.patch.setattr(file_kinds, "FILE_KINDS", {"any": kind})
        return Detector.load(place.root / "file", classes=classes)

    return raised(plant)


def described(**changes: object) -> Plant:
    """Read a detector file's description with these keys changed."""

    def plant(place: Place) -> object:
        said = ARTIFACT.to_json() | changes
        return Artifact.from_json(said, where=place.root / "run.json")

    return raised(plant)


def losing(place: Place) -> object:
    """An export that is worse than its run, with everything faked but the comparison's verdict."""
    from boxwright.export import export as module

    poor = SimpleNamespace(passed=False, __str__=lambda: "AP .2 instead of .8")
    reference = SimpleNamespace(compare=lambda file, tolerance: poor)
    place.patch.setattr(module, "Detector", lambda *_, **__: NOBODY)
    module.Detector.load = lambda *_: NOBODY  # type: ignore[attr-defined]
    place.patch.setattr(module, "Reference", SimpleNamespace(of=lambda *_: reference))
    place.patch.setattr(module, "KerasEngine", lambda *_: NOBODY)
    place.patch.setattr(module, "diagnose", lambda *_: ["a layer was rounded too much"])
    kind = SimpleNamespace(write=lambda draft, *_: draft.touch())
    place.patch.setitem(module.TARGETS, "tflite", kind)
    target, nothing = place.root / "a.tflite", Dataset.of(place.root, [])
    return module.write_verified(target, "tflite", NOBODY, ARTIFACT, nothing)


def foreign_operator(place: Place) -> object:
    from boxwright.export import tflite

    weave = [SimpleNamespace(name="Weave")]
    place.patch.setattr(tflite.litert, "custom_operators", lambda content: weave)
    return tflite.refuse_foreign_operators(b"", place.root / "a.tflite")


def unconvertible(place: Place) -> object:
    from boxwright.export import conversion

    place.raise_instead(conversion, "_converter", ValueError("no such layer"))
    return conversion.converted(NOBODY, place.root, place.root / "a.tflite", None)


def on_jax(place: Place) -> object:
    from boxwright.export import graph

    keras = SimpleNamespace(backend=SimpleNamespace(backend=lambda: "jax"))
    place.patch.setattr(graph.framework, "keras", lambda: keras)
    return graph.tensorflow_for(NOBODY)


def other_kind(place: Place) -> Path:
    return destination(place.root, "tflite", place.root / "a.onnx")


def foreign_graph(place: Place) -> object:
    path = place.root / "a.pb"
    path.write_bytes(b"\x0a\x0b\x12\x09WriteFile")
    return check_frozen(path)


def fatal(place: Place) -> object:
    def kill(target: str, path: Path) -> None:
        raise trial.FatalError("loading or running it ends the process (SIGSEGV)")

    place.patch.setattr(trial, "attempt", kill)
    path = place.root / "a.onnx"
    path.write_bytes(b"")
    return admit(path, Checks(trial="of:nothing"))


def failing(place: Place) -> object:
    with running(place.root / "a.onnx"):
        raise RuntimeError("no memory")


def truth(place: Place) -> Dataset:
    return Dataset.of(place.root, [LabeledImage("a.jpg", 64, 48, [(1, 2, 3, 4)], ["cat"])])


def finding(name: str, score: float) -> Detections:
    box, scores = np.array([[1, 2, 3, 4]], np.float32), np.array([score], np.float32)
    return Detections(box, scores, np.array([0]), (name,))


def frozen_of_another_family(place: Place) -> object:
    artifact = replace(ARTIFACT, model={"family": "nanodet_plus"})
    (place.root / "run.json").write_text(artifact.to_text(), encoding="utf-8")
    return export(place.root, "frozen")


def edited(place: Place) -> str:
    place.folder.text("Dockerfile", "FROM scratch")
    place.folder.text("a.tflite", "")
    return place.cli("dockerfile", place.root / "a.tflite")


def unreported(place: Place) -> str:
    place.folder.text("run.json", ARTIFACT.to_text())
    return place.cli("card", place.root)


def unseen(folder: VocFolder) -> None:
    folder.pair("a")
    predictions.describe(folder.root, {"detector": "a.tflite", "threshold": 0.5, "boxes": 1})


def filmed(content: bytes) -> Plant:
    def plant(place: Place) -> object:
        (place.root / "clip.mp4").write_bytes(content)
        (source,) = sources(place.root / "clip.mp4")
        return list(source)

    return raised(plant)


def in_image(width: int, height: int) -> Detections:
    return replace(finding("cat", 0.5), image_size=(width, height))


STRANGE = '[{"image_id": "who", "category_id": 1, "bbox": [1, 1, 9, 9], "score": 0.5}]'


def evaluated(*options: str) -> Plant:
    """Evaluate with options, each followed by the content of its file."""

    def plant(place: Place) -> str:
        place.folder.pair("a")
        files = []
        for option, content in zip(options[::2], options[1::2], strict=True):
            file = place.root.parent / f"file{option}"
            file.write_text(content, "utf-8")
            files += [option, file]
        return place.cli("evaluate", place.root, "--split", "all", *files)

    return plant


PLANTS: dict[str, Plant] = {
    "BW401": raised(losing),
    "BW402": raised(lambda place: Reference.of(NOBODY, Dataset.of(place.root, []))),
    "BW403": raised(foreign_operator),
    "BW404": raised(unconvertible),
    "BW405": raised(lambda place: Calibration.of(Dataset.of(place.root, []), Preprocessing(300))),
    "BW406": raised(lambda place: export(place.root, "onnx", quantize="int8")),
    "BW407": raised(other_kind),
    "BW408": raised(on_jax),
    "BW409": raised(lambda _: CHECKING.fft),
    "BW410": raised(frozen_of_another_family),
    "BW411": raised(lambda place: export(place.root, "onnx", serving=place.root)),
    "BW412": edited,
    "BW413": unreported,
    "BW501": lambda place: place.cli("export", place.root),
    "BW502": described(format="another"),
    "BW503": described(version=99),
    "BW504": described(classes=None),
    "BW505": raised(lambda place: batch_side("float32", (None, 300, 300, 3), place.root / "a.pb")),
    "BW506": opening(ARTIFACT, ["cat", "dog"]),
    "BW507": raised(lambda _: Detector(Blind(), ARTIFACT).predict(3)),  # type: ignore[arg-type]
    "BW508": opening(replace(ARTIFACT, golden=GOLDEN)),
    "BW509": raised(lambda _: family("centers")),
    "BW510": raised(lambda _: finding("cat", 0.5).to_tensorflow()),
    "BW511": raised(lambda _: Detections.concatenate([in_image(64, 48), in_image(48, 64)])),
    "BW512": raised(foreign_graph),
    "BW513": raised(fatal),
    "BW514": raised(failing),
    "BW515": described(preprocessing=replace(ARTIFACT.preprocessing, size=20_000).to_json()),
    "BW520": raised(lambda place: read_names(place.root / "labels.txt")),
    "BW521": raised(lambda place: export(place.root, "tflite", raw=True)),
    "BW522": raised(lambda _: tracked([Images({})], Tracking(NOBODY))),
    "BW531": checked(unseen),
    "BW532": filmed(b"no video"),
    "BW533": raised(lambda _: next(iter(sources("camera:/dev/no-such-camera")[0]))),
    "BW534": raised(lambda place: write_predictions(NOBODY, [Images({})], place.root, ["video"])),
    "BW601": raised(lambda place: gather(truth(place), [finding("dog", 0.5)])),
    "BW602": raised(lambda place: gather(truth(place), [finding("cat", np.nan)])),
    "BW603": evaluated("--slices", "image\n", "--detections", "[]"),
    "BW604": evaluated("--detections", "{}"),
    "BW605": evaluated("--detections", STRANGE),
    "BW606": evaluated("--hierarchy", "[]", "--detections", "[]"),
}

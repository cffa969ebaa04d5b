"""An export is compared with its run before it gets its name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxwright.errors import DetectorError, ExportError
from boxwright.export.export import destination, export, write_verified
from boxwright.export.targets import TARGETS
from boxwright.export.tflite import write_tflite
from boxwright.export.verify import FLOAT, Reference, agreement
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.models.ssd.detector import SsdModel
from boxwright.models.ssd.spec import ModelSpec
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections

ALL = tuple(TARGETS)


@pytest.mark.parametrize("kind", ALL)
def test_a_good_file_is_proven_and_gets_its_name(kind: str, exported: Callable[..., Any]) -> None:
    good = exported(kind)
    comparison, folder, target = good.comparison, good.path.parent, TARGETS[kind]
    labels = [] if target.labels_inside else ["labels.txt"]
    labels += ["label_map.pbtxt"] if target.label_map else []
    names = {path.name for path in folder.iterdir()}
    assert names == {Path(target.default_name).name, *labels}
    assert comparison.images == {"unassigned": 8}
    assert comparison.split == "unassigned"
    name, run, file = comparison.table[0]
    assert name == "AP"
    assert run > 0.3  # or the comparison would prove little
    assert file == pytest.approx(run, abs=1e-3)
    assert comparison.compared == comparison.agreeing > 0
    assert Detector.load(good.path).classes == good.tiny.artifact.classes


def moved(model: Any, anchors: Any) -> Any:
    """The same network, its boxes relative to other anchors."""
    other = copy(model)
    other.anchors = anchors
    return other


def swapped(tiny: Any) -> Any:
    """Boxes as xyxy where yxyx is expected."""
    return moved(tiny.model, tiny.model.anchors[:, [1, 0, 3, 2]]), tiny.artifact


def shrunken(tiny: Any) -> Any:
    """Boxes at nine tenths of their place and size."""
    return moved(tiny.model, tiny.model.anchors * np.float32(0.9)), tiny.artifact


def brighter(tiny: Any) -> Any:
    """Pixels scaled to [0, 1] for a network that expects [-1, 1]."""
    changed = Preprocessing(tiny.artifact.preprocessing.size, 1 / 255, 0.0)
    return tiny.model, replace(tiny.artifact, preprocessing=changed)


def misnamed(tiny: Any) -> Any:
    """Class names in another order."""
    return tiny.model, replace(tiny.artifact, classes=tiny.artifact.classes[::-1])


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("fault", [swapped, shrunken, brighter, misnamed])
def test_a_bad_file_is_refused_and_an_older_one_stays(
    fault: Callable[[Any], Any],
    kind: str,
    tiny_detector: Callable[..., Any],
    labeled: Callable[..., Dataset],
    written: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tiny = tiny_detector(3)
    dataset = labeled(tiny.detector)
    good = TARGETS[kind]
    faulty = replace(good, write=lambda draft, *parts: good.write(draft, *fault(tiny)))
    monkeypatch.setitem(TARGETS, kind, faulty)
    target = written / "out"
    target.write_text("an older file", encoding="utf-8")
    with pytest.raises(ExportError) as caught:
        write_verified(target, kind, tiny.model, tiny.artifact, dataset)
    assert caught.value.code == "BW401"
    assert [path.name for path in written.iterdir()] == ["out"]
    assert target.read_text(encoding="utf-8") == "an older file"


def test_a_file_that_cannot_be_run_is_refused(
    tiny_detector: Callable[..., Any],
    labeled: Callable[..., Dataset],
    written: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tiny = tiny_detector()
    broken = replace(TARGETS["tflite"], write=lambda draft, *_: draft.write_bytes(b"nothing"))
    monkeypatch.setitem(TARGETS, "tflite", broken)
    dataset = labeled(tiny.detector)
    with pytest.raises(DetectorError):
        write_verified(written / "x.tflite", "tflite", tiny.model, tiny.artifact, dataset)
    assert list(written.iterdir()) == []


def detections(*found: tuple[list[float], float, int]) -> list[Detections]:
    boxes, scores, labels = zip(*found, strict=True)
    return [Detections(np.array(boxes), np.array(scores), np.array(labels), ("a", "b"))]


BOX, NEAR, FAR, EMPTY = [20, 20, 60, 60], [20, 20, 60, 61], [20, 20, 60, 70], [0, 9, 0, 20]


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("run", "file", "agreeing", "compared"),
    [
        ([(BOX, 0.9, 0)], [(BOX, 0.9, 0)], 1, 1),
        ([(BOX, 0.9, 0)], [(NEAR, 0.85, 0)], 1, 1),
        ([(BOX, 0.9, 0)], [(FAR, 0.9, 0)], 0, 1),
        ([(BOX, 0.9, 0)], [(BOX, 0.9, 1)], 0, 1),
        ([(BOX, 0.9, 0)], [(BOX, 0.8, 0)], 0, 1),
        ([(EMPTY, 0.9, 0)], [(EMPTY, 0.9, 0)], 1, 1),  # a box clipped to nothing has no overlap
        ([(BOX, 0.9, 0), (FAR, 0.3, 1)], [(BOX, 0.9, 0)], 1, 1),  # below 0.4 nothing counts
        ([(BOX, 0.1, 0), (FAR, 0.05, 1)], [(BOX, 0.1, 0)], 1, 1),  # unless nothing is above it
    ],
)
def test_what_agreement_means(run: Any, file: Any, agreeing: int, compared: int) -> None:
    assert agreement(detections(*run), detections(*file)) == (compared, agreeing)


@pytest.mark.parametrize(
    ("marks", "images"),
    [
        (
            [Split.TRAIN] * 4 + [Split.VAL] * 2 + [Split.TEST] * 2,
            {"test": 2, "val": 2, "train": 4},
        ),
        ([Split.TRAIN] * 5 + [Split.VAL] * 3, {"val": 3, "train": 5}),
        ([Split.TRAIN] * 8, {"train": 8}),
    ],
)
def test_test_images_are_used_first(
    marks: list[Split],
    images: dict[str, int],
    tiny_detector: Callable[..., Any],
    tiny_file: Callable[..., Path],
    labeled: Callable[..., Dataset],
) -> None:
    tiny = tiny_detector(3)
    dataset = replace(labeled(tiny.detector), splits=np.array(marks, np.int8))
    file = Detector.load(tiny_file("tflite"))
    comparison = Reference.of(tiny.detector, dataset).compare(file, FLOAT)
    assert list(comparison.images.items()) == list(images.items())
    assert comparison.split == next(iter(images))
    assert f"on {images[comparison.split]} {comparison.split} " in str(comparison)


def test_without_labels_nothing_can_be_proven(
    tiny_detector: Callable[..., Any], labeled: Callable[..., Dataset], written: Path
) -> None:
    tiny = tiny_detector()
    dataset = labeled(tiny.detector)
    unlabeled = dataset.keep_boxes(np.zeros(len(dataset.boxes), np.bool_))
    with pytest.raises(ExportError) as caught:
        Reference.of(tiny.detector, unlabeled)
    assert caught.value.code == "BW402"


def test_another_engine_is_refused(
    tiny_detector: Callable[..., Any], written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from boxwright.backend.framework import keras

    tiny = tiny_detector()
    monkeypatch.setattr(keras().backend, "backend", lambda: "jax")
    with pytest.raises(ExportError, match="KERAS_BACKEND=tensorflow") as caught:
        write_tflite(written / "x", tiny.model, tiny.artifact)
    assert caught.value.code == "BW408"


def write_voc(dataset: Dataset, folder: Path) -> None:
    """The data set as LabelImg saves it: an .xml beside each photo."""
    one_based = np.array([1, 1, 0, 0])  # the near sides count from one
    for i, name in enumerate(dataset.names):
        shutil.copy(dataset.image(i), folder / name)
        width, height = dataset.sizes[i]
        objects = "".join(
            f"<object><name>{dataset.classes[label]}</name><bndbox>"
            + "".join(
                f"<{side}>{value}</{side}>"
                for side, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
            )
            + "</bndbox></object>"
            for box, label in zip(
                dataset.boxes[dataset.rows(i)].round().astype(int) + one_based,
                dataset.labels[dataset.rows(i)],
                strict=True,
            )
        )
        (folder / name).with_suffix(".xml").write_text(
            f"<annotation><filename>{name}</filename><size><width>{width}</width>"
            f"<height>{height}</height><depth>3</depth></size>{objects}</annotation>",
            encoding="utf-8",
        )


@pytest.fixture(scope="module")
def trained(
    small_network: None, labeled: Callable[..., Dataset], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A run folder of a MobileNet of few blocks, and its data folder."""
    folder = tmp_path_factory.mktemp("a run")
    data = folder / "photos"
    data.mkdir()
    spec = ModelSpec(2, depth_multiplier=0.25, input_size=64)
    model = SsdModel.build(spec)
    random = np.random.default_rng(0)
    for weight in model.network.weights:
        if "Predictor" in weight.path:
            weight.assign(random.normal(0, 0.1, weight.shape))
    artifact = Artifact(
        spec.to_json(),
        ("left", "right"),
        Preprocessing(64),
        provenance={"data": {"path": str(data)}},
    )
    run = Run(folder / "run")
    run.save(artifact, model)
    write_voc(labeled(Detector.load(run.folder)), data)
    return run.folder, data


@pytest.mark.parametrize(
    ("kind", "names_data"),
    [
        ("tflite", False),
        ("savedmodel", True),
        ("frozen", True),
        ("onnx", False),
        ("openvino", True),
    ],
)
def test_a_run_is_exported(kind: str, names_data: bool, trained: tuple[Path, Path]) -> None:
    run, data = trained
    path, comparison = export(run, kind, data=data if names_data else None)
    assert path == run / TARGETS[kind].default_name
    assert comparison.passed
    assert comparison.agreeing > 0
    image = np.random.default_rng(1).integers(0, 256, (50, 70, 3), np.uint8)  # no two scores tie
    expected = Detector.load(run).predict(image, threshold=0)
    found = Detector.load(path).predict(image, threshold=0)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=0.01)


def test_when_the_training_images_are_gone_others_must_be_named(
    trained: tuple[Path, Path],
) -> None:
    run, data = trained
    away = data.rename(data.with_name("moved away"))
    try:
        with pytest.raises(ExportError, match="--data") as caught:
            export(run)
    finally:
        away.rename(data)
    assert caught.value.code == "BW402"


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("kind", "out", "lands"),
    [
        ("tflite", None, "run/detector.tflite"),
        ("savedmodel", None, "run/saved_model"),
        ("onnx", None, "run/detector.onnx"),
        ("openvino", None, "run/openvino"),
        ("tflite", "new", "new"),
        ("savedmodel", "new", "new"),
        ("tflite", "folder", "folder/detector.tflite"),  # a folder is never replaced by a file
        ("savedmodel", "folder", "folder/saved_model"),
        ("tflite", "older", "older/detector.tflite"),
        ("savedmodel", "older", "older"),  # but a SavedModel is by a newer one,
        ("openvino", "older", "older/openvino"),  # and not by another kind of folder,
        ("savedmodel", "mixed", "mixed/saved_model"),  # nor with what else lies in it
    ],
)
def test_where_an_export_lands(kind: str, out: str | None, lands: str, written: Path) -> None:
    (written / "folder").mkdir()
    (written / "older").mkdir()
    (written / "older" / "saved_model.pb").touch()
    (written / "mixed").mkdir()
    (written / "mixed" / "saved_model.pb").touch()
    (written / "mixed" / "notes.txt").touch()
    chosen = destination(written / "run", kind, None if out is None else written / out)
    assert chosen == written / lands


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("kind", "out", "says"),
    [
        ("tflite", "run/run.json", "files end in .tflite"),
        ("tflite", "photo.jpg", "files end in .tflite"),
        ("onnx", "detector.tflite", "files end in .onnx"),
        ("openvino", "detector.onnx", "exports are folders"),
        ("openvino", None, "contains other files"),
    ],
)
def test_an_export_does_not_replace_what_it_is_not(
    kind: str, out: str | None, says: str, written: Path
) -> None:
    (written / "run" / "openvino").mkdir(parents=True)
    (written / "run" / "openvino" / "notes.txt").touch()
    with pytest.raises(ExportError, match=says) as caught:
        destination(written / "run", kind, None if out is None else written / out)
    assert caught.value.code == "BW407"

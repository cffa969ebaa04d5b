"""Planted faults, each named by its rung; and a healthy detector, of which none fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from boxwright.diagnosis.case import Case
from boxwright.diagnosis.diagnose import Diagnosis, climb
from boxwright.diagnosis.moves import (
    FIXED,
    Move,
    labels_before,
    scale,
    shift,
    shift_by_sizes,
)
from boxwright.diagnosis.reading import NOT_CHECKED, PASSED
from boxwright.diagnosis.registry import RUNGS
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.structures.dataset import Dataset, LabeledImage, Split

pytestmark = pytest.mark.tiny
SIDE, CLASSES = 96, ("cup", "plate", "spoon")
FEW, ENOUGH = 12, 24  # images: without and with a comparison of pixels and labels
COLORS = ((230, 40, 40), (40, 200, 50), (240, 220, 30))


@dataclass
class Finder:
    """Finds the blocks of each class's color, wherever they are: a detector that sees pixels.

    Attributes:
        scored: the score of every box.
        colors: of the classes.
        sees: what it makes of an image: it was trained with another preprocessing.
    """

    scored: float = 0.9
    colors: tuple[tuple[int, int, int], ...] = COLORS
    sees: Callable[[Any], Any] = np.asarray

    def __call__(self, images: NDArray[np.uint8]) -> list[tuple[Any, Any, Any]]:
        return [self._found(self.sees(image.astype(int))) for image in images]

    def _found(self, image: NDArray[np.int64]) -> tuple[Any, Any, Any]:
        boxes, labels = [(0.0, 0.0, 0.05, 0.05)], [0]
        for label, color in enumerate(self.colors):
            rows, columns = np.nonzero(np.abs(image - color).max(axis=2) < 50)
            if len(rows) > 8:
                corners = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
                boxes.append(tuple(corner / SIDE for corner in corners))
                labels.append(label)
        scores = np.full(len(boxes), self.scored, np.float32)
        scores[0] = 0.02
        order = np.argsort(-scores)
        return np.array(boxes, np.float32)[order], scores[order], np.array(labels)[order]


@dataclass
class Parrot:
    """Finds what is labeled, image by image."""

    labels: Dataset
    turn: int = -1

    def __call__(self, images: NDArray[np.uint8]) -> list[tuple[Any, Any, Any]]:
        return [self._next() for _ in images]

    def _next(self) -> tuple[Any, Any, Any]:
        self.turn = (self.turn + 1) % len(self.labels)
        rows = self.labels.rows(self.turn)
        boxes = self.labels.boxes[rows][:, [1, 0, 3, 2]] / np.float32((SIDE, 128, SIDE, 128))
        return boxes, np.full(len(boxes), 0.9, np.float32), self.labels.labels[rows]


@pytest.fixture(scope="module")
def many_scenes(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Images with a block of each of two classes, on a dull ground."""
    root, random = tmp_path_factory.mktemp("scenes"), np.random.default_rng(0)
    images = []
    for i in range(ENOUGH):
        ground = random.integers(90, 150, (9, 12, 3), np.uint8)
        picture = Image.fromarray(ground).resize((128, SIDE), Image.Resampling.NEAREST)
        boxes, names = [], []
        for label in random.permutation(3)[:2]:
            width, height = random.integers(14, 34), random.integers(10, 20)
            x, y = random.integers(0, 70 - width) + 58 * len(boxes), random.integers(0, 70 - height)
            box = (int(x), int(y), int(x + width), int(y + height))
            picture.paste(COLORS[label], box)
            boxes.append(box)
            names.append(CLASSES[label])
        picture.save(root / f"{i}.png")
        images.append(LabeledImage(f"{i}.png", 128, SIDE, boxes, names))
    return Dataset.of(root, images, CLASSES)


@pytest.fixture(scope="module")
def scenes(many_scenes: Dataset) -> Dataset:
    return many_scenes.select(np.arange(FEW))


def case_of(finder: Finder | Parrot, data: Dataset, **said: Any) -> Case:
    artifact = Artifact({}, CLASSES, Preprocessing(SIDE))
    detector = Detector(finder, replace(artifact, **said))
    return Case.of(Path("detector.tflite"), detector, data)


def diagnosed(finder: Finder, data: Dataset, **said: Any) -> Diagnosis:
    return climb(case_of(finder, data, **said))


def moved(data: Dataset, move: Any) -> Dataset:
    """The same images with all boxes moved."""
    there = move._replace(undo=move.change)
    boxes = labels_before(there, data) * np.tile(np.float32((128, SIDE)), 2)
    return replace(data, boxes=boxes.astype(np.float32))


def of_next(data: Dataset) -> Dataset:
    """Every image with the labels of the next one, by name."""
    order = np.argsort(data.names)
    theirs, own = data.select(np.roll(order, -1)), data.select(order)
    return replace(theirs, names=own.names)


def test_a_healthy_detector_has_no_fault(scenes: Dataset) -> None:
    diagnosis = diagnosed(Finder(), scenes)
    assert diagnosis.fault is None
    assert str(diagnosis) == "no fault found"
    assert diagnosis.agreement
    assert diagnosis.agreement.ap50 == pytest.approx(1)
    status = {step.name: step.reading.status for step in diagnosis.steps}
    needs_training = {"weights", "overfit", "file", "similarity", "training"}
    assert status == {n: NOT_CHECKED if n in needs_training else PASSED for n in status}
    for step in diagnosis.steps:
        assert step.reading.found
        assert (step.reading.limit is not None) == (step.reading.status == PASSED)


MOVES = [*FIXED[:9], shift(0.1, 0.0), shift_by_sizes(0.0, 0.6), scale(0.5, 0.5)]


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.cause)
def test_moved_labels_are_named(move: Any, scenes: Dataset) -> None:
    fault = diagnosed(Finder(), moved(scenes, move)).fault
    assert fault
    assert fault.name == "data"
    same = move.cause.partition(" by ")[0]
    assert fault.reading.cause.startswith(same), fault.reading.cause


LABELS: dict[str, tuple[Callable[[Dataset], Dataset], str, str]] = {
    "off by one": (of_next, "data", "labels are off by 1 file: images have the next one's"),
    "other names": (
        lambda data: replace(data, classes=("mug", "dish", "fork")),
        "classes",
        "the detector has no class",
    ),
    "permuted": (
        lambda data: replace(data, labels=(data.labels + 1) % 3),
        "classes",
        "wrong order of the classes: what the detector calls",
    ),
    "merged": (
        lambda data: replace(data, labels=np.minimum(data.labels, 1)),
        "classes",
        "classes are mixed: what the detector calls 'spoon' is labeled 'plate'",
    ),
    "half": (
        lambda data: data.keep_boxes(np.arange(len(data.boxes)) % 2 == 0),
        "labels",
        "objects without labels",
    ),
}


@pytest.mark.parametrize("name", LABELS)
def test_wrong_labels_are_named(name: str, scenes: Dataset) -> None:
    change, rung, cause = LABELS[name]
    fault = diagnosed(Finder(), change(scenes)).fault
    assert fault
    assert (fault.name, fault.reading.cause[: len(cause)]) == (rung, cause)


NETWORKS: dict[str, tuple[Callable[[Any], Any], str]] = {  # how it would have to be shown images
    "BGR": (lambda image: image[:, :, ::-1], "the color channels are swapped (BGR instead of RGB)"),
    "inverted": (lambda image: 255 - image, "dark and bright are inverted"),
    "range": (
        lambda image: np.clip(2 * image - 255, 0, 255),
        "pixels are scaled to [-1, 0.99], and the network expects [0, 1]",
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_another_preprocessing_is_named(name: str, scenes: Dataset) -> None:
    sees, cause = NETWORKS[name]
    fault = diagnosed(Finder(sees=sees), scenes).fault
    assert fault
    assert (fault.name, fault.reading.cause) == ("preprocessing", cause)


@pytest.mark.parametrize(("threshold", "fails"), [(0.95, True), (0.85, False)])
def test_a_threshold_above_all_scores_is_named(
    threshold: float, fails: bool, scenes: Dataset
) -> None:
    fault = diagnosed(Finder(), scenes, threshold=threshold).fault
    assert (fault and fault.reading.cause) == ("the threshold is too high" if fails else None)


def test_low_scores_of_a_detector_that_has_learned_little_are_not_the_threshold(
    scenes: Dataset,
) -> None:
    """It finds one of three classes in the images that it was trained on."""
    own = replace(scenes, splits=np.full(len(scenes), Split.TRAIN, np.int8))
    case = case_of(Finder(scored=0.2, colors=COLORS[2:]), scenes, threshold=0.3)
    assert RUNGS["scores"].read(case).cause == "the threshold is too high"
    case = replace(case, own=own)
    assert RUNGS["scores"].read(case).status == PASSED
    assert RUNGS["training"].read(case).cause == "trained too little"


def test_thresholds_of_classes_count(scenes: Dataset) -> None:
    saved = {"threshold": {"per_class": dict.fromkeys(CLASSES, 0.99)}}
    fault = diagnosed(Finder(), scenes, provenance=saved).fault
    assert fault
    assert fault.name == "scores"


@pytest.mark.parametrize("move", [FIXED[0], shift(0.0, 0.2)], ids=lambda move: move.cause)
def test_pixels_tell_of_moved_labels_that_a_detector_has_learned(
    move: Move, many_scenes: Dataset
) -> None:
    """It agrees with the labels, and both are wrong."""
    wrong = moved(many_scenes, move)
    assert RUNGS["data"].read(case_of(Parrot(wrong), wrong)).cause == move.cause


def test_pixels_agree_with_right_labels(many_scenes: Dataset) -> None:
    assert RUNGS["data"].read(case_of(Parrot(many_scenes), many_scenes)).status == PASSED


def test_labels_of_any_other_image_have_nothing_to_do_with_theirs(many_scenes: Dataset) -> None:
    others = np.random.default_rng(1).permutation(ENOUGH)
    strange = replace(many_scenes.select(others), names=many_scenes.names)
    reading = RUNGS["data"].read(case_of(Finder(colors=()), strange))
    assert reading.cause == "labels have nothing to do with their images"


def test_the_input_size_of_the_training_is_that_of_use(scenes: Dataset) -> None:
    fault = diagnosed(Finder(), scenes, model={"input_size": 128}).fault
    assert fault
    assert (fault.name, fault.reading.measured, fault.reading.limit) == ("preprocessing", 96, 128)


def test_without_images_nothing_is_checked(scenes: Dataset) -> None:
    diagnosis = diagnosed(Finder(), scenes.select([]))
    assert {step.reading.status for step in diagnosis.steps} == {NOT_CHECKED}
    assert str(diagnosis) == "no fault found, without labeled images"


def test_rungs_after_the_fault_are_not_reached(scenes: Dataset) -> None:
    steps = diagnosed(Finder(), scenes, model={"input_size": 128}).to_json()["rungs"]
    assert [step["status"] for step in steps] == ["passed", "failed", *["not reached"] * 9]

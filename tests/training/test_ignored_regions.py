"""Objects of excluded classes: neither taught as objects nor as background, from the cache to the
loss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from boxwright.augment.transforms import HorizontalFlip
from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.split import hold_out
from boxwright.inference.detector import Detector
from boxwright.models.model import IGNORED_REGION, PADDING
from boxwright.models.ssd.objective import Focal, Objective, Varifocal
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.training.cache import padded_boxes

if TYPE_CHECKING:
    from trainings import Steps

    from squares import Squares

LARGE, SMALL, KEPT = (0.1, 0.1, 0.5, 0.5), (0.82, 0.8, 0.85, 0.84), (0.5, 0.1, 0.9, 0.45)  # yxyx


@pytest.fixture
def anchors() -> Any:
    from boxwright.models.ssd.spec import ModelSpec, anchors

    return anchors(ModelSpec(2, input_size=300))


def assigned(anchors: Any, *objects: tuple[Any, int], force: bool = True) -> Any:
    from boxwright.models.ssd.assigner import assign

    boxes = np.array([[box for box, _ in objects]], np.float32)
    labels = np.array([[label for _, label in objects]], np.int32)
    weights = (labels >= 0).astype(np.float32)
    return assign(boxes, labels, weights, anchors, 2, force_match=force)


@pytest.mark.parametrize("excluded", [LARGE, SMALL])
@pytest.mark.parametrize("force", [True, False])
def test_anchors_that_would_answer_for_it_are_not_background(
    excluded: Any, force: bool, anchors: Any
) -> None:
    taught = assigned(anchors, (KEPT, 0), (excluded, 1), force=force)
    ignored = assigned(anchors, (KEPT, 0), (excluded, IGNORED_REGION), force=force)
    alone = assigned(anchors, (KEPT, 0), (excluded, PADDING), force=force)
    answers = taught.match.numpy()[0] == 1
    assert answers.any() == (force or excluded is LARGE)
    assert (alone.class_weights.numpy()[0][answers] == 1).all(), "it would be background"
    assert (ignored.class_weights.numpy()[0][answers] == 0).all()
    assert (ignored.box_weights.numpy()[0][answers] == 0).all()
    for name in ("class_targets", "class_weights", "box_targets", "box_weights"):
        mine, its = (getattr(one, name).numpy()[0][~answers] for one in (ignored, alone))
        np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize("focus", [Varifocal(), Focal(), None])
def test_the_loss_does_not_mind_what_is_said_there(focus: Any, anchors: Any) -> None:
    from boxwright.models.ssd.losses import detection_loss
    from boxwright.training.step_tensorflow import suppress

    answers = assigned(anchors, (KEPT, 0), (LARGE, 1)).match.numpy()[0] == 1
    boxes = np.array([[KEPT, LARGE]], np.float32)

    def classes_loss(label: int, logit: float) -> float:
        logits = np.full((1, len(anchors), 2), -3.0, np.float32)
        logits[0, answers] = logit
        outputs = {"class_logits": logits, "box_encodings": np.zeros((1, len(anchors), 4), "f4")}
        labels = np.array([[0, label]], np.int32)
        truth = boxes, labels, (labels >= 0).astype(np.float32)
        loss = detection_loss(outputs, *truth, anchors, Objective(focus), suppress)
        return float(loss.classes)

    assert classes_loss(IGNORED_REGION, 4.0) == classes_loss(IGNORED_REGION, -4.0)
    assert classes_loss(PADDING, 4.0) > classes_loss(PADDING, -4.0)


def test_the_class_head_inits_from_what_is_not_ignored() -> None:
    from boxwright.models.weights.class_head import find_class_head_init

    places = np.array([[LARGE, KEPT, SMALL]], np.float32)
    scores = np.array([[[0.9, 0.1], [0.1, 0.8], [0.1, 0.1]]], np.float32)
    boxes, labels = np.array([[KEPT, LARGE]], np.float32), np.array([[0, IGNORED_REGION]], np.int32)
    known = ("first", "second")
    (start,) = find_class_head_init(known, scores, places, boxes, labels, ("cat",))
    assert (start.origin, start.on_boxes) == ("second", pytest.approx(0.8))
    assert start.elsewhere == pytest.approx(0.1), "what the region scores is not background's"


# ---- From the dataset to the step ----------------------------------------------------------------


@pytest.mark.tiny
def test_they_come_after_the_objects_of_an_image() -> None:
    names = ["cat", "sofa", "cat"]
    boxes = [(0, 0, 10, 10), (0, 0, 50, 50), (20, 20, 40, 40)]
    images = [LabeledImage("a.jpg", 100, 100, boxes, names), LabeledImage("b.jpg", 100, 100)]
    chosen = ClassChoice(classes=("cat",)).apply(Dataset.of("home", images))
    padded, labels = padded_boxes(chosen)
    assert labels.tolist() == [[0, 0, IGNORED_REGION], [PADDING] * 3]
    np.testing.assert_allclose(padded[0, 2], [0, 0, 0.5, 0.5])
    _, fewer = padded_boxes(chosen, max_boxes=2)
    assert fewer[0].tolist() == [0, IGNORED_REGION], "of too many the largest stay"


@pytest.mark.tiny
def test_an_image_with_nothing_else_does_not_count_as_one_that_shows_nothing() -> None:
    """Each kind of image gives its share to validation."""
    images = [LabeledImage(f"{i}.jpg", 9, 9, [(0, 0, 5, 5)], ["cat"]) for i in range(20)]
    images += [LabeledImage(f"other{i}.jpg", 9, 9, [(0, 0, 5, 5)], ["other"]) for i in range(20)]
    images += [LabeledImage(f"none{i}.jpg", 9, 9) for i in range(20)]
    chosen = ClassChoice(classes=("cat",)).apply(Dataset.of("data", images))
    held = hold_out(chosen, np.arange(60), 0.2, seed=0)
    assert held.reshape(3, 20).sum(axis=1).tolist() == [4, 4, 4]


def two_kinds(squares: Squares) -> Dataset:
    """Each image has a square to learn, and in a corner something else."""
    dataset = squares.dataset(8)
    images = [
        LabeledImage(
            name, 96, 80, [dataset.boxes[i], (0, 0, 20, 20)], ["square", "other"],
            split=dataset.splits[i],
        )
        for i, name in enumerate(dataset.names)
    ]  # fmt: skip
    return Dataset.of(dataset.root, images)


def test_a_step_is_told_of_them(squares: Squares, steps: Steps, tmp_path: Path) -> None:
    dataset = ClassChoice(exclude=("other",)).apply(two_kinds(squares))
    outcome, _ = steps.train(dataset, tmp_path / "run", steps=3)
    assert outcome.run.artifact.classes == ("square",)
    for batch in steps.batches:
        labels = np.asarray(batch[2])
        assert (labels[:, :2] == [0, IGNORED_REGION]).all()


def test_augmentation_keeps_them(op_by_op: None) -> None:
    from boxwright.augment.pipeline import apply
    from boxwright.training.step_tensorflow import crop

    images = np.zeros((1, 32, 32, 3), np.uint8)
    boxes = np.array([[KEPT, LARGE, (0, 0, 0, 0)]], np.float32)
    labels = np.array([[1, IGNORED_REGION, PADDING]], np.int32)
    sizes, draws = np.full((1, 2), 32, np.float32), np.zeros((1, 1), np.float32)
    _, moved, names, weights = apply(
        [HorizontalFlip(1.0)], images, boxes, labels, sizes, draws,
        side=32, crop_and_resize=crop,
    )  # fmt: skip
    np.testing.assert_allclose(moved[0, 1], [0.1, 0.5, 0.5, 0.9], atol=1e-6)
    assert np.asarray(names)[0].tolist() == [1, IGNORED_REGION, PADDING]
    assert np.asarray(weights)[0].tolist() == [1, 0, 0]


def test_a_trained_detector_may_find_them(
    squares: Squares, small_trainer: Any, tmp_path: Path
) -> None:
    """Twins of one look, of which half are labeled as another class: taught as background, they
    lower the score of what looks like them; ignored, they do not."""
    dataset = squares.dataset(24)
    half = np.arange(24) % 2
    twins = replace(dataset, classes=("square", "twin"), labels=half.astype(np.int32))
    ignored = ClassChoice(classes=("square",)).apply(twins)
    background = replace(
        ignored, ignored=ignored.ignored[:0], image_of_ignored=ignored.image_of_ignored[:0]
    )
    scores = []
    for name, data in (("ignored", ignored), ("background", background)):
        outcome, _ = small_trainer(data, tmp_path / name, steps=40)
        detector = Detector.load(outcome.run.folder)
        found = detector.predict_many([dataset.image(i) for i in range(24)], threshold=0)
        scores.append(np.mean([max(each.scores, default=0.0) for each in found]))
    assert scores[0] > 1.2 * scores[1], scores

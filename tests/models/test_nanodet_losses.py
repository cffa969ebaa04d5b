"""Losses of NanoDet-Plus, and which cells answer for which objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxwright.backend import framework
from boxwright.models.model import IGNORED_REGION, PADDING, Truth
from boxwright.models.nanodet_plus.objective import Objective
from boxwright.models.nanodet_plus.spec import BINS, SIDES, priors

SIDE = 64
PRIORS = priors(SIDE)  # 8 x 8, 4 x 4, 2 x 2 and 1 cells
CELLS = len(PRIORS)
CLASSES = 2


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


@pytest.mark.parametrize("logit", [-8.0, -1.0, 0.0, 3.0])
@pytest.mark.parametrize("quality", [0.0, 0.3, 1.0])
def test_quality_focal(logit: float, quality: float) -> None:
    from boxwright.models.nanodet_plus.generalized_focal import quality_focal

    score = sigmoid(logit)
    entropy = -quality * np.log(score) - (1 - quality) * np.log(1 - score)
    expected = abs(quality - score) ** 2 * entropy
    found = float(quality_focal(np.float32(logit), np.float32(quality)))
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize(
    ("target", "shares"),
    [(0.0, {0: 1.0}), (2.0, {2: 1.0}), (2.25, {2: 0.75, 3: 0.25}), (6.9, {6: 0.1, 7: 0.9})],
)
def test_distribution_focal(target: float, shares: dict[int, float]) -> None:
    from boxwright.models.nanodet_plus.generalized_focal import distribution_focal

    logits = np.linspace(-1, 2, BINS).astype(np.float32)
    likely = np.exp(logits) / np.exp(logits).sum()
    expected = -sum(share * np.log(likely[bin]) for bin, share in shares.items())
    found = distribution_focal(logits[None], np.array([target], np.float32))
    assert float(found[0]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("first", "second", "loss"),
    [
        pytest.param([0, 0, 4, 4], [0, 0, 4, 4], 0.0, id="equal"),
        pytest.param([0, 0, 4, 4], [0, 0, 2, 4], 0.5, id="half"),
        pytest.param([0, 0, 2, 2], [2, 0, 4, 2], 1.0, id="beside"),
        pytest.param([0, 0, 1, 1], [3, 0, 4, 1], 1.5, id="apart"),
        pytest.param([1, 1, 1, 1], [1, 1, 1, 1], 1.0, id="no area"),
    ],
)
def test_giou(first: list[float], second: list[float], loss: float) -> None:
    from boxwright.backend.boxes import giou_of_pairs

    found = 1 - giou_of_pairs(np.array(first, np.float32), np.array(second, np.float32))
    assert float(found) == pytest.approx(loss, abs=1e-6)


def assigned(
    boxes: Any, labels: Any, predicted: Any = None, logits: Any = None, weights: Any = None
) -> Any:
    """NumPy targets of one image; every cell predicts a square of two strides."""
    from boxwright.models.nanodet_plus.assigner import assign

    places, strides = PRIORS[:, :2], PRIORS[:, 2:]
    if predicted is None:
        predicted = np.concatenate([places - strides, places + strides], axis=1)
    logits = np.full((CELLS, CLASSES), -2.0) if logits is None else logits
    weights = np.array([label >= 0 for label in labels]) if weights is None else weights
    given = (np.asarray(each, np.float32)[None] for each in (predicted, logits, boxes))
    labels = np.array(labels, np.int32)[None]
    targets = assign(*given, labels, np.float32(weights)[None], SIDE, Objective())
    return type(targets)(*(np.asarray(each)[0] for each in targets))


def test_the_best_predictions_answer() -> None:
    """Of the cells inside, those whose boxes overlap the object, and as many as overlaps sum up
    to."""
    targets = assigned([[16, 16, 48, 48]], [0])
    answering = np.flatnonzero(targets.positive)
    assert PRIORS[answering].tolist() == [[32, 32, 8], [32, 32, 16], [32, 32, 32]]
    assert targets.quality[answering] == pytest.approx([0.25, 1, 0.25])
    exact = np.tile([16, 16, 48, 48], (CELLS, 1))
    targets = assigned([[16, 16, 48, 48]], [0], exact)
    assert (targets.positive > 0).sum() == 11  # the cells inside: 9, 1 and 1
    box = [1, 2, 63, 61]  # off the middle, so that no two cells cost the same
    wide = assigned([box], [0], np.tile(box, (CELLS, 1)))
    assert (wide.positive > 0).sum() == Objective.max_cells


def test_the_predicted_class_decides_between_equal_boxes() -> None:
    logits = np.full((CELLS, CLASSES), -4.0)
    logits[10, 1] = logits[19, 0] = 4.0  # places (8, 16) and (16, 24)
    box = [[4, 12, 20, 28]]
    poor = np.tile([4, 12, 12, 28], (CELLS, 1))  # an IoU of a half: one or two cells
    for label, cell in ((1, 10), (0, 19)):
        answering = np.flatnonzero(assigned(box, [label], poor, logits).positive)
        assert cell in answering


def test_a_box_between_all_cells_gets_the_nearest() -> None:
    targets = assigned([[17, 25, 19, 28]], [1])
    assert PRIORS[targets.positive > 0].tolist() == [[16, 24, 8]]


def test_regions_without_weight_are_neither() -> None:
    """An ignored region and an object without weight: their cells are no background."""
    ignored = assigned([[1, 1, 63, 63]], [IGNORED_REGION])
    assert ignored.positive.sum() == 0
    assert 0 < ignored.negative.sum() < CELLS
    inside = (PRIORS[:, :2] > 1).all(axis=1)
    np.testing.assert_array_equal(ignored.negative, ~inside)
    unweighted = assigned([[16, 16, 48, 48]], [0], weights=[0.0])
    assert (unweighted.positive.sum(), unweighted.negative.sum()) == (0, CELLS - 3)
    padded = assigned([[1, 1, 63, 63]], [PADDING])
    assert (padded.positive.sum(), padded.negative.sum()) == (0, CELLS)


corner = st.floats(0, 60, width=32)
boxes = st.tuples(corner, corner, st.floats(1, 60, width=32), st.floats(1, 60, width=32))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(boxes, st.integers(0, CLASSES - 1)), min_size=1, max_size=6),
    st.integers(0, 9),
)
def test_any_image(objects: list[Any], seed: int) -> None:
    """Each cell answers for at most one object, in which it is or to which it is nearest; no object
    that shares no cell goes without one; and padding changes nothing."""
    rng = np.random.default_rng(seed)
    truth = [[y, x, min(y + h, 64), min(x + w, 64)] for (y, x, h, w), _ in objects]
    labels = [label for _, label in objects]
    logits = rng.normal(size=(CELLS, CLASSES))
    sizes = rng.uniform(0.2, 5, (CELLS, 4)) * PRIORS[:, 2:]
    predicted = np.concatenate([PRIORS[:, :2] - sizes[:, :2], PRIORS[:, :2] + sizes[:, 2:]], 1)
    targets = assigned(truth, labels, predicted, logits)
    padded = assigned([*truth, [0, 0, 0, 0]], [*labels, PADDING], predicted, logits)
    for one, other in zip(targets, padded, strict=True):
        np.testing.assert_array_equal(one, other)
    answering = targets.positive > 0
    np.testing.assert_array_equal(targets.negative, ~answering)
    assert ((targets.quality >= 0) & (targets.quality <= 1)).all()
    rows = targets.row[answering]
    counts = np.bincount(rows, minlength=len(objects))
    assert counts.max() <= Objective.max_cells
    assert answering.any()
    places = PRIORS[answering, :2]
    own = np.array(truth, np.float32)[rows]
    inside = ((places > own[:, :2]) & (places < own[:, 2:])).all(axis=1)
    for row in rows[~inside]:
        assert counts[row] == 1  # the nearest cell of a box between all cells


def outputs(seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "class_logits": rng.normal(size=(2, CELLS, CLASSES)).astype(np.float32),
        "side_logits": rng.normal(size=(2, CELLS, SIDES * BINS)).astype(np.float32),
    }


def truth_of(*boxes: list[float], label: int = 0) -> Truth:
    """The same objects on two images."""
    count = max(len(boxes), 1)
    padded = np.zeros((2, count, 4), np.float32)
    labels = np.full((2, count), PADDING, np.int32)
    for row, box in enumerate(boxes):
        padded[:, row], labels[:, row] = np.array(box, np.float32) / SIDE, label
    return Truth(padded, labels, (labels >= 0).astype(np.float32))


@pytest.mark.parametrize(
    ("truth", "lowered"),
    [
        pytest.param(truth_of(), 0.0, id="nothing"),
        pytest.param(truth_of([16, 16, 48, 48]), 0.5, id="large"),
        pytest.param(truth_of([23, 24, 41, 40], label=1), 0.5, id="middle"),
        pytest.param(truth_of([30, 30, 33, 33], label=1), 1.1, id="smaller than a cell"),
    ],
)
def test_training_lowers_it(truth: Truth, lowered: float) -> None:
    """In the compiled step, whatever the image shows: every gradient is finite."""
    from boxwright.models.nanodet_plus.losses import detection_loss

    tf = framework.tensorflow()
    values = {name: tf.Variable(value) for name, value in outputs().items()}

    @tf.function(autograph=False)
    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = detection_loss(values, truth, PRIORS, SIDE, Objective())
        for variable, gradient in zip(
            values.values(), tape.gradient(loss.total, list(values.values())), strict=True
        ):
            variable.assign_sub(10.0 * gradient)
        return loss

    before = step()
    for _ in range(100):
        after = step()
    assert np.isfinite(after.total)
    assert float(after.classes) < 0.2 * float(before.classes)
    assert float(after.boxes) <= lowered * float(before.boxes)

"""The varifocal loss: of the anchors that answer for an object, the best box should score best."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from boxwright.backend import framework
from boxwright.models.ssd.objective import Objective, Varifocal
from boxwright.ops import box_coder

pytestmark = pytest.mark.tiny

# Two anchors that answer for the labelled box, and one of the background.
ANCHORS = np.array([[0.2, 0.2, 0.6, 0.6], [0.2, 0.25, 0.6, 0.65], [0, 0.8, 0.2, 1]], np.float32)
LABELED = np.array([[[0.2, 0.2, 0.6, 0.6]]], np.float32)
EXACT, MOVED, QUARTER = [0.2, 0.2, 0.6, 0.6], [0.2, 0.3, 0.6, 0.7], [0.2, 0.2, 0.3, 0.6]
ELSEWHERE = [0.7, 0.7, 0.9, 0.9]
# Boxes of the first two anchors, and what these should score.
WANTED = [
    pytest.param(EXACT, EXACT, [1.0, 1.0], id="both are right"),
    pytest.param(EXACT, MOVED, [1.0, 0.6], id="one is moved by a quarter"),
    pytest.param(QUARTER, EXACT, [0.25, 1.0], id="one is a quarter"),
    pytest.param(QUARTER, MOVED, [0.25 / 0.6, 1.0], id="the better one counts as right"),
    pytest.param(ELSEWHERE, MOVED, [0.0, 1.0], id="one is elsewhere"),
    pytest.param(ELSEWHERE, ELSEWHERE, [0.0, 0.0], id="both are elsewhere"),
]


def losses(boxes: list[list[float]], scores: list[float]) -> tuple[float, Any, Any]:
    """The loss of the classes, and its gradients by the logits and by the box encodings."""
    from boxwright.models.ssd.losses import detection_loss
    from boxwright.training.step_tensorflow import suppress

    tf = framework.tensorflow()
    found = np.array([[*boxes, ANCHORS[2]]], np.float32)
    encodings = tf.constant(box_coder.encode(found, ANCHORS))
    odds = np.array(scores, np.float32) / (1 - np.array(scores, np.float32))
    logits = tf.constant(np.log(odds)[None, :, None])
    labels, weights = np.zeros((1, 1), np.int32), np.ones((1, 1), np.float32)
    objective = Objective(classification_loss=Varifocal(), normalize_by_num_matches=False)
    with tf.GradientTape() as tape:
        tape.watch([encodings, logits])
        outputs = {"box_encodings": encodings, "class_logits": logits}
        loss = detection_loss(outputs, LABELED, labels, weights, ANCHORS, objective, suppress)
    by_logits, by_boxes = tape.gradient(loss.classes, [logits, encodings])
    return float(loss.classes), by_logits[0, :, 0].numpy(), by_boxes


@pytest.mark.parametrize(("first", "second", "wanted"), WANTED)
def test_what_it_costs(first: Any, second: Any, wanted: list[float]) -> None:
    scores = [0.3, 0.9, 0.2]
    loss, _, _ = losses([first, second], scores)
    expected = 0.0
    for score, target in zip(scores, [*wanted, 0.0], strict=True):
        entropy = -target * np.log(score) - (1 - target) * np.log(1 - score)
        expected += (target or 0.75 * score**2) * entropy
    assert loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("score", "way"), [(0.4, -1), (0.6, 0), (0.8, 1)])
def test_a_worse_box_is_drawn_to_a_lower_score(score: float, way: int) -> None:
    _, by_logits, _ = losses([EXACT, MOVED], [0.99, score, 0.01])
    assert np.sign(np.round(by_logits[1], 5)) == way


def test_a_box_does_not_move_for_a_better_score() -> None:
    _, _, by_boxes = losses([EXACT, MOVED], [0.5, 0.4, 0.3])
    assert by_boxes is None

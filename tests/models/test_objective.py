"""The objective: equal to what the Object Detection API computes of the same predictions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxwright.backend import framework
from boxwright.models.ssd.objective import Focal, Matching, Mining, Objective

pytestmark = pytest.mark.shared

# What ssd_mobilenet_v1_coco's pipeline.config asks for.
MINED = Objective(
    classification_loss=None,
    background=1.0,
    mining=Mining("classes", 3000, 0.99, negatives_per_positive=3),
)


@pytest.fixture(scope="module", params=[1, 3], ids=["1 class", "3 classes"])
def golden(request: pytest.FixtureRequest, shared: Path) -> Any:
    framework.keras()
    return dict(np.load(shared / f"golden/targets_losses_c{request.param}.npz"))


def truth(golden: Any) -> tuple[Any, Any, Any]:
    rows = int(golden["num_gt"].max()) + 2  # padding must never match
    boxes = np.zeros((8, rows, 4), np.float32)
    labels, weights = np.full((8, rows), -1, np.int32), np.zeros((8, rows), np.float32)
    for i, n in enumerate(golden["num_gt"]):
        boxes[i, :n] = golden[f"gt_boxes_{i}"][:n]
        labels[i, :n] = golden[f"gt_classes_{i}"][:n]
        weights[i, :n] = golden[f"gt_weights_{i}"][:n]
    return boxes, labels, weights


def loss_of(golden: Any, objective: Objective, encodings: Any = None, logits: Any = None) -> Any:
    from boxwright.models.ssd.losses import detection_loss
    from boxwright.training.step_tensorflow import suppress

    encodings = golden["pred_box_encodings"] if encodings is None else encodings
    logits = golden["pred_class_logits"] if logits is None else logits
    outputs = {
        "box_encodings": encodings,
        "background_logits": logits[..., :1],
        "class_logits": logits[..., 1:],
    }
    return detection_loss(outputs, *truth(golden), golden["anchors"], objective, suppress)


# ---- Mining ------------------------------------------------------------------------------------


def test_suppression_and_mining_choose_the_same_anchors(golden: Any) -> None:
    from boxwright.models.ssd.mining import hard_examples
    from boxwright.training.step_tensorflow import suppress

    losses, decoded = golden["cls_loss_per_anchor"], golden["decoded_boxes"]
    left = suppress(decoded, losses, 3000, 0.99).numpy()
    hard = hard_examples(
        losses, decoded, golden["match"], suppress,
        max_anchors=3000, iou_threshold=0.99, negatives_per_positive=3.0, min_negatives=0,
    ).numpy()  # fmt: skip
    for i in range(8):
        assert set(np.flatnonzero(left[i])) == set(golden[f"hem_nms_indices_{i}"])
        assert set(np.flatnonzero(hard[i])) == set(golden[f"hem_selected_indices_{i}"])
    chosen = hard.astype(bool)
    np.testing.assert_array_equal((chosen & (golden["match"] >= 0)).sum(1), golden["num_pos"])
    np.testing.assert_array_equal((chosen & (golden["match"] == -1)).sum(1), golden["num_neg"])
    for kind in ("cls", "loc"):
        mined = (hard * golden[f"{kind}_loss_per_anchor"]).sum(axis=1)
        np.testing.assert_allclose(mined, golden[f"mined_{kind}_per_image"], rtol=2e-6)
        assert mined.sum() == pytest.approx(golden[f"mined_{kind}_loss_sum"], rel=2e-6)


def test_an_image_without_objects_may_keep_some_negatives(golden: Any) -> None:
    from boxwright.models.ssd.mining import hard_examples
    from boxwright.training.step_tensorflow import suppress

    losses, decoded = golden["cls_loss_per_anchor"][7:], golden["decoded_boxes"][7:]
    hard = hard_examples(
        losses, decoded, golden["match"][7:], suppress,
        max_anchors=None, iou_threshold=0.99, negatives_per_positive=3.0, min_negatives=5,
    ).numpy()  # fmt: skip
    assert set(np.flatnonzero(hard[0])) == set(golden["hem_nms_indices_7"][:5])


# ---- Losses and gradients ----------------------------------------------------------------------


def test_mined_losses_and_their_gradients(golden: Any) -> None:
    tf = framework.tensorflow()
    encodings, logits = (
        tf.constant(golden[name]) for name in ("pred_box_encodings", "pred_class_logits")
    )
    with tf.GradientTape() as tape:
        tape.watch([encodings, logits])
        loss = loss_of(golden, MINED, encodings, logits)
    assert float(loss.boxes) == pytest.approx(golden["final_loc_loss"], rel=1e-6)
    assert float(loss.classes) == pytest.approx(golden["final_cls_loss"], rel=1e-6)
    of_boxes, of_classes = tape.gradient(loss.total, [encodings, logits])
    np.testing.assert_allclose(of_boxes, golden["grad_box_encodings"], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(of_classes, golden["grad_class_logits"], rtol=1e-5, atol=1e-7)


EVERY = replace(MINED, mining=None)
SUMS = replace(EVERY, normalize_by_num_matches=False)


@pytest.mark.parametrize(
    ("objective", "classes", "boxes"),
    [
        pytest.param(SUMS, "cls_loss_per_anchor", 1.0, id="sigmoid"),
        pytest.param(
            replace(SUMS, classification_loss=Focal()),
            "focal_loss_per_anchor_class",
            1.0,
            id="focal",
        ),
        pytest.param(
            replace(SUMS, class_weight=2.0, box_weight=3.0, normalize_by_code_size=True),
            "cls_loss_per_anchor",
            3 / 4,
            id="weights and code size",
        ),
    ],
)
def test_sums_over_all_anchors(
    golden: Any, objective: Objective, classes: str, boxes: float
) -> None:
    loss = loss_of(golden, objective)
    assert float(loss.classes) == pytest.approx(
        objective.class_weight * golden[classes].sum(), rel=2e-6
    )
    assert float(loss.boxes) == pytest.approx(boxes * golden["loc_loss_per_anchor"].sum(), rel=2e-6)
    assert float(loss.total) == pytest.approx(float(loss.classes) + float(loss.boxes))


def test_per_match_divides_by_the_weight_of_the_anchors_with_objects(golden: Any) -> None:
    matches = golden["reg_weights"].sum()
    sums, means = loss_of(golden, SUMS), loss_of(golden, EVERY)
    assert float(means.total) == pytest.approx(float(sums.total) / matches, rel=1e-6)


def test_a_background_column_of_zeros_never_wants_the_background(golden: Any) -> None:
    """`encode_background_as_zeros`: beside the ones of the classes, targets are all zero."""
    ones, zeros = (loss_of(golden, replace(SUMS, background=value)) for value in (1.0, 0.0))
    logits = golden["pred_class_logits"][..., 0][golden["match"] == -1]
    # -log(p) instead of -log(1 - p): the difference is the logit.
    assert float(zeros.classes - ones.classes) == pytest.approx(logits.sum(), rel=1e-4)


@pytest.mark.parametrize(
    ("by", "ranking"),
    [("classes", "cls"), ("boxes", "loc"), ("both", "sum")],
)
def test_what_ranks_the_anchors(golden: Any, by: Any, ranking: str) -> None:
    """With few anchors and no ratio, those with the largest such losses take part."""
    objective = replace(SUMS, mining=Mining(by, 2, 1.0), box_weight=100.0)
    parts = {"cls": golden["cls_loss_per_anchor"], "loc": golden["loc_loss_per_anchor"]}
    parts["sum"] = parts["cls"] + 100 * parts["loc"]
    worst = np.argsort(-parts[ranking], axis=1, kind="stable")[:, :2]
    expected = np.take_along_axis(parts["cls"], worst, axis=1).sum()
    assert float(loss_of(golden, objective).classes) == pytest.approx(expected, rel=1e-5)


# ---- Matching ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ignore_between", [True, False])
def test_anchors_between_two_thresholds_count_neither_way(
    golden: Any, ignore_between: bool
) -> None:
    from boxwright.models.ssd.assigner import BACKGROUND, IGNORED, assign

    classes = golden["pred_class_logits"].shape[-1] - 1
    boxes, labels, weights = truth(golden)
    plain = assign(boxes, labels, weights, golden["anchors"], classes)
    strict = assign(
        boxes, labels, weights, golden["anchors"], classes,
        positive_iou=0.6, negative_iou=0.4, ignore_between=ignore_between,
    )  # fmt: skip
    match, before = strict.match.numpy(), plain.match.numpy()
    assert (match[7] == BACKGROUND).all(), "a photo without objects is background"
    lost = (before >= 0) & (match < 0)
    assert lost.any()
    assert set(match[lost]) == {IGNORED if ignore_between else BACKGROUND}
    np.testing.assert_array_equal(
        strict.class_weights.numpy() == 0, (match == IGNORED) | (plain.class_weights.numpy() == 0)
    )


def test_without_force_a_tiny_box_has_no_anchor(golden: Any) -> None:
    free = replace(EVERY, matching=Matching(force_match=False))
    only_tiny = golden | {"num_gt": np.where(np.arange(8) == 5, golden["num_gt"], 0)}
    assert float(loss_of(only_tiny, free).boxes) == 0
    assert float(loss_of(only_tiny, EVERY).boxes) > 0


def test_the_penalty_of_kernels() -> None:
    ops = framework.keras().ops
    from boxwright.training.step import penalty

    first, second = (ops.convert_to_tensor([1.0, -3.0]), ops.convert_to_tensor([-2.0]))
    found = penalty([(first, 0.5, 0.0), (second, 0.25, 10.0)])
    assert float(found) == pytest.approx(0.25 * 10 + 0.125 * 4 + 10 * 2)

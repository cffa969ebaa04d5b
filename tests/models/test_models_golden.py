"""Target assignment and losses: equal to numbers computed by the Object Detection API itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxwright.backend.framework import keras

pytestmark = pytest.mark.shared


@pytest.fixture(params=[1, 3], ids=["1 class", "3 classes"])
def golden(request: pytest.FixtureRequest, shared: Path) -> Any:
    keras()
    return np.load(shared / f"golden/targets_losses_c{request.param}.npz")


@pytest.fixture
def anchors(shared: Path) -> Any:
    return np.load(shared / "golden/anchors.npz")["anchors"]


def padded_truth(golden: Any) -> tuple[Any, Any, Any]:
    rows = max(int(golden["num_gt"].max()), 1) + 2  # padding must never match
    boxes = np.zeros((8, rows, 4), np.float32)
    labels = np.full((8, rows), -1, np.int32)
    weights = np.zeros((8, rows), np.float32)
    for i, n in enumerate(golden["num_gt"]):
        boxes[i, :n] = golden[f"gt_boxes_{i}"]
        labels[i, :n] = golden[f"gt_classes_{i}"]
        weights[i, :n] = golden[f"gt_weights_{i}"]
    return boxes, labels, weights


def test_target_assigner(golden: Any, anchors: Any) -> None:
    from boxwright.models.ssd.assigner import assign

    classes = golden["cls_targets"].shape[-1] - 1
    targets = assign(*padded_truth(golden), anchors, classes)
    np.testing.assert_array_equal(targets.match, golden["match"])
    np.testing.assert_array_equal(targets.class_targets, golden["cls_targets"][..., 1:])
    np.testing.assert_array_equal(targets.class_weights, golden["cls_weights"][..., 0])
    np.testing.assert_array_equal(targets.box_weights, golden["reg_weights"])
    np.testing.assert_allclose(targets.box_targets, golden["reg_targets"], rtol=1e-5, atol=2e-5)


def test_losses(golden: Any) -> None:
    from boxwright.models.ssd.losses import sigmoid_cross_entropy, sigmoid_focal, smooth_l1

    logits, targets = golden["pred_class_logits"], golden["cls_targets"]
    weights = golden["cls_weights"]
    np.testing.assert_allclose(
        sigmoid_cross_entropy(logits, targets) * weights, golden["cls_loss"], rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        sigmoid_focal(logits, targets) * weights,
        golden["focal_loss_per_anchor_class"],
        rtol=1e-5,
        atol=1e-6,
    )
    located = smooth_l1(golden["pred_box_encodings"], golden["reg_targets"])
    np.testing.assert_allclose(
        located * golden["reg_weights"], golden["loc_loss_per_anchor"], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("classes", [1, 3])
def test_postprocess(shared: Path, anchors: Any, classes: int) -> None:
    """The whole way from raw outputs, as evaluation and the Keras engine go it."""
    from boxwright.ops import box_coder
    from boxwright.ops.operations import NUMPY
    from boxwright.ops.postprocess import NmsConfig, postprocess

    golden = np.load(shared / f"golden/postprocess_c{classes}.npz")
    boxes = box_coder.decode(golden["encodings"], anchors)
    found = postprocess(boxes, NUMPY.sigmoid(golden["logits"]), NmsConfig())
    for i, (boxes, scores, labels) in enumerate(found):
        count = int(golden["t1e-8_num"][i])
        np.testing.assert_allclose(boxes, golden["t1e-8_det_boxes"][i, :count], atol=1e-5)
        np.testing.assert_allclose(scores, golden["t1e-8_det_scores"][i, :count], rtol=1e-5)
        np.testing.assert_array_equal(labels, golden["t1e-8_det_classes"][i, :count])

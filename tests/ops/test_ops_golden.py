"""Anchors, coder, NMS: equal to numbers computed by the Object Detection API itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxwright.ops import box_coder
from boxwright.ops.anchors import AnchorSpec, grid_anchors, map_sides
from boxwright.ops.boxes import clip, iou
from boxwright.ops.nms import multiclass_nms

pytestmark = [pytest.mark.shared, pytest.mark.tiny]


def test_anchors(shared: Path) -> None:
    golden = np.load(shared / "golden/anchors.npz")
    spec = AnchorSpec()
    assert map_sides(300) == tuple(golden["feature_map_shapes"][:, 0])
    ours = grid_anchors(spec, 300)
    np.testing.assert_allclose(ours, golden["anchors"], atol=2e-7)
    assert spec.per_location(6) == tuple(golden["num_anchors_per_location"])


def test_box_coder(shared: Path) -> None:
    golden = np.load(shared / "golden/box_coder.npz")
    encoded = box_coder.encode(golden["boxes"], golden["ref_anchors"])
    np.testing.assert_allclose(encoded, golden["encoded"], rtol=1e-5, atol=2e-5)
    decoded = box_coder.decode(golden["codes"], golden["ref_anchors"])
    np.testing.assert_allclose(decoded, golden["decoded"], rtol=1e-5, atol=1e-6)
    roundtrip = box_coder.decode(golden["encoded"], golden["ref_anchors"])
    np.testing.assert_allclose(roundtrip, golden["roundtrip"], rtol=1e-5, atol=1e-6)
    assert tuple(golden["scale_factors"]) == box_coder.SCALES


def test_iou(shared: Path) -> None:
    golden = np.load(shared / "golden/box_coder.npz")
    anchors = np.load(shared / "golden/anchors.npz")["anchors"]
    ours = iou(golden["iou_boxes"], anchors)
    np.testing.assert_allclose(ours, golden["iou_with_ssd_anchors"], atol=1e-6)


@pytest.mark.parametrize("threshold", ["0.3", "1e-8"])
@pytest.mark.parametrize("classes", [1, 3])
def test_decoding_and_nms(shared: Path, classes: int, threshold: str) -> None:
    golden = np.load(shared / f"golden/postprocess_c{classes}.npz")
    anchors = np.load(shared / "golden/anchors.npz")["anchors"]
    for i, encodings in enumerate(golden["encodings"]):
        boxes = box_coder.decode(encodings, anchors)
        np.testing.assert_allclose(boxes, golden["boxes"][i, :, 0], rtol=1e-5, atol=1e-6)
        index, labels = multiclass_nms(
            golden["boxes"][i, :, 0], golden["scores"][i], score_threshold=float(threshold)
        )
        count = int(golden[f"t{threshold}_num"][i])
        assert len(index) == count
        np.testing.assert_array_equal(
            index, golden[f"t{threshold}_det_anchor_indices"][i, :count].astype(int)
        )
        np.testing.assert_array_equal(labels, golden[f"t{threshold}_det_classes"][i, :count])
        np.testing.assert_allclose(
            clip(golden["boxes"][i, :, 0], 1, 1)[index],
            golden[f"t{threshold}_det_boxes"][i, :count],
            atol=1e-6,
        )

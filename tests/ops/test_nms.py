"""Non-maximum suppression against the definition, written out class by class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxwright.ops.boxes import iou
from boxwright.ops.nms import multiclass_nms

pytestmark = pytest.mark.tiny


def by_definition(
    boxes: np.ndarray, scores: np.ndarray, threshold: float, per_class: int, total: int
) -> list[tuple[int, int]]:
    kept = []
    for label in range(scores.shape[1]):
        mine: list[int] = []
        for i in np.argsort(-scores[:, label], kind="stable"):
            rivals = iou(boxes[i : i + 1], boxes[mine])[0]
            if scores[i, label] > 1e-8 and not (rivals > threshold).any():
                mine.append(int(i))
        kept += [(-scores[i, label], label, rank, i) for rank, i in enumerate(mine[:per_class])]
    return [(i, label) for _, label, _, i in sorted(kept)[:total]]


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    anchors=st.integers(0, 500),
    classes=st.integers(1, 4),
    threshold=st.sampled_from([0.0, 0.3, 0.6, 1.0]),
    per_class=st.integers(1, 100),
    total=st.integers(1, 100),
    decimals=st.sampled_from([1, 2, 6]),
)
def test_equals_the_definition(
    seed: int,
    anchors: int,
    classes: int,
    threshold: float,
    per_class: int,
    total: int,
    decimals: int,  # few decimals make many equal scores
) -> None:
    random = np.random.default_rng(seed)
    centers, halves = random.uniform(size=(2, anchors, 2)) * [[[1.0]], [[0.3]]]
    boxes = np.concatenate([centers - halves, centers + halves], axis=1).astype(np.float32)
    scores = random.uniform(size=(anchors, classes)).round(decimals).astype(np.float32)
    index, labels = multiclass_nms(
        boxes, scores, iou_threshold=threshold, max_per_class=per_class, max_total=total
    )
    expected = by_definition(boxes, scores, threshold, per_class, total)
    assert list(zip(index.tolist(), labels.tolist(), strict=True)) == expected

"""Counts, and what anchors reach: as a matrix of all pairs would say it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxwright.datasets.checks.locations import overlaid
from boxwright.datasets.stats import overlap_at, stats_of
from boxwright.models.ssd.reach import REACH
from boxwright.ops.anchors import AnchorSpec, grid_anchors
from boxwright.ops.boxes import as_boxes, iou
from boxwright.structures.dataset import Dataset, LabeledImage, Split

sides = st.integers(0, 40).map(float)
corners = st.tuples(sides, sides, sides, sides).map(
    lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
)


@pytest.mark.tiny
@given(st.lists(st.tuples(corners, st.integers(0, 2)), max_size=12), st.sampled_from([0.5, 0.8]))
def test_overlaid_boxes_are_those_of_the_matrix(
    drawn: list[tuple[tuple[float, ...], int]], least: float
) -> None:
    boxes = as_boxes([box for box, _ in drawn])
    groups = np.array([group for _, group in drawn], np.int64)
    overlap = np.tril(iou(boxes, boxes) * (groups[:, None] == groups), -1)
    rows, earlier, shares = overlaid(boxes, groups, least)
    assert rows.tolist() == np.flatnonzero(overlap.max(axis=1, initial=0) >= least).tolist()
    np.testing.assert_allclose(shares, overlap[rows, earlier], rtol=1e-5)
    np.testing.assert_allclose(shares, overlap[rows].max(axis=1, initial=0), rtol=1e-5)


@pytest.mark.tiny
@pytest.mark.parametrize("input_size", [192, 224, 300, 448])
def test_the_best_anchor_is_that_of_the_matrix(input_size: int) -> None:
    rng = np.random.default_rng(input_size)
    near = rng.uniform(0, 90, (60, 2))
    boxes = np.hstack([near, near + rng.uniform(1, 120, (60, 2))]).clip(0, (100, 200) * 2)
    dataset = Dataset.of("zoo", [LabeledImage("a.jpg", 100, 200, boxes, ["cat"] * 60)])
    anchors = grid_anchors(AnchorSpec(scale_factor=300 / input_size), input_size)
    truth = as_boxes(boxes[:, [1, 0, 3, 2]] / np.array([200, 100, 200, 100]))
    np.testing.assert_allclose(
        overlap_at(dataset, input_size, REACH), iou(truth, anchors).max(axis=1), rtol=1e-4
    )


@pytest.mark.tiny
def test_what_is_counted() -> None:
    images = [
        LabeledImage(
            "a.jpg", 300, 300, [(0, 0, 5, 5), (0, 0, 100, 100)], ["cat", "dog"], split=Split.TEST
        ),
        LabeledImage("b.jpg", 600, 400, [(0, 0, 200, 100)], ["cat"], split=Split.TRAIN),
        LabeledImage("c.jpg", 90, 80, split=Split.TRAIN),
    ]
    stats = stats_of(Dataset.of("zoo", images), 300)
    assert (stats.images, stats.empty_images, stats.boxes) == (3, 1, 3)
    assert stats.splits == {"train": 2, "test": 1}
    assert [(one.name, one.boxes, one.images, one.splits) for one in stats.classes] == [
        ("cat", 2, 2, {"train": 1, "test": 1}),
        ("dog", 1, 1, {"train": 0, "test": 1}),
    ]
    assert stats.balance == 2
    assert stats.image_sides == (80, 300, 400)
    assert stats.box_sides == pytest.approx((5, 86.6, 100))
    assert stats.too_small == pytest.approx(1 / 3)


@pytest.mark.tiny
def test_nothing_can_be_counted() -> None:
    stats = stats_of(Dataset.of("zoo", []), 300, np.zeros(0, np.float32))
    assert (stats.images, stats.boxes, stats.too_small, stats.reached) == (0, 0, 0, 0)
    assert stats.balance == 1

"""Boxes: overlaps, clipping, conversions, orientation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from boxwright.ops import boxes as geometry
from boxwright.ops.boxes import Boxes, as_boxes

pytestmark = pytest.mark.tiny

some_boxes = arrays(
    np.float32, st.tuples(st.integers(1, 5), st.just(4)), elements=st.integers(-50, 150)
)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (2, 2, 4, 4), 0.04),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((5, 5, 5, 5), (5, 5, 5, 5), 0.0),
        ((10, 10, 0, 0), (0, 0, 10, 10), 0.0),
    ],
    ids=["same", "half", "inside", "touching", "points", "inverted"],
)
def test_intersection_over_union(
    first: tuple[float, ...], second: tuple[float, ...], expected: float
) -> None:
    assert geometry.iou(as_boxes([first]), as_boxes([second])) == pytest.approx(expected)


def test_overlaps_are_of_every_pair() -> None:
    assert geometry.iou(as_boxes([(0, 0, 1, 1)] * 2), as_boxes([(0, 0, 1, 1)] * 3)).shape == (2, 3)
    assert geometry.iou(as_boxes(()), as_boxes([(0, 0, 1, 1)])).shape == (0, 1)


@given(some_boxes)
def test_clipped_boxes_lie_in_the_image_and_stay_there(boxes: Boxes) -> None:
    clipped = geometry.clip(boxes, 100, 60)
    assert (clipped >= 0).all()
    assert (clipped <= [100, 60, 100, 60]).all()
    np.testing.assert_array_equal(geometry.clip(clipped, 100, 60), clipped)


@given(some_boxes)
def test_normalized_boxes_are_yxyx_and_come_back(boxes: Boxes) -> None:
    normalized = geometry.normalized_yxyx(boxes, 640, 480)
    assert normalized.dtype == np.float32
    np.testing.assert_allclose(normalized[:, 0] * 480, boxes[:, 1], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(
        geometry.pixel_xyxy(normalized, 640, 480), boxes, rtol=1e-5, atol=1e-4
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@given(boxes=some_boxes)
def test_oriented_boxes_keep_their_area(orientation: int, boxes: Boxes) -> None:
    boxes = np.sort(boxes.reshape(-1, 2, 2), axis=1).reshape(-1, 4)
    turned = geometry.orient(boxes, orientation, 100, 60)
    np.testing.assert_allclose(geometry.areas(turned), geometry.areas(boxes))


@pytest.mark.parametrize("boxes", [(), [], np.zeros((0, 4))])
def test_no_boxes_are_an_array_too(boxes: object) -> None:
    assert as_boxes(boxes).shape == (0, 4)  # type: ignore[arg-type]
    assert geometry.orient(as_boxes(()), 6, 10, 20).shape == (0, 4)

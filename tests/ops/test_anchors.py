"""Anchors of every kind: as the Object Detection API's formulas give them, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from boxwright.ops.anchors import AnchorSpec, PyramidAnchorSpec, anchors_from_json, grid_anchors

pytestmark = pytest.mark.tiny

TWO = AnchorSpec(scales=(0.2, 0.5), aspect_ratios=(1.0, 4.0), fewer_on_finest=False)


def center_and_size(box: np.ndarray) -> list[float]:
    near, far = box[:2], box[2:]
    return [*((near + far) / 2).tolist(), *(far - near).tolist()]


def test_scales_of_their_own_and_all_shapes_on_the_finest_map() -> None:
    anchors = grid_anchors(TWO, 32, 2)  # maps of 2 x 2 and 1 x 1 cells, 3 anchors on each
    assert anchors.shape == (15, 4)
    assert TWO.per_location(2) == (3, 3)
    between = np.sqrt(0.2 * 0.5)
    for index, expected in {
        0: [0.25, 0.25, 0.2, 0.2],
        1: [0.25, 0.25, 0.1, 0.4],  # four times as wide as high
        2: [0.25, 0.25, between, between],
        3: [0.25, 0.75, 0.2, 0.2],  # columns before rows
        12: [0.5, 0.5, 0.5, 0.5],
        14: [0.5, 0.5, np.sqrt(0.5), np.sqrt(0.5)],  # the one after the last is 1
    }.items():
        assert center_and_size(anchors[index]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "index", "expected"),
    [
        ({"between": 0.0}, 2, [0.25, 0.75, 0.2, 0.2]),
        ({"between": 4.0}, 2, [0.25, 0.25, np.sqrt(0.1) / 2, np.sqrt(0.1) * 2]),
        ({"fewer_on_finest": True}, 0, [0.25, 0.25, 0.1, 0.1]),
        ({"base": (0.5, 2.0)}, 0, [0.25, 0.25, 0.1, 0.4]),
        ({"scale_factor": 0.5}, 0, [0.25, 0.25, 0.1, 0.1]),
        ({"strides": ((8, 4), (32, 32))}, 9, [0.125 + 0.25, 0.0625 + 0.125, 0.2, 0.2]),
        ({"offsets": ((16, 0), (8, 8))}, 3, [0.5, 0.5, 0.2, 0.2]),
        ({"offsets": ((16, 0), (8, 8))}, 12, [0.25, 0.25, 0.5, 0.5]),
    ],
)
def test_each_field(changes: dict[str, Any], index: int, expected: list[float]) -> None:
    spec = AnchorSpec(**{**TWO.__dict__, **changes})
    assert center_and_size(grid_anchors(spec, 32, 2)[index]) == pytest.approx(expected, abs=1e-6)


def test_a_pyramid() -> None:
    """Sizes are multiples of the strides of 16 and 32 px; all scales of a shape come together."""
    spec = PyramidAnchorSpec(3.0, (1.0, 4.0), scales_per_octave=2)
    assert spec.per_location(2) == (4, 4)
    anchors = grid_anchors(spec, 64, 2)
    assert anchors.shape == ((16 + 4) * 4, 4)
    root = np.sqrt(2)
    for index, pixels in {
        0: [8, 8, 48, 48],
        1: [8, 8, 48 * root, 48 * root],
        2: [8, 8, 24, 96],
        3: [8, 8, 24 * root, 96 * root],
        4: [8, 24, 48, 48],
        64: [16, 16, 96, 96],
    }.items():
        assert center_and_size(anchors[index] * 64) == pytest.approx(pixels, abs=1e-4)


def test_a_pyramid_stands_on_corners_where_the_stride_does_not_divide_the_input() -> None:
    anchors = grid_anchors(PyramidAnchorSpec(3.0, (1.0,), 1), 48, 2)  # 48 = 3 * 16 = 1.5 * 32
    assert center_and_size(anchors[0] * 48) == pytest.approx([8, 8, 48, 48], abs=1e-4)
    assert center_and_size(anchors[9] * 48) == pytest.approx([0, 0, 96, 96], abs=1e-4)


def test_another_input_leaves_sizes_in_pixels() -> None:
    for spec in (AnchorSpec(), PyramidAnchorSpec()):
        sizes = [
            grid_anchors(each, side)[-1, 2:] - grid_anchors(each, side)[-1, :2]
            for each, side in ((spec, 300), (spec.resized(300 / 224), 224))
        ]
        np.testing.assert_allclose(sizes[0] * 300, sizes[1] * 224, rtol=1e-5)


def test_what_a_run_holds_is_read_again() -> None:
    held = {"min_scale": 0.2, "max_scale": 0.9, "aspect_ratios": [1.0], "scale_factor": 2.0}
    assert anchors_from_json(held) == AnchorSpec(0.2, 0.9, (1.0,), 2.0)

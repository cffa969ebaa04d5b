"""Drawn scenes: repeatable, with a tight box around every hard hat and enough of it to see."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from boxwright.demo.scenes import drawing
from boxwright.demo.scenes.people import hard_hat
from boxwright.demo.scenes.quadrics import Light, ellipsoid, moved, to_pixels
from boxwright.ops.boxes import iou

pytestmark = pytest.mark.tiny

LIGHT = Light(np.array([0, -0.6, 0.8], np.float32), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@cache
def thirty_scenes() -> list[tuple[Any, Any]]:
    return [drawing.draw_scene(np.random.default_rng(i), 320, 240) for i in range(20, 50)]


def test_a_seed_gives_the_same_pixels_and_boxes() -> None:
    first, again, other = (
        drawing.draw_scene(np.random.default_rng(seed), 120, 90) for seed in (3, 3, 4)
    )
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize(("width", "height"), [(320, 240), (240, 320), (300, 300)])
def test_an_image_has_the_size_asked_for(width: int, height: int) -> None:
    image, boxes = drawing.draw_scene(np.random.default_rng(0), width, height)
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    assert boxes.shape[1] == 4


def test_boxes_lie_in_their_image_and_none_is_too_small_to_recognize() -> None:
    boxes = np.concatenate([boxes for _, boxes in thirty_scenes()])
    sides = boxes[:, 2:] - boxes[:, :2]
    assert (boxes >= 0).all()
    assert (boxes <= np.array([320, 240, 320, 240])).all()
    assert sides.max(1).min() >= 0.08 * 240


def test_scenes_have_none_one_and_many_hard_hats() -> None:
    counts = {min(len(boxes), 2) for _, boxes in thirty_scenes()}
    assert counts == {0, 1, 2}


def test_scenes_are_not_alike() -> None:
    small = [image[::40, ::40].astype(int) for image, _ in thirty_scenes()]
    apart = [np.abs(a - b).mean() for i, a in enumerate(small) for b in small[:i]]
    assert min(apart) > 10


def test_a_box_is_tight_around_what_is_visible_of_a_hard_hat() -> None:
    canvas = gray_canvas()
    assert canvas.lay(hat_at(60, 60))
    assert canvas.lay(block_at(85, 60, 0.4))  # in front of its right edge
    (box,) = canvas.boxes()
    rows, columns = np.nonzero(canvas.owner == 0)
    assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    alone = gray_canvas()
    alone.lay(hat_at(60, 60))
    changed_rows, changed_columns = np.nonzero((alone.colors != 128).any(2))
    assert alone.boxes().tolist() == [
        [
            changed_columns.min(),
            changed_rows.min(),
            changed_columns.max() + 1,
            changed_rows.max() + 1,
        ]
    ]
    assert box[2] < alone.boxes()[0][2]


def test_nothing_hides_most_of_a_hard_hat() -> None:
    canvas = gray_canvas()
    canvas.lay(hat_at(60, 60))
    before = canvas.colors.copy()
    assert not canvas.lay(block_at(60, 50, 1.2))
    assert np.array_equal(canvas.colors, before)
    assert canvas.lay(block_at(60, 110, 0.5))


def test_hiding_adds_up() -> None:
    canvas = gray_canvas()
    canvas.lay(hat_at(60, 60))
    accepted = [canvas.lay(block_at(x, y, 0.5)) for y in (40, 50, 60) for x in range(36, 90, 12)]
    assert any(accepted)
    assert not all(accepted)
    visible = (canvas.owner == 0).sum()
    assert visible >= drawing.MIN_VISIBLE * canvas.full[0]


def test_two_hard_hats_have_two_boxes() -> None:
    canvas = gray_canvas()
    canvas.lay(hat_at(30, 60))
    canvas.lay(hat_at(85, 60))
    first, second = canvas.boxes()
    assert iou(first[None], second[None])[0, 0] < 0.3
    assert first[0] < second[0]


def gray_canvas() -> drawing._Canvas:
    return drawing._Canvas(np.full((120, 120, 3), 128, np.uint8), LIGHT)


def hat_at(x: float, y: float) -> drawing._Thing:
    return drawing._Thing(moved(hard_hat(np.random.default_rng(1)), to_pixels(x, y, 25)), 1.0)


def block_at(x: float, y: float, radius: float) -> drawing._Thing:
    ball = ellipsoid((0, 0, 0), (radius, radius, radius), (0.2, 0.2, 0.2))
    return drawing._Thing(moved([ball], to_pixels(x, y, 25)), 2.0)

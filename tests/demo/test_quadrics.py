"""The demo's renderer: exact silhouettes, the nearer part in front, an inside for hollow things."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from boxwright.demo.scenes.quadrics import (
    Light,
    Part,
    Picture,
    ellipsoid,
    frustum,
    moved,
    render,
    shift,
    to_pixels,
    turn,
)

pytestmark = pytest.mark.tiny

FROM_ABOVE = Light(np.array([0, -1, 0], np.float32), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
RED, BLUE, GREEN = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)
FAR = 9.0


def drawn(*parts: Part, pose: np.ndarray | None = None, scale: float = 30.0) -> Picture:
    matrix = to_pixels(50, 50, scale) @ (np.eye(4) if pose is None else pose)
    return render(moved(parts, matrix), FROM_ABOVE, 100, 100)


def color_at(picture: Picture, x: int, y: int) -> str | None:
    """Which of red, green, blue is strongest at a pixel of the canvas; None where nothing is."""
    row, column = y - picture.top, x - picture.left
    if not picture.mask[row, column]:
        return None
    return ("red", "green", "blue")[int(picture.colors[row, column].argmax())]


def extent(picture: Picture) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(picture.mask)
    left, top = picture.left, picture.top
    return (
        left + int(columns.min()),
        top + int(rows.min()),
        left + int(columns.max()) + 1,
        top + int(rows.max()) + 1,
    )


@pytest.mark.parametrize(
    ("part", "pose", "expected"),
    [
        (ellipsoid((0, 0, 0), (1, 1, 1), RED), np.eye(4), (20, 20, 80, 80)),
        (ellipsoid((0, 0, 0), (1, 0.5, 1), RED), np.eye(4), (20, 35, 80, 65)),
        (ellipsoid((0, 0, 0), (1, 0.5, 1), RED), turn(roll=np.pi / 2), (35, 20, 65, 80)),
        (ellipsoid((0, 0, 0), (1, 0.5, 0.2), RED), turn(yaw=np.pi / 2), (44, 35, 56, 65)),
        (ellipsoid((0, 0, 0), (1, 1, 0.5), RED), turn(pitch=np.pi / 2), (20, 35, 80, 65)),
        (ellipsoid((0.5, 0.5, 0), (0.5, 0.5, 0.5), RED), np.eye(4), (50, 20, 80, 50)),
        (ellipsoid((0, 0, 0), (1, 1, 1), RED, above=(-FAR, 0, -FAR)), np.eye(4), (20, 20, 80, 50)),
        (frustum(-1, 1, 1, 0.5, RED), np.eye(4), (20, 20, 80, 80)),
        (frustum(-1, 1, 0.5, 0.5, RED), np.eye(4), (35, 20, 65, 80)),
        (ellipsoid((0, 0, 0), (1, 1, 1), RED), shift(x=1), (50, 20, 100, 80)),
    ],
)
def test_a_silhouette_is_where_geometry_puts_it(
    part: Part, pose: np.ndarray, expected: tuple[int, int, int, int]
) -> None:
    assert np.abs(np.subtract(extent(drawn(part, pose=pose)), expected)).max() <= 1


def test_a_sphere_covers_the_area_of_a_circle() -> None:
    assert drawn(ellipsoid((0, 0, 0), (1, 1, 1), RED)).mask.sum() == pytest.approx(
        np.pi * 30**2, rel=0.01
    )


@pytest.mark.parametrize("order", [1, -1])
def test_the_nearer_part_is_in_front_whatever_the_order(order: int) -> None:
    near = ellipsoid((0, 0, 1.5), (0.5, 0.5, 0.5), BLUE)
    far = ellipsoid((0, 0, 0), (1, 1, 1), RED)
    picture = drawn(*[near, far][::order])
    assert color_at(picture, 50, 50) == "blue"
    assert color_at(picture, 50, 25) == "red"


def test_light_from_above_makes_the_top_brighter() -> None:
    picture = drawn(ellipsoid((0, 0, 0), (1, 1, 1), RED, gloss=0))
    assert picture.colors[5, 30, 0] > picture.colors[55, 30, 0] + 50


@pytest.mark.parametrize(("hollow", "inside"), [(True, "green"), (False, None)])
def test_only_hollow_parts_show_their_inside(hollow: bool, inside: str | None) -> None:
    cut_open = ellipsoid((0, 0, 0), (1, 1, 1), GREEN, hollow=hollow, below=(FAR, FAR, 0))
    picture = drawn(cut_open)  # its front half is cut away
    assert color_at(picture, 50, 50) == inside


def test_the_inside_is_darker_than_the_outside() -> None:
    sphere = ellipsoid((0, 0, 0), (1, 1, 1), GREEN, gloss=0)
    bowl = ellipsoid((0, 0, 0), (1, 1, 1), GREEN, gloss=0, hollow=True, below=(FAR, FAR, 0))
    assert drawn(bowl).colors[30, 30, 1] < drawn(sphere).colors[30, 30, 1]


def test_a_stripe_holds_between_its_limits() -> None:
    picture = drawn(ellipsoid((0, 0, 0), (1, 1, 1), RED).striped(1, -0.2, 0.2, BLUE))
    assert [color_at(picture, 50, y) for y in (35, 50, 65)] == ["red", "blue", "red"]


def test_a_stripe_turns_with_its_part() -> None:
    striped = ellipsoid((0, 0, 0), (1, 1, 1), RED).striped(1, -0.2, 0.2, BLUE)
    picture = drawn(striped, pose=turn(roll=np.pi / 2))
    assert [color_at(picture, x, 50) for x in (35, 50, 65)] == ["red", "blue", "red"]


def test_only_marked_parts_are_target() -> None:
    hat = replace(ellipsoid((0, 0.5, 0), (0.4, 0.4, 0.4), RED), target=True)
    picture = drawn(hat, ellipsoid((0, -0.5, 0), (0.4, 0.4, 0.4), BLUE))
    is_red = picture.colors.argmax(2) == 0
    assert picture.target.any()
    assert np.array_equal(picture.target, picture.mask & is_red)


def test_what_lies_outside_the_canvas_is_left_out() -> None:
    picture = drawn(ellipsoid((0, 0, 0), (1, 1, 1), RED), pose=shift(x=5))
    assert not picture.mask.any()

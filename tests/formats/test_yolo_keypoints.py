"""YOLO's label lines that are all as long: shapes of as many corners, or boxes and keypoints."""

from __future__ import annotations

import numpy as np
import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.structures.dataset import Dataset
from folders import VocFolder, codes, lay

pytestmark = pytest.mark.tiny

WIDTH, HEIGHT = 64, 48
Lines = list[list[float]]


def labeled(folder: VocFolder, lines: Lines, description: str = "") -> Dataset:
    text = "".join(f"0 {' '.join(f'{value:.6f}' for value in line)}\n" for line in lines)
    files = {"a.jpg": "", "a.txt": text, "classes.txt": "cat"}
    if description:
        files["data.yaml"] = f"names: [cat]\n{description}\n"
    return formats.read(lay(folder, files))


def polygon(
    corners: int, place: tuple[float, float], radius: float, turn: float = 0.3
) -> list[float]:
    angles = np.linspace(turn, 2 * np.pi + turn, corners, endpoint=False)
    ring = np.array(place) + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return ring.ravel().tolist()


def polygons(corners: int, count: int = 40) -> Lines:
    """Small and large ones, anywhere in the image."""
    random = np.random.default_rng(corners)
    found = []
    for _ in range(count):
        radius = random.uniform(0.03, 0.3)
        x, y = random.uniform(radius, 1 - radius, 2)
        found.append(polygon(corners, (x, y), radius, random.uniform(0, 6)))
    return found


def posed(keypoints: int, numbers: int, count: int = 20) -> Lines:
    """Boxes, and keypoints in them of two or three numbers: x, y and a visibility."""
    random = np.random.default_rng(keypoints)
    found = []
    for _ in range(count):
        half = random.uniform(0.05, 0.3, 2)
        center = random.uniform(half, 1 - half)
        points = np.full((keypoints, 3), 2.0)
        points[:, :2] = center + random.uniform(-1, 1, (keypoints, 2)) * half
        found.append([*center, *(2 * half), *points[:, :numbers].ravel()])
    return found


def around(lines: Lines) -> list[list[float]]:
    """The boxes around shapes, in pixels."""
    corners = np.reshape(lines, (len(lines), -1, 2))
    sides = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return (sides * [WIDTH, HEIGHT, WIDTH, HEIGHT]).tolist()


def begun(lines: Lines) -> list[list[float]]:
    """The boxes that lines begin with, in pixels."""
    boxes = np.array([line[:4] for line in lines])
    sides = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)
    return (sides * [WIDTH, HEIGHT, WIDTH, HEIGHT]).tolist()


@pytest.mark.parametrize("corners", [3, 4, 5, 6, 7, 8, 10, 11, 13, 19])
def test_shapes_of_as_many_corners_are_shapes(voc_folder: VocFolder, corners: int) -> None:
    lines = polygons(corners)
    dataset = labeled(voc_folder, lines)
    np.testing.assert_allclose(dataset.boxes, around(lines), atol=1e-2)
    assert codes(dataset) == ["BW143"]


@pytest.mark.parametrize("corners", [5, 7, 8, 10])
@pytest.mark.parametrize("place", [(0.8, 0.3), (0.3, 0.8), (0.8, 0.8), (0.75, 0.5), (0.5, 0.75)])
@pytest.mark.parametrize("radius", [0.02, 0.1, 0.2])
def test_shapes_of_one_place_whose_box_would_leave_the_image(
    voc_folder: VocFolder, corners: int, place: tuple[float, float], radius: float
) -> None:
    """As of a parking lot that a fixed camera sees."""
    lines = [polygon(corners, place, radius)] * 3
    dataset = labeled(voc_folder, lines)
    np.testing.assert_allclose(dataset.boxes, around(lines), atol=1e-2)
    assert codes(dataset) == ["BW143"]


@pytest.mark.parametrize("keypoints", [1, 2, 3, 5, 17])
def test_keypoints_with_visibilities_follow_boxes(voc_folder: VocFolder, keypoints: int) -> None:
    lines = posed(keypoints, 3)
    dataset = labeled(voc_folder, lines)
    np.testing.assert_allclose(dataset.boxes, begun(lines), atol=1e-2)
    assert codes(dataset) == []


@pytest.mark.parametrize("keypoints", [3, 4, 5, 17])
def test_keypoints_of_two_numbers_follow_boxes(voc_folder: VocFolder, keypoints: int) -> None:
    lines = posed(keypoints, 2)
    dataset = labeled(voc_folder, lines)
    np.testing.assert_allclose(dataset.boxes, begun(lines), atol=1e-2)
    assert codes(dataset) == []


UNCLEAR = [0.5, 0.5, 0.25, 0.5, 0.45, 0.4, 0.91, 0.62, 0.7, 0.99]  # a pentagon, or two keypoints


def test_what_may_be_either_is_refused(voc_folder: VocFolder) -> None:
    with pytest.raises(DataError, match=r"kpt_shape into data\.yaml, and for shapes task: segment"):
        labeled(voc_folder, [UNCLEAR])


@pytest.mark.parametrize(
    ("description", "boxes", "found"),
    [
        ("kpt_shape: [2, 3]", begun([UNCLEAR]), []),
        ("task: pose", begun([UNCLEAR]), []),
        ("task: segment\nkpt_shape: [2, 3]", begun([UNCLEAR]), []),
        ("task: segment", around([UNCLEAR]), ["BW143"]),
        ("task: obb", around([UNCLEAR]), ["BW143"]),
    ],
)
def test_the_description_decides(
    voc_folder: VocFolder, description: str, boxes: list[list[float]], found: list[str]
) -> None:
    dataset = labeled(voc_folder, [UNCLEAR], description)
    np.testing.assert_allclose(dataset.boxes, boxes, atol=1e-2)
    assert codes(dataset) == found


@pytest.mark.parametrize("keypoints", [1, 2, 17])
@pytest.mark.parametrize("numbers", [2, 3])
def test_the_description_knows_keypoints(
    voc_folder: VocFolder, keypoints: int, numbers: int
) -> None:
    lines = posed(keypoints, numbers)
    dataset = labeled(voc_folder, lines, f"kpt_shape: [{keypoints}, {numbers}]")
    np.testing.assert_allclose(dataset.boxes, begun(lines), atol=1e-2)
    assert codes(dataset) == []

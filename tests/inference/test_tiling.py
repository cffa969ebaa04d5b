"""Tiles: where they are, and each object once however it is cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxwright.datasets.evaluation_set import ALL
from boxwright.evaluation.measuring import measure
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.tiling import Tiling, sizes_of
from boxwright.ops.boxes import iou
from boxwright.ops.merging import merge
from boxwright.ops.postprocess import RawDetections
from boxwright.structures.dataset import Dataset, LabeledImage

pytestmark = pytest.mark.tiny

SIDE = 64


class Blobs:
    """An engine that finds white rectangles of at least 3 x 3 pixels."""

    def __call__(self, inputs: np.ndarray) -> list[RawDetections]:
        return [self._found(pixels[..., 0] > 128) for pixels in inputs]

    def _found(self, white: np.ndarray) -> RawDetections:
        """Parts of `white` that hang together."""
        boxes, left = [], set(zip(*np.nonzero(white), strict=True))
        while left:
            waiting, part = [left.pop()], []
            while waiting:
                part.append(waiting.pop())
                row, column = part[-1]
                beside = {
                    (row + 1, column),
                    (row - 1, column),
                    (row, column + 1),
                    (row, column - 1),
                }
                waiting += beside & left
                left -= beside
            box = np.concatenate([np.min(part, axis=0), np.max(part, axis=0) + 1])
            if (box[2:] - box[:2] >= 3).all():
                boxes.append(box / SIDE)
        found = np.array(boxes, np.float32).reshape(-1, 4)
        return found, np.full(len(boxes), 0.9, np.float32), np.zeros(len(boxes), np.int64)


def drawn(size: tuple[int, int], boxes: list[list[int]]) -> Image.Image:
    """White rectangles on black."""
    pixels = np.zeros((size[1], size[0]), np.uint8)
    for left, top, right, bottom in boxes:
        pixels[top:bottom, left:right] = 255
    return Image.fromarray(pixels).convert("RGB")


@pytest.fixture
def detector() -> Detector:
    return Detector(Blobs(), Artifact({}, ("blob",), Preprocessing(SIDE)))


@pytest.mark.parametrize(
    ("tiling", "size", "expected"),
    [
        (Tiling(64, 64), (64, 64), []),
        (Tiling(64, 64), (30, 20), []),
        (Tiling(64, 64), (115, 64), [(0, 0, 64, 64), (51, 0, 115, 64)]),
        (Tiling(64, 64), (64, 65), [(0, 0, 64, 64), (0, 1, 64, 65)]),
        (
            Tiling(40, 100, 0.0),
            (200, 80),
            [(x, y, x + 100, y + 40) for y in (0, 40) for x in (0, 100)],
        ),
        (Tiling(100, 50), (80, 60), [(0, 0, 50, 60), (30, 0, 80, 60)]),
    ],
)
def test_tiles_cover_an_image_and_overlap(
    tiling: Tiling, size: tuple[int, int], expected: list[tuple[int, int, int, int]]
) -> None:
    assert tiling.regions(*size) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("640", Tiling(640, 640)), ("480x640", Tiling(480, 640))]
)
def test_sides_of_tiles_are_parsed(text: str, expected: Tiling) -> None:
    assert Tiling.parse(text) == expected


@pytest.mark.parametrize("text", ["0", "480x0", "x", "-3", "1x2x3", "4.5"])
def test_what_is_no_tile_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither a side in pixels nor HxW"):
        Tiling.parse(text)


def grid(count: int, side: int, gap: int) -> list[list[int]]:
    step = side + gap
    return [
        [x, y, x + side, y + side]
        for y in range(8, 8 + count * step, step)
        for x in range(8, 8 + count * step, step)
    ]


def matched(found: np.ndarray, boxes: list[list[int]]) -> int:
    return int((iou(np.array(boxes, np.float32), found).max(axis=1, initial=0) > 0.5).sum())


def test_small_objects_are_found_only_in_tiles(detector: Detector) -> None:
    boxes = grid(3, 8, 90)
    image = drawn((320, 320), boxes)
    assert matched(detector.predict(image).boxes, boxes) == 0
    tiled = replace(detector, tiling=Tiling(64, 64))
    found = tiled.predict(image)
    assert matched(found.boxes, boxes) == len(found) == 9
    assert found.image_size == (320, 320)


@pytest.mark.parametrize("at", range(30, 70, 4))
def test_an_object_on_an_edge_is_found_once(at: int, detector: Detector) -> None:
    boxes = [[at, at, at + 9, at + 9]]
    found = replace(detector, tiling=Tiling(64, 64)).predict(drawn((115, 115), boxes))
    assert matched(found.boxes, boxes) == len(found) == 1


def test_an_object_larger_than_a_tile_is_found_in_the_whole_image(detector: Detector) -> None:
    boxes = [[20, 20, 180, 190]]
    found = replace(detector, tiling=Tiling(64, 64)).predict(drawn((200, 200), boxes))
    assert matched(found.boxes, boxes) == len(found) == 1


def test_neighbors_in_dense_rows_survive(detector: Detector) -> None:
    boxes = grid(12, 12, 4)
    found = replace(detector, tiling=Tiling(64, 64)).predict(drawn((210, 210), boxes))
    assert matched(found.boxes, boxes) >= 0.95 * len(boxes)


def test_an_image_that_fits_into_a_tile_is_as_without(detector: Detector) -> None:
    image = drawn((120, 100), [[10, 10, 60, 60], [70, 20, 110, 90]])
    before, after = (
        detector.predict(image),
        replace(detector, tiling=Tiling(200, 200)).predict(image),
    )
    assert before.to_json() == after.to_json()
    assert np.array_equal(before.boxes, after.boxes)


def test_evaluation_knows_tiles(detector: Detector, tmp_path: Path) -> None:
    boxes = grid(3, 8, 90)
    drawn((320, 320), boxes).save(tmp_path / "a.png")
    data = Dataset.of(tmp_path, [LabeledImage("a.png", 320, 320, boxes, ["blob"] * 9)])
    ap = [
        measure(replace(detector, tiling=tiling), data, ALL).ap50
        for tiling in (None, Tiling(64, 64))
    ]
    assert ap == [0.0, pytest.approx(1.0)]


def test_a_cut_box_yields_to_a_whole_one_of_its_class() -> None:
    boxes = np.array([[0, 0, 20, 20], [0, 0, 8, 20], [0, 0, 8, 20], [30, 0, 38, 20]], np.float32)
    scores = np.array([0.5, 0.9, 0.9, 0.6], np.float32)
    labels = np.array([0, 0, 1, 0], np.int32)
    cut = np.array([False, True, True, True])
    assert merge(boxes, scores, labels, cut).tolist() == [2, 3, 0]


def test_nothing_can_be_merged() -> None:
    nothing = np.zeros(0)
    empty = np.zeros((0, 4), np.float32)
    kept = merge(empty, nothing.astype(np.float32), nothing.astype(np.int32), nothing.astype(bool))
    assert kept.tolist() == []


SIZES = {"images": [400.0, 300.0], "boxes": [12.0, 24.0, 60.0]}


def knowing(sizes: object, side: int = 320) -> Artifact:
    return Artifact({}, ("blob",), Preprocessing(side), provenance={"sizes": sizes})


def test_auto_takes_the_size_of_the_trainings_images() -> None:
    tiling = Tiling.auto(knowing(SIZES), 0.3)
    assert tiling
    assert (tiling.height, tiling.width, tiling.overlap) == (300, 400, 0.3)
    assert tiling.regions(400, 300) == []
    assert tiling.regions(800, 600) == [], "up to twice as large nothing is cut"
    assert tiling.regions(600, 800) == [], "turned neither"
    assert tiling.regions(620, 820)
    assert len(tiling.regions(1600, 1200)) == 6 * 6


def test_auto_cuts_nothing_while_the_network_sees_the_smallest_objects() -> None:
    """Objects of 120 pixels have 8 at an input of 320 in an image of 4800 pixels."""
    large = {**SIZES, "boxes": [120.0, 240.0, 300.0]}
    tiling = Tiling.auto(knowing(large))
    assert tiling
    assert tiling.regions(4700, 3500) == []
    assert tiling.regions(6500, 4900)


@pytest.mark.parametrize(
    "sizes",
    [None, {}, {"images": [400.0]}, {**SIZES, "images": [0.0, 0.0]}, {**SIZES, "boxes": "large"}],
)
def test_auto_knows_no_tiles_without_sizes(sizes: object) -> None:
    assert Tiling.auto(knowing(sizes)) is None


def test_the_sizes_of_a_training_are_those_of_its_images_and_boxes(tmp_path: Path) -> None:
    boxes = [[0, 0, side, side] for side in range(10, 21)]
    images = [LabeledImage(f"{i}.png", 100 + i, 50, [box], ["blob"]) for i, box in enumerate(boxes)]
    sizes = sizes_of(Dataset.of(tmp_path, images))
    assert sizes == {"images": [105.0, 50.0], "boxes": [11.0, 15.0, 19.0]}
    assert sizes_of(Dataset.of(tmp_path, [])) == {}
    assert Tiling.auto(knowing(sizes))

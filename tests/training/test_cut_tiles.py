"""Training images in tiles: every object where it is, by the rule of random crops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import boxwright
from boxwright.images.decoding import read_image
from boxwright.inference.detector import Detector
from boxwright.inference.tiling import SIZES, Tiling
from boxwright.structures.dataset import CROWD, Dataset, LabeledImage, Split
from boxwright.training.candidates import small_objects
from boxwright.training.data import prepare
from boxwright.training.explanation import explained
from boxwright.training.recipe import Recipe, recipe_for
from boxwright.training.tiles import cut
from eagerly import op_by_op

pytestmark = pytest.mark.tiny

SQUARES = Tiling(100, 100)  # they begin at 0, 50 and 100 in 200 x 100 pixels
INPUT = 96


def images(*boxes: Any, size: tuple[int, int] = (200, 100), **about: Any) -> Dataset:
    return Dataset.of(".", [LabeledImage("a.png", *size, boxes, ["cat"] * len(boxes), **about)])


def in_tile(tiles: Dataset, left: int, top: int = 0) -> int:
    """The tile that begins there."""
    assert tiles.regions is not None
    starts = tiles.regions[1:, :2].tolist()  # after the whole image
    return starts.index([left, top]) + 1


def test_a_box_is_in_every_tile_that_shows_it() -> None:
    tiles = cut(images((60, 10, 90, 40)), SQUARES, INPUT)
    first, second = in_tile(tiles, 0), in_tile(tiles, 50)
    assert tiles.boxes[tiles.rows(first)].tolist() == [[60, 10, 90, 40]]
    assert tiles.boxes[tiles.rows(second)].tolist() == [[10, 10, 40, 40]]
    assert tiles.sizes[1:].tolist() == [[100, 100]] * (len(tiles) - 1)


@pytest.mark.parametrize(
    ("visible", "becomes"),
    [
        *((1.0, "a box"), (0.5, "a box"), (0.4, "a box"), (0.3, "ignored"), (0.1, "ignored")),
        (0.05, "nothing"),
    ],
)
def test_a_box_at_an_edge_is_clipped_ignored_or_dropped(visible: float, becomes: str) -> None:
    """40 pixels of it are in the first tile."""
    box = (60, 10, 60 + 40 / visible, 40)
    ground = (10, 60, 40, 90)  # keeps the tile
    tiles = cut(images(box, ground, size=(1200, 100)), Tiling(100, 100, 0), INPUT)
    first = in_tile(tiles, 0)
    clipped = [60, 10, 100, 40]
    boxes, ignored = tiles.boxes[tiles.rows(first)].tolist(), tiles.ignored_in(first).tolist()
    assert (clipped in boxes, clipped in ignored) == (becomes == "a box", becomes == "ignored")
    assert len(boxes) + len(ignored) == 1 + (becomes != "nothing")


def test_a_whole_image_ignores_what_is_too_small_in_it() -> None:
    tiles = cut(images((10, 10, 15, 15), (20, 20, 80, 80), size=(400, 400)), SQUARES, INPUT)
    assert tiles.regions is not None
    assert tiles.regions[0].tolist() == [0, 0, 400, 400]
    assert tiles.boxes[tiles.rows(0)].tolist() == [[20, 20, 80, 80]]
    assert tiles.ignored_in(0).tolist() == [[10, 10, 15, 15]]


def test_an_image_that_is_not_cut_stays_as_it_is() -> None:
    whole = images((10, 10, 12, 12), size=(100, 80))
    tiles = cut(whole, SQUARES, INPUT)
    assert tiles.names == whole.names
    assert tiles.boxes.tolist() == whole.boxes.tolist()
    assert cut(whole, None, INPUT) is whole


def test_what_is_known_of_an_image_is_known_of_its_tiles() -> None:
    about = {"flags": [CROWD], "split": Split.VAL, "ignored": [(0, 0, 200, 5)], "verified": True}
    tiles = cut(images((60, 10, 90, 40), **about), SQUARES, INPUT)
    assert set(tiles.names) == {"a.png"}
    assert set(tiles.splits.tolist()) == {Split.VAL}
    assert tiles.verified.all()
    assert set(tiles.flags.tolist()) == {CROWD}
    assert [tiles.ignored_in(i).tolist() for i in range(len(tiles))] == [
        [[0, 0, 200, 5]],
        *([[[0, 0, 100, 5]]] * (len(tiles) - 1)),
    ]


def test_as_many_tiles_without_objects_stay_as_with() -> None:
    tiles = cut(images((10, 10, 30, 30), size=(2000, 2000)), SQUARES, INPUT, seed=1)
    with_objects = int((np.diff(tiles.offsets)[1:] > 0).sum())
    assert with_objects == 1
    assert len(tiles) == 3, "with the whole image"
    again = cut(images((10, 10, 30, 30), size=(2000, 2000)), SQUARES, INPUT, seed=1)
    assert again.fingerprint() == tiles.fingerprint()


corners = st.tuples(
    st.integers(0, 380), st.integers(0, 280), st.integers(2, 19), st.integers(2, 19)
)


@given(st.lists(corners, min_size=1, max_size=8), st.sampled_from([(400, 300), (100, 300)]))
@settings(max_examples=60, deadline=None)
def test_every_small_object_is_whole_in_some_tile(rows: Any, size: tuple[int, int]) -> None:
    """Of at most the side that neighbors share."""
    boxes = [(x, y, x + w, y + h) for x, y, w, h in rows if x + w <= size[0] and y + h <= size[1]]
    tiles = cut(images(*boxes, size=size), SQUARES, INPUT)
    assert tiles.regions is not None
    found = set()
    for i in range(1, len(tiles)):
        left, top = tiles.regions[i, :2].tolist()
        own = tiles.boxes[tiles.rows(i)] + (left, top, left, top)
        found |= set(map(tuple, own.astype(int).tolist()))
    assert set(boxes) <= found
    inside = tiles.boxes[tiles.offsets[1] :]
    limits = np.repeat(np.tile(tiles.sizes[1:], 2), np.diff(tiles.offsets)[1:], axis=0)
    assert ((inside >= 0) & (inside <= limits)).all()


def test_pixels_are_those_of_the_tile(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (120, 300, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    whole = Dataset.of(tmp_path, [LabeledImage("a.png", 300, 120, [(5, 5, 290, 110)], ["cat"])])
    tiles = cut(whole, SQUARES, INPUT)
    assert tiles.regions is not None
    for i, (left, top, right, bottom) in enumerate(tiles.regions.tolist()):
        np.testing.assert_array_equal(read_image(tiles.image(i)), pixels[top:bottom, left:right])
    Image.fromarray(255 - pixels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tiles.image(0)), 255 - pixels)


def sites(folder: Path, count: int, split: Split = Split.TRAIN, *, copies: int = 1) -> Dataset:
    """Images of 160 x 120 pixels with red squares of 20 pixels, and `copies` of each."""
    drawn = []
    for number in range(count):
        rng = np.random.default_rng(number // copies)
        picture = Image.fromarray(rng.integers(60, 120, (120, 160, 3), np.uint8))
        boxes = [
            (int(x), int(y), int(x) + 20, int(y) + 20) for x, y in rng.integers(0, 100, (2, 2))
        ]
        for box in boxes:
            picture.paste((230, 40, 40), box)
        picture.save(folder / f"{split.name}-{number}.png")
        name = f"{split.name}-{number}.png"
        drawn.append(LabeledImage(name, 160, 120, boxes, ["square"] * 2, split=split))
    return Dataset.of(folder, drawn)


@pytest.mark.parametrize("copies", [1, 2])
def test_the_tiles_of_an_image_and_of_its_copies_stay_on_one_side_of_the_validation(
    copies: int, tmp_path: Path
) -> None:
    recipe = Recipe(64, tile=(100, 100), held_out=0.25, cache_side=64, seed=1)
    data = prepare(sites(tmp_path, 8 * copies, copies=copies), recipe)
    held, learned = (
        {int(name[6:-4]) // copies for name in names}
        for names in (data.validation.names, data.training.dataset.names)
    )
    assert data.held_out
    assert held
    assert not held & learned
    assert data.training.dataset.regions is not None


def test_a_recipe_proposes_tiles_where_objects_are_too_small(tmp_path: Path) -> None:
    def line(recipe: Recipe) -> str:
        return {each.path: str(each) for each in explained(recipe)}.get("tile", "")

    small = images((10, 10, 30, 30), size=(4000, 3000), split=Split.TRAIN)
    recipe = recipe_for(small, pretrained=False, steps=1, input_size=320)
    assert recipe.tile is None
    assert "smaller than 2 px in an input of 320 px" in line(recipe)
    side = int(line(recipe).partition("--tile ")[2].split()[0])
    tiled = recipe_for(small, pretrained=False, steps=1, input_size=320, tile=(side, side))
    assert tiled.tile == (side, side)
    learned = cut(small, tiled.tiling, 320)
    assert min(small_objects(learned)) * 320 >= 15
    assert line(tiled) == f"images are cut into tiles of {side} x {side} pixels"
    large = images((10, 10, 130, 130), size=(400, 300), split=Split.TRAIN)
    assert not line(recipe_for(large, pretrained=False, steps=1, input_size=320))


@pytest.mark.slow
def test_a_detector_of_tiles_is_verified_and_runs_in_tiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from boxwright.models import registry
    from toy_family import CenterModel

    monkeypatch.setattr(registry, "FAMILIES", dict(registry.FAMILIES))
    registry.register(CenterModel)
    data = sites(tmp_path, 4).merge(sites(tmp_path, 2, Split.TEST))
    recipe = {"tile": (100, 100), "input_size": 64, "model": "centers", "batch_size": 2}
    with op_by_op():
        run = boxwright.train(data, out=tmp_path / "run", from_scratch=True, steps=1, recipe=recipe)
    detector = run.detector()
    assert detector.tiling == Tiling(100, 100)
    assert detector.artifact.provenance[SIZES]["images"] == [100, 100]
    file, comparison = run.export("tflite")
    assert Detector.load(file).tiling == Tiling(100, 100)
    assert comparison.images["test"] == 2, "whole images, in which both cut tiles"

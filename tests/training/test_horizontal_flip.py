"""Mirroring: found out from the photos whether it makes one class look like another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from boxwright.augment.transforms import HorizontalFlip
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.training.horizontal_flip import mistaken_when_flipped
from boxwright.training.recipe import recipe_for

pytestmark = pytest.mark.tiny

CORNERS = {"top left": (0, 0), "top right": (1, 0), "bottom left": (0, 1), "centre": (0.5, 0.5)}


def marked_tiles(folder: Path, *names: str, images: int = 24) -> Dataset:
    """Tiles of any colour and size, three a photo, that differ in where their dark mark is."""
    random = np.random.default_rng(0)
    made = []
    for i in range(images):
        ground = random.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        image = Image.fromarray(ground).resize((300, 100), Image.Resampling.BILINEAR)
        draw, boxes, labels = ImageDraw.Draw(image), [], []
        for column in range(3):
            side = int(random.integers(40, 80))
            x, y = 100 * column + int(random.integers(100 - side)), int(random.integers(100 - side))
            labels.append(names[int(random.integers(len(names)))])
            boxes.append((x, y, x + side, y + side))
            draw.rectangle(boxes[-1], fill=tuple(random.integers(120, 255, 3).tolist()))
            mark = side // 3
            left, top = (
                at + share * (side - mark)
                for at, share in zip((x, y), CORNERS[labels[-1]], strict=True)
            )
            draw.rectangle((left, top, left + mark, top + mark), fill=(20, 20, 40))
        image.save(folder / f"{i}.png")
        made.append(LabeledImage(f"{i}.png", 300, 100, boxes, labels))
    return Dataset.of(folder, made)


def test_classes_that_a_mirror_swaps_are_found(tmp_path: Path) -> None:
    mistaken = mistaken_when_flipped(marked_tiles(tmp_path, "top left", "top right"))
    assert mistaken is not None
    assert {mistaken.name, mistaken.other} == {"top left", "top right"}
    assert mistaken.flipped < 0.2 * mistaken.known
    assert f"the others look like {mistaken.other}" in str(mistaken)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["centre"], id="one class"),
        pytest.param(["centre", "centre"], id="one class, twice"),
    ],
)
def test_a_single_class_cannot_be_mistaken(tmp_path: Path, names: list[str]) -> None:
    assert mistaken_when_flipped(marked_tiles(tmp_path, *names)) is None


def test_classes_that_nobody_can_tell_apart_say_nothing_of_mirrors(tmp_path: Path) -> None:
    tiles = marked_tiles(tmp_path, "centre")
    labels = np.arange(len(tiles.labels), dtype=np.int32) % 2
    alike = Dataset.of(
        tmp_path,
        [
            LabeledImage(
                name, 300, 100, tiles.boxes[tiles.rows(i)], [f"c{n}" for n in labels[tiles.rows(i)]]
            )
            for i, name in enumerate(tiles.names)
        ],
    )
    assert mistaken_when_flipped(alike) is None


def test_images_that_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    tiles = marked_tiles(tmp_path, "top left", "top right")
    (tmp_path / "0.png").write_bytes(b"no photo")
    (tmp_path / "1.png").unlink()
    assert mistaken_when_flipped(tiles) is not None
    for name in tiles.names:
        (tmp_path / name).unlink(missing_ok=True)
    assert mistaken_when_flipped(tiles) is None


@pytest.mark.parametrize("pretrained", [True, False])
@pytest.mark.parametrize(
    ("names", "mirror"),
    [(("top left", "top right"), 0.0), (("centre", "centre"), 0.5)],
)
def test_the_recipe_leaves_mirroring_away_where_it_would_teach_what_is_wrong(
    tmp_path: Path, names: tuple[str, ...], mirror: float, pretrained: bool
) -> None:
    recipe = recipe_for(marked_tiles(tmp_path, *names), pretrained=pretrained, steps=9)
    flips = [each for each in recipe.augmentation if isinstance(each, HorizontalFlip)]
    assert flips == [HorizontalFlip(mirror)]
    assert ("augmentation.horizontal_flip.probability" in recipe.reasons) == (mirror == 0)

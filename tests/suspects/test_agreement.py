"""Copies of images that were labeled twice say how well people agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxwright.datasets.near_duplicates import groups, image_hash
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.suspects.agreement import Agreement, agreement

pytestmark = pytest.mark.tiny

BOXES = np.array([(10, 10, 40, 40), (60, 10, 90, 40), (10, 60, 40, 90)])


def scene(seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (6, 8), np.uint8)
    return Image.fromarray(pixels).resize((120, 100), Image.Resampling.NEAREST)


def twice(pairs: int, moved: float, *, enlarged: int = 1, other: str = "cat") -> Agreement | None:
    """Pairs of copies; in the second, the boxes are moved and the first has another class."""
    images, hashes = [], []
    for number in range(pairs):
        gray = scene(number)
        for copy, scale in enumerate((1, enlarged)):
            boxes = (BOXES + copy * moved) * scale
            names = [other if copy else "cat", "cat", "cat"]
            size = (120 * scale, 100 * scale)
            images.append(LabeledImage(f"{number}-{copy}.png", *size, boxes, names))
            hashes.append(image_hash(gray.resize(size)))
    data = Dataset.of(Path(), images, ("cat", "dog"))
    return agreement(data, np.stack(hashes), groups(np.stack(hashes)))


def test_boxes_that_differ_a_little() -> None:
    found = twice(12, 3)
    assert found
    assert (found.pairs, found.boxes) == (12, 36)
    assert found.iou == pytest.approx(27**2 / (2 * 30**2 - 27**2))
    assert found.evaluation.ap50 == pytest.approx(1)
    assert 0.3 < (found.evaluation.ap or 0) < 0.5  # right up to an IoU of 0.65
    assert "12 pairs of copies" in str(found)
    assert "noise" in str(found)
    assert found.to_json()["box_pairs"] == 36


def test_copies_of_another_size_and_class() -> None:
    found = twice(12, 3, enlarged=2, other="dog")
    assert found
    assert found.boxes == 36
    assert (found.evaluation.ap50 or 1) < 0.7


@pytest.mark.parametrize(
    ("pairs", "moved"),
    [pytest.param(9, 3, id="few images"), pytest.param(12, 0.5, id="labels were copied too"),
     pytest.param(12, 20, id="few boxes that both have")],
)  # fmt: skip
def test_what_says_nothing(pairs: int, moved: float) -> None:
    assert twice(pairs, moved) is None

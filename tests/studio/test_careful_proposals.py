"""Boxes of proposals: the mean of what is found in an image and in its mirror image."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.inference.engines import KerasEngine
from boxwright.models.model import Candidates
from boxwright.studio.assist.careful import CarefulEngine, voted

SIDE = 100


class Leftish:
    """Finds the white part of an image, and a bit more on its left."""

    def candidates(self, inputs: NDArray[np.uint8]) -> Candidates:
        boxes = []
        for image in inputs:
            y, x = np.nonzero(image[..., 0])
            boxes.append([[y.min(), x.min() - 10, y.max() + 1, x.max() + 1]])
        return Candidates(np.array(boxes, np.float32) / SIDE, np.full((len(boxes), 1, 1), 0.5))


def test_a_box_that_is_too_wide_on_one_side_is_half_as_much_so_on_both() -> None:
    image = np.zeros((2, SIDE, SIDE, 3), np.uint8)
    image[0, 20:60, 30:80] = image[1, 10:50, 10:70] = 255
    first, second = CarefulEngine(cast(KerasEngine, Leftish()))(image)
    assert first[0] == pytest.approx(np.array([[0.20, 0.25, 0.60, 0.85]]), abs=1e-6)
    assert second[0] == pytest.approx(np.array([[0.10, 0.05, 0.50, 0.75]]), abs=1e-6)
    assert first[1].tolist() == [0.5]


def test_only_boxes_of_the_class_that_overlap_vote() -> None:
    boxes = np.array([[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.54], [0, 0, 0.5, 0.3], [0.6, 0.6, 0.9, 0.9],
                      [0, 0, 0.5, 0.46]], np.float32)  # fmt: skip
    scores = np.array([[0.6, 0], [0.2, 0], [0.5, 0], [0, 0.7], [0, 0.3]], np.float32)
    found, best, labels = voted(boxes, scores)
    mean = (0.6 * 0.5 + 0.2 * 0.54) / 0.8
    assert labels.tolist() == [1, 0, 0, 1]
    assert best == pytest.approx([0.7, 0.6, 0.5, 0.3])
    assert found[1] == pytest.approx([0, 0, 0.5, mean])
    assert found[2] == pytest.approx([0, 0, 0.5, 0.3])


def test_nothing_found_is_nothing_proposed() -> None:
    found, scores, labels = voted(np.zeros((3, 4), np.float32), np.zeros((3, 1), np.float32))
    assert (found.shape, len(scores), len(labels)) == ((0, 4), 0, 0)

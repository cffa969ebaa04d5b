"""Boxes of proposals: the mean of what a detector finds of an object."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.inference.engines import KerasEngine
from boxwright.models.model import Candidates
from boxwright.studio.assist.voting import VotingEngine, voted


class Finds:
    """Finds boxes around two objects in the first image, and nothing in the second."""

    def candidates(self, inputs: NDArray[np.uint8]) -> Candidates:
        boxes = np.array([[[0.2, 0.2, 0.6, 0.6], [0.2, 0.24, 0.6, 0.6]]] * 2, np.float32)
        return Candidates(boxes, np.array([[[0.8], [0.2]], [[0.0], [0.0]]], np.float32))


def test_the_boxes_of_an_object_vote_on_its_place() -> None:
    images = np.zeros((2, 8, 8, 3), np.uint8)
    first, second = VotingEngine(cast(KerasEngine, Finds()))(images)
    assert first[0] == pytest.approx(np.array([[0.2, 0.208, 0.6, 0.6]]), abs=1e-6)
    assert (first[1].tolist(), first[2].tolist()) == ([np.float32(0.8)], [0])
    assert (second[0].shape, len(second[1]), len(second[2])) == ((0, 4), 0, 0)


def test_only_boxes_of_its_class_that_overlap_it_vote() -> None:
    boxes = np.array([[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.54], [0, 0, 0.5, 0.24], [0.6, 0.6, 0.9, 1.2],
                      [0, 0, 0.5, 0.46]], np.float32)  # fmt: skip
    scores = np.array([[0.6, 0], [0.2, 0], [0.5, 0], [0, 0.7], [0, 0.3]], np.float32)
    found, best, labels = voted(boxes, scores)
    mean = (0.6 * 0.5 + 0.2 * 0.54) / 0.8
    assert labels.tolist() == [1, 0, 0, 1]
    assert best == pytest.approx([0.7, 0.6, 0.5, 0.3])
    assert found == pytest.approx(
        np.array([[0.6, 0.6, 0.9, 1], [0, 0, 0.5, mean], [0, 0, 0.5, 0.24], [0, 0, 0.5, 0.46]])
    )

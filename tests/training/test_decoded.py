"""Decoded images with room for some of them."""

from __future__ import annotations

import threading
from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.errors import DataError
from boxwright.training.decoded import DecodedImages

pytestmark = pytest.mark.tiny

COUNT, SIDE = 6, 4


class Source:
    """Images of one gray level each, the number of their row; row 5 cannot be decoded."""

    def __init__(self) -> None:
        self.decoded: Counter[int] = Counter()
        self._lock = threading.Lock()

    def __call__(self, row: int) -> NDArray[np.uint8]:
        with self._lock:
            self.decoded[row] += 1
        if row == 5:
            raise DataError("BW102", "it is broken.")
        return np.full((SIDE, SIDE, 3), row, np.uint8)


def images_with_room_for(room: int) -> tuple[DecodedImages, Source]:
    source = Source()
    return DecodedImages(source, np.zeros((room, SIDE, SIDE, 3), np.uint8), COUNT), source


def levels(images: DecodedImages, rows: list[int]) -> list[int]:
    batch = images[np.array(rows)]
    assert batch.shape == (len(rows), SIDE, SIDE, 3)
    return batch[:, 0, 0, 0].tolist()


@pytest.mark.parametrize(
    ("room", "decoded"),
    [
        (0, [3, 3, 3, 3, 3]),
        (2, [1, 1, 3, 3, 3]),  # the first stay
        (4, [1, 1, 1, 1, 3]),
        (COUNT, [1, 1, 1, 1, 1]),
    ],
)
def test_what_fits_is_decoded_once_and_all_are_what_they_are(room: int, decoded: list[int]) -> None:
    images, source = images_with_room_for(room)
    assert images.shape == (COUNT, SIDE, SIDE, 3)
    for row in range(5):
        images.read(row)
    assert levels(images, [4, 0, 3, 1, 2]) == [4, 0, 3, 1, 2]
    assert levels(images, [0, 1, 2, 3, 4]) == [0, 1, 2, 3, 4]
    assert [source.decoded[row] for row in range(5)] == decoded


def test_a_row_may_occur_twice_in_a_batch() -> None:
    images, source = images_with_room_for(0)
    assert levels(images, [2, 2, 1]) == [2, 2, 1]
    assert source.decoded == {2: 1, 1: 1}


def test_expected_images_are_decoded_before_they_are_asked_for_and_once() -> None:
    images, source = images_with_room_for(0)
    images.expect(np.array([1, 4]))
    images.expect(np.array([4]))
    assert levels(images, [4, 1]) == [4, 1]
    assert source.decoded == {1: 1, 4: 1}


def test_a_broken_image_is_an_error_when_it_is_asked_for() -> None:
    images, _ = images_with_room_for(COUNT)
    images.expect(np.array([5]))
    with pytest.raises(DataError, match="broken"):
        images[np.array([5])]


def test_all_of_them_are_an_array_by_rows() -> None:
    images, _ = images_with_room_for(COUNT)
    for row in (3, 0, 4, 1, 2):
        images.read(row)
    assert images.stored()[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 0]

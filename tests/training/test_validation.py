"""The validation set, and how weights are measured on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from boxwright.images.preprocessing import Preprocessing
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.training.validation import BATCH, ValidationSet, Validator

if TYPE_CHECKING:
    from squares import Squares

tiny = pytest.mark.tiny


SIZE = 16


def gray_images(folder: Path, count: int) -> Dataset:
    """Photo `i` has the grey level `10 i` and its one object at its own place."""
    images = []
    for i in range(count):
        Image.new("RGB", (120, 60), (10 * i,) * 3).save(folder / f"{i}.png")
        images.append(LabeledImage(f"{i}.png", 120, 60, [(4 * i, i, 4 * i + 40, i + 30)], ["cat"]))
    return Dataset.of(folder, images)


def reading(dataset: Dataset) -> Validator:
    return Validator(ValidationSet.read(dataset, Preprocessing(SIZE), seed=0))


class Oracle:
    """A model that recognises `gray_images` by their level and knows what is in them."""

    def __init__(self, shift: float = 0.0) -> None:
        self.batches: list[int] = []
        self._shift = np.float32(shift)

    def compiled(self, inputs: NDArray[np.float32]) -> dict[str, Any]:
        self.batches.append(len(inputs))
        level = np.round((inputs.mean(axis=(1, 2, 3)) + 1) * 128 / 10)
        left, top = 4 * level / 120, level / 60 + self._shift
        boxes = np.stack([top, left, top + 0.5, left + 1 / 3], axis=-1).astype(np.float32)
        scores = np.tile(np.array([[0.9], [0.1]], np.float32), (len(inputs), 1, 1))
        return {"boxes": np.stack([boxes, boxes], axis=1), "scores": scores}

    def decode(self, outputs: Any, ops: Any) -> tuple[Any, Any]:
        return outputs["boxes"], outputs["scores"]


@pytest.mark.parametrize("count", [1, 16, 19])
def test_every_image_is_judged_with_its_own_truth(count: int, tmp_path: Path) -> None:
    validator = reading(gray_images(tmp_path, count))
    oracle = Oracle()
    evaluation, threshold, detections, truth = validator.validate(oracle)
    assert len(detections) == len(truth) == count
    assert (evaluation.ap, evaluation.images, evaluation.boxes) == (pytest.approx(1), count, count)
    assert set(oracle.batches) == {BATCH}, "one batch size is one compilation"
    assert threshold is not None
    assert 0.1 <= threshold <= 0.9


def test_a_poor_model_is_judged_poor(tmp_path: Path) -> None:
    validator = reading(gray_images(tmp_path, 8))
    evaluation = validator.validate(Oracle(shift=0.1)).evaluation  # an IoU of 2 / 3
    assert evaluation.ap50 == pytest.approx(1)
    assert evaluation.ap == pytest.approx(0.4)  # at 0.50, 0.55, 0.60, 0.65 of ten thresholds


@tiny
def test_of_many_images_a_seeded_sample_validates(squares: Squares) -> None:
    dataset = squares.dataset(train=8)
    first, again, other = (
        ValidationSet.read(dataset, Preprocessing(SIZE), seed, max_images=3) for seed in (0, 0, 1)
    )
    assert len(first) == 3
    assert first.truth.names == again.truth.names == tuple(sorted(first.truth.names))
    assert first.truth.names != other.truth.names


@tiny
def test_images_are_prepared_as_a_detector_does_it(squares: Squares) -> None:
    from boxwright.images.decoding import read_image

    dataset = squares.dataset(train=2)
    images = ValidationSet.read(dataset, Preprocessing(SIZE), seed=0)
    for i in range(2):
        expected = Preprocessing(SIZE).resize(read_image(dataset.image(i)))
        np.testing.assert_array_equal(images.inputs[i], expected)


@tiny
def test_what_counts_as_noise_shrinks_with_the_number_of_boxes(squares: Squares) -> None:
    few, many = (reading(squares.dataset(train=count)) for count in (4, 16))
    assert few.noise == pytest.approx(2 * many.noise)
    nobody = reading(squares.dataset(train=0))
    assert len(nobody) == 0
    assert np.isfinite(nobody.noise)

"""Calibration images for int8 quantization."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import ExportError
from boxwright.images.preprocessing import Preprocessing, read_square
from boxwright.models.model import DetectionModel
from boxwright.ops.operations import NUMPY
from boxwright.structures.dataset import Dataset, Split

IMAGES = 100  # more images change a range by less than one of its 256 steps
SHOWN = 0.05  # scores from here on may be shown
OUTLIERS = 0.001  # fraction of the encodings, at either end
BOX_MARGIN = 0.1  # of the range, at either end: other images have other boxes
MIN_IMAGES = 2  # a single image would not be representative


@dataclass(frozen=True)
class Calibration:
    """Distinct images as network inputs.

    Attributes:
        inputs: `(n, S, S, 3)` uint8, resized as for inference.
        preprocessing: scaling of the pixels.
    """

    inputs: NDArray[np.uint8]
    preprocessing: Preprocessing

    def __len__(self) -> int:
        return len(self.inputs)

    @classmethod
    def of(
        cls, dataset: Dataset, preprocessing: Preprocessing, max_images: int = IMAGES, seed: int = 0
    ) -> Calibration:
        """Choose training images of a dataset: of each class in turn, and without objects.

        Args:
            dataset: its training images are used, or the unassigned ones if it has none.
            preprocessing: preprocessing of the network.
            max_images: largest number of images.
            seed: random seed of the choice.

        Raises:
            ExportError: BW405 there are fewer than two different images.
            DataError: an image cannot be read.
        """
        images = dataset.split(Split.TRAIN)
        images = images if len(images) else dataset.split(Split.UNASSIGNED)
        options = preprocessing.decode_options(images.decoding.max_pixels)
        inputs: dict[bytes, NDArray[np.uint8]] = {}
        for row in _by_class_in_turn(images, np.random.default_rng(seed)):
            resized = read_square(images.image(row), preprocessing.size, options)
            inputs.setdefault(resized.tobytes(), resized)
            if len(inputs) == max_images:
                break
        if len(inputs) < MIN_IMAGES:
            raise ExportError(
                "BW405",
                f"{len(images)} training images ({len(inputs)} different ones) are too few for "
                "int8 calibration.",
                where=dataset.root,
            )
        return cls(np.stack(list(inputs.values())), preprocessing)

    def box_range(self, model: DetectionModel) -> tuple[float, float]:
        """The range of box encodings for int8.

        Only confident boxes are shown, and their encodings are small. The encodings of all boxes
        span two or three times that range, so covering them would make the steps as much coarser.
        """
        heads = []
        for image in self.scaled():
            outputs = model.compiled(image)
            outputs = {name: np.asarray(values) for name, values in outputs.items()}
            heads.append(model.export_head(outputs, NUMPY))
        scores = np.concatenate([head.scores for head in heads])
        encodings = np.concatenate([head.encodings for head in heads])
        shown = encodings[scores.max(axis=-1) >= SHOWN]
        if not len(shown):
            return float(encodings.min()), float(encodings.max())
        low, high = np.quantile(shown, [OUTLIERS, 1 - OUTLIERS])
        room = BOX_MARGIN * (high - low)
        return float(min(low - room, 0)), float(max(high + room, 0))

    def scaled(self) -> Iterator[NDArray[np.float32]]:
        """Each image as the network's input, `(1, S, S, 3)`.

        Two values are set to the lowest and the highest possible pixel, so that the 256 steps of
        the input match the pixel values exactly.
        """
        scale, offset = self.preprocessing.scale, self.preprocessing.offset
        for image in self.inputs:
            pixels = image.astype(np.float32)
            pixels[0, 0, :2] = 0, 255
            yield pixels[None] * np.float32(scale) + np.float32(offset)


def _by_class_in_turn(images: Dataset, random: np.random.Generator) -> Iterator[int]:
    """Every image once, in random order, one of each class in turn, so that rare classes come
    early."""
    empty = np.setdiff1d(np.arange(len(images)), images.image_of_box)
    groups = [images.images_showing(label) for label in range(len(images.classes))]
    orders = [random.permutation(group).tolist() for group in (*groups, empty)]
    in_turn = chain.from_iterable(zip_longest(*orders))
    return iter(dict.fromkeys(int(row) for row in in_turn if row is not None))

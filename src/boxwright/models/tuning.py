"""Tuning: what a recipe must know of a detector family to fit data, budget and machine."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Work(NamedTuple):
    """The operations of a training step for one image, in millions.

    Multiply-adds of ordinary convolutions, forward and, in trained parts, backward; of depthwise
    ones forward and to their inputs, and to their kernels; outputs of all layers, forward and
    backward.
    """

    convolutions: float
    convolution_gradients: float
    depthwise: float
    depthwise_gradients: float
    elements: float
    element_gradients: float


@dataclass(frozen=True)
class TrainedLayers:
    """A choice of the layers to train.

    Attributes:
        frozen_through: the last frozen block of the backbone.
        train_depthwise: True to train depthwise kernels.
        work: the work for one image at the reference size; it grows with the image's area.
        why: the reason for the choice.
    """

    frozen_through: int
    train_depthwise: bool
    work: Work
    why: str


@dataclass(frozen=True)
class Tuning:
    """How a family is tuned from pretrained weights.

    Attributes:
        sizes: input sizes to choose from, pixels, ascending.
        reference_size: the size that `work` belongs to.
        layers: the layers to train.
        many_layers: the layers to train with many objects and a long budget.
        batch_size: images per step, and why.
        overhead: the time of a step divided by that of the kernels that `training.speed` times.
        images, steepness: the quality after `n` images is `exp(-(images / n) ** steepness)` of the
            best.
        pixels, sharpness: for objects of `p` pixels at the input size, it is
            `exp(-(pixels / p) ** sharpness)` of the best.
        side: with an input of `s` pixels, it is `exp(-(side / s) ** 4)` of the best, whatever the
            objects: pretrained features do not fit inputs much smaller than their own.
        rate_per_object: peak learning rate for one object per image: few make noisy gradients.
        peaks: the lowest and the highest peak learning rate.
    """

    sizes: tuple[int, ...]
    reference_size: int
    layers: TrainedLayers
    many_layers: TrainedLayers
    batch_size: tuple[int, str]
    overhead: float
    images: float
    steepness: float
    pixels: float
    sharpness: float
    side: float
    rate_per_object: float
    peaks: tuple[float, float]

    def quality(self, images: float, size: int, objects: Sequence[float]) -> float:
        """The expected AP as a fraction of the best, after training on `images` images with an
        input of `size` pixels. `objects` has a size for each class, as a fraction of the image,
        since AP is a mean over classes."""
        if images <= 0:
            return 0.0
        seen = (self.images / images) ** self.steepness
        small = ((self.pixels / max(size * each, 1.0)) ** self.sharpness for each in objects)
        whole = math.exp(-seen - (self.side / size) ** 4)
        return whole * statistics.fmean(math.exp(-each) for each in small)


_WORK = Work(621, 423, 32, 0, 7.2, 1.9)
USUAL = Tuning(
    sizes=(224, 300, 448, 640),
    reference_size=300,
    layers=TrainedLayers(
        5, False, _WORK, "pretrained blocks already detect edges and textures; twice as fast"
    ),
    many_layers=TrainedLayers(
        3, True, Work(621, 502, 35, 11.6, 7.2, 2.9), "many objects are enough to train more blocks"
    ),
    batch_size=(16, "32 would be 2 % faster but give half as many steps"),
    overhead=0.76,
    images=173,
    steepness=0.89,
    pixels=12.2,
    sharpness=4.0,
    side=0.0,
    rate_per_object=7e-4,
    peaks=(7e-4, 2e-3),
)
"""That of an SSD MobileNet (`benchmarks/step_time.py`, `benchmarks/decide.py`), and of a family
without its own."""

"""The input sizes that a recipe chooses from, with what the budget allows on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from boxwright.models.tuning import TrainedLayers, Tuning, Work
from boxwright.ops.boxes import areas
from boxwright.structures.dataset import Dataset

SMALL = 0.1  # quantile of the objects' sizes that must be large enough
RESERVED = 0.15  # of the budget: evaluations, checkpoints and the end
# Reading images, building the network and compiling a step take so many times as long as compiling
# the kernels.
PREPARATION = 8.0
TOLERANCE = 0.03  # of the quality: larger inputs also make the exported file slower
ENOUGH_PASSES = 3  # over the images: of a candidate that replaces one without a whole pass


class Speed(NamedTuple):
    """Measured times.

    Attributes:
        seconds: for a million operations of each kind.
        compiling: seconds that it took to compile the kernels, a measure of all preparation.
    """

    seconds: Work
    compiling: float

    def of_image(self, work: Work) -> float:
        """Seconds for the work of one image, by the kernels alone."""
        seconds = self.seconds
        return (
            seconds.convolutions * work.convolutions
            + seconds.convolution_gradients * work.convolution_gradients
            + seconds.depthwise * work.depthwise
            + seconds.depthwise_gradients * work.depthwise_gradients
            + seconds.elements * work.elements
            + seconds.element_gradients * work.element_gradients
        )


class Machine(NamedTuple):
    """What a training can count on.

    Attributes:
        speed: the machine's speed.
        seconds: what is left of the budget.
    """

    speed: Speed
    seconds: float

    def images_seen(self, tuning: Tuning, layers: TrainedLayers, size: int) -> float:
        """The images that a training sees at an input size."""
        left = self.seconds * (1 - RESERVED) - self._preparing
        return max(left, 0.0) / self._of_image(tuning, layers, size)

    def seconds_for(self, images: float, tuning: Tuning, layers: TrainedLayers, size: int) -> float:
        """The seconds in which a training sees so many images."""
        training = images * self._of_image(tuning, layers, size)
        return (training + self._preparing) / (1 - RESERVED)

    @property
    def _preparing(self) -> float:
        return PREPARATION * self.speed.compiling

    def _of_image(self, tuning: Tuning, layers: TrainedLayers, size: int) -> float:
        area = (size / tuning.reference_size) ** 2
        return tuning.overhead * self.speed.of_image(layers.work) * area


class Candidate(NamedTuple):
    """A training with an input size.

    Attributes:
        input_size: pixels.
        images: images that it sees within the budget; infinite without one.
        pixels: 90 % of the objects of every class are larger in the network's input.
        quality: the expected AP as a fraction of the best.
        passes: over the training images.
    """

    input_size: int
    images: float
    pixels: float
    quality: float
    passes: float

    @property
    def why(self) -> str:
        """The reason to choose it."""
        large = f"90 % of the objects of every class are then larger than {self.pixels:.0f} px"
        if np.isinf(self.images):
            return large
        return f"{large}, and the budget allows {self.images:,.0f} images"


def candidates(
    train: Dataset,
    tuning: Tuning,
    layers: TrainedLayers,
    machine: Machine | None,
    sizes: Sequence[int] = (),
) -> list[Candidate]:
    """The candidates, the best first: the smallest size whose expected quality is close to the
    highest. Those without a whole pass over the images come last, if others have three. `sizes`
    replace those of the family's tuning."""
    small = small_objects(train)
    found = []
    for size in sizes or tuning.sizes:
        seen = np.inf if machine is None else machine.images_seen(tuning, layers, size)
        quality = tuning.quality(seen, size, small)
        passes = float(seen) / max(len(train), 1)
        found.append(Candidate(size, float(seen), size * min(small), quality, passes))
    thorough = any(each.passes >= ENOUGH_PASSES for each in found)
    hasty = [thorough and each.passes < 1 for each in found]
    best = max(each.quality for each, last in zip(found, hasty, strict=True) if not last)

    def order(pair: tuple[Candidate, bool]) -> tuple[bool, bool, float]:
        each, last = pair
        close = each.quality >= (1 - TOLERANCE) * best
        return last, not close, each.input_size if close else -each.quality

    return [each for each, _ in sorted(zip(found, hasty, strict=True), key=order)]


def small_objects(train: Dataset) -> list[float]:
    """The size of a small object of each class that has any, as a fraction of the image."""
    sizes = train.sizes[train.image_of_box].astype(np.float64)
    relative = np.sqrt(areas(train.boxes) / (sizes[:, 0] * sizes[:, 1]))
    return [
        float(np.quantile(relative[train.labels == label], SMALL))
        for label in np.unique(train.labels)
    ] or [1.0]

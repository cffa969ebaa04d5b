"""The validation set, and the evaluation of weights on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation.coco import Evaluation, evaluate
from boxwright.evaluation.threshold import best_threshold
from boxwright.images.preprocessing import Preprocessing, read_square
from boxwright.inference.engines import KerasEngine
from boxwright.models.model import DetectionModel
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

MAX_IMAGES = 200  # images; more would only take time
BATCH = 16


class ValidationResult(NamedTuple):
    """The evaluation of weights.

    Attributes:
        evaluation: their metrics.
        threshold: the best score threshold; None if unknown.
        detections: detections in each image of `truth`.
        truth: the labeled images.
    """

    evaluation: Evaluation
    threshold: float | None
    detections: list[Detections]
    truth: Dataset


@dataclass(frozen=True)
class ValidationSet:
    """Labeled images, ready for the network.

    Attributes:
        truth: the labeled images.
        inputs: `(n, S, S, 3)` uint8.
        preprocessing: the preprocessing of the inputs.
    """

    truth: Dataset
    inputs: NDArray[np.uint8]
    preprocessing: Preprocessing

    @classmethod
    def read(
        cls,
        truth: Dataset,
        preprocessing: Preprocessing,
        seed: int,
        *,
        max_images: int = MAX_IMAGES,
    ) -> ValidationSet:
        """Read the images from their files exactly as a detector does; at most `max_images` of
        them, sampled with `seed`."""
        if len(truth) > max_images:
            chosen = np.random.default_rng(seed).permutation(len(truth))[:max_images]
            truth = truth.select(np.sort(chosen))
        size = preprocessing.size
        options = preprocessing.decode_options(truth.decoding.max_pixels)
        inputs = np.zeros((len(truth), size, size, 3), np.uint8)
        for i in range(len(truth)):
            inputs[i] = read_square(truth.image(i), size, options)
        return cls(truth, inputs, preprocessing)

    def __len__(self) -> int:
        return len(self.truth)


class Validator:
    """Evaluates weights on a validation set.

    Args:
        images: the validation set; without images there is no evaluation.
    """

    def __init__(self, images: ValidationSet) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    @property
    def noise(self) -> float:
        """Return an insignificant difference in AP: half the standard deviation of a proportion
        over this number of boxes, at most `0.25 / sqrt(boxes)`."""
        return float(0.25 / np.sqrt(max(len(self.images.truth.boxes), 1)))

    def validate(self, model: DetectionModel) -> ValidationResult:
        """Evaluate `model`, with its network in float32, on these images."""
        truth, preprocessing = self.images.truth, self.images.preprocessing
        engine = KerasEngine(model, preprocessing)
        padding = np.zeros((-len(self) % BATCH, *self.images.inputs.shape[1:]), np.uint8)
        inputs = np.concatenate([self.images.inputs, padding])  # one batch size: one compilation
        batches = np.split(inputs, len(inputs) // BATCH)
        found = [image for batch in batches for image in engine(batch)][: len(self)]
        detections = [
            Detections(
                preprocessing.to_image(boxes, *(int(side) for side in size)),
                scores,
                labels.astype(np.int32),
                truth.classes,
            )
            for (boxes, scores, labels), size in zip(found, truth.sizes, strict=True)
        ]
        evaluation = evaluate(truth, detections, resamples=0, sizes=False)
        return ValidationResult(evaluation, best_threshold(truth, detections), detections, truth)

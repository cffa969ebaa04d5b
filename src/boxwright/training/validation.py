"""Which photos train and which choose the best weights; and how good weights are on the latter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.near_duplicates import groups, photo_hash
from boxwright.datasets.split import hold_out
from boxwright.evaluation.coco import Evaluation, evaluate
from boxwright.evaluation.threshold import best_threshold
from boxwright.images.preprocessing import Preprocessing, read_square
from boxwright.inference.engines import KerasEngine
from boxwright.models.model import DetectionModel
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections
from boxwright.training.cache import Cache

MOST = 200  # photos that choose; more would only take time
RARE = 50  # photos of a class: where there are so few, none is left out
BATCH = 16


def photos_to_cache(dataset: Dataset) -> Dataset:
    """Everything that training may look at: all photos but those marked for testing."""
    return dataset.select((dataset.splits == Split.TRAIN) | (dataset.splits == Split.VAL))


def some_photos(dataset: Dataset, most: int | None, seed: int) -> Dataset:
    """At most `most` photos, drawn at random, those of rare classes first."""
    if most is None or len(dataset) <= most:
        return dataset
    turn = np.empty(len(dataset), np.int64)
    turn[np.random.default_rng(seed).permutation(len(dataset))] = np.arange(len(dataset))
    first = np.zeros(len(dataset), bool)
    for label in range(len(dataset.classes)):
        photos = dataset.photos_showing(label)
        first[photos[np.argsort(turn[photos])][:RARE]] = True
    return dataset.select(np.sort(np.lexsort((turn, ~first))[:most]))


def choosing_mask(cache: Cache, held_out: float, seed: int) -> NDArray[np.bool_]:
    """`(N,)` bool: the photos that choose: those that are marked for it, or else the part
    `held_out` of all. Near-duplicates stay on one side."""
    marked = np.asarray(cache.dataset.splits == Split.VAL)
    if marked.any() or not held_out:
        return marked
    alike = groups(np.stack([photo_hash(cache.photos[row]) for row in cache.rows]))
    return hold_out(cache.dataset, alike, held_out, seed)


class Judgement(NamedTuple):
    """How good weights are, the threshold for showing what they find, and what they found in each
    photo."""

    evaluation: Evaluation
    threshold: float | None
    detections: list[Detections]


@dataclass(frozen=True)
class Jury:
    """Photos that weights are judged on, ready for the network.

    Attributes:
        truth: the labelled photos.
        inputs: `(n, S, S, 3)` uint8.
        preprocessing: how they were made.
    """

    truth: Dataset
    inputs: NDArray[np.uint8]
    preprocessing: Preprocessing

    @classmethod
    def of(cls, truth: Dataset, preprocessing: Preprocessing, seed: int) -> Jury:
        """Read the photos from their files, exactly as a detector would; at most MOST of them."""
        if len(truth) > MOST:
            chosen = np.random.default_rng(seed).permutation(len(truth))[:MOST]
            truth = truth.select(np.sort(chosen))
        size = preprocessing.size
        inputs = np.zeros((len(truth), size, size, 3), np.uint8)
        for i in range(len(truth)):
            inputs[i] = read_square(truth.photo(i), size)
        return cls(truth, inputs, preprocessing)

    def __len__(self) -> int:
        return len(self.truth)

    def judge(self, model: DetectionModel) -> Judgement:
        """How good `model` is on these photos."""
        engine = KerasEngine(model, self.preprocessing)
        padding = np.zeros((-len(self) % BATCH, *self.inputs.shape[1:]), np.uint8)
        inputs = np.concatenate([self.inputs, padding])  # one batch size is one compilation
        batches = np.split(inputs, len(inputs) // BATCH)
        found = [photo for batch in batches for photo in engine(batch)][: len(self)]
        detections = [
            Detections(
                self.preprocessing.to_photo(boxes, *(int(side) for side in size)),
                scores,
                labels.astype(np.int32),
                self.truth.classes,
            )
            for (boxes, scores, labels), size in zip(found, self.truth.sizes, strict=True)
        ]
        evaluation = evaluate(self.truth, detections, resamples=0, sizes=False)
        return Judgement(evaluation, best_threshold(self.truth, detections), detections)

    def noise(self) -> float:
        """A difference in AP that means nothing here: half a standard deviation of a proportion
        over as many boxes, which is at most `0.25 / sqrt(boxes)`."""
        return float(0.25 / np.sqrt(max(len(self.truth.boxes), 1)))

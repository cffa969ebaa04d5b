"""`forecast`: the AP of a training on twice the images, from trainings on parts of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.checks.measure import hash_images
from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.evaluation_set import images_of_split
from boxwright.datasets.near_duplicates import groups
from boxwright.datasets.source import paths_of
from boxwright.evaluation.bootstrap import Interval
from boxwright.evaluation.coco import evaluate
from boxwright.formats import ReadOptions
from boxwright.io.scratch import scratch_folder
from boxwright.learning_curve.extrapolation import Extrapolated, extrapolated
from boxwright.structures.dataset import Dataset, Split
from boxwright.training.folds import Tell, Training, divided
from boxwright.training.recipe import Recipe
from boxwright.training.request import TrainingRequest

# The quarters that each training learns from: each alone, halves, and twice all of them.
PARTS = ((0,), (1,), (2,), (3,), (0, 1), (2, 3), (0, 1, 2, 3), (0, 1, 2, 3))
SCHEMA = 1


class Point(NamedTuple):
    """One training: the number of its images, and its AP on the test images."""

    images: int
    ap: float


@dataclass(frozen=True)
class Forecast:
    """What twice the images would give.

    Attributes:
        points: all trainings.
        images: the number of training images there are.
        test_images: the number of images that AP is measured on.
        ap: mean AP with all images.
        twice: the forecast for twice as many.
    """

    points: tuple[Point, ...]
    images: int
    test_images: int
    ap: float
    twice: Extrapolated

    @property
    def gain(self) -> Interval:
        """What twice the images would add to AP, 80 % interval."""
        low, high = self.twice.interval
        return low - self.ap, high - self.ap

    def __str__(self) -> str:
        low, high = self.twice.interval
        return (
            f"AP {self.ap:.3f} with {self.images} training images. With {2 * self.images} it would "
            f"be {self.twice.ap:.3f} (80 %: {low:.3f} to {high:.3f})."
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "test_images": self.test_images,
            "trainings": [{"images": one.images, "AP": one.ap} for one in self.points],
            "now": {"images": self.images, "AP": self.ap},
            "forecast": {
                "images": 2 * self.images,
                "AP": self.twice.ap,
                "interval_80": self.twice.interval,
            },
            "spread_of_trainings": self.twice.spread,
        }


def forecast(
    data: str | Path | Dataset | Sequence[str | Path],
    *,
    budget: str | float | None = None,
    steps: int | None = None,
    weights: str | Path | None = None,
    from_scratch: bool = False,
    model: str | None = None,
    recipe: Recipe | Mapping[str, Any] | None = None,
    classes: Sequence[str] = (),
    exclude: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    form: str | ReadOptions | None = None,
    seed: int = 0,
    tell: Tell = lambda text: None,
) -> Forecast:
    """Would more images help? Forecast the AP on the test images with twice the training images.

        >>> foreseen = boxwright.forecast("images", budget="1m")
        >>> print(foreseen.ap, foreseen.twice.ap, foreseen.twice.interval)

    Eight detectors are trained by one recipe: on the four quarters of the training images, which
    keep near-duplicates together, on two halves, and twice on all. The forecast is for more images
    like these and for one training by the same recipe; it goes no farther than one doubling.

    Args:
        data: a folder or file of labeled images, several of them, or a dataset; with test images.
        budget: wall time of each of the eight trainings; one minute by default.
        steps: the number of steps of each instead.
        weights: as for `train`.
        from_scratch: as for `train`.
        model: as for `train`.
        recipe: as for `train`.
        classes: as for `train`.
        exclude: as for `train`.
        rename: as for `train`.
        form: as for `train`.
        seed: random seed of the quarters and of the first training.
        tell: gets the cost first, then a line for each training.

    Raises:
        ArgumentError: BW801 `budget` is not a time, BW802 arguments contradict each other.
        DataError: BW193 there are no test images; as `load`.
        WeightsError, TrainingError: as `train`.
        EvaluationError: BW602 a box or score is not a number.
    """
    asked = TrainingRequest(
        paths_of(data),
        Path(),
        budget="1m" if budget is None and steps is None else budget,
        steps=steps,
        weights=weights,
        from_scratch=from_scratch,
        model=model,
        recipe=recipe,
        choice=ClassChoice.of(classes, exclude, rename),
        options=None if form is None else ReadOptions.of(form),
        seed=seed,
    )
    dataset = asked.dataset()
    test = images_of_split(dataset, "test")
    images, hashes = hash_images(dataset.select(dataset.splits != Split.TEST))
    images = replace(images, splits=np.full(len(images), Split.TRAIN, np.int8))
    decided = replace(asked.recipe_for(images), held_out=0.0)  # a part of each would be another one
    training = Training.of(asked, decided)
    tell(training.cost("the forecast", len(PARTS)))
    quarter_of = divided(groups(hashes), len(PARTS[-1]), training.recipe.seed)
    points = _measured(training, images, quarter_of, test, tell)
    quarters, halves, whole = (
        [point.ap for point, own in zip(points, PARTS, strict=True) if len(own) == size]
        for size in (1, 2, len(PARTS[-1]))
    )
    twice = extrapolated(quarters, halves, whole, seed)
    return Forecast(points, len(images), len(test), float(np.mean(whole)), twice)


def _measured(
    training: Training, images: Dataset, quarter_of: NDArray[np.int64], test: Dataset, tell: Tell
) -> tuple[Point, ...]:
    """Train on each of PARTS, each with a seed of its own, and measure on the test images."""
    points = []
    with scratch_folder() as scratch:
        for number, part in enumerate(PARTS):
            own = images.select(np.isin(quarter_of, part))
            tell(f"training {number + 1} of {len(PARTS)}: {len(own)} images")
            seed = training.recipe.seed + number
            detector = training.detector(own, scratch / f"training-{number}", seed)
            measured = evaluate(test, list(detector.detections_in(test)), resamples=0, sizes=False)
            points.append(Point(len(own), measured.ap or 0.0))
    return tuple(points)

"""Trainings on folds: detections in training images by detectors that did not learn from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import ArgumentError
from boxwright.evaluation.slices import Seen
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.io.scratch import scratch_folder
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections
from boxwright.training import loop
from boxwright.training.recipe import Recipe
from boxwright.training.request import TrainingRequest

FOLDS = 3  # that choose a threshold

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Training:
    """A training that is repeated on several sets of images.

    Attributes:
        recipe: the recipe of all.
        family: the detector family.
        start: the file of the initial weights; None trains from scratch.
        train: trains as `training.loop.train` does.
    """

    recipe: Recipe
    family: str
    start: Path | None
    train: Callable[..., loop.Outcome]

    @classmethod
    def of(
        cls,
        asked: TrainingRequest,
        recipe: Recipe,
        train: Callable[..., loop.Outcome] | None = None,
    ) -> Training:
        """The training that is asked for, with a recipe; its initial weights may be downloaded.

        Raises:
            WeightsError: BW203, BW204 they cannot be downloaded.
        """
        family, start = asked.fetch_start(lambda event: None)
        return cls(recipe, family, start, train or loop.train)

    def detector(self, images: Dataset, out: Path, seed: int | None = None) -> Detector:
        """Train on the training images of `images` into the run folder `out`, by another `seed`
        than the recipe's if one is given.

        Raises:
            DataError, WeightsError, TrainingError: as `training.loop.train`.
            KeyboardInterrupt: the training was stopped.
        """
        recipe = self.recipe if seed is None else replace(self.recipe, seed=seed)
        outcome = self.train(images, out=out, weights=self.start, model=self.family, recipe=recipe)
        if outcome.interrupted:
            raise KeyboardInterrupt
        return Detector.load(out)

    def cost(self, what: str, times: int) -> str:
        """How long so many trainings take, in words."""
        if self.recipe.steps is not None:
            return f"{what} trains {times} times, {self.recipe.steps} steps each"
        seconds = self.recipe.seconds or loop.UNVALIDATED_SECONDS
        return f"{what} trains {times} times, {times * seconds / 60:.1f} minutes in all"


def out_of_fold(
    run: str | PathLike[str] | Detector,
    images: Dataset,
    *,
    tell: Tell = lambda text: None,
    train: Callable[..., loop.Outcome] | None = None,
) -> list[Detections]:
    """All detections in each of a run's training images, by detectors that did not learn from it.

    The images are divided into folds, near-duplicates together. A detector is trained without each
    fold by the run's recipe.

    Args:
        run: the run folder.
        images: its training images.
        tell: gets the cost first, then a line for each training.
        train: trains as `training.loop.train` does.

    Raises:
        ArgumentError: BW802 it is not a run.
        DataError, WeightsError, TrainingError: as `training.loop.train`.
    """
    if isinstance(run, Detector) or not Run(Path(run)).exists():
        raise ArgumentError("BW802", "folds are trained by a run's recipe: give its folder.")
    provenance = Run(Path(run)).artifact.provenance
    recipe, weights = Recipe.from_json(provenance["recipe"]), provenance.get("weights")
    asked = TrainingRequest(
        images, Path(run), weights=weights, from_scratch=weights is None, recipe=recipe
    )
    training = Training.of(asked, recipe, train)
    tell(training.cost("choosing the threshold", FOLDS))
    return detect_in_folds(training, images, Seen.of(images).groups, FOLDS, tell)


def detect_in_folds(
    training: Training, images: Dataset, groups: NDArray[np.int64], folds: int, tell: Tell
) -> list[Detections]:
    """All detections in each image by a detector that did not learn from its fold.

    Args:
        training: how each detector is trained.
        images: labeled images, whatever their splits.
        groups: `(N,)` ids from 0 of images that stay in one fold.
        folds: how many there are.
        tell: gets a line for each training.

    Raises:
        DataError, WeightsError, TrainingError: as `training.loop.train`.
    """
    fold_of = divided(groups, folds, training.recipe.seed)
    found: dict[int, Detections] = {}
    with scratch_folder() as scratch:
        for fold in range(folds):
            held_out = np.flatnonzero(fold_of == fold)
            tell(f"fold {fold + 1} of {folds}: training without {len(held_out)} images")
            splits = np.where(fold_of == fold, Split.TEST, Split.TRAIN).astype(np.int8)
            detector = training.detector(replace(images, splits=splits), scratch / f"fold-{fold}")
            detections = detector.detections_in(images.select(held_out))
            found |= zip(held_out.tolist(), detections, strict=True)
    return [found[index] for index in range(len(images))]


def divided(groups: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """`(N,)` fold of each image: whole groups, in folds of about equal size.

    Groups, in random order and the largest first, go to the smallest fold.
    """
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    fold_of, filled = np.zeros(len(sizes), np.int64), np.zeros(folds, np.int64)
    for group in order[np.argsort(-sizes[order], kind="stable")]:
        fold_of[group] = filled.argmin()
        filled[fold_of[group]] += sizes[group]
    return fold_of[groups]

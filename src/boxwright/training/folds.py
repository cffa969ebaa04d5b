"""Trainings on folds: detections in training images by detectors that did not learn from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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

FOLDS = 3


def out_of_fold(
    run: str | PathLike[str] | Detector,
    images: Dataset,
    *,
    tell: Callable[[str], None] = lambda text: None,
    train: Callable[..., loop.Outcome] = loop.train,
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
    recipe = Recipe.from_json(provenance["recipe"])
    tell(cost(recipe))
    folds = divided(Seen.of(images).groups, FOLDS, recipe.seed)
    found: dict[int, Detections] = {}
    with scratch_folder() as scratch:
        for fold in range(FOLDS):
            held_out = np.flatnonzero(folds == fold)
            tell(f"fold {fold + 1} of {FOLDS}: training without {len(held_out)} images")
            splits = np.where(folds == fold, Split.TEST, Split.TRAIN).astype(np.int8)
            others, out = replace(images, splits=splits), scratch / f"fold-{fold}"
            _train(others, recipe, provenance.get("weights"), out, train)
            detections = Detector.load(out).detections_in(images.select(held_out))
            found |= zip(held_out.tolist(), detections, strict=True)
    return [found[index] for index in range(len(images))]


def _train(
    images: Dataset,
    recipe: Recipe,
    weights: str | None,
    out: Path,
    train: Callable[..., loop.Outcome],
) -> None:
    asked = TrainingRequest(
        images, out, weights=weights, from_scratch=weights is None, recipe=recipe
    )
    family, start = asked.fetch_start(lambda event: None)
    outcome = train(images, out=out, weights=start, model=family, recipe=recipe)
    if outcome.interrupted:
        raise KeyboardInterrupt


def cost(recipe: Recipe) -> str:
    """How long the trainings take, in words."""
    if recipe.steps is not None:
        return f"choosing the threshold trains {FOLDS} times, {recipe.steps} steps each"
    seconds = recipe.seconds or loop.UNVALIDATED_SECONDS
    minutes = FOLDS * seconds / 60
    return f"choosing the threshold trains {FOLDS} times, {minutes:.1f} minutes in all"


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

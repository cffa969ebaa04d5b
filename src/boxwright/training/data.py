"""The division into training and validation images, and the decoded training images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.near_duplicates import groups
from boxwright.datasets.split import hold_out
from boxwright.errors import TrainingError
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding
from boxwright.training.cache import Cache, build_cache
from boxwright.training.processes import Processes
from boxwright.training.recipe import Recipe
from boxwright.training.resources import ONE_DEVICE, Resources
from boxwright.training.tiles import cut

RARE = 50  # images of a class: with so few, all are kept


@dataclass(frozen=True)
class TrainingData:
    """The images of a training.

    Attributes:
        training: decoded training images.
        validation: the validation set; may be empty.
        held_out: True if the validation set is a part of the training images.
        fingerprint: fingerprint of images and labels of both.
        findings: images that could not be decoded and were left out.
    """

    training: Cache
    validation: Dataset
    held_out: bool
    fingerprint: str
    findings: tuple[Finding, ...]


def prepare(dataset: Dataset, recipe: Recipe, resources: Resources = ONE_DEVICE) -> TrainingData:
    """Decode the training and validation images of `dataset` and divide them.

    Raises:
        DataError: BW152 none of the images can be read.
        TrainingError: BW311 there is no room for the decoded images, BW317 another process has
            other images.
    """
    chosen = some_images(dataset, recipe.max_images, recipe.seed)
    check_same(chosen, resources.processes)
    chosen = cut(chosen, recipe.tiling, recipe.input_size, recipe.seed)
    cache = build_cache(
        chosen,
        recipe.cache_side,
        storage=resources.storage,
        processes=resources.processes,
        hashed=bool(recipe.held_out) and not (chosen.splits == Split.VAL).any(),
    )
    validates = validation_mask(cache, recipe.held_out, recipe.seed)
    validation = cache.dataset.select(validates)
    return TrainingData(
        cache.select(~validates),
        validation,
        bool((validation.splits != Split.VAL).any()),
        cache.dataset.fingerprint(),
        cache.findings,
    )


def images_to_cache(dataset: Dataset) -> Dataset:
    """Return the training and validation images."""
    return dataset.select((dataset.splits == Split.TRAIN) | (dataset.splits == Split.VAL))


def some_images(dataset: Dataset, max_images: int | None, seed: int) -> Dataset:
    """Return at most `max_images` random images, those of rare classes first."""
    if max_images is None or len(dataset) <= max_images:
        return dataset
    turn = np.empty(len(dataset), np.int64)
    turn[np.random.default_rng(seed).permutation(len(dataset))] = np.arange(len(dataset))
    first = np.zeros(len(dataset), bool)
    for label in range(len(dataset.classes)):
        images = dataset.images_showing(label)
        first[images[np.argsort(turn[images])][:RARE]] = True
    return dataset.select(np.sort(np.lexsort((turn, ~first))[:max_images]))


def validation_mask(cache: Cache, held_out: float, seed: int) -> NDArray[np.bool_]:
    """Return `(N,)` bool: the validation images of the dataset, or else a fraction `held_out` of
    all images. Near-duplicates stay on one side, with all their tiles."""
    assigned = np.asarray(cache.dataset.splits == Split.VAL)
    if assigned.any() or not held_out or cache.hashes is None:
        return assigned
    hashes = cache.hashes[cache.rows]
    if cache.dataset.regions is None:
        return hold_out(cache.dataset, groups(hashes), held_out, seed)
    # Whole images are compared, since tiles of the sky are no near-duplicates: see `tiles.cut`.
    _, wholes, images = np.unique(cache.dataset.names, return_index=True, return_inverse=True)
    return hold_out(cache.dataset, groups(hashes[wholes])[images], held_out, seed)


def check_same(dataset: Dataset, processes: Processes) -> None:
    """Compare the images and labels of all processes.

    Raises:
        TrainingError: BW317 they differ; in each process.
    """
    own = np.frombuffer(dataset.fingerprint().encode(), np.uint8)
    all_of_them = [each.tobytes().decode() for each in processes.gather(own)]
    others = [i for i, each in enumerate(all_of_them) if each != all_of_them[0]]
    if others:
        raise TrainingError(
            "BW317",
            f"process {others[0]} has other images or labels than process 0 "
            f"({all_of_them[others[0]]}, not {all_of_them[0]}).",
            where=dataset.root,
        )

"""A training step on a constant batch, for the benchmarks of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from boxwright.augment.transforms import count_draws
from boxwright.training.recipe import Recipe


def constant_step(recipe: Recipe, *, objects: int = 1, rows: int = 1) -> Callable[[int], Any]:
    """Return a function that runs step `n` of a recipe, as after pretrained weights.

    Args:
        recipe: the recipe.
        objects: labeled boxes in each image.
        rows: boxes that each image is padded to.
    """
    from boxwright.training import start
    from boxwright.training.step_tensorflow import Engine, faster_precision

    first = start.from_scratch(recipe, ["thing", "other"], faster_precision())
    for layer in first.model.network.layers:
        if hasattr(layer, "scale_is_one"):
            layer.scale_is_one = True  # as with pretrained weights
    trained = start.trained_variables(first.model, recipe)
    engine = Engine(first.model, trained, [], recipe, scale=1 / 128, offset=-1.0)
    random = np.random.default_rng(0)
    count, side = recipe.batch_size, recipe.cache_side
    images = random.integers(0, 255, (count, side, side, 3), dtype=np.uint8)
    boxes = np.tile(np.array([[[0.2, 0.2, 0.7, 0.7]]], np.float32), (count, rows, 1))
    labels = np.full((count, rows), -1, np.int32)
    labels[:, :objects] = 0
    sizes = np.full((count, 2), side, np.float32)
    draws = random.random((count, count_draws(recipe.augmentation))).astype(np.float32)
    batch = images, boxes, labels, sizes, draws
    return lambda number: engine.step(*batch, number=number, learning_rate=1e-4)

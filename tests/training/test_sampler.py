"""In which order photos come."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from boxwright.augment.transforms import count_draws
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.training.recipe import Recipe
from boxwright.training.sampler import Sampler, repeats

pytestmark = pytest.mark.tiny

RECIPE = Recipe(224, batch_size=4)
BOX = [1.0, 1.0, 5.0, 5.0]


def showing(*names: str) -> Dataset:
    """Photos of one object each; none for an empty name."""
    images = [
        LabeledImage(f"{i}.jpg", 9, 9, [BOX] if name else [], [name] if name else [])
        for i, name in enumerate(names)
    ]
    return Dataset.of(".", images, classes=["cat", "lynx"])


def seen(images: Dataset, recipe: Recipe, steps: int) -> list[int]:
    sampler = Sampler(images, recipe)
    return [row for step in range(steps) for row in sampler.batch(step)[0].tolist()]


@pytest.mark.parametrize("images", [1, 3, 4, 10])
def test_every_image_has_its_turn_before_any_comes_again(images: int) -> None:
    rows = seen(showing(*["cat"] * images), RECIPE, 3 * images)
    for turn in range(0, len(rows) - images + 1, images):
        assert sorted(rows[turn : turn + images]) == list(range(images))


def test_the_order_changes_every_time_but_not_with_the_step_asked_for() -> None:
    sampler = Sampler(showing(*["cat"] * 8), RECIPE)
    first, second = (np.concatenate([sampler.batch(s)[0] for s in (n, n + 1)]) for n in (0, 2))
    assert first.tolist() != second.tolist()
    rows, draws = sampler.batch(1)
    again, same_draws = Sampler(showing(*["cat"] * 8), RECIPE).batch(1)
    np.testing.assert_array_equal(rows, again)
    np.testing.assert_array_equal(draws, same_draws)
    assert draws.shape == (4, count_draws(RECIPE.augmentation)) == (4, 10)


def test_unshuffled_images_come_as_they_are() -> None:
    images = showing(*["cat"] * 5)
    assert seen(images, replace(RECIPE, shuffle=False), 3) == [0, 1, 2, 3, 4] * 2 + [0, 1]


@pytest.mark.parametrize(
    ("names", "rare_below", "often"),
    [
        (["cat", "cat", "cat", "lynx"], 0.0, [1, 1, 1, 1]),
        (["cat", "cat", "cat", "lynx"], 0.25, [1, 1, 1, 1]),
        (["cat", "cat", "cat", "lynx"], 1.0, [(4 / 3) ** 0.5] * 3 + [2]),
        (["cat"] * 15 + ["lynx"], 0.25, [1] * 15 + [2]),
        (["cat", "", "", ""], 0.5, [2**0.5, 1, 1, 1]),
        (["", ""], 1.0, [1, 1]),
    ],
)
def test_images_of_rare_classes_come_more_often(
    names: list[str], rare_below: float, often: list[float]
) -> None:
    images = showing(*names)
    np.testing.assert_allclose(repeats(images, rare_below), often)
    rows = seen(images, replace(RECIPE, rare_below=rare_below), 500)
    counted = np.bincount(rows, minlength=len(names))
    np.testing.assert_allclose(counted / counted.sum(), np.array(often) / sum(often), rtol=0.1)

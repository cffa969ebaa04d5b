"""Is one detector better? What is claimed, and how often it is wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxwright.evaluation.comparison import (
    BETTER,
    NOT_SHOWN,
    WORSE,
    Member,
    Side,
    compare_sides,
    difference,
)
from boxwright.evaluation.comparison_report import verdicts
from boxwright.evaluation.side_by_side import side_by_side
from boxwright.evaluation.threshold import FIXED, Threshold
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.structures.detections import Detections

pytestmark = pytest.mark.tiny
HALF = Threshold(0.5, FIXED)
IMAGES = 60


@pytest.fixture(scope="module")
def truth() -> Dataset:
    rng = np.random.default_rng(0)
    near = rng.uniform(0, 50, (IMAGES, 2))
    boxes = np.concatenate([near, near + 40], axis=1)
    images = [LabeledImage(f"{i}.png", 100, 100, [box], ["a"]) for i, box in enumerate(boxes)]
    return Dataset.of(Path(), images, ("a",))


def member(truth: Dataset, noise: float, seed: int) -> Member:
    """A detector that finds each box, its sides off by `noise` pixels."""
    rng = np.random.default_rng(seed)
    boxes = truth.boxes + rng.normal(0, noise, truth.boxes.shape)
    scores = rng.uniform(0.6, 1, len(boxes))
    found = [
        Detections(box[None], score[None], np.zeros(1), ("a",), (100, 100))
        for box, score in zip(boxes, scores, strict=True)
    ]
    return Member(f"seed {seed}", found, HALF)


def sides(truth: Dataset, *noises: Sequence[float]) -> list[Side]:
    return [
        Side("ABC"[i], [member(truth, one, 10 * i + k) for k, one in enumerate(noise)])
        for i, noise in enumerate(noises)
    ]


@pytest.mark.parametrize(
    ("noises", "verdict", "said"),
    [
        (([5], [2]), [BETTER], "B is better than A: its AP is 0."),
        (([2], [5]), [WORSE], "B is worse than A: its AP is 0."),
        (([3], [3]), [NOT_SHOWN], "No difference in AP is shown between B and A: "),
        (([3], [2], [8]), [BETTER, WORSE], "(97.5 %: 0."),
        (([5, 5.1, 4.9], [2, 2.1, 1.9]), [BETTER], "other seeds of the same recipes"),
        (([3], [2, 2.5, 3]), [NOT_SHOWN], "A side with one training is taken to vary"),
    ],
)
def test_verdicts(
    truth: Dataset, noises: tuple[Sequence[float], ...], verdict: list[str], said: str
) -> None:
    comparison = compare_sides(truth, sides(truth, *noises))
    assert [one.verdict for one in comparison.contrasts] == verdict
    text = " ".join(verdicts(comparison))
    assert said in text
    of_recipes = max(map(len, noises)) > 1
    assert ("with another seed, the same recipe gives another detector" in text) != of_recipes
    shown = json.loads(json.dumps(comparison.to_json()))
    assert shown["compares"] == ("recipes" if of_recipes else "detectors")
    first, *_ = shown["against_first"]
    values = [one["AP"]["value"] for one in shown["sides"]]
    assert first["differences"]["AP"]["value"] == pytest.approx(values[1] - values[0])


def test_equal_detectors_differ_in_nothing(truth: Dataset) -> None:
    both = [Side(name, [member(truth, 3, 1)]) for name in "AB"]
    comparison = compare_sides(truth, both)
    assert comparison.contrasts[0].verdict == NOT_SHOWN
    assert {one[:2] for one in comparison.contrasts[0].differences.values()} == {(0, (0, 0))}
    assert comparison.differing() == []
    assert side_by_side(comparison) is None


def test_without_boxes_nothing_is_compared() -> None:
    empty = Dataset.of(Path(), [LabeledImage("0.png", 100, 100)], ("a",))
    nothing = Member("x", [Detections([], [], [], ("a",))], HALF)
    comparison = compare_sides(empty, [Side("A", [nothing]), Side("B", [nothing])])
    assert comparison.contrasts[0].differences["AP"] == (None, None)
    assert "cannot be compared" in next(verdicts(comparison))


def seeds(rng: np.random.Generator, count: int, images: int) -> np.ndarray:
    """Samples of `count` trainings that differ by their seed, in images that are hard or easy for
    all, and for each in its own way."""
    own = rng.normal(0, 1, (count, 1)) + rng.normal(0, 1, (count, images))
    weights = np.vstack([np.ones(images), rng.multinomial(images, [1 / images] * images, 200)])
    return own @ weights.T / images


@pytest.mark.parametrize(("count", "low", "high"), [(3, 0.02, 0.08), (1, 0.4, 1.0)])
def test_of_two_equal_recipes_the_better_one_is_rarely_named(
    count: int, low: float, high: float
) -> None:
    """With one training of each, the detectors do differ: that is what the test then shows."""
    rng = np.random.default_rng(0)
    claimed = [
        difference(seeds(rng, count, 40), seeds(rng, count, 40), seed=i).sign() for i in range(300)
    ]
    assert low <= np.mean(np.abs(claimed)) <= high


def test_duplicates_count_once(truth: Dataset) -> None:
    """Ten copies of six images say no more than six images."""
    few = truth.select(np.repeat(np.arange(6), 10))
    noisy = sides(truth, [4], [2.5])
    copies = [
        Side(side.name, [Member(one.name, [one.detections[i // 10] for i in range(60)], HALF)])
        for side in noisy
        for one in side.members
    ]

    def width(groups: np.ndarray | None) -> float:
        between = compare_sides(few, copies, groups=groups).contrasts[0].differences["AP"].interval
        return float(np.ptp(between or 0))

    assert width(np.arange(60) // 10) > 2 * width(None)


def test_the_picture_begins_with_the_image_that_differs(tmp_path: Path, truth: Dataset) -> None:
    some = replace(truth.select(range(4)), root=tmp_path)
    for name in some.names:
        Image.new("RGB", (100, 100), (90, 90, 90)).save(tmp_path / name)
    found = member(truth, 0.1, 1).detections[:4]
    nothing = Detections([], [], [], ("a",))
    blind = [found[0], found[1], nothing, found[3]]
    comparison = compare_sides(
        some, [Side("A", [Member("a", found, HALF)]), Side("B", [Member("b", blind, HALF)])]
    )
    assert comparison.differing() == [2]
    assert comparison.to_json()["differing_images"] == [
        {"image": "2.png", "mistakes": {"A": 0.0, "B": 1.0}}
    ]
    drawn = side_by_side(comparison)
    assert drawn is not None
    assert drawn.width == 3 * 480
    assert drawn.height < drawn.width / 2  # one row

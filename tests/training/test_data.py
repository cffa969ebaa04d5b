"""Which images train and which validate."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from boxwright.datasets.near_duplicates import image_hash
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.training.cache import Cache
from boxwright.training.data import images_to_cache, some_images, validation_mask

tiny = pytest.mark.tiny


def cached(count: int, *, copies: int = 1, val: int = 0) -> Cache:
    """A cache of `count` photos, the last `val` marked for validation; `copies` of each are
    alike, one after the other."""
    rng = np.random.default_rng(0)
    scenes = [
        Image.fromarray(rng.integers(30, 220, (12, 12, 3), np.uint8)).resize((64, 64))
        for _ in range(count // copies)
    ]
    pixels = np.repeat([np.asarray(scene) for scene in scenes], copies, axis=0)
    images = pixels + rng.integers(0, 6, pixels.shape, np.uint8)
    splits = [Split.TRAIN] * (count - val) + [Split.VAL] * val
    dataset = Dataset.of(
        "photos", [LabeledImage(f"{i}.jpg", 64, 64, split=split) for i, split in enumerate(splits)]
    )
    nothing = np.zeros((count, 1, 4), np.float32), np.full((count, 1), -1, np.int32)
    hashes = np.stack([image_hash(Image.fromarray(each).convert("L")) for each in images])
    return Cache(images, *nothing, np.arange(count), dataset, (), hashes)


@tiny
def test_training_looks_at_what_is_marked_for_it() -> None:
    marks = [Split.TRAIN, Split.TEST, Split.VAL, Split.UNASSIGNED, Split.TEST]
    dataset = Dataset.of(
        "photos", [LabeledImage(f"{i}", 8, 8, split=m) for i, m in enumerate(marks)]
    )
    assert images_to_cache(dataset).names == ("0", "2")


@tiny
@pytest.mark.parametrize("count", [20, 200])
def test_marked_images_choose(count: int) -> None:
    mask = validation_mask(cached(count, val=7), 0.1, seed=0)
    np.testing.assert_array_equal(np.flatnonzero(mask), np.arange(count - 7, count))


def test_nothing_chooses_where_the_recipe_holds_nothing_out() -> None:
    assert not validation_mask(cached(100), 0.0, seed=0).any()


@tiny
@pytest.mark.parametrize("copies", [1, 2, 5])
def test_of_enough_images_a_tenth_chooses_and_copies_stay_together(copies: int) -> None:
    count = 200
    mask = validation_mask(cached(count, copies=copies), 0.1, seed=0)
    assert mask.sum() == pytest.approx(count / 10, abs=copies)
    sides = mask.reshape(-1, copies)
    np.testing.assert_array_equal(sides.any(axis=1), sides.all(axis=1))


@tiny
def test_the_seed_decides_which() -> None:
    first, again, other = (validation_mask(cached(100), 0.1, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@tiny
def test_a_cache_of_some_of_its_rows_is_judged_by_those() -> None:
    """The mask belongs to the photos of the cache, not to its rows."""
    without_first = np.arange(102) > 0
    mask = validation_mask(cached(102, copies=2).select(without_first), 0.1, seed=0)
    assert mask.shape == (101,)
    assert mask.any()
    sides = mask[1:].reshape(-1, 2)
    np.testing.assert_array_equal(sides.any(axis=1), sides.all(axis=1))


@tiny
def test_of_many_images_some_are_drawn_and_rare_classes_stay() -> None:
    rare = {7, 480, 900}
    images = [
        LabeledImage(f"{i:03}", 8, 8, [(0, 0, 4, 4)], ["yak" if i in rare else "cow"])
        for i in range(1000)
    ]
    dataset = Dataset.of("photos", images)
    some = some_images(dataset, 100, seed=0)
    assert len(some) == 100
    assert some.names == tuple(sorted(some.names))
    assert {f"{i:03}" for i in rare} <= set(some.names)
    assert some_images(dataset, 100, seed=0).names == some.names
    assert some_images(dataset, 100, seed=1).names != some.names
    assert some_images(dataset, 1000, seed=0) is dataset
    assert some_images(dataset, None, seed=0) is dataset

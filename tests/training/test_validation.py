"""Which photos choose the best weights, and how weights are judged on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from boxwright.images.preprocessing import Preprocessing
from boxwright.structures.dataset import Dataset, Photo, Split
from boxwright.training import validation
from boxwright.training.cache import Cache
from boxwright.training.validation import Jury, choosing_mask, photos_to_cache, some_photos

if TYPE_CHECKING:
    from squares import Squares

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
    photos = pixels + rng.integers(0, 6, pixels.shape, np.uint8)
    splits = [Split.TRAIN] * (count - val) + [Split.VAL] * val
    dataset = Dataset.of(
        "photos", [Photo(f"{i}.jpg", 64, 64, split=split) for i, split in enumerate(splits)]
    )
    nothing = np.zeros((count, 1, 4), np.float32), np.full((count, 1), -1, np.int32)
    return Cache(photos, *nothing, np.arange(count), dataset, ())


@tiny
def test_training_looks_at_what_is_marked_for_it() -> None:
    marks = [Split.TRAIN, Split.TEST, Split.VAL, Split.UNMARKED, Split.TEST]
    dataset = Dataset.of("photos", [Photo(f"{i}", 8, 8, split=m) for i, m in enumerate(marks)])
    assert photos_to_cache(dataset).names == ("0", "2")


@tiny
@pytest.mark.parametrize("count", [20, 200])
def test_marked_photos_choose(count: int) -> None:
    mask = choosing_mask(cached(count, val=7), 0.1, seed=0)
    np.testing.assert_array_equal(np.flatnonzero(mask), np.arange(count - 7, count))


def test_nothing_chooses_where_the_recipe_holds_nothing_out() -> None:
    assert not choosing_mask(cached(100), 0.0, seed=0).any()


@tiny
@pytest.mark.parametrize("copies", [1, 2, 5])
def test_of_enough_photos_a_tenth_chooses_and_copies_stay_together(copies: int) -> None:
    count = 200
    mask = choosing_mask(cached(count, copies=copies), 0.1, seed=0)
    assert mask.sum() == pytest.approx(count / 10, abs=copies)
    sides = mask.reshape(-1, copies)
    np.testing.assert_array_equal(sides.any(axis=1), sides.all(axis=1))


@tiny
def test_the_seed_decides_which() -> None:
    first, again, other = (choosing_mask(cached(100), 0.1, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@tiny
def test_a_cache_of_some_of_its_rows_is_judged_by_those() -> None:
    """The mask belongs to the photos of the cache, not to its rows."""
    without_first = np.arange(102) > 0
    mask = choosing_mask(cached(102, copies=2).select(without_first), 0.1, seed=0)
    assert mask.shape == (101,)
    assert mask.any()
    sides = mask[1:].reshape(-1, 2)
    np.testing.assert_array_equal(sides.any(axis=1), sides.all(axis=1))


@tiny
def test_of_many_photos_some_are_drawn_and_rare_classes_stay() -> None:
    rare = {7, 480, 900}
    photos = [
        Photo(f"{i:03}", 8, 8, [(0, 0, 4, 4)], ["yak" if i in rare else "cow"]) for i in range(1000)
    ]
    dataset = Dataset.of("photos", photos)
    some = some_photos(dataset, 100, seed=0)
    assert len(some) == 100
    assert some.names == tuple(sorted(some.names))
    assert {f"{i:03}" for i in rare} <= set(some.names)
    assert some_photos(dataset, 100, seed=0).names == some.names
    assert some_photos(dataset, 100, seed=1).names != some.names
    assert some_photos(dataset, 1000, seed=0) is dataset
    assert some_photos(dataset, None, seed=0) is dataset


# ---- The jury ----------------------------------------------------------------------------------

ANCHORS = np.array([[0.3, 0.3, 0.7, 0.7], [0.0, 0.0, 0.2, 0.2]], np.float32)
SIZE = 16


def grey_photos(folder: Path, count: int) -> Dataset:
    """Photo `i` has the grey level `10 i` and its one object at its own place."""
    photos = []
    for i in range(count):
        Image.new("RGB", (120, 60), (10 * i,) * 3).save(folder / f"{i}.png")
        photos.append(Photo(f"{i}.png", 120, 60, [(4 * i, i, 4 * i + 40, i + 30)], ["cat"]))
    return Dataset.of(folder, photos)


class Oracle:
    """A model that recognises `grey_photos` by their level and knows what is in them; it is its
    own network."""

    def __init__(self, shift: float = 0.0) -> None:
        self.batches: list[int] = []
        self._shift = np.float32(shift)
        self.network = self

    def predict_on_batch(self, inputs: NDArray[np.float32]) -> dict[str, Any]:
        self.batches.append(len(inputs))
        level = np.round((inputs.mean(axis=(1, 2, 3)) + 1) * 128 / 10)
        left, top = 4 * level / 120, level / 60 + self._shift
        boxes = np.stack([top, left, top + 0.5, left + 1 / 3], axis=-1).astype(np.float32)
        scores = np.tile(np.array([[0.9], [0.1]], np.float32), (len(inputs), 1, 1))
        return {"boxes": np.stack([boxes, boxes], axis=1), "scores": scores}

    def decode(self, outputs: Any, ops: Any) -> tuple[Any, Any]:
        return outputs["boxes"], outputs["scores"]


@pytest.mark.parametrize("count", [1, 16, 19])
def test_every_photo_is_judged_with_its_own_truth(count: int, tmp_path: Path) -> None:
    jury = Jury.of(grey_photos(tmp_path, count), Preprocessing(SIZE), seed=0)
    oracle = Oracle()
    evaluation, threshold, _ = jury.judge(oracle)
    assert (evaluation.ap, evaluation.photos, evaluation.boxes) == (pytest.approx(1), count, count)
    assert set(oracle.batches) == {validation.BATCH}, "one batch size is one compilation"
    assert threshold is not None
    assert 0.1 <= threshold <= 0.9


def test_a_poor_model_is_judged_poor(tmp_path: Path) -> None:
    jury = Jury.of(grey_photos(tmp_path, 8), Preprocessing(SIZE), seed=0)
    evaluation = jury.judge(Oracle(shift=0.1)).evaluation  # an IoU of 2 / 3
    assert evaluation.ap50 == pytest.approx(1)
    assert evaluation.ap == pytest.approx(0.4)  # at 0.50, 0.55, 0.60, 0.65 of ten thresholds


@tiny
def test_a_large_jury_is_a_seeded_sample(squares: Squares, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "MOST", 3)
    dataset = squares.dataset(train=8)
    first, again, other = (Jury.of(dataset, Preprocessing(SIZE), seed) for seed in (0, 0, 1))
    assert len(first) == 3
    assert first.truth.names == again.truth.names == tuple(sorted(first.truth.names))
    assert first.truth.names != other.truth.names


@tiny
def test_photos_are_prepared_as_a_detector_does_it(squares: Squares) -> None:
    from boxwright.images.decoding import read_photo

    dataset = squares.dataset(train=2)
    jury = Jury.of(dataset, Preprocessing(SIZE), seed=0)
    for i in range(2):
        expected = Preprocessing(SIZE).resize(read_photo(dataset.photo(i)))
        np.testing.assert_array_equal(jury.inputs[i], expected)


@tiny
def test_what_counts_as_noise_shrinks_with_the_number_of_boxes(squares: Squares) -> None:
    few, many = (
        Jury.of(squares.dataset(train=count), Preprocessing(SIZE), seed=0) for count in (4, 16)
    )
    assert few.noise() == pytest.approx(2 * many.noise())
    nobody = Jury.of(squares.dataset(train=0), Preprocessing(SIZE), seed=0)
    assert len(nobody) == 0
    assert np.isfinite(nobody.noise())

"""Held-out photos: a fair sample of every class, never a duplicate of what stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from boxwright.datasets.split import complete, hold_out
from boxwright.structures.dataset import Dataset, LabeledImage, Split

pytestmark = pytest.mark.tiny


def zoo(labels: list[list[str]], splits: list[Split] | None = None) -> Dataset:
    """A data set of photos that show these classes."""
    images = [
        LabeledImage(f"{i:05}.jpg", 9, 9, [(1, 1, 5, 5)] * len(names), names)
        for i, names in enumerate(labels)
    ]
    dataset = Dataset.of("zoo", images)
    return dataset if splits is None else replace(dataset, splits=np.array(splits, np.int8))


def alone(dataset: Dataset) -> NDArray[np.int64]:
    return np.arange(len(dataset))


def share(dataset: Dataset, held: NDArray[np.bool_], name: str) -> tuple[int, int]:
    """How many photos that show a class are held out, and how many there are."""
    seen = np.zeros(len(dataset), bool)
    seen[dataset.image_of_box[dataset.labels == dataset.classes.index(name)]] = True
    return int((seen & held).sum()), int(seen.sum())


@pytest.mark.parametrize(
    ("images", "fraction", "expected"),
    [
        (200, 0.2, 40),
        (160, 0.1, 16),
        (10, 0.2, 2),
        (3, 0.2, 1),
        (2, 0.2, 0),
        (1, 0.2, 0),
        (0, 0.2, 0),
    ],
)
def test_the_fraction_is_kept(images: int, fraction: float, expected: int) -> None:
    dataset = zoo([["cat"]] * images)
    assert hold_out(dataset, alone(dataset), fraction, seed=0).sum() == expected


def test_every_class_gives_its_share() -> None:
    rng = np.random.default_rng(1)
    labels = [
        [
            name
            for name, often in (("ant", 0.9), ("bee", 0.3), ("cow", 0.05))
            if rng.random() < often
        ]
        for _ in range(1000)
    ]
    dataset = zoo(labels)
    for seed in range(5):
        held = hold_out(dataset, alone(dataset), 0.2, seed)
        assert held.sum() == 200
        for name in dataset.classes:
            some, total = share(dataset, held, name)
            assert some == pytest.approx(total / 5, abs=4), name
        bare = np.diff(dataset.offsets) == 0
        assert (held & bare).sum() == pytest.approx(bare.sum() / 5, abs=4)


def test_a_class_with_one_image_stays() -> None:
    dataset = zoo([["cat"]] * 20 + [["lynx", "cat"]])
    for seed in range(20):
        held = hold_out(dataset, alone(dataset), 0.2, seed)
        assert held.sum() == 4
        assert share(dataset, held, "lynx") == (0, 1)


def test_the_seed_decides_and_nothing_else() -> None:
    dataset = zoo([["cat"], ["dog"], []] * 40)
    first, again, other = (hold_out(dataset, alone(dataset), 0.2, seed) for seed in (0, 0, 1))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.lists(st.sampled_from("abc"), max_size=3)), min_size=40
    ),
    st.integers(0, 5),
)
def test_groups_are_never_torn_while_they_are_small(
    images: list[tuple[int, list[str]]], seed: int
) -> None:
    dataset = zoo([labels for _, labels in images])
    groups = np.unique([group for group, _ in images], return_inverse=True)[1]
    if np.bincount(groups).max() > 4:
        groups = alone(dataset) // 2
    held = hold_out(dataset, groups, 0.2, seed)
    assert set(groups[held]).isdisjoint(groups[~held])
    assert 0 <= round(0.2 * len(dataset)) - held.sum() <= 4


def test_large_groups_stay_and_the_rest_is_held_out_fairly() -> None:
    dataset = zoo([["cat"]] * 100)
    groups = np.concatenate([np.zeros(50, int), np.arange(1, 51)])
    held = hold_out(dataset, groups, 0.2, seed=0)
    assert held.sum() == 20
    assert not held[:50].any()


def test_of_images_that_are_all_alike_the_last_are_held_out() -> None:
    dataset = zoo([["cat"]] * 100)
    held = hold_out(dataset, np.zeros(100, int), 0.2, seed=0)
    assert np.flatnonzero(held).tolist() == list(range(80, 100))
    marked = complete(dataset, np.zeros(100, int), seed=0)
    (finding,) = marked.findings
    assert finding.code == "BW121"
    assert finding.message == "100 of 100 images look nearly the same"


def test_an_unmarked_data_set_gets_train_and_test() -> None:
    dataset = zoo([["cat"]] * 50)
    marked = complete(dataset, alone(dataset), seed=3)
    assert np.bincount(marked.splits).tolist() == [40, 0, 10]
    assert marked.findings == ()
    assert (marked.splits == Split.TEST).tolist() == hold_out(
        dataset, alone(dataset), 0.2, 3
    ).tolist()


@pytest.mark.parametrize("mark", [Split.TRAIN, Split.VAL, Split.TEST])
def test_marks_that_exist_are_kept(mark: Split) -> None:
    dataset = zoo([["cat"]] * 50, [mark] + [Split.UNASSIGNED] * 49)
    assert complete(dataset, alone(dataset), seed=0) is dataset

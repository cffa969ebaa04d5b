"""A choice of classes: only those are objects, the others are ignored, and names change."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from boxwright.datasets.class_choice import ClassChoice
from boxwright.errors import DataError
from boxwright.structures.dataset import DIFFICULT, Dataset, LabeledImage, Split

pytestmark = pytest.mark.tiny

CAT, DOG, COW, HEN = ((10.0 * i, 0.0, 10.0 * i + 8, 8.0) for i in range(4))


@pytest.fixture
def farm() -> Dataset:
    return Dataset.of(
        "farm",
        [
            LabeledImage(
                "a.jpg", 50, 50, [CAT, DOG, COW], ["cat", "dog", "cow"], [0, DIFFICULT, 0]
            ),
            LabeledImage("b.jpg", 50, 50, split=Split.TEST),
            LabeledImage("c.jpg", 50, 50, [HEN, CAT], ["hen", "cat"]),
            LabeledImage("d.jpg", 50, 50, [COW], ["cow"]),
        ],
    )


def contents(dataset: Dataset) -> dict[str, tuple[list[str], list[float]]]:
    """The classes of each image, in order, and the left edges of what is ignored there."""
    return {
        name: (
            [dataset.classes[label] for label in dataset.labels[dataset.rows(i)]],
            dataset.ignored_in(i)[:, 0].tolist(),
        )
        for i, name in enumerate(dataset.names)
    }


@pytest.mark.parametrize(
    ("choice", "classes", "a", "c", "d"),
    [
        (
            ClassChoice(),
            ("cat", "cow", "dog", "hen"),
            (["cat", "dog", "cow"], []),
            (["hen", "cat"], []),
            (["cow"], []),
        ),
        (
            ClassChoice(classes=("dog", "cat")),
            ("dog", "cat"),
            (["cat", "dog"], [20.0]),
            (["cat"], [30.0]),
            ([], [20.0]),
        ),
        (
            ClassChoice(exclude=("cat",)),
            ("cow", "dog", "hen"),
            (["dog", "cow"], [0.0]),
            (["hen"], [0.0]),
            (["cow"], []),
        ),
        (
            ClassChoice(rename={"cow": "cattle"}),
            ("cat", "cattle", "dog", "hen"),
            (["cat", "dog", "cattle"], []),
            (["hen", "cat"], []),
            (["cattle"], []),
        ),
        (
            ClassChoice(rename={"cat": "pet", "dog": "pet"}),
            ("pet", "cow", "hen"),
            (["pet", "pet", "cow"], []),
            (["hen", "pet"], []),
            (["cow"], []),
        ),
        (
            ClassChoice(rename={"cat": "dog"}, exclude=("cow", "hen")),
            ("dog",),
            (["dog", "dog"], [20.0]),
            (["dog"], [30.0]),
            ([], [20.0]),
        ),
        (
            ClassChoice(rename={"cat": "dog", "dog": "cat"}, classes=("cat",)),
            ("cat",),
            (["cat"], [0.0, 20.0]),
            ([], [30.0, 0.0]),
            ([], [20.0]),
        ),
    ],
)
def test_chosen_classes_are_objects_and_others_are_ignored(
    choice: ClassChoice, classes: tuple[str, ...], a: Any, c: Any, d: Any, farm: Dataset
) -> None:
    chosen = choice.apply(farm)
    assert chosen.classes == classes
    assert contents(chosen) == {"a.jpg": a, "b.jpg": ([], []), "c.jpg": c, "d.jpg": d}
    assert chosen.splits.tolist() == farm.splits.tolist()
    assert len(chosen.boxes) + len(chosen.ignored) == len(farm.boxes)


def test_what_is_ignored_stays_so(farm: Dataset) -> None:
    once = ClassChoice(exclude=("cow",)).apply(farm)
    twice = ClassChoice(exclude=("cat",)).apply(once)
    assert contents(twice)["a.jpg"] == (["dog"], [20.0, 0.0])
    assert contents(twice)["d.jpg"] == ([], [20.0])


def test_flags_stay_with_their_boxes(farm: Dataset) -> None:
    assert ClassChoice(classes=("dog",)).apply(farm).flags.tolist() == [DIFFICULT]


@pytest.mark.parametrize(
    ("choice", "said", "nearest"),
    [
        (ClassChoice(classes=("cats",)), "there is no class 'cats'", "cat"),
        (ClassChoice(exclude=("Cow",)), "there is no class 'Cow'", "cow"),
        (ClassChoice(rename={"hens": "hen"}), "there is no class 'hens'", "hen"),
        (ClassChoice(rename={"hen": "chick"}, classes=("hen",)), "no class 'hen'", None),
        (ClassChoice(exclude=("cat", "cow", "dog", "hen")), "no class is left", None),
        (ClassChoice(classes=("cat",), exclude=("cat",)), "no class is left", None),
    ],
)
def test_names_that_do_not_fit_are_refused(
    choice: ClassChoice, said: str, nearest: str | None, farm: Dataset
) -> None:
    with pytest.raises(DataError, match="BW199") as caught:
        choice.apply(farm)
    assert said in str(caught.value)
    assert caught.value.facts.get("nearest") == nearest


def test_a_choice_of_other_data_passes_over_what_is_not_there(farm: Dataset) -> None:
    choice = ClassChoice(classes=("dog", "yak"), rename={"gnu": "yak"})
    chosen = choice.apply(farm, strict=False)
    assert chosen.classes == ("dog", "yak")
    assert contents(chosen)["a.jpg"] == (["dog"], [0.0, 20.0])


@pytest.mark.parametrize(
    "choice", [ClassChoice(), ClassChoice(("a", "b"), ("c",), {"d": "e"}), ClassChoice(("a",))]
)
def test_a_choice_is_json(choice: ClassChoice) -> None:
    assert ClassChoice.from_json(json.loads(json.dumps(choice.to_json()))) == choice
    assert bool(choice) == (choice != ClassChoice())


# ---- Ignored regions of a dataset --------------------------------------------------------------


def test_ignored_regions_follow_their_images(farm: Dataset) -> None:
    chosen = ClassChoice(classes=("dog",)).apply(farm)
    picked = chosen.select([3, 0, 3, 1])
    assert [picked.ignored_in(i)[:, 0].tolist() for i in range(4)] == [[20], [0, 20], [20], []]
    assert picked.image_of_ignored.tolist() == [0, 1, 1, 2]
    both = chosen.merge(chosen.select([2]))
    assert [both.ignored_in(i)[:, 0].tolist() for i in (0, 4)] == [[0, 20], [30, 0]]
    assert len(chosen.select([]).ignored) == 0
    assert len(chosen.keep_boxes(np.zeros(1, bool)).ignored) == len(chosen.ignored)


def test_the_fingerprint_minds_what_is_ignored(farm: Dataset) -> None:
    first, second = (ClassChoice(exclude=(name,)).apply(farm) for name in ("hen", "dog"))
    bare = first.select(range(4))
    assert bare.fingerprint() == first.fingerprint()
    prints = {each.fingerprint() for each in (farm, first, second)}
    assert len(prints) == 3

"""The recipe: decided from the data and the budget, and said with its reasons."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxwright.augment.transforms import (
    SSD_CROP_PAD,
    ColorMix,
    CropAroundObject,
    HorizontalFlip,
    Hue,
    default_transforms,
)
from boxwright.errors import TrainingError
from boxwright.models.registry import family
from boxwright.models.ssd.objective import Matching, Mining, Objective, Varifocal
from boxwright.models.tuning import Tuning, Work
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.training.candidates import Machine, Speed, candidates
from boxwright.training.config import LayerGroupValues, Quantization
from boxwright.training.deciding import decided
from boxwright.training.learning_rates import BudgetCosine, CosineDecay, ManualSteps
from boxwright.training.optimizers import Momentum, RmsProp
from boxwright.training.recipe import Recipe, input_sizes, recipe_for

pytestmark = pytest.mark.tiny


def objects_of(*sides: float, image: int = 1000) -> Dataset:
    """A photo per object; `sides` are fractions of the photo's."""
    images = [
        LabeledImage(f"{i}.jpg", image, image, [(0, 0, side * image, side * image)], ["cat"])
        for i, side in enumerate(sides)
    ]
    return Dataset.of("data", images)


def machine(images_per_second: float, tuning: Tuning) -> Callable[[float], Machine]:
    """A machine that trains on so many images a second at a family's reference size, and
    prepares in no time."""
    work = tuning.layers.work
    each = 1 / (images_per_second * tuning.overhead * sum(work))
    return lambda seconds: Machine(Speed(Work(*(each for _ in work)), 0.0), seconds)


@pytest.mark.parametrize(
    ("sides", "sizes"),
    [
        pytest.param([0.5] * 20, (224, 320), id="all large"),
        pytest.param([0.5] * 19 + [0.02], (224, 320), id="one small among many"),
        pytest.param([0.5] * 15 + [0.1] * 5, (300, 512), id="a quarter small"),
        pytest.param([0.11] * 20, (300, 416), id="all small"),
        pytest.param([0.11] * 15 + [0.08] * 5, (448, 512), id="too small for the anchors"),
        pytest.param([0.04] * 20, (640, 640), id="tiny"),
        pytest.param([0.01] * 20, (640, 640), id="hardly there"),
    ],
)
def test_input_size_follows_the_small_objects(sides: list[float], sizes: tuple[int, int]) -> None:
    for model, size in zip(("ssd", "nanodet_plus"), sizes, strict=True):
        recipe = recipe_for(objects_of(*sides), pretrained=True, seconds=60, model=model)
        assert recipe.input_size == size
        assert " px" in recipe.reasons["input_size"]


@pytest.mark.parametrize(
    ("multiple", "largest", "sizes"),
    [
        (1, None, [224, 300, 448, 640]),
        (32, None, [224, 320, 448, 640]),
        (32, 352, [224, 320, 352]),
        (32, 320, [224, 320]),
        (1, 160, [160]),
    ],
)
def test_input_sizes_fit_the_family_and_a_limit(
    multiple: int, largest: int | None, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(family("ssd"), "size_multiple", multiple)
    assert input_sizes("ssd", largest) == sizes


@pytest.mark.parametrize("model", ["ssd", "nanodet_plus"])
@pytest.mark.parametrize("speed", [5, 20, 100, 1000])
@pytest.mark.parametrize("seconds", [20, 60, 120, 600])
@pytest.mark.parametrize("images", [10, 100, 1000])
def test_a_slow_machine_or_a_short_budget_has_no_time_for_large_inputs(
    model: str, speed: float, seconds: float, images: int
) -> None:
    """Never less than a pass over the images where a smaller input could see them three times, and
    never a larger input with less time."""
    train, tuning = objects_of(*[0.04] * images), family(model).tuning
    ordered = candidates(train, tuning, tuning.layers, machine(speed, tuning)(seconds))
    best = ordered[0]
    assert best.passes >= 1 or all(each.passes < 3 for each in ordered)
    longer = candidates(train, tuning, tuning.layers, machine(speed, tuning)(2 * seconds))[0]
    assert best.input_size <= longer.input_size or best.passes < 1
    recipe = recipe_for(
        train, pretrained=True, seconds=seconds, model=model, measure=machine(speed, tuning)
    )
    assert recipe.input_size == best.input_size
    said = f"the budget allows {best.images:,.0f} images"
    assert said in recipe.reasons["input_size"]


@pytest.mark.parametrize(
    ("speed", "images", "said"),
    [
        (1, 1000, "sees about 17 images in it; give it 235 s or more"),
        (5, 1000, "sees about 85 images in it; give it 47 s or more"),
        (5, 60, None),
        (20, 1000, None),
    ],
)
def test_a_budget_that_is_too_short_names_one_that_would_do(
    speed: float, images: int, said: str | None
) -> None:
    tuning = family("nanodet_plus").tuning
    recipe = recipe_for(
        objects_of(*[0.11] * images), pretrained=True, seconds=20, model="nanodet_plus",
        measure=machine(speed * (224 / 320) ** 2, tuning),
    )  # fmt: skip
    assert said is None or recipe.input_size == 224
    assert ("seconds" in recipe.reasons) == bool(said)
    assert (said or "") in recipe.reasons.get("seconds", "")


@pytest.mark.parametrize(
    "options", [{"steps": 5}, {"seconds": 60, "input_size": 320}, {"seconds": 60, "scratch": True}]
)
def test_the_machine_is_not_measured_where_nothing_depends_on_it(options: dict[str, Any]) -> None:
    def refuse(seconds: float) -> Machine:
        raise AssertionError

    scratch = options.pop("scratch", False)
    recipe_for(objects_of(0.5), pretrained=not scratch, measure=refuse, **options)


def test_sizes_are_those_that_the_family_takes() -> None:
    with pytest.raises(TrainingError, match=r"BW313.*multiple of 32, not 300"):
        decided(
            objects_of(0.3), pretrained=True, settings={}, steps=1, input_size=300,
            model="nanodet_plus",
        )  # fmt: skip


def test_size_is_relative_to_the_image() -> None:
    small, large = (
        recipe_for(objects_of(0.5, image=image), pretrained=True, steps=1).input_size
        for image in (100, 4000)
    )
    assert small == large


def test_what_is_asked_for_is_not_decided() -> None:
    recipe = recipe_for(
        objects_of(0.5), pretrained=False, steps=9, input_size=96, depth_multiplier=0.25, seed=5
    )
    assert (recipe.input_size, recipe.depth_multiplier) == (96, 0.25)
    assert (recipe.steps, recipe.seconds, recipe.seed) == (9, None, 5)
    assert recipe.reasons["input_size"] == "as requested"


def test_pretrained_layers_are_spared_and_new_ones_are_not() -> None:
    tuned = recipe_for(objects_of(0.5), pretrained=True, seconds=60)
    assert tuned.frozen_through >= 0
    assert not tuned.train_norm
    fresh = recipe_for(objects_of(0.5), pretrained=False, seconds=60)
    assert fresh.frozen_through == -1
    assert fresh.train_norm
    assert fresh.train_depthwise


@pytest.mark.parametrize(
    ("objects", "seconds", "frozen"),
    [(10, 300, 5), (1999, 300, 5), (2000, 300, 3), (2000, 120, 3), (2000, 119, 5), (2000, None, 3)],
)
def test_many_objects_and_time_train_more_of_the_network(
    objects: int, seconds: float | None, frozen: int
) -> None:
    tuned = recipe_for(objects_of(*[0.5] * objects), pretrained=True, seconds=seconds)
    assert tuned.frozen_through == frozen
    assert tuned.train_depthwise == (frozen == 3)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["cat"] * 10, None),
        (["cat"] * 7 + ["lynx"] * 3, None),
        (["cat"] * 8 + ["lynx"] * 2, "lynx is in only 2 of 10 images"),
        (["cat"] * 20 + ["lynx"] * 2 + ["puma"], "puma is in only 1 of 23 images"),
        ([""] * 8 + ["cat"] * 2, "cat is in only 2 of 10 images"),
    ],
)
def test_a_rare_class_is_named(names: list[str], said: str | None) -> None:
    images = [
        LabeledImage(f"{i}.jpg", 90, 90, [(0, 0, 50, 50)] if name else [], [name] if name else [])
        for i, name in enumerate(names)
    ]
    classes = sorted({*names} - {""})
    recipe = recipe_for(Dataset.of("data", images, classes=classes), pretrained=True, steps=1)
    assert (said is None) == ("rare_below" not in recipe.reasons)
    assert (said or "") in recipe.reasons.get("rare_below", "")


@pytest.mark.parametrize("sides", [[0.5], [0.05]])
def test_the_cache_is_large_enough_for_windows_that_enlarge(sides: list[float]) -> None:
    recipe = recipe_for(objects_of(*sides), pretrained=True, seconds=60)
    assert recipe.cache_side >= 1.3 * recipe.input_size


recipes = st.builds(
    Recipe,
    input_size=st.integers(64, 1024),
    depth_multiplier=st.none() | st.floats(0.1, 2),
    learning_rate=st.builds(BudgetCosine, peak=st.floats(1e-6, 1)),
    frozen_through=st.integers(-1, 13),
    train_norm=st.booleans(),
    augmentation=st.builds(
        default_transforms,
        st.builds(CropAroundObject, side=st.tuples(st.floats(0.1, 1), st.floats(1, 2))),
        color=st.builds(ColorMix, contrast=st.floats(0, 1)),
    ),
    seconds=st.none() | st.floats(1, 1e6),
    steps=st.none() | st.integers(1, 10**6),
    seed=st.integers(0, 2**32 - 1),
    reasons=st.dictionaries(st.sampled_from(["input_size", "train_norm"]), st.text()),
)


@given(recipe=recipes)
def test_json_round_trip(recipe: Any) -> None:
    read = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert read == recipe
    assert read.reasons == recipe.reasons


@pytest.mark.parametrize(
    "change",
    [
        {"objective": Objective(Varifocal(0.5, 1.5))},
        {"objective": Objective(None, 1.0, 0.5, Matching(0.6, 0.4), Mining("both", None))},
        {"optimizer": RmsProp(0.9, 0.8, 0.5)},
        {"optimizer": Momentum(0.5), "averaging": None},
        {"learning_rate": ManualSteps((10, 20), (0.1, 0.2, 0.3), warm_up=True)},
        {"learning_rate": CosineDecay(), "l2": LayerGroupValues(1e-5, 2e-5, 3e-5)},
        {"augmentation": (HorizontalFlip(), SSD_CROP_PAD, Hue(0.1))},
        {"augmentation": (), "frozen_names": ("FeatureExtractor/.*weights",)},
        {"quantization": Quantization(48_000, 8, 4)},
    ],
)
def test_every_kind_of_part_is_written_and_read(change: dict[str, Any]) -> None:
    recipe = replace(Recipe(300), **change)
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


@pytest.mark.parametrize(
    ("images", "budget", "held_out"),
    [
        pytest.param(40, {"seconds": 60}, 0.0, id="few"),
        pytest.param(299, {"steps": 60}, 0.0, id="each is worth more for training"),
        pytest.param(300, {"seconds": 60}, 0.1, id="enough"),
        pytest.param(59, {}, 0.0, id="too few to tell when to stop"),
        pytest.param(60, {}, 1 / 3, id="twenty tell when to stop"),
        pytest.param(1000, {}, 0.1, id="a tenth tells when to stop"),
    ],
)
def test_images_are_held_out_where_there_are_enough_or_nothing_else_ends_the_run(
    images: int, budget: dict[str, int], held_out: float
) -> None:
    recipe = recipe_for(objects_of(*[0.5] * images), pretrained=True, **budget)
    assert recipe.held_out == pytest.approx(held_out)
    assert "held_out" in recipe.reasons


@pytest.mark.parametrize(
    ("objects", "peak"),
    [(1, 7e-4), (2, 1.4e-3), (5, 2e-3), (40, 2e-3)],
    ids=lambda value: str(value),
)
def test_the_learning_rate_follows_how_many_objects_an_image_has(objects: int, peak: float) -> None:
    boxes = [(100.0 * i, 0.0, 100.0 * i + 90, 90.0) for i in range(objects)]
    images = [LabeledImage(f"{i}.jpg", 4000, 400, boxes, ["cat"] * objects) for i in range(12)]
    recipe = recipe_for(Dataset.of("data", images), pretrained=True, seconds=60)
    assert recipe.learning_rate == BudgetCosine(pytest.approx(peak))
    assert f"{objects:.1f} objects" in recipe.reasons["learning_rate.peak"]

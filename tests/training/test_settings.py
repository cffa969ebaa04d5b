"""Settings: any field of a recipe by path, checked, kept in the run, the same when it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest

from boxwright.augment.transforms import (
    ColorMix,
    CropAroundObject,
    CropLimits,
    Grayscale,
    HorizontalFlip,
    VerticalFlip,
    default_transforms,
)
from boxwright.errors import DetectorError, TrainingError
from boxwright.models.ssd.objective import Focal, Mining, Varifocal
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.training.config import CONFIG_CLASSES, Quantization
from boxwright.training.deciding import checked, decided
from boxwright.training.learning_rates import Constant, ManualSteps
from boxwright.training.optimizers import Momentum, RmsProp
from boxwright.training.recipe import Recipe, config_classes, recipe_for
from boxwright.training.setting_values import limits_of
from boxwright.training.settings import SET, UNSETTABLE, parse, value_at

if TYPE_CHECKING:
    from trainings import Steps

    from squares import Squares

tiny = pytest.mark.tiny

IMAGES = Dataset.of("data", [LabeledImage("a.jpg", 900, 900, [(0, 0, 100, 100)], ["cat"])] * 9)
CROP, FLIP, COLORS = default_transforms()


def settings_of(*assignments: str) -> Recipe:
    return checked(parse(assignments), pretrained=True)


# ---- Values ------------------------------------------------------------------------------------


@tiny
@pytest.mark.parametrize(
    ("assignment", "path", "value"),
    [
        ("learning_rate.peak=5e-4", "learning_rate.peak", 5e-4),
        ("learning_rate.warmup_steps = 7", "learning_rate.warmup_steps", 7),
        ("batch_size=8", "batch_size", 8),
        ("train_norm=yes", "train_norm", True),
        ("train_norm=False", "train_norm", False),
        ("class_head_init=0", "class_head_init", False),
        ("clip_norm=10", "clip_norm", 10.0),
        ("clip_norm=none", "clip_norm", None),
        ("max_images=100", "max_images", 100),
        ("trained_names=Box,Class", "trained_names", ("Box", "Class")),
        ("trained_names=", "trained_names", ()),
        ("l2.heads=1e-4", "l2.heads", 1e-4),
        ("norm_decay.depthwise=0.9", "norm_decay.depthwise", 0.9),
        ("model=ssd", "model", "ssd"),
        ("optimizer=momentum", "optimizer", Momentum()),
        ("optimizer=rms_prop", "optimizer", RmsProp()),
        ("optimizer.beta_1=0.8", "optimizer.beta_1", 0.8),
        ("learning_rate=constant", "learning_rate", Constant()),
        ("averaging=none", "averaging", None),
        ("averaging.decay=0.5", "averaging.decay", 0.5),
        ("quantization=none", "quantization", None),
        ("quantization=quantization", "quantization", Quantization()),
        ("quantization.delay=100", "quantization", Quantization(delay=100)),
        (
            "objective.classification_loss.gamma=1.5",
            "objective.classification_loss",
            Varifocal(gamma=1.5),
        ),
        ("objective.classification_loss=focal", "objective.classification_loss", Focal()),
        ("objective.classification_loss=none", "objective.classification_loss", None),
        ("objective.mining.max_anchors=7", "objective.mining", Mining(max_anchors=7)),
        ("objective.mining.by=boxes", "objective.mining.by", "boxes"),
        ("augmentation=none", "augmentation", ()),
        ("augmentation=grayscale,color_mix", "augmentation", (Grayscale(), COLORS)),
        ("augmentation.horizontal_flip=0", "augmentation", (CROP, COLORS)),
        ("augmentation.horizontal_flip=none", "augmentation", (CROP, COLORS)),
        ("augmentation.color_mix=0", "augmentation", (CROP, FLIP)),
        ("augmentation.horizontal_flip=0.3", "augmentation", (CROP, HorizontalFlip(0.3), COLORS)),
        (
            "augmentation.vertical_flip=0.5",
            "augmentation",
            (CROP, FLIP, VerticalFlip(0.5), COLORS),
        ),
        ("augmentation.grayscale=1", "augmentation", (CROP, FLIP, COLORS, Grayscale(1.0))),
        ("augmentation.vertical_flip=0", "augmentation", (CROP, FLIP, COLORS)),
        (
            "augmentation.crop_around_object.side=0.5,1.2",
            "augmentation.crop_around_object",
            CropAroundObject((0.5, 1.2)),
        ),
        ("augmentation.color_mix.contrast=.1", "augmentation.color_mix", ColorMix(contrast=0.1)),
        ("augmentation.pad.color=1,2,3", "augmentation.pad.color", (1.0, 2.0, 3.0)),
    ],
)
def test_a_field_is_set(assignment: str, path: str, value: Any) -> None:
    assert value_at(settings_of(assignment), path) == value


@tiny
def test_fields_of_a_part_are_set_together_whatever_their_order() -> None:
    rates = ["learning_rate.boundaries=9", "learning_rate.rates=1e-2,1e-3"]
    for order in ([*rates, "learning_rate=manual_steps"], ["learning_rate=manual_steps", *rates]):
        assert settings_of(*order).learning_rate == ManualSteps((9,), (1e-2, 1e-3))


@tiny
def test_of_two_values_for_a_field_the_last_counts() -> None:
    assert settings_of("batch_size=8", "batch_size=4").batch_size == 4


@tiny
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("learning_rate.peak", 5e-4),
        ("batch_size", 8),
        ("train_norm", True),
        ("clip_norm", None),
        ("optimizer", Momentum(0.5)),
        ("augmentation", (HorizontalFlip(0.1),)),
        ("augmentation.horizontal_flip", HorizontalFlip(0.1)),
        ("augmentation.crop_around_object.side", (0.5, 1.2)),
        ("trained_names", ("Box",)),
    ],
)
def test_python_may_give_what_a_field_holds(path: str, value: Any) -> None:
    assert value_at(checked({path: value}, pretrained=True), path) == value


# ---- Slips -------------------------------------------------------------------------------------


@tiny
@pytest.mark.parametrize(
    ("path", "nearest", "choices"),
    [
        ("batchsize", "batch_size", "input_size, "),
        ("peak", "learning_rate.peak", "learning_rate, "),
        ("learning_rate.peek", "learning_rate.peak", "learning_rate.peak, "),
        ("flip", "augmentation.horizontal_flip", "augmentation, "),
        ("augmentation.flip", "augmentation.horizontal_flip", "augmentation.vertical_flip, "),
        ("augmentation.horizontal_flip.prob", "augmentation.horizontal_flip.probability", "prob"),
        ("quantization.bits", "quantization.weight_bits", "quantization.delay, "),
        ("zzz.like.it", None, "input_size, "),
        ("learning_rate.peak.x", None, None),
        ("objective.classification_loss.x.y", None, "objective.classification_loss.alpha"),
        ("reasons", None, "input_size, "),
        ("learning_rate.", None, None),
        (".peak", None, None),
    ],
)
def test_a_path_that_leads_nowhere_names_the_nearest(
    path: str, nearest: str | None, choices: str | None
) -> None:
    with pytest.raises(TrainingError, match="BW312") as caught:
        checked({path: "1"}, pretrained=True)
    assert repr(path.removesuffix(".y").removesuffix(".like.it")) in str(caught.value)
    assert caught.value.facts.get("nearest") == nearest
    assert (choices or "") in caught.value.facts.get("choices", "")


@tiny
@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("batch_size=many", "batch_size must be a whole number from 1 to 1024, not 'many'"),
        ("batch_size=0", "from 1 to 1024, not '0'"),
        ("batch_size=1.5", "a whole number"),
        ("batch_size=", "a whole number"),
        ("learning_rate.peak=fast", "a number from 1e-09 to 10, not 'fast'"),
        ("learning_rate.peak=-1", "a number from"),
        ("learning_rate.peak=nan", "a number from"),
        ("clip_norm=inf", "or none, not 'inf'"),
        ("train_norm=maybe", "train_norm must be yes or no, not 'maybe'"),
        ("optimizer=adamw", "optimizer must be adam or rms_prop or momentum, not 'adamw'"),
        ("learning_rate=cosine", "budget_cosine or constant or"),
        ("averaging=yes", "averaging must be averaging or none"),
        ("objective.mining.by=x", "classes or boxes or both"),
        ("objective=none", "objective must be objective"),
        ("augmentation=blur", "horizontal_flip"),
        ("augmentation.color_mix=0.4", "set augmentation.color_mix.contrast, "),
        (
            "augmentation.horizontal_flip=2",
            "horizontal_flip.probability must be a number from 0 to 1",
        ),
        ("augmentation.crop_around_object.side=1", "2 values separated by commas, each a number"),
        ("augmentation.crop_around_object.side=1,9", "from 0.05 to 4"),
        ("seed=-1", "from 0 to 4294967295"),
        ("learning_rate.peak", "'learning_rate.peak' is not PATH=VALUE"),
        ("=1", "is not PATH=VALUE"),
    ],
)
def test_a_value_that_does_not_fit_says_what_would(assignment: str, said: str) -> None:
    with pytest.raises(TrainingError, match="BW313") as caught:
        settings_of(assignment)
    assert said in str(caught.value)


@tiny
def test_a_part_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(TrainingError, match="learning_rate is invalid"):
        settings_of("learning_rate=manual_steps", "learning_rate.rates=1e-2,1e-3")


@tiny
def test_a_family_that_is_not_there_is_named() -> None:
    with pytest.raises(DetectorError, match="BW509"):
        settings_of("model=yolo")


# A crop's choices of limits are no text.
SETTABLE = {Recipe, *CONFIG_CLASSES.values(), *config_classes("ssd").values()} - {CropLimits}


def fields_in(kind: type) -> Iterator[tuple[type, str, Any]]:
    for item in fields(kind):
        yield kind, item.name, get_type_hints(kind)[item.name]


@tiny
def test_every_number_has_limits() -> None:
    for kind, name, wanted in chain.from_iterable(map(fields_in, SETTABLE)):
        allowed = get_args(wanted)
        holds = {wanted, *allowed, *(deep for each in allowed for deep in get_args(each))}
        if name not in UNSETTABLE and holds & {int, float}:
            assert limits_of(kind, name), f"{kind.__name__}.{name}"


@tiny
def test_the_usual_values_are_within_the_limits() -> None:
    for kind in SETTABLE - {Recipe}:
        for _, name, _ in fields_in(kind):
            value = getattr(kind(), name)
            for number in value if isinstance(value, tuple) else (value,):
                if isinstance(number, int | float) and not isinstance(number, bool):
                    low, high = limits_of(kind, name) or (0, 0)
                    assert low <= number <= high, f"{kind.__name__}.{name}"
                else:
                    assert number is None or isinstance(number, str | bool) or is_dataclass(number)


# ---- With the automatic recipe -----------------------------------------------------------------


@tiny
def test_the_others_are_decided_and_the_reason_is_yours() -> None:
    settings = {"learning_rate.peak": "5e-4", "augmentation.horizontal_flip": "0.2"}
    recipe = decided(IMAGES, pretrained=True, settings=settings, seconds=60)
    usual = recipe_for(IMAGES, pretrained=True, seconds=60)
    assert recipe.frozen_through == usual.frozen_through
    assert recipe.reasons["learning_rate.peak"] == SET
    assert recipe.reasons["augmentation.horizontal_flip.probability"] == SET
    assert recipe.reasons["frozen_through"] == usual.reasons["frozen_through"]
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


@tiny
def test_a_part_that_is_replaced_loses_its_reasons() -> None:
    recipe = decided(IMAGES, pretrained=True, settings={"learning_rate": "constant"}, seconds=60)
    assert "learning_rate.peak" not in recipe.reasons
    assert recipe.reasons["learning_rate"] == SET


@tiny
def test_what_others_are_decided_from_is_set_first() -> None:
    recipe = decided(IMAGES, pretrained=True, settings={"input_size": "448"}, seconds=60)
    assert recipe.cache_side == recipe_for(IMAGES, pretrained=True, input_size=448).cache_side
    assert recipe.reasons["input_size"] == SET
    counted = decided(IMAGES, pretrained=True, settings={"steps": "9"})
    assert (counted.steps, counted.seconds) == (9, None)


@tiny
@pytest.mark.parametrize(
    ("pretrained", "settings", "said"),
    [
        (True, {"steps": 9, "seconds": 60}, "seconds and steps exclude each other"),
        (True, {"deterministic": True}, "deterministic needs steps"),
        (True, {"cache_side": 100}, "cache_side 100 is less than input_size"),
        (True, {"depth_multiplier": 0.5}, "depth_multiplier is fixed by pretrained weights"),
        (False, {"frozen_through": 5}, "frozen_through needs pretrained weights"),
        (True, {"augmentation.crop_around_object.side": (1.2, 0.5)}, "in this order"),
        (True, {"augmentation.contrast.low": 2}, "augmentation.contrast.low is above"),
        (True, {"augmentation.pad.min_size": (3, 3)}, "augmentation.pad.min_size is above"),
        (
            True,
            {"objective.matching.negative_iou": 0.7},
            "objective.matching.negative_iou is above",
        ),
    ],
)
def test_fields_that_contradict_each_other_are_refused(
    pretrained: bool, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(TrainingError, match="BW313") as caught:
        decided(IMAGES, pretrained=pretrained, settings=settings)
    assert said in str(caught.value)


# ---- In a run ----------------------------------------------------------------------------------


def test_what_is_set_is_kept_in_the_run_and_when_it_goes_on(
    squares: Squares, steps: Steps, tmp_path: Path
) -> None:
    dataset, out = squares.dataset(8), tmp_path / "run"
    chosen = {"learning_rate": "constant", "learning_rate.rate": "3e-4", "batch_size": "4"}
    first, listener = steps.train(dataset, out, recipe=chosen, steps=6, interrupt_at=2)
    assert "the learning rate is constant at 0.0003: set by you" in listener.said
    kept = first.run.artifact.provenance["recipe"]
    assert kept["learning_rate"] == {"kind": "Constant", "rate": 3e-4}
    assert kept["reasons"]["batch_size"] == SET

    for again, code in (
        ({"batch_size": "8"}, "BW310 .* batch_size=4 and cannot continue with batch_size=8"),
        ({"optimizer": "momentum"}, "BW310"),
        ({"batchsize": "4"}, "BW312"),
    ):
        with pytest.raises(TrainingError, match=code):
            steps.train(dataset, out, recipe=again, resume=True)

    second, _ = steps.train(dataset, out, recipe={"batch_size": 4, "steps": 5}, resume=True)
    assert second.step == 5
    assert steps.rates == [3e-4] * 5
    assert {len(batch[0]) for batch in steps.batches} == {4}

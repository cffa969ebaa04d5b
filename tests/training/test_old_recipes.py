"""Recipes as earlier versions wrote them are read as today's."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from boxwright.augment.transforms import (
    BlackPatches,
    Brightness,
    ColorMix,
    Contrast,
    Crop,
    CropAroundObject,
    CropLimits,
    CropToAspect,
    Gamma,
    Grayscale,
    HorizontalFlip,
    Hue,
    JitterBoxes,
    Pad,
    PadToAspect,
    PixelNoise,
    Rotate90,
    Saturation,
    Scale,
    SelfConcat,
    Transform,
    VerticalFlip,
    default_transforms,
)
from boxwright.models.ssd.objective import Objective
from boxwright.training.explanation import explained
from boxwright.training.learning_rates import BudgetCosine
from boxwright.training.optimizers import Averaging
from boxwright.training.recipe import Recipe

pytestmark = pytest.mark.tiny

# Where the augmentation was either Boxwright's own or the Object Detection API's pipeline.
NATIVE = """{"kind": "Augmentation", "window": [0.8, 1.05], "aspect": 0.1, "whole": 0.2,
    "mirror": 0.0, "contrast": 0.125, "brightness": 0.05, "saturation": 0.1, "visible": 0.5,
    "uncertain": 0.25}"""
PIPELINE: list[tuple[str, Transform]] = [
    ('{"kind": "Flip", "probability": 0.25, "vertical": false}', HorizontalFlip(0.25)),
    ('{"kind": "Flip", "probability": 0.25, "vertical": true}', VerticalFlip(0.25)),
    ('{"kind": "Turn", "probability": 0.75}', Rotate90(0.75)),
    ('{"kind": "Scale", "low": 0.25, "high": 3.0}', Scale(0.25, 3.0)),
    ('{"kind": "Pad", "least": [1.0, 1.5], "most": [2.0, 2.5], "least_pixels": [1.0, 2.0], '
     '"most_pixels": [5.0, 6.0], "colour": null}',
     Pad((1.0, 1.5), (2.0, 2.5), (1.0, 2.0), (5.0, 6.0))),
    ('{"kind": "PadToAspect", "aspect": 1.5, "least": [1.0, 1.5], "most": [2.0, 2.5], '
     '"colour": [0.0, 1.0, 2.0]}', PadToAspect(1.5, (1.0, 1.5), (2.0, 2.5), (0.0, 1.0, 2.0))),
    ('{"kind": "Crop", "choices": [{"kind": "CropLimits", "covered": 0.5, "aspect": [0.5, 1.5], '
     '"area": [0.25, 1.0], "overlap": 0.375, "clip": false, "whole": 0.125, "pad": {"kind": "Pad", '
     '"least": [1.0, 1.0], "most": [3.0, 2.0], "least_pixels": [0.0, 0.0], "most_pixels": '
     '[0.0, 0.0], "colour": [1.0, 2.0, 3.0]}}]}',
     Crop((CropLimits(0.5, (0.5, 1.5), (0.25, 1.0), 0.375, False, 0.125,
                      Pad(max_size=(3.0, 2.0), color=(1.0, 2.0, 3.0))),))),
    ('{"kind": "CropToAspect", "aspect": 1.5, "overlap": 0.5, "clip": false}',
     CropToAspect(1.5, 0.5, False)),
    ('{"kind": "Jitter", "ratio": 0.25}', JitterBoxes(0.25)),
    ('{"kind": "SelfConcat", "below": 0.25, "beside": 0.5}', SelfConcat(0.25, 0.5)),
    ('{"kind": "Brightness", "most": 0.25}', Brightness(0.25)),
    ('{"kind": "Contrast", "low": 0.5, "high": 1.5}', Contrast(0.5, 1.5)),
    ('{"kind": "Saturation", "low": 0.5, "high": 1.5}', Saturation(0.5, 1.5)),
    ('{"kind": "Hue", "most": 0.125}', Hue(0.125)),
    ('{"kind": "Grey", "probability": 0.25}', Grayscale(0.25)),
    ('{"kind": "Noise", "low": 0.5, "high": 1.5}', PixelNoise(0.5, 1.5)),
    ('{"kind": "Patches", "most": 3, "probability": 0.25, "side": 0.25}',
     BlackPatches(3, 0.25, 0.25)),
]  # fmt: skip


def with_augmentation(written: str, **reasons: str) -> Any:
    old = {**Recipe(224).to_json(), "augmentation": json.loads(written), "reasons": reasons}
    return Recipe.from_json(old)


def with_reasons(recipe: Recipe) -> dict[str, str]:
    """The settings that have a reason, and the reason of each."""
    return {f"{one.path}={one.value}": one.reason for one in explained(recipe) if one.reason}


def test_boxwrights_own_augmentation_is_a_list_of_transforms() -> None:
    reasons = {"augmentation.window": "objects appear larger", "augmentation.mirror": "digits"}
    recipe = with_augmentation(NATIVE, **reasons)
    assert recipe.augmentation == (
        CropAroundObject(
            (0.8, 1.05), max_log_aspect=0.1, full_image=0.2, min_visibility=0.25, ignore_below=0.5
        ),
        HorizontalFlip(0.0),
        ColorMix(0.125, 0.05, 0.1),
    )
    assert with_reasons(recipe) == {
        "augmentation.crop_around_object.side=0.8,1.05": "objects appear larger",
        "augmentation.horizontal_flip.probability=0": "digits",
    }


def test_the_defaults_are_those_of_before() -> None:
    assert with_augmentation('{"kind": "Augmentation"}').augmentation == default_transforms()
    whole = """{"kind": "Augmentation", "window": [0.4, 1.3], "aspect": 0.25, "whole": 0.15,
        "mirror": 0.5, "contrast": 0.25, "brightness": 0.15, "saturation": 0.3, "visible": 0.4,
        "uncertain": 0.1}"""
    assert with_augmentation(whole).augmentation == default_transforms()


def test_the_steps_of_a_pipeline_are_transforms() -> None:
    written = ", ".join(text for text, _ in PIPELINE)
    recipe = with_augmentation(f'{{"kind": "Pipeline", "steps": [{written}]}}')
    assert recipe.augmentation == tuple(expected for _, expected in PIPELINE)
    assert with_augmentation('{"kind": "Pipeline", "steps": []}').augmentation == ()
    later = {CropAroundObject, ColorMix, Gamma}
    assert {type(each) for each in recipe.augmentation} | later == set(get_args(Transform))


def test_a_recipe_of_before_it_was_made_of_parts_is_read() -> None:
    old = {
        "input_size": 224, "depth_multiplier": None, "batch_size": 16, "learning_rate": 1e-2,
        "warmup_steps": 50, "frozen_through": -1, "train_depthwise": True, "train_norm": True,
        "class_weight": 4.0, "average": 0.9, "cache_side": 299, "seconds": 60.0, "steps": None,
        "seed": 3, "augmentation": {"window": [0.8, 1.05], "aspect": 0.1, "whole": 0.2},
        "reasons": {"class_weight": "from scratch"},
    }  # fmt: skip
    recipe = Recipe.from_json(old)
    assert with_reasons(recipe) == {"objective.class_weight=4": "from scratch"}
    assert recipe == Recipe(
        224,
        objective=Objective(class_weight=4.0),
        learning_rate=BudgetCosine(1e-2, 50),
        averaging=Averaging(0.9),
        frozen_through=-1,
        train_depthwise=True,
        train_norm=True,
        augmentation=default_transforms(CropAroundObject((0.8, 1.05), 0.1, 0.2)),
        cache_side=299,
        seconds=60.0,
        seed=3,
    )

"""Converts recipes that earlier versions wrote to run.json and checkpoints to the current JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from boxwright.structures.old_keys import KINDS, OBJECTIVE, RECIPE, renamed
from boxwright.training.learning_rates import BudgetCosine
from boxwright.training.optimizers import Averaging

# An augmentation used to be one object: its fields, by the transforms that have them now.
_NATIVE: Mapping[str, Mapping[str, str]] = {
    "CropAroundObject": {
        "window": "side",
        "aspect": "max_log_aspect",
        "whole": "full_image",
        "uncertain": "min_visibility",
        "visible": "ignore_below",
    },
    "HorizontalFlip": {"mirror": "probability"},
    "ColorMix": {
        "contrast": "contrast",
        "brightness": "brightness",
        "saturation": "saturation",
    },
}
_KINDS = {
    "Grey": "Grayscale",
    "Jitter": "JitterBoxes",
    "Noise": "PixelNoise",
    "Patches": "BlackPatches",
    "Turn": "Rotate90",
}
_FIELDS = {
    "clip": "clip_boxes",
    "colour": "color",
    "covered": "min_object_covered",
    "least": "min_size",
    "least_pixels": "min_pixels",
    "most": "max_size",
    "most_pixels": "max_pixels",
    "overlap": "min_visibility",
    "whole": "full_image",
}
_MAX = {"Brightness": "max_shift", "Hue": "max_shift", "BlackPatches": "max_count"}


def upgraded(value: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the JSON of a recipe of any version to the current one."""
    recipe = _without_flat_fields(value) if "warmup_steps" in value else dict(value)
    recipe = {name: _of_today(item) for name, item in renamed(recipe, RECIPE).items()}
    if isinstance(recipe.get("objective"), Mapping):
        recipe["objective"] = {
            name: renamed(item, OBJECTIVE) if isinstance(item, Mapping) else item
            for name, item in renamed(recipe["objective"], OBJECTIVE).items()
        }
    recipe["reasons"] = renamed(recipe.get("reasons", {}), RECIPE)
    how = recipe.get("augmentation")
    if isinstance(how, Mapping):
        recipe["augmentation"] = (
            [_transform(step) for step in how["steps"]]
            if how.get("kind") == "Pipeline"
            else _native(how)
        )
    return recipe


def _of_today(value: Any) -> Any:
    """Return a part of a recipe with the current name of its kind."""
    if isinstance(value, Mapping) and "kind" in value:
        return {**value, "kind": KINDS.get(value["kind"], value["kind"])}
    return value


def _without_flat_fields(value: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a recipe from before it had parts."""
    peak, warmup = value["learning_rate"], value["warmup_steps"]
    flat = {"learning_rate", "warmup_steps", "class_weight", "average"}
    moved = {"class_weight": "objective.class_weight"}
    return {
        **{name: item for name, item in value.items() if name not in flat},
        "reasons": {moved.get(name, name): why for name, why in value["reasons"].items()},
        "objective": {"kind": "Objective", "class_weight": value["class_weight"]},
        "learning_rate": BudgetCosine(peak, warmup),
        "averaging": Averaging(value["average"]),
    }


def _native(how: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"kind": kind, **{new: how[old] for old, new in names.items() if old in how}}
        for kind, names in _NATIVE.items()
    ]


def _transform(step: Any) -> Any:
    """Convert a step of the Object Detection API's pipeline, or a value in one."""
    if isinstance(step, list):
        return [_transform(each) for each in step]
    if not isinstance(step, Mapping):
        return step
    fields = dict(step)
    kind = fields.pop("kind")
    if kind == "Flip":
        kind = "VerticalFlip" if fields.pop("vertical", False) else "HorizontalFlip"
    kind = _KINDS.get(kind, kind)
    names = {**_FIELDS, "most": _MAX.get(kind, _FIELDS["most"])}
    return {
        "kind": kind,
        **{names.get(name, name): _transform(item) for name, item in fields.items()},
    }

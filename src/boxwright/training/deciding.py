"""The recipe of a run: chosen from the images, with the user's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from boxwright.errors import TrainingError
from boxwright.models.registry import DEFAULT, family
from boxwright.structures.dataset import Dataset
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.explanation import shown
from boxwright.training.recipe import PRETRAINED_SIZE, Recipe, recipe_for
from boxwright.training.setting_values import snake_case
from boxwright.training.settings import value_at, with_settings

# Other fields depend on these, so they are set first.
FIRST = ("input_size", "depth_multiplier", "seconds", "steps", "seed", "model", "tile")
ASCENDING = ("side", "aspect", "area")  # fields that are a minimum and a maximum
BOUNDS = (
    ("low", "high"),
    ("min_size", "max_size"),
    ("min_pixels", "max_pixels"),
    ("negative_iou", "positive_iou"),
)


def recipe_for_run(
    train: Dataset,
    checkpoint: Checkpoint | None,
    recipe: Recipe | Mapping[str, Any] | None,
    *,
    pretrained: bool,
    seconds: float | None = None,
    steps: int | None = None,
    **options: Any,
) -> Recipe:
    """Return the recipe of a run.

    Args:
        train: training and validation images.
        checkpoint: the checkpoint of a resumed run.
        recipe: a whole recipe, or fields of it by path.
        pretrained, seconds, steps, options: as `decided`.

    Raises:
        As `decided` and `resumed`.
    """
    if checkpoint and not isinstance(recipe, Recipe):
        return resumed(checkpoint, settings=recipe or {}, seconds=seconds, steps=steps)
    if isinstance(recipe, Recipe):
        check_fit(recipe, pretrained=pretrained)
        return recipe
    return decided(
        train,
        pretrained=pretrained,
        settings=recipe or {},
        seconds=seconds,
        steps=steps,
        **options,
    )


def decided(
    train: Dataset,
    *,
    pretrained: bool,
    settings: Mapping[str, Any],
    deterministic: bool = False,
    **options: Any,
) -> Recipe:
    """Choose the recipe for these images, with the user's settings.

    Args:
        train: the images to train on.
        pretrained: True if training starts from pretrained weights.
        settings: values by path, see `settings`; they override the options.
        deterministic: True for reproducible training.
        options: as `recipe_for`.

    Raises:
        TrainingError: BW312 there is no such field, BW313 a value does not fit.
        DetectorError: BW509 there is no such family.
    """
    skeleton = checked(settings, pretrained=pretrained, model=options.get("model", DEFAULT))
    options |= {name: getattr(skeleton, name) for name in FIRST if name in settings}
    if options.get("seconds") is not None and options.get("steps") is not None:
        raise _unfit("seconds and steps exclude each other: set one of them")
    recipe = recipe_for(train, pretrained=pretrained, **options)
    if deterministic:
        why = "as requested; float32, independent of wall time"
        reasons = {**recipe.reasons, "deterministic": why}
        recipe = replace(recipe, deterministic=True, reasons=reasons)
    recipe = with_settings(recipe, settings)
    check_fit(recipe, pretrained=pretrained)
    if not pretrained and recipe.frozen_through >= 0:
        raise _unfit("frozen_through needs pretrained weights: from scratch it must be -1")
    return recipe


def checked(settings: Mapping[str, Any], *, pretrained: bool, model: str = DEFAULT) -> Recipe:
    """Check settings before any image is read.

    Returns:
        A default recipe with these settings.

    Raises:
        As `decided`.
    """
    model = settings.get("model", model)
    objective, _ = family(model).usual_objective(pretrained=pretrained)
    return with_settings(Recipe(PRETRAINED_SIZE, objective=objective, model=model), settings)


def resumed(
    checkpoint: Checkpoint,
    *,
    settings: Mapping[str, Any],
    seconds: float | None = None,
    steps: int | None = None,
) -> Recipe:
    """Return the recipe of a resumed run, with a new budget if one is given.

    Args:
        checkpoint: the run's checkpoint.
        settings: values by path. `seconds` and `steps` are the budget; others must equal those of
            the original run.
        seconds, steps: the budget.

    Raises:
        TrainingError: BW307, BW310 as `Checkpoint.remaining_recipe`; BW310 a setting differs;
            BW312, BW313 as `decided`.
    """
    began = Recipe.from_json(checkpoint.recipe)
    wanted = with_settings(began, settings)
    for path in settings.keys() - {"seconds", "steps"}:
        before, after = value_at(began, path), value_at(wanted, path)
        if before != after:
            raise TrainingError(
                "BW310",
                f"this run began with {path}={shown(before)} and cannot continue with "
                f"{path}={shown(after)}.",
                option=f"--set {path}",
            )
    return checkpoint.remaining_recipe(
        wanted.seconds if "seconds" in settings else seconds,
        wanted.steps if "steps" in settings else steps,
    )


def check_fit(recipe: Recipe, *, pretrained: bool) -> None:
    """Refuse fields that contradict each other.

    Raises:
        TrainingError: BW313 fields contradict each other.
    """
    kind = family(recipe.model)
    contradictions = {
        "seconds and steps exclude each other: set one of them": (
            recipe.seconds is not None and recipe.steps is not None
        ),
        "deterministic needs steps: a time budget gives a different number each time": (
            recipe.deterministic and recipe.steps is None
        ),
        f"cache_side {recipe.cache_side} is less than input_size {recipe.input_size}, which would "
        "enlarge every image": recipe.cache_side < recipe.input_size,
        "depth_multiplier is fixed by pretrained weights: it can only be set from scratch": (
            pretrained and recipe.depth_multiplier is not None
        ),
        f"detectors of the family {recipe.model} do not support quantization": (
            recipe.quantization is not None and not kind.quantization_aware
        ),
        f"input_size of a {recipe.model} is a multiple of {kind.size_multiple}, not "
        f"{recipe.input_size}": recipe.input_size % kind.size_multiple > 0,
    }
    for problem, holds in contradictions.items():
        if holds:
            raise _unfit(problem)
    for problem in _descending(recipe):
        raise _unfit(problem)


def _descending(part: Any, prefix: str = "") -> Iterator[str]:
    """Yield problems of minimum values above their maximum, in a recipe or in its parts."""
    values = {item.name: getattr(part, item.name) for item in fields(part)}
    for low, high in BOUNDS:
        if low in values and np.greater(values[low], values[high]).any():
            yield f"{prefix}{low} is above {prefix}{high}"
    for name, value in values.items():
        several = value if isinstance(value, tuple) else (value,)
        if name in ASCENDING and several != tuple(sorted(several)):
            yield f"{prefix}{name} must be a minimum and a maximum, in this order"
        for each in filter(is_dataclass, several):
            own = f".{snake_case(type(each))}" if isinstance(value, tuple) else ""
            yield from _descending(each, f"{prefix}{name}{own}.")


def _unfit(problem: str) -> TrainingError:
    return TrainingError("BW313", f"{problem}.")

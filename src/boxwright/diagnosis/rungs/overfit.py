"""Can it learn four images?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import is_dataclass, replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import Reading, failed, not_checked, passed
from boxwright.errors import TrainingError
from boxwright.inference.run import Run

if TYPE_CHECKING:
    from boxwright.diagnosis.starts import StartOfRun
    from boxwright.structures.dataset import Dataset
    from boxwright.training.cache import Cache
    from boxwright.training.recipe import Recipe
    from boxwright.training.start import Start

IMAGES, SECONDS = 4, 20.0
STEPS, MIN_STEPS, EVERY = 400, 60, 10  # at most, at least however slow the machine is, between two
FIRST = 40  # steps before the first evaluation: a start may know the images already
MIN_AP50 = 0.8
WITHOUT_EFFECT = {  # settings that are not used here
    *("augmentation", "averaging", "batch_size", "cache_side", "deterministic", "held_out"),
    *("max_images", "rare_below", "seconds", "seed", "shuffle", "steps"),
}
WHY = "a network that can learn learns four images by heart, without augmentation"


class Learned(NamedTuple):
    """What a short training learned: AP50 on its own images, after so many steps and seconds; the
    number of variables that it trains, and why it ended early, if it did."""

    ap50: float
    steps: int
    seconds: float
    variables: int
    error: str = ""


def read(case: Case) -> Reading:
    """Train on four of the training images, with the recipe of the run and from its start; if that
    fails, with the recipe that Boxwright would choose."""
    recipe, training = case.recipe, case.training
    if case.run is None or recipe is None or training is None:
        return not_checked(case.unknown or "the run does not record its recipe")
    if not len(training.boxes):
        return not_checked("no training image has a box")
    from boxwright.diagnosis.starts import StartOfRun, few

    start, images = StartOfRun(case.run, recipe), few(training, IMAGES)
    own = learned(start, recipe, images)
    usual = _usual(recipe, training)
    changed = "; ".join(differences(recipe, usual))
    if not own.variables:
        return failed(
            f"all layers are frozen: {changed}",
            f"the recipe trains none of the layers: {changed}",
            0,
            1,
            why="what is frozen learns nothing",
            remedy="Train again without frozen_names and trained_names: `boxwright train DATA "
            "--explain` shows what is chosen.",
        )
    found = f"AP50 {own.ap50:.2f} on four training images after {own.steps} steps"
    if own.error:
        found += f", where {own.error}"
    if own.ap50 >= MIN_AP50:
        return passed(f"{found} ({own.seconds:.0f} s)", own.ap50, MIN_AP50, WHY)
    other = learned(start, usual, images)
    if other.ap50 < MIN_AP50:
        return failed(
            "four images cannot be learned",
            f"{found}; {other.ap50:.2f} with the usual recipe",
            own.ap50,
            MIN_AP50,
            why=WHY,
            remedy="Look at the boxes of the training images: `boxwright check DATA --html "
            "report.html`. If they are right, start from other weights.",
        )
    return failed(
        f"the recipe: {changed}",
        f"{found}; {other.ap50:.2f} with the recipe that Boxwright chooses. The difference: "
        f"{changed}",
        own.ap50,
        MIN_AP50,
        why=WHY,
        remedy="Train again without these settings: `boxwright train DATA --explain` shows what is "
        "chosen, and why.",
    )


def learned(start: StartOfRun, recipe: Recipe, images: Dataset, max_steps: int = STEPS) -> Learned:
    """Train on images by a recipe, without augmentation, until they are learned or the time is
    over. Nothing is written."""
    from boxwright.training.control import Control
    from boxwright.training.events import Step
    from boxwright.training.loop import training_events
    from boxwright.training.preparation import Plan
    from boxwright.training.tools import Tools
    from boxwright.training.validation import ValidationSet, Validator

    steady = replace(
        recipe,
        augmentation=(),
        batch_size=len(images),
        held_out=0.0,
        rare_below=0.0,
        max_images=None,
        averaging=None,
        deterministic=False,
        cache_side=recipe.input_size,
        seconds=None,
        steps=max_steps,
    )
    preprocessing = start.artifact.preprocessing
    validator = Validator(ValidationSet.read(images, preprocessing, recipe.seed))
    ap50, steps, spent, began, variables = 0.0, 0, 0.0, 0.0, 0

    def begin(recipe: Recipe, precision: str, cache: Cache) -> Start:
        from boxwright.training.start import trained_variables

        nonlocal variables
        begun = start.begin(recipe, precision, cache)
        variables = len(trained_variables(begun.model, recipe))
        return begun

    with TemporaryDirectory() as folder:
        plan = Plan(steady, images, Run(folder), begin, images.root)
        events = training_events(plan, Control(), time.monotonic(), Tools())
        try:
            with closing(events):
                for event in events:
                    if not isinstance(event, Step):
                        began = time.monotonic()
                        continue
                    steps = event.step
                    spent += time.monotonic() - began if steps > 1 else 0.0  # the first compiles
                    over = spent > SECONDS and steps >= MIN_STEPS
                    if not variables:
                        break
                    if (steps >= min(FIRST, max_steps) and steps % EVERY == 0) or over:
                        result = validator.validate(event.snapshot.averaged)
                        ap50 = result.evaluation.ap50 or 0.0
                        if ap50 >= MIN_AP50 or over:
                            break
                    began = time.monotonic()
        except TrainingError as error:
            return Learned(ap50, steps, spent, variables, error.message)
    return Learned(ap50, steps, spent, variables)


def _usual(recipe: Recipe, training: Dataset) -> Recipe:
    """The recipe that Boxwright would choose for the same network and images."""
    from boxwright.training.recipe import recipe_for

    return recipe_for(
        training,
        pretrained=recipe.class_head_init and recipe.depth_multiplier is None,
        steps=STEPS,
        input_size=recipe.input_size,
        depth_multiplier=recipe.depth_multiplier,
        seed=recipe.seed,
        model=recipe.model,
    )


def differences(recipe: Recipe, usual: Recipe) -> Iterator[str]:
    """The settings that decide what is learned and differ from the usual ones, with both values."""
    from boxwright.training.explanation import shown
    from boxwright.training.settings import paths_in, value_at

    for path in paths_in(recipe):
        own, other = (value_at(each, path) for each in (recipe, usual))
        if path.partition(".")[0] not in WITHOUT_EFFECT and not is_dataclass(own) and own != other:
            yield f"{path} is {shown(own)}, not {shown(other)}"

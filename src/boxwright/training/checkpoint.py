"""Everything needed to go on exactly where a run stopped, in one .npz without pickles."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from boxwright.errors import TrainingError
from boxwright.inference.run import Run
from boxwright.io.files import writing
from boxwright.training.events import CheckpointDue, Event
from boxwright.training.recipe import Recipe

OLD_NAMES = {"first_moment": "Adam", "second_moment": "Adam_1"}
RESTART_SECONDS = 10.0  # what starting again costs, on top of the budget that is left


@dataclass(frozen=True)
class Checkpoint:
    """A stopped run.

    Attributes:
        step: how many steps are done; the next step's number.
        fraction: how much of the schedule is done, 0 to 1.
        seconds: how long the run has trained.
        best_ap: the highest AP so far; -1 before the first evaluation.
        best_step: the step they are from.
        recipe: `Recipe.to_json()`.
        precision: Keras dtype policy it trains in; measured anew, it might come out differently.
        fingerprint: of the training data; "" if that is not known.
        arrays: the engine's state, and every weight of the model as `weight/0`, `weight/1`...
        schedule: `Schedule.state`.
    """

    step: int
    fraction: float
    seconds: float
    best_ap: float
    best_step: int
    recipe: dict[str, Any]
    precision: str
    fingerprint: str
    arrays: dict[str, Any]
    schedule: dict[str, Any] = field(default_factory=dict)

    @property
    def weights(self) -> list[Any]:
        """The model's weights, in its order."""
        count = sum(name.startswith("weight/") for name in self.arrays)
        return [self.arrays[f"weight/{i}"] for i in range(count)]

    def remaining_recipe(self, seconds: float | None, steps: int | None) -> Recipe:
        """The run's recipe with the steps that are planned, or the new budget if one is given.

        Raises:
            TrainingError: BW307 the run is finished, BW310 it counts no time.
        """
        if self.fraction >= 1:
            raise TrainingError("BW307", f"this run is finished: all {self.step} steps are done.")
        recipe = Recipe.from_json(self.recipe)
        if recipe.deterministic and seconds is not None:
            raise TrainingError(
                "BW310",
                "this run is deterministic: its length is a number of steps, not a time.",
                option="--budget",
            )
        if steps is not None:
            return replace(recipe, steps=steps, seconds=None)
        if seconds is None and self.schedule.get("plan"):
            return replace(recipe, steps=self.schedule["plan"][-1][0], seconds=None)
        if seconds is None and recipe.seconds is not None:
            seconds = max(recipe.seconds - self.seconds, 0.0) + RESTART_SECONDS
        return replace(recipe, seconds=seconds, steps=recipe.steps if seconds is None else None)

    def check_data(self, fingerprint: str, folder: Path) -> None:
        """Raises:
        TrainingError: BW306 the data are not those that the run began with.
        """
        if self.fingerprint not in {"", fingerprint}:
            raise TrainingError(
                "BW306",
                "the images or labels have changed since the run began.",
                where=folder,
            )

    def save(self, path: Path) -> None:
        description = vars(self) | {"arrays": list(self.arrays)}
        text = np.frombuffer(json.dumps(description).encode(), np.uint8)
        with writing(path) as draft, draft.open("wb") as file:
            np.savez(file, description=text, **self.arrays)

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Raises:
        TrainingError: BW305 there is none, or it is damaged.
        """
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = dict(file)
            description = json.loads(arrays.pop("description").tobytes())
            if description.pop("arrays", list(arrays)) != list(arrays):
                raise ValueError("some of its arrays are missing")
            return cls(**description, arrays={_of_today(name): a for name, a in arrays.items()})
        except FileNotFoundError as error:
            raise nothing_to_resume(path) from error
        except Exception as error:  # an archive can be damaged in a dozen ways
            raise TrainingError("BW305", f"is damaged ({error}).", where=path.absolute()) from error


class CheckpointWriter:
    """A subscriber that writes each checkpoint into the run's folder, in place of the last."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(self, event: Event) -> None:
        if isinstance(event, CheckpointDue):
            event.checkpoint.save(self._run.checkpoint)


def nothing_to_resume(path: Path) -> TrainingError:
    return TrainingError("BW305", "there is no checkpoint to resume from.", where=path.absolute())


def _of_today(name: str) -> str:
    """An array's name; Adam's slots had others before there was more than Adam."""
    kind, _, number = name.partition("/")
    return f"{OLD_NAMES.get(kind, kind)}/{number}"

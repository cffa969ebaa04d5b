"""Checkpoints: the complete state of a stopped run, in one .npz without pickles."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from boxwright.errors import TrainingError
from boxwright.inference.run import Run
from boxwright.io.files import writing
from boxwright.training.events import CheckpointDue, Event
from boxwright.training.recipe import Recipe

OLD_NAMES = {"first_moment": "Adam", "second_moment": "Adam_1"}
RESTART_SECONDS = 10.0  # for the restart, added to the remaining budget


@dataclass(frozen=True)
class Checkpoint:
    """A stopped run.

    Attributes:
        step: steps done, which is the number of the next step.
        fraction: completed fraction of the schedule, 0 to 1.
        seconds: training time so far.
        best_ap: highest AP so far; -1 before the first evaluation.
        best_step: the step of the best weights.
        recipe: `Recipe.to_json()`.
        precision: Keras dtype policy; a new measurement might choose another.
        fingerprint: fingerprint of the training data; "" if unknown.
        arrays: the engine's state, and the model's weights as `weight/0`, `weight/1`, ...
        schedule: `Schedule.state`.
        artifact: `Artifact.to_json()` of the run, for one that was killed before its description
            was written; None in checkpoints of earlier versions.
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
    artifact: dict[str, Any] | None = None

    @property
    def weights(self) -> list[Any]:
        """Return the model's weights, in its order."""
        count = sum(name.startswith("weight/") for name in self.arrays)
        return [self.arrays[f"weight/{i}"] for i in range(count)]

    def remaining_recipe(self, seconds: float | None, steps: int | None) -> Recipe:
        """Return the recipe with the planned steps, or with the new budget if one is given.

        Raises:
            TrainingError: BW307 the run is finished, BW310 a deterministic run has no budget.
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
        TrainingError: BW306 the data have changed since the run began.
        """
        if self.fingerprint not in {"", fingerprint}:
            raise TrainingError(
                "BW306",
                "the images or labels have changed since the run began.",
                where=folder,
            )

    def save(self, path: Path) -> None:
        with writing(path) as draft, draft.open("wb") as file:
            self.write(file)

    def write(self, stream: IO[bytes]) -> None:
        """Write it to a stream that `read` reads."""
        description = vars(self) | {"arrays": list(self.arrays)}
        text = np.frombuffer(json.dumps(description).encode(), np.uint8)
        np.savez(stream, description=text, **self.arrays)

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Raises:
        TrainingError: BW305 there is none, or it is damaged.
        """
        try:
            with path.open("rb") as stream:
                return cls.read(stream)
        except FileNotFoundError as error:
            raise nothing_to_resume(path) from error
        except Exception as error:  # an archive can be damaged in many ways
            raise TrainingError("BW305", f"is damaged ({error}).", where=path.absolute()) from error

    @classmethod
    def read(cls, stream: IO[bytes]) -> Checkpoint:
        """Read what `write` wrote. A damaged stream raises errors of many classes."""
        with np.load(stream, allow_pickle=False) as file:
            arrays = dict(file)
        description = json.loads(arrays.pop("description").tobytes())
        if description.pop("arrays", list(arrays)) != list(arrays):
            raise ValueError("some of its arrays are missing")
        return cls(**description, arrays={_of_today(name): a for name, a in arrays.items()})


class CheckpointWriter:
    """A subscriber that writes each checkpoint into the run folder, replacing the last."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(self, event: Event) -> None:
        if isinstance(event, CheckpointDue):
            event.checkpoint.save(self._run.checkpoint)


def nothing_to_resume(path: Path) -> TrainingError:
    return TrainingError("BW305", "there is no checkpoint to resume from.", where=path.absolute())


def _of_today(name: str) -> str:
    """Return an array's current name; the first versions named Adam's slots differently."""
    kind, _, number = name.partition("/")
    return f"{OLD_NAMES.get(kind, kind)}/{number}"

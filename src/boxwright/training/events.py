"""Typed events of a training, for subscribers.

The order of events in a normal training:

    (Note | Downloading)*  CheckpointDue?  Started
    ([Note] [Evaluated [Note]] [CheckpointDue] Step)*  Finished

An evaluation and a checkpoint that are due at a step come before its `Step`, which closes it. A
training that is stopped between two evaluations has one more `Evaluated` and `CheckpointDue` before
`Finished`; one that fails ends without `Finished`.

Subscribers are called one after the other in the training's thread, and the training waits for
them. The first ones write the run's files, so when a caller's subscriber is called, the files of
the event are on the disk.

An error in a subscriber ends the training and propagates to the caller; the remaining subscribers
do not get the event. From `Started` on, the run can be used and resumed from its last checkpoint,
which is at most half a minute old. `KeyboardInterrupt` stops the training as Ctrl-C does: the
weights are validated and a checkpoint is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boxwright.evaluation.coco import Evaluation
    from boxwright.inference.artifact import Artifact
    from boxwright.models.model import Loss
    from boxwright.training.checkpoint import Checkpoint
    from boxwright.training.recipe import Recipe
    from boxwright.training.session import Snapshot
    from boxwright.training.validation import ValidationResult


class Event:
    """An event of a training. Each kind is a dataclass with a readable `str`.

        >>> from boxwright.training.events import Evaluated, Step
        >>> def show(event: boxwright.Event) -> None:
        ...     match event:
        ...         case Step(step=step, loss=loss) if step % 100 == 0:
        ...             print(step, loss.total)
        ...         case Evaluated(step=step, result=result) if result:
        ...             print(step, result.evaluation.ap50)
        >>> run = boxwright.train("images", budget="2m", out="shown", on_event=show)

    The kinds are `Downloading`, `Note`, `Started`, `Step`, `Evaluated`, `CheckpointDue` and
    `Finished`, in `boxwright.training.events`.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Downloading(Event):
    """Pretrained weights are being downloaded.

    Attributes:
        name: the name of the published model.
        source: the URL.
        received: bytes so far.
        total: total bytes; None if unknown.
    """

    name: str
    source: str
    received: int
    total: int | None

    def __str__(self) -> str:
        total = f" of {self.total / 1e6:.1f}" if self.total else ""
        return f"{self.name}: {self.received / 1e6:.1f}{total} MB"


@dataclass(frozen=True, slots=True)
class Note(Event):
    """A message for the user.

    Attributes:
        text: one line, without markup.
    """

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Started(Event):
    """Data, network and compiled step are ready; the first step comes next.

    Attributes:
        step: steps already done; 0 for a new run.
        steps: total number of steps; None until the budget or the AP decides it.
        recipe: the recipe.
        train_images, validation_images: number of images; without the latter there are no
            evaluations.
        best: evaluation of the kept weights of a resumed run; None if unknown.
        artifact: description of the initial weights.
        snapshot: the initial weights.
    """

    step: int
    steps: int | None
    recipe: Recipe
    train_images: int
    validation_images: int
    best: Evaluation | None
    artifact: Artifact
    snapshot: Snapshot

    def __str__(self) -> str:
        images = f"{self.train_images} training images, {self.validation_images} validation images"
        steps = "" if self.steps is None else f" of {self.steps}"
        return f"starts after step {self.step}{steps}: {images}"


@dataclass(frozen=True, slots=True)
class Step(Event):
    """A step is done, with its evaluation and checkpoint if they were due.

    Attributes:
        step: steps done, from 1.
        fraction: completed fraction of the schedule, 0 to 1; 1 only in the last step.
        loss: losses of the weights before the step, as floats.
        learning_rate: learning rate of the step.
        images_per_second, steps_per_second: speed by the median of the last steps, without
            evaluations; None before the second step of this process.
        seconds_left: seconds until the last step ends; None if unknown.
        snapshot: the weights after the step.
    """

    step: int
    fraction: float
    loss: Loss
    learning_rate: float
    images_per_second: float | None
    steps_per_second: float | None
    seconds_left: float | None
    snapshot: Snapshot

    def __str__(self) -> str:
        left = "" if self.seconds_left is None else f", {self.seconds_left:.0f} s left"
        return f"step {self.step}: loss {self.loss.total:.3f}{left}"


@dataclass(frozen=True, slots=True)
class Evaluated(Event):
    """Weights were evaluated, if there are validation images. The last step's weights always are.

    Attributes:
        step: steps done.
        fraction: completed fraction of the schedule, 0 to 1.
        result: the validation result; None without validation images.
        is_best: True to keep these weights: no earlier ones are significantly better. Always True
            without validation images, where the latest weights are kept.
        artifact: description of the weights.
        snapshot: `snapshot.averaged` are the weights that were evaluated.
    """

    step: int
    fraction: float
    result: ValidationResult | None
    is_best: bool
    artifact: Artifact
    snapshot: Snapshot

    def __str__(self) -> str:
        best = ", the best" if self.is_best else ""
        score = f": {self.result.evaluation}{best}" if self.result else ""
        return f"evaluated step {self.step}{score}"


@dataclass(frozen=True, slots=True)
class CheckpointDue(Event):
    """A checkpoint should be written.

    Attributes:
        step: steps done.
        checkpoint: the checkpoint.
    """

    step: int
    checkpoint: Checkpoint

    def __str__(self) -> str:
        return f"checkpoint of step {self.step}"


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The training is over, and everything is written.

    Attributes:
        step: steps done.
        interrupted: True if it was stopped before its last step.
        best_step: the step of the kept weights.
        best: their evaluation; None without validation images.
    """

    step: int
    interrupted: bool
    best_step: int
    best: Evaluation | None

    def __str__(self) -> str:
        how = "stopped" if self.interrupted else "finished"
        best = f": {self.best}" if self.best else ""
        return f"{how} after step {self.step}, weights of step {self.best_step}{best}"


Subscriber = Callable[[Event], None]


def as_subscribers(on_event: Subscriber | Sequence[Subscriber]) -> tuple[Subscriber, ...]:
    """Return one or several subscribers as a tuple."""
    return (on_event,) if callable(on_event) else tuple(on_event)


def as_one(on_event: Subscriber | Sequence[Subscriber]) -> Subscriber:
    """Return one subscriber that calls them all."""

    def tell(event: Event) -> None:
        for subscriber in as_subscribers(on_event):
            subscriber(event)

    return tell

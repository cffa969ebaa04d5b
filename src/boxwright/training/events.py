"""What happens in a training, as typed events; whoever wants to know subscribes.

A training without incidents is, in this order:

    Note*  CheckpointDue?  Started  ([Note] [Evaluated [Note]] [CheckpointDue] Step)*  Finished

An evaluation and a checkpoint that are due at a step come before its `Step`, which closes it. A
training that is stopped between two evaluations has one more `Evaluated` and `CheckpointDue` before
`Finished`; one that fails ends without `Finished`.

Subscribers are called one after the other, in the training's thread, and the training waits for
them. A run's own files are written by the first ones: a caller's subscriber finds what an event
speaks of on the disk.

What a subscriber raises ends the training and reaches whoever called it, and the event's other
subscribers do not hear of it. From `Started` on the run can be used, and goes on from its last
checkpoint, which is half a minute old at most. `KeyboardInterrupt` stops the training as Ctrl-C
does: the weights are validated and a checkpoint is written.
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


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for people.

    Attributes:
        text: one line, without markup.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Started:
    """Data, network and compiled step are ready; the first step comes next.

    Attributes:
        step: steps done before, 0 unless the run goes on.
        steps: steps in all; None until a budget, or an AP that stops rising, has decided.
        recipe: how it trains.
        train_images, validation_images: how many there are; without the latter nothing is
            evaluated.
        best: how good the kept weights of a run that goes on are; None if that is not known.
        artifact: what describes the weights that it starts with.
        snapshot: these weights.
    """

    step: int
    steps: int | None
    recipe: Recipe
    train_images: int
    validation_images: int
    best: Evaluation | None
    artifact: Artifact
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Step:
    """A step is done, and whatever was due at it.

    Attributes:
        step: steps done, from 1.
        fraction: of the schedule that is done, 0 to 1; 1 in the last step only.
        loss: floats, of the weights before the step.
        learning_rate: of the step.
        images_per_second, steps_per_second: by the median of the last steps, without evaluations;
            None before the second step of this process.
        seconds_left: until the last step ends; None if nobody knows yet.
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


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Weights are measured, if there are validation images, and the best are to be kept. The last
    step's always are measured.

    Attributes:
        step: steps done.
        fraction: of the schedule that is done, 0 to 1.
        result: how good the weights are; None without validation images.
        is_best: whether to keep them: no earlier ones are clearly better. True without validation
            images, where the latest weights are kept.
        artifact: what describes the weights.
        snapshot: `snapshot.averaged` are the weights that were evaluated.
    """

    step: int
    fraction: float
    result: ValidationResult | None
    is_best: bool
    artifact: Artifact
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class CheckpointDue:
    """The run should be able to go on from here.

    Attributes:
        step: steps done.
        checkpoint: all that takes.
    """

    step: int
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Finished:
    """The training is over, and everything is written.

    Attributes:
        step: steps done.
        interrupted: whether it was stopped before its last step.
        best_step: the step that the kept weights are from.
        best: how good they are; None without validation images.
    """

    step: int
    interrupted: bool
    best_step: int
    best: Evaluation | None


Event = Note | Started | Step | Evaluated | CheckpointDue | Finished
Subscriber = Callable[[Event], None]


def as_subscribers(on_event: Subscriber | Sequence[Subscriber]) -> tuple[Subscriber, ...]:
    """One subscriber or several, as several."""
    return (on_event,) if callable(on_event) else tuple(on_event)

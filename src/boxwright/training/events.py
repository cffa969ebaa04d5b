"""What happens in a training, as typed events; whoever wants to know subscribes.

A training without incidents is, in this order:

    (Note | Downloading)*  CheckpointDue?  Started
    ([Note] [Evaluated [Note]] [CheckpointDue] Step)*  Finished

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


class Event:
    """Something that happens in a training: each kind is a dataclass of its own, and prints itself.

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
    """Pretrained weights are on their way.

    Attributes:
        name: of the published model.
        source: the URL.
        received: bytes so far.
        total: bytes in all; None if nobody says.
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
    """A sentence for people.

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

    def __str__(self) -> str:
        images = f"{self.train_images} training images, {self.validation_images} validation images"
        steps = "" if self.steps is None else f" of {self.steps}"
        return f"starts after step {self.step}{steps}: {images}"


@dataclass(frozen=True, slots=True)
class Step(Event):
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

    def __str__(self) -> str:
        left = "" if self.seconds_left is None else f", {self.seconds_left:.0f} s left"
        return f"step {self.step}: loss {self.loss.total:.3f}{left}"


@dataclass(frozen=True, slots=True)
class Evaluated(Event):
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

    def __str__(self) -> str:
        best = ", the best" if self.is_best else ""
        score = f": {self.result.evaluation}{best}" if self.result else ""
        return f"evaluated step {self.step}{score}"


@dataclass(frozen=True, slots=True)
class CheckpointDue(Event):
    """The run should be able to go on from here.

    Attributes:
        step: steps done.
        checkpoint: all that takes.
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
        interrupted: whether it was stopped before its last step.
        best_step: the step that the kept weights are from.
        best: how good they are; None without validation images.
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
    """One subscriber or several, as several."""
    return (on_event,) if callable(on_event) else tuple(on_event)

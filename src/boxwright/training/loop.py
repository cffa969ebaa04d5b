"""The training loop, from labeled images to a run folder: a generator of events."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from boxwright.backend import framework
from boxwright.datasets.source import DataSource
from boxwright.evaluation.coco import Evaluation
from boxwright.inference.file_kinds import remember
from boxwright.inference.run import Run
from boxwright.models.registry import DEFAULT
from boxwright.structures.dataset import Dataset
from boxwright.training import following
from boxwright.training.best_weights import BestWeights, BestWeightsWriter, described
from boxwright.training.cache import Cache
from boxwright.training.checkpoint import Checkpoint, CheckpointWriter
from boxwright.training.control import Control, TrainingClock
from boxwright.training.data import images_to_cache
from boxwright.training.deciding import recipe_for_run
from boxwright.training.events import (
    CheckpointDue,
    Evaluated,
    Event,
    Finished,
    Note,
    Started,
    Step,
    Subscriber,
    as_subscribers,
)
from boxwright.training.explanation import explained
from boxwright.training.preparation import Plan, Prepared, preparation
from boxwright.training.recipe import Recipe
from boxwright.training.run_folder import checkpoint_of, only_training
from boxwright.training.sampler import Sampler
from boxwright.training.sanity_checks import check_trainable
from boxwright.training.schedule import Schedule
from boxwright.training.tools import Tools, measured_machine
from boxwright.training.validation import Validator
from boxwright.training.writers import JsonLines, TensorBoard

if TYPE_CHECKING:  # these import Keras, which takes seconds
    from boxwright.training.session import Snapshot
    from boxwright.training.start import Start

FINISH_SECONDS = 1.5  # to write the run and leave
ACHIEVED = 0.1  # validation AP above which a training is not compared with its start
NOTHING = 0.01  # AP of a detector that finds nothing
FORWARD = 0.5  # of the time to train on an image: what its evaluation takes
REPLANNED = 0.1  # of the steps: a smaller change of the plan is not worth a line
UNVALIDATED_SECONDS = 300.0  # of a run without a budget and without validation images


class Outcome(NamedTuple):
    """A finished run: metrics and step of the kept weights (metrics are None without validation
    images), and whether it was stopped before its last step."""

    run: Run
    evaluation: Evaluation | None
    step: int
    interrupted: bool


def train(
    dataset: Dataset,
    *,
    out: str | Path,
    weights: str | Path | None,
    model: str = DEFAULT,
    recipe: Recipe | Mapping[str, Any] | None = None,
    seconds: float | None = None,
    steps: int | None = None,
    input_size: int | None = None,
    largest_input: int | None = None,
    depth_multiplier: float | None = None,
    seed: int = 0,
    deterministic: bool = False,
    resume: bool = False,
    on_event: Subscriber | Sequence[Subscriber] = (),
    control: Control | None = None,
    started: float | None = None,
    source: str | Path | DataSource | None = None,
    tools: Tools | None = None,
) -> Outcome:
    """Train a detector on the training images of `dataset`.

    The validation set selects the best weights. Without one the recipe holds out some training
    images if there are enough, and keeps near-duplicates together; otherwise the last averaged
    weights are kept. Test images are not used.

    Args:
        dataset: labeled images.
        out: the run folder to write.
        weights: a pretrained file to start from; None trains from scratch.
        model: the detector family, a name of `models.registry`; a resumed run has its own.
        recipe: the recipe, or fields of it by path, see `settings`; the other fields are chosen
            from the images and the arguments below. Fields of a resumed run cannot change.
        seconds: the budget in wall time, counted from `started`, without pauses.
        steps: the budget in steps instead. With neither it trains until the validation AP stops
            rising; without validation images, for UNVALIDATED_SECONDS.
        input_size, depth_multiplier: override the choice for the network.
        largest_input: the largest input size to choose, pixels.
        seed: random seed.
        deterministic: the same images, options and machine give the same bits; needs `steps`.
        resume: continue the run in `out` with its own recipe.
        on_event: a function called with each event of `training.events`, or several.
        control: stops and pauses the training from another thread.
        started: start of the budget by the clock (`time.monotonic`, or that of `tools`); now by
            default.
        source: the source of `dataset`, recorded in the run; its root by default.
        tools: engines, validator and clock to use.

    Raises:
        DataError, WeightsError, TrainingError: what is wrong with images, weights or run; BW309
            another training is running there.
        Exception: errors of subscribers, see `training.events`.
    """
    tools = tools or Tools()
    started = tools.clock() if started is None else started
    run = Run(out)
    checkpoint = checkpoint_of(run, resume)
    seen = images_to_cache(dataset)
    check_trainable(seen)
    framework.importing()  # while the recipe looks at the images
    chosen = recipe_for_run(
        seen,
        checkpoint,
        recipe,
        pretrained=weights is not None,
        seconds=seconds,
        steps=steps,
        input_size=input_size,
        largest_input=largest_input,
        depth_multiplier=depth_multiplier,
        seed=seed,
        deterministic=deterministic,
        model=model,
        measure=lambda budget: measured_machine(tools, started + budget),
    )
    decided = checkpoint is None and not isinstance(recipe, Recipe)
    notes = [str(line) for line in explained(chosen) if line.reason] if decided else []

    def begin(recipe: Recipe, precision: str, images: Cache) -> Start:
        from boxwright.training import start

        if checkpoint:
            return start.from_checkpoint(run.artifact, recipe, checkpoint)
        if weights is not None:
            return start.from_weights(weights, recipe, dataset.classes, precision, images)
        return start.from_scratch(recipe, dataset.classes, precision)

    plan = Plan(chosen, seen, run, begin, source or dataset.root, notes)
    return train_by_recipe(plan, on_event=on_event, control=control, started=started, tools=tools)


def train_by_recipe(
    plan: Plan,
    *,
    on_event: Subscriber | Sequence[Subscriber] = (),
    control: Control | None = None,
    started: float | None = None,
    tools: Tools | None = None,
) -> Outcome:
    """Train by a recipe; an earlier run in the folder is replaced.

    Args:
        plan: recipe, data and run folder.
        on_event, control, started, tools: as `train`.

    Raises:
        As `train`.
    """
    tools, control, run = tools or Tools(), control or Control(), plan.run
    started = tools.clock() if started is None else started
    with (
        only_training(run),
        closing(JsonLines(run.log)) as lines,
        closing(TensorBoard(run.tensorboard)) as board,
    ):
        writers: list[Subscriber] = [CheckpointWriter(run), BestWeightsWriter(run), lines, board]
        events = training_events(plan, control, started, tools)
        end = tell(events, [*writers, *as_subscribers(on_event)])
        if run.exists():
            remember(run.folder)
    return Outcome(run, end.best, end.best_step, end.interrupted)


def tell(events: Generator[Event], subscribers: Sequence[Subscriber]) -> Finished:
    """Pass all events to the subscribers. Ctrl-C in a subscriber stops the training as it does
    during a step; the event does not reach the remaining subscribers."""
    with closing(events):
        event = next(events)
        while True:
            try:
                for subscriber in subscribers:
                    subscriber(event)
            except KeyboardInterrupt as stop:
                event = events.throw(stop)
                continue
            if isinstance(event, Finished):
                return event
            event = next(events)


def training_events(plan: Plan, control: Control, started: float, tools: Tools) -> Generator[Event]:
    """Prepare and train, from the first note to `Finished`. Only subscribers write files.
    Arguments and errors are those of `train_by_recipe`."""
    ready = yield from preparation(plan, tools)
    recipe, begun = plan.recipe, ready.begun
    validated = len(ready.validator) > 0
    clock = TrainingClock(tools.clock)
    seconds = recipe.seconds
    if seconds is None and recipe.steps is None and not validated:
        seconds = UNVALIDATED_SECONDS
        yield Note(f"no validation set to decide when to stop: training for {seconds:.0f} s")
    best = BestWeights(ready.validator.noise)
    if begun.checkpoint:
        ap = begun.checkpoint.best_ap
        kept = ready.validator.validate(plan.run.build_model()) if validated and ap >= 0 else None
        best.restore(begun.checkpoint.best_step, ap, kept.evaluation if kept else None)
    schedule = Schedule(
        steps=recipe.steps,
        deadline=None if seconds is None else started + seconds - FINISH_SECONDS,
        step=begun.checkpoint.step if begun.checkpoint else 0,
        state=begun.checkpoint.schedule if begun.checkpoint else None,
        by_clock=not recipe.deterministic,
        judged=validated,
        evaluation_steps=FORWARD * len(ready.validator) / recipe.batch_size,
        clock=clock,
        max_lost=tools.max_lost,
    )
    yield from Loop(plan, ready, schedule, best, control, clock, started).events()


class Loop:
    """The steps of a training, with the evaluations and checkpoints between them."""

    def __init__(
        self,
        plan: Plan,
        ready: Prepared,
        schedule: Schedule,
        best: BestWeights,
        control: Control,
        clock: TrainingClock,
        started: float,
    ) -> None:
        self._plan, self._recipe, self._ready = plan, plan.recipe, ready
        self._session, self._validator = ready.session, ready.validator
        self._schedule, self._best = schedule, best
        self._control, self._clock, self._started = control, clock, started
        self._images = ready.data.training.dataset
        self._sampler = Sampler(self._images, plan.recipe)
        self._processes = ready.processes
        self._first_step = schedule.step
        self._evaluated_at = -1
        self._told_steps = schedule.steps

    def events(self) -> Generator[Event]:
        """Yield all events, from a new run's first checkpoint to `Finished`."""
        schedule = self._schedule
        if not self._plan.run.exists():  # from here on a killed run can be resumed
            yield from self._checkpoint(self._snapshot().arrays)
        if schedule.done:
            yield Note(f"all {schedule.step} steps are already done")
        try:
            yield Started(
                schedule.step,
                schedule.steps,
                self._recipe,
                len(self._images),
                len(self._validator),
                self._best.evaluation,
                self._ready.artifact,
                self._snapshot(),
            )
            following.lead(self._processes, lambda: self._state(self._snapshot().arrays))
            while not (schedule.done or self._control.stopped):
                yield from self._pause() if self._control.paused else self._step()
        except KeyboardInterrupt:
            self._control.stop()
        self._processes.broadcast(following.NO_MORE if schedule.done else following.STOPPED)
        if self._control.stopped and self._evaluated_at != schedule.step:
            yield from self._evaluation()
        if not self._control.stopped:  # who stops a training waits for its end
            yield from self._comparison_with_start()
        yield Finished(schedule.step, not schedule.done, self._best.step, self._best.evaluation)

    def _step(self) -> Iterator[Event]:
        schedule, recipe, number = self._schedule, self._recipe, self._schedule.step
        rows, random_draws = self._sampler.batch(number)
        rate = recipe.learning_rate.at(number, schedule.fraction)
        self._session.expect(self._sampler.rows(number + 1))
        self._processes.broadcast(following.order(number, rate))
        began = self._clock()
        loss = self._session.step(rows, random_draws, number=number, learning_rate=rate)
        schedule.advance(self._clock() - began, compiled=number > self._first_step)
        yield from self._replanned()
        if schedule.evaluation_due():
            began = self._clock()
            yield from self._evaluation()
            schedule.evaluated(self._clock() - began)
        elif schedule.checkpoint_due():
            yield from self._checkpoint(self._snapshot().arrays)
        speed = recipe.batch_size / schedule.step_seconds if schedule.step_seconds else None
        yield Step(
            schedule.step,
            schedule.fraction,
            loss,
            rate,
            speed,
            speed and speed / recipe.batch_size,
            schedule.seconds_left,
            self._snapshot(),  # a new one, so that no checkpoint's arrays stay in memory
        )

    def _replanned(self) -> Iterator[Event]:
        """Say how many steps fit into the budget, and again if the number has changed much."""
        steps, told = self._schedule.steps, self._told_steps
        if steps is None or (told is not None and abs(steps - told) <= REPLANNED * told):
            return
        pace = f"{self._schedule.step_seconds:.2g} s per step"
        if told is None:
            yield Note(f"{steps} steps fit into the budget at {pace}")
        else:
            yield Note(f"the speed has changed: {steps} steps instead of {told}, at {pace}")
        self._told_steps = steps

    def _comparison_with_start(self) -> Iterator[Event]:
        """Say so if the training has achieved nothing."""
        probe, best = self._ready.begun.probe, self._best.evaluation
        if probe is None or (best and (best.ap or 0.0) > ACHIEVED):
            return
        after = Validator(probe).validate(self._session.averaged()).evaluation
        before = Validator(probe).validate(self._session.untrained()).evaluation
        if (after.ap or 0.0) <= max(before.ap or 0.0, NOTHING):
            yield Note(
                f"this training achieved nothing: AP {after.ap or 0.0:.3f} on {after.images} "
                f"training images, {before.ap or 0.0:.3f} before; it needs more time, or the "
                "labels are wrong"
            )

    def _pause(self) -> Iterator[Event]:
        yield from self._checkpoint(self._snapshot().arrays)  # a paused machine may be switched off
        with self._clock.standing_still():
            self._control.wait()

    def _evaluation(self) -> Iterator[Event]:
        schedule, snapshot = self._schedule, self._snapshot()
        step = snapshot.step
        arrays = snapshot.arrays  # first, because this refuses weights that are not finite
        validator = self._validator
        result = validator.validate(snapshot.averaged) if len(validator) else None
        is_best = self._best.update(step, result)
        ends = result and schedule.judged(result.evaluation.ap or 0.0, validator.noise)
        artifact = described(self._ready.artifact, step, result)
        yield Evaluated(step, schedule.fraction, result, is_best, artifact, snapshot)
        if ends:
            yield Note(
                f"validation AP ({len(validator)} images) stopped rising at step {step}: "
                f"the learning rate decays until step {schedule.steps}"
            )
        # After the weights are saved: a run resumed from here does not evaluate them again.
        yield from self._checkpoint(arrays)
        self._evaluated_at = step

    def _checkpoint(self, arrays: dict[str, Any]) -> Iterator[Event]:
        yield CheckpointDue(self._schedule.step, self._state(arrays))
        self._schedule.checkpointed()

    def _state(self, arrays: dict[str, Any]) -> Checkpoint:
        schedule, begun = self._schedule, self._ready.begun
        return Checkpoint(
            step=schedule.step,
            fraction=schedule.fraction,
            seconds=self._clock() - self._started,
            best_ap=self._best.highest_ap,
            best_step=self._best.step,
            recipe=self._recipe.to_json(),
            precision=begun.precision,
            fingerprint=self._ready.data.fingerprint,
            arrays=arrays,
            schedule=schedule.state,
            artifact=self._ready.artifact.to_json(),
        )

    def _snapshot(self) -> Snapshot:
        from boxwright.training.session import Snapshot

        return Snapshot(self._schedule.step, self._session)

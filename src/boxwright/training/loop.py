"""The one training loop, from labelled photos to a run folder, top to bottom."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from boxwright import __version__
from boxwright.backend import framework
from boxwright.evaluation import summary
from boxwright.evaluation.coco import Evaluation
from boxwright.inference.artifact import Artifact
from boxwright.inference.run import Run
from boxwright.models.weights import zoo
from boxwright.structures.dataset import Dataset
from boxwright.training.best_weights import Keeper, OnKeep, Snapshot
from boxwright.training.cache import Cache, build_cache
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.events import Log
from boxwright.training.recipe import Recipe, recipe_for
from boxwright.training.reporter import Progress, Reporter, Silent
from boxwright.training.run_folder import checkpoint_of, only_training
from boxwright.training.sampler import Order
from boxwright.training.sanity_checks import check_loss, check_state, check_trainable
from boxwright.training.schedule import Schedule
from boxwright.training.validation import Jury, choosing_mask, photos_to_cache, some_photos

if TYPE_CHECKING:
    from boxwright.training.start import Start  # Keras, which takes seconds

FINISH_SECONDS = 1.5  # to write the run and leave
UNJUDGED_SECONDS = 300.0  # of a run without a budget that no photo can judge
REPORT_SECONDS = 0.25
LOG_STEPS = 10
PICTURES = 6  # of photos, after the last step: each takes some hundredths of a second


class Outcome(NamedTuple):
    """A finished run: how good the kept weights are (None: no photos chose them), the step they
    are from, and whether Ctrl-C ended it."""

    run: Run
    evaluation: Evaluation | None
    step: int
    interrupted: bool


def train(
    dataset: Dataset,
    *,
    out: str | Path,
    weights: str | Path | None,
    recipe: Recipe | None = None,
    seconds: float | None = None,
    steps: int | None = None,
    input_size: int | None = None,
    depth_multiplier: float | None = None,
    seed: int = 0,
    deterministic: bool = False,
    resume: bool = False,
    reporter: Reporter | None = None,
    started: float | None = None,
    source: str | Path | None = None,
) -> Outcome:
    """Train a detector on the photos of `dataset` that are marked for training.

    Photos marked for validation choose the best weights; without such marks the recipe sets some
    training photos aside, near-duplicates kept together, if there are enough; else all of them
    train and the last averaged weights are kept. Photos marked for testing are never opened.

    Args:
        dataset: labelled photos.
        out: the run folder to write.
        weights: a pretrained file to start from; None trains from scratch.
        recipe: how to train; decided from the photos and what follows by default.
        seconds: the budget in wall time, counted from `started`.
        steps: the budget in steps instead. With neither it trains until the AP on the photos that
            choose stops rising; where none do, for UNJUDGED_SECONDS.
        input_size, depth_multiplier: of the network, where the recipe's choice is not wanted.
        seed: of everything random.
        deterministic: the same photos, options and machine give the same bits; needs `steps`.
        resume: go on with the run in `out`, as its own recipe says.
        reporter: told what happens.
        started: `time.monotonic()` at which the budget began; now by default.
        source: what `dataset` was read from, for `export`; its root by default.

    Raises:
        DataError, WeightsError, TrainingError: what is wrong with photos, weights or run; BW309
            another training is at work there.
    """
    started = time.monotonic() if started is None else started
    reporter = reporter or Silent()
    run = Run(out)
    checkpoint = checkpoint_of(run, resume)
    seen = photos_to_cache(dataset)
    check_trainable(seen)
    framework.importing()  # while the recipe looks at the photos
    if checkpoint:
        recipe = checkpoint.remaining_recipe(seconds, steps)
    elif recipe is None:
        recipe = recipe_for(
            seen,
            pretrained=weights is not None,
            seconds=seconds,
            steps=steps,
            input_size=input_size,
            depth_multiplier=depth_multiplier,
            seed=seed,
        )
        if deterministic:
            why = "asked for; float32, and nothing goes by the clock"
            reasons = {**recipe.reasons, "deterministic": why}
            recipe = replace(recipe, deterministic=True, reasons=reasons)
        for line in recipe.explained():
            reporter.say(line)

    def begin(recipe: Recipe, precision: str, photos: Cache) -> Start:
        from boxwright.training import start

        if checkpoint:
            return start.from_checkpoint(run.artifact, recipe, checkpoint)
        if weights is not None:
            return start.from_weights(weights, recipe, dataset.classes, precision, photos)
        return start.from_scratch(recipe, dataset.classes, precision)

    with only_training(run):
        return follow(recipe, seen, run, begin, reporter=reporter, started=started, source=source)


def follow(
    recipe: Recipe,
    dataset: Dataset,
    run: Run,
    begin: Callable[[Recipe, str, Cache], Start],
    *,
    reporter: Reporter,
    started: float,
    on_keep: OnKeep | None = None,
    source: str | Path | None = None,
) -> Outcome:
    """Train as a recipe says; the one training loop. Nothing else may train in the folder
    meanwhile, see `run_folder.only_training`.

    Args:
        recipe: how to train.
        dataset: the photos to train on, and those that choose, marked for validation.
        run: the folder to write; what is in it of an earlier run is replaced.
        begin: gives the model to start from, in the Keras dtype policy that it is told or a better
            one; the photos are those that train.
        reporter: told what happens.
        started: `time.monotonic()` at which the budget began.
        on_keep: told whenever weights are judged.
        source: what `dataset` was read from, for `export`; its root by default.

    Raises:
        As `train`.
    """
    importing = framework.importing()  # takes seconds, in which photos are decoded

    # ---- Photos ------------------------------------------------------------------------------
    dataset = some_photos(dataset, recipe.most_photos, recipe.seed)
    cache = build_cache(dataset, recipe.cache_side)
    for finding in cache.findings:
        reporter.say(str(finding))
    chooses = choosing_mask(cache, recipe.held_out, recipe.seed)
    training = cache.select(~chooses)
    check_trainable(training.dataset)
    fingerprint = cache.dataset.fingerprint()

    # ---- Model -------------------------------------------------------------------------------
    importing.join()
    if recipe.deterministic:
        framework.make_deterministic()
    from boxwright.models import ssd
    from boxwright.training import start
    from boxwright.training.step import Engine, engine_module

    # Batch norm in training converts back and forth, which costs more than bfloat16 gains; what is
    # rounded to 8 bits needs all of float32 before; and which is faster is found by the clock.
    exact = recipe.train_norm or recipe.quantisation is not None or recipe.deterministic
    fastest = "float32" if exact else engine_module().faster_precision()
    first = begin(recipe, fastest, training)
    earlier, model, anchors = first.checkpoint, first.model, ssd.anchors(first.spec)
    if earlier:
        earlier.check_data(fingerprint, run.folder)
    reporter.say(f"start: {first.origin}; convolutions in {first.precision.removeprefix('mixed_')}")
    for head_start in first.head_starts:
        reporter.say(str(head_start))
    kept = ssd.build(first.spec)  # float32, for the weights that are judged
    kept.set_weights(model.get_weights())
    if first.probe:
        before = first.probe.judge(kept, anchors).evaluation
        scores = _scores(before)
        reporter.say(f"before training, on {before.photos} training photos: {scores}")

    # ---- Engine ------------------------------------------------------------------------------
    variables = start.trained_variables(model, recipe)
    statistics = start.statistics_of(model, recipe)
    engine: Engine = engine_module().Engine(
        model,
        variables,
        statistics,
        anchors,
        recipe,
        scale=first.preprocessing.scale,
        offset=first.preprocessing.offset,
        kernels=start.regularised_kernels(model, recipe),
    )
    training = replace(training, photos=engine.resident(training.photos))
    places = {id(variable): i for i, variable in enumerate(model.weights)}
    keeper = Keeper(
        run,
        Artifact(
            first.spec.to_json(),
            dataset.classes,
            first.preprocessing,
            provenance=_provenance(source or dataset.root, fingerprint, recipe, first.weights),
        ),
        kept,
        [kept.weights[places[id(v)]] for v in (*variables, *statistics)],
        anchors,
        Jury.of(cache.dataset.select(chooses), first.preprocessing, recipe.seed),
    )
    if earlier:
        engine.restore(earlier.arrays)
        keeper.recall(earlier.best_step, earlier.best_ap)

    # ---- What is kept ------------------------------------------------------------------------
    batch_names: list[str] = []

    def state() -> dict[str, Any]:
        weights = {f"weight/{i}": w for i, w in enumerate(model.get_weights())}
        arrays = engine.state() | weights
        check_state(arrays, schedule.step, batch_names)
        return arrays

    def save(arrays: dict[str, Any]) -> None:
        Checkpoint(
            step=schedule.step,
            fraction=schedule.fraction,
            seconds=time.monotonic() - started,
            best_ap=keeper.best_ap,
            best_step=keeper.best_step,
            recipe=recipe.to_json(),
            precision=first.precision,
            fingerprint=fingerprint,
            arrays=arrays,
            schedule=schedule.state,
        ).save(run.checkpoint)
        schedule.checkpointed()

    def keep() -> None:
        step, arrays = schedule.step, state()
        judged = keeper.consider(step, engine.kept())
        if judged and schedule.judged(judged.evaluation.ap or 0.0, keeper.jury.noise()):
            reporter.say(
                f"the AP on {len(keeper.jury)} photos has stopped rising after {step} steps: "
                f"the learning rate falls until step {schedule.steps}"
            )
        save(arrays)  # after the judgement, which so is not left out when the run goes on from here
        if on_keep:
            on_keep(Snapshot(step, model, start.named_slots(model, variables, engine.slots())))
        if judged:
            evaluation = judged.evaluation
            log.write(step, summary.coco_numbers(evaluation) | summary.pascal_numbers(evaluation))
        if judged and schedule.done:
            truth = keeper.jury.truth
            log.pictures(step, summary.pictures(truth, judged.detections, photos=PICTURES))

    # ---- Loop --------------------------------------------------------------------------------
    seconds = recipe.seconds
    if seconds is None and recipe.steps is None and not len(keeper.jury):
        seconds = UNJUDGED_SECONDS
        reporter.say(f"no photos judge when to stop: {seconds:.0f} seconds of training")
    schedule = Schedule(
        steps=recipe.steps,
        deadline=None if seconds is None else started + seconds - FINISH_SECONDS,
        step=earlier.step if earlier else 0,
        state=earlier.schedule if earlier else None,
        by_clock=not recipe.deterministic,
        judged=len(keeper.jury) > 0,
    )
    order = Order(training.dataset, recipe)
    if not run.exists():  # from here on a run that is killed goes on, and is a detector
        save(state())
        run.save(keeper.artifact, kept)
    if schedule.done:
        reporter.say(f"all {schedule.step} steps are done already")
    first_step, losses, reported, interrupted = schedule.step, deque[float](maxlen=20), 0.0, False
    with Log(run) as log:
        try:
            while not schedule.done:
                step, planned = schedule.step, schedule.steps
                rows, dice = order.batch(step)
                rate = recipe.learning_rate.at(step, schedule.fraction)
                before_step = time.monotonic()
                batch = (*training.batch(rows), training.sizes(rows), dice)
                loss = engine.step(*batch, number=step, learning_rate=rate)
                batch_names = [training.dataset.names[row] for row in rows]
                check_loss(loss, step, batch_names)
                schedule.advance(time.monotonic() - before_step, compiled=step > first_step)
                if planned is None and schedule.steps is not None:
                    reporter.say(_plan(schedule))  # once: later it is only bent a little
                step = schedule.step
                losses.append(loss.total)
                if schedule.evaluation_due():
                    before_keeping = time.monotonic()
                    keep()
                    schedule.evaluated(time.monotonic() - before_keeping)
                elif schedule.checkpoint_due():
                    save(state())
                speed = recipe.batch_size / schedule.step_seconds if schedule.step_seconds else None
                if time.monotonic() - reported > REPORT_SECONDS or schedule.done:
                    reported = time.monotonic()
                    reporter.progress(
                        Progress(
                            step,
                            schedule.fraction,
                            float(np.mean(losses)),
                            keeper.best.ap if keeper.best else None,
                            keeper.best.ap50 if keeper.best else None,
                            speed,
                            schedule.seconds_left,
                        )
                    )
                if step % LOG_STEPS == 0:
                    log.write(
                        step,
                        {
                            "Loss/total_loss": loss.total,
                            "Loss/classification_loss": loss.classes,
                            "Loss/localization_loss": loss.boxes,
                            "Loss/regularization_loss": loss.penalty or None,
                            "learning_rate": rate,
                            "global_step/sec": speed and speed / recipe.batch_size,
                        },
                    )
        except KeyboardInterrupt:
            interrupted = True
            keep()
    return Outcome(run, keeper.best, keeper.best_step, interrupted)


def _plan(schedule: Schedule) -> str:
    return f"steps {schedule.steps}: what the budget holds at {schedule.step_seconds:.2g} s a step"


def _scores(evaluation: Evaluation) -> str:
    scores = {"AP": evaluation.ap, "AP50": evaluation.ap50}
    known = [f"{name} {score:.3f}" for name, score in scores.items() if score is not None]
    return ", ".join(known) or "nothing to measure"


def _provenance(
    source: str | Path, fingerprint: str, recipe: Recipe, weights: str | None
) -> dict[str, Any]:
    return {
        "boxwright": __version__,
        "data": {"path": Path(source).absolute().as_posix(), "fingerprint": fingerprint},
        "weights": weights,
        "licence": zoo.licence(weights),
        "recipe": recipe.to_json(),
    }

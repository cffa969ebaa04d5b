"""The one training loop, from labelled photos to a run folder, top to bottom."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright import __version__
from boxwright.data.dataset import Dataset
from boxwright.errors import SystemFaultError, TrainingError
from boxwright.evaluation.coco import Evaluation
from boxwright.models import framework, zoo
from boxwright.runtime.artifact import Artifact
from boxwright.runtime.run import Run
from boxwright.training.cache import build_cache
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.choosing import Jury, choosing_mask, photos_to_cache
from boxwright.training.events import Log
from boxwright.training.guards import check_loss, check_trainable
from boxwright.training.recipe import Recipe, recipe_for
from boxwright.training.reporter import Progress, Reporter, Silent
from boxwright.training.schedule import Schedule

FINISH_SECONDS = 1.5  # to write the run and leave
REPORT_SECONDS = 0.25
LOG_STEPS = 10


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
    resume: bool = False,
    reporter: Reporter | None = None,
    started: float | None = None,
) -> Outcome:
    """Train a detector on the photos of `dataset` that are marked for training.

    Photos marked for validation choose the best weights; without such marks a tenth of the
    training photos does, near-duplicates kept together; under 100 photos all of them train and
    the last averaged weights are kept. Photos marked for testing are never opened.

    Args:
        dataset: labelled photos.
        out: the run folder to write.
        weights: a pretrained file to start from; None trains from scratch.
        recipe: how to train; decided from the photos and what follows by default.
        seconds: the budget in wall time, counted from `started`.
        steps: the budget in steps instead.
        input_size, depth_multiplier: of the network, where the recipe's choice is not wanted.
        seed: of everything random.
        resume: go on with the run in `out`.
        reporter: told what happens.
        started: `time.monotonic()` at which the budget began; now by default.

    Raises:
        DataError, WeightsError, TrainingError: what is wrong with photos, weights or run.
    """
    started = time.monotonic() if started is None else started
    reporter = reporter or Silent()
    importing = threading.Thread(target=_import_frameworks, daemon=True)
    importing.start()  # takes seconds, in which photos are decoded

    # ---- Run and recipe ----------------------------------------------------------------------
    run = Run(out)
    checkpoint = _checkpoint(run, resume)
    seen = photos_to_cache(dataset)
    check_trainable(seen)
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
        for line in recipe.explained():
            reporter.say(line)

    # ---- Photos ------------------------------------------------------------------------------
    cache = build_cache(seen, recipe.cache_side)
    for finding in cache.findings:
        reporter.say(str(finding))
    chooses = choosing_mask(cache, recipe.seed)
    training = cache.select(~chooses)
    check_trainable(training.dataset)
    fingerprint = cache.dataset.fingerprint()
    if checkpoint:
        checkpoint.check_data(fingerprint, run.folder)

    # ---- Model -------------------------------------------------------------------------------
    importing.join()
    from boxwright.models import ssd
    from boxwright.training import start
    from boxwright.training.engine_tensorflow import Engine, faster_precision

    # Batch norm in training converts back and forth, which costs more than bfloat16 gains.
    fastest = "float32" if recipe.train_norm else faster_precision()
    precision = checkpoint.precision if checkpoint else fastest
    if checkpoint:
        begin = start.from_checkpoint(run.artifact, recipe, precision, checkpoint.weights)
    elif weights is not None:
        begin = start.from_weights(weights, recipe, dataset.classes, precision, training)
    else:
        begin = start.from_scratch(recipe, dataset.classes, precision)
    reporter.say(f"start: {begin.origin}; convolutions in {precision.removeprefix('mixed_')}")
    model, anchors = begin.model, ssd.anchors(begin.spec)
    averaged = ssd.build(begin.spec)  # float32, for the averaged weights
    averaged.set_weights(model.get_weights())
    jury = Jury.of(cache.dataset.select(chooses), begin.preprocessing, recipe.seed)
    for head_start in begin.head_starts:
        reporter.say(str(head_start))
    if begin.probe:
        before, _ = begin.probe.judge(averaged, anchors)
        scores = _scores(before)
        reporter.say(f"before training, on {before.photos} training photos: {scores}")

    # ---- Engine ------------------------------------------------------------------------------
    variables = start.trained_variables(model, recipe)
    statistics = start.statistics_of(model, recipe)
    engine = Engine(
        model,
        variables,
        statistics,
        anchors,
        recipe,
        scale=begin.preprocessing.scale,
        offset=begin.preprocessing.offset,
        kernels=start.regularised_kernels(model, recipe),
    )
    places = {id(variable): i for i, variable in enumerate(model.weights)}
    averaged_weights = [averaged.weights[places[id(v)]] for v in (*variables, *statistics)]
    step = best_step = 0
    best: Evaluation | None = None
    best_ap = -1.0
    if checkpoint:
        engine.restore(checkpoint.arrays)
        step, best_step, best_ap = checkpoint.step, checkpoint.best_step, checkpoint.best_ap
        if len(jury) and best_ap >= 0:
            best, _ = jury.judge(run.build_model(), anchors)
    artifact = Artifact(
        begin.spec.to_json(),
        dataset.classes,
        begin.preprocessing,
        provenance=_provenance(dataset, fingerprint, recipe, weights),
    )
    if not checkpoint:
        run.save(artifact, averaged)  # a run that is killed early is still a detector

    def keep() -> None:
        """Judge the averaged weights, keep them unless earlier ones are clearly better."""
        nonlocal best, best_ap, best_step
        for variable, value in zip(averaged_weights, engine.kept(), strict=True):
            variable.assign(value)
        now = threshold = None
        if len(jury):
            now, threshold = jury.judge(averaged, anchors)
        ap = (now.ap or 0.0) if now else 0.0
        if ap >= best_ap - jury.noise():
            best, best_step = now, step
            metrics = now.to_json() if now else None
            origin = artifact.provenance | {"metrics": metrics, "step": step}
            shown_from = threshold or artifact.threshold
            run.save(replace(artifact, threshold=shown_from, provenance=origin), averaged)
        best_ap = max(best_ap, ap)
        Checkpoint(
            step=step,
            fraction=schedule.fraction,
            seconds=time.monotonic() - started,
            best_ap=best_ap,
            best_step=best_step,
            recipe=recipe.to_json(),
            precision=precision,
            fingerprint=fingerprint,
            arrays=engine.state() | {f"weight/{i}": w for i, w in enumerate(model.get_weights())},
        ).save(run.checkpoint)
        log.write(step, {"AP": now.ap if now else None, "AP50": now.ap50 if now else None})

    # ---- Loop --------------------------------------------------------------------------------
    deadline = None if recipe.seconds is None else started + recipe.seconds - FINISH_SECONDS
    schedule = Schedule(
        steps=recipe.steps, deadline=deadline, fraction=checkpoint.fraction if checkpoint else 0.0
    )
    first_step, losses, reported, interrupted = step, deque[float](maxlen=20), 0.0, False
    with Log(run) as log:
        try:
            while not schedule.done:
                rows, dice = _batch(len(training), recipe, step)
                rate = recipe.learning_rate.at(step, schedule.fraction)
                before_step = time.monotonic()
                batch = (*training.batch(rows), training.aspects(rows), dice)
                loss = engine.step(*batch, number=step, learning_rate=rate)
                check_loss(loss, step, [training.dataset.names[row] for row in rows])
                schedule.advance(time.monotonic() - before_step, compiled=step > first_step)
                step += 1
                losses.append(loss.total)
                if schedule.evaluation_due():
                    before_keeping = time.monotonic()
                    keep()
                    schedule.evaluated(time.monotonic() - before_keeping)
                if time.monotonic() - reported > REPORT_SECONDS or schedule.done:
                    reported = time.monotonic()
                    seconds_a_step = schedule.step_seconds  # 0 until the second step is done
                    speed = recipe.batch_size / seconds_a_step if seconds_a_step else None
                    mean_loss = float(np.mean(losses))
                    reporter.progress(
                        Progress(
                            step,
                            schedule.fraction,
                            mean_loss,
                            best.ap if best else None,
                            best.ap50 if best else None,
                            speed,
                            schedule.seconds_left,
                        )
                    )
                if step % LOG_STEPS == 0:
                    log.write(
                        step,
                        {"loss": loss.total, "loss/classes": loss.classes, "loss/boxes": loss.boxes,
                         "loss/penalty": loss.penalty or None, "learning_rate": rate,
                         "photos_per_second": speed},
                    )  # fmt: skip
        except KeyboardInterrupt:
            interrupted = True
            keep()
    return Outcome(run, best, best_step, interrupted)


def _import_frameworks() -> None:
    with suppress(SystemFaultError):  # comes again where they are needed, and is said there
        framework.keras()
        framework.tensorflow()


def _checkpoint(run: Run, resume: bool) -> Checkpoint | None:
    if resume:
        return Checkpoint.load(run.checkpoint)
    if run.exists():
        go_on = "add --resume to go on with this one"
        if not run.checkpoint.is_file():
            go_on = "delete this one, which ended too early to go on"
        raise TrainingError(
            "BW304",
            "there is already a run in this folder.",
            where=run.folder.absolute(),
            remedy=f"Choose another --out, or {go_on}.",
        )
    return None


def _batch(photos: int, recipe: Recipe, step: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows and dice of a step: functions of seed and step alone, so that a resumed run sees what
    an uninterrupted one would. Every photo comes once before any comes again."""
    places = np.arange(step * recipe.batch_size, (step + 1) * recipe.batch_size)
    rows = [
        np.random.default_rng([recipe.seed, epoch]).permutation(photos)[
            places[places // photos == epoch] % photos
        ]
        for epoch in np.unique(places // photos)
    ]
    dice = np.random.default_rng([recipe.seed, step, 1])
    shape = recipe.batch_size, recipe.augmentation.dice
    return np.concatenate(rows), dice.random(shape, np.float32)  # never 1.0


def _scores(evaluation: Evaluation) -> str:
    scores = {"AP": evaluation.ap, "AP50": evaluation.ap50}
    known = [f"{name} {score:.3f}" for name, score in scores.items() if score is not None]
    return ", ".join(known) or "nothing to measure"


def _provenance(
    dataset: Dataset, fingerprint: str, recipe: Recipe, weights: str | Path | None
) -> dict[str, Any]:
    return {
        "boxwright": __version__,
        "data": {"path": dataset.root.absolute().as_posix(), "fingerprint": fingerprint},
        "weights": None if weights is None else zoo.title(Path(weights)),
        "recipe": recipe.to_json(),
    }

"""Train by a pipeline.config: convert it to a recipe, and write the API's checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from boxwright.inference.run import Run
from boxwright.io.files import write_text
from boxwright.io.protobuf_text import write
from boxwright.io.shell import quoted
from boxwright.structures.dataset import Dataset, Split
from boxwright.tfod.commands import Say
from boxwright.tfod.config import Config, checked, report
from boxwright.tfod.mapping.recipe import FOREVER, recipe_of
from boxwright.tfod.readers import read_images
from boxwright.training.cache import Cache
from boxwright.training.control import Control
from boxwright.training.events import Evaluated, Event, Note
from boxwright.training.following import follow
from boxwright.training.loop import train_by_recipe
from boxwright.training.optimizers import Optimizer
from boxwright.training.preparation import Plan
from boxwright.training.progress import Meter, Progress
from boxwright.training.recipe import Recipe
from boxwright.training.resources import ONE_DEVICE, Resources
from boxwright.training.start import Start
from boxwright.training.tools import Tools

SAID_EVERY = 5.0  # seconds
LONG = 2 * 3600.0  # seconds left, from which the short way is worth a line
MINUTES = 30
WRITTEN = "pipeline.config"

After = Callable[[Path, Dataset], None]


class StepLog:
    """A subscriber that prints step and loss, like the log of the Object Detection API.

    Args:
        say: prints a line.
        endless: True if training has no last step; the remaining time is not shown.
        every: seconds between two lines.
        short_way: a command to train in less time, printed once if hours are left.
    """

    def __init__(
        self, say: Say, *, endless: bool = False, every: float = SAID_EVERY, short_way: str = ""
    ) -> None:
        self._say, self._endless = say, endless
        self._short_way = short_way
        self._meter = Meter(self._progress, every=every)

    def __call__(self, event: Event) -> None:
        if isinstance(event, Note):
            self._say(event.text)
        else:
            self._meter(event)

    def _progress(self, progress: Progress) -> None:
        parts = [f"global step {progress.step}: loss = {progress.loss:.4f}"]
        if progress.images_per_second:
            parts.append(f"{progress.images_per_second:.1f} images/s")
            if progress.seconds_left is not None and not self._endless:
                parts.append(f"{_time(progress.seconds_left)} left")
        self._say(", ".join(parts))
        left = progress.seconds_left or 0.0
        if self._short_way and left > LONG and not self._endless:
            short_way, self._short_way = self._short_way, ""
            hours = f"{left / 3600:.0f} hours on this machine"
            self._say(f"This takes another {hours}. The short way, in {MINUTES} min: {short_way}")


class CheckpointsOfTheApi:
    """A subscriber that writes `model.ckpt-N`, or `ckpt-N` of TensorFlow 2, after each evaluation.

    Args:
        folder: folder for the checkpoints.
        object_based: True to write those of TensorFlow 2.
        optimizer: optimizer of the training; its state is written too.
        say: prints a line.
        images: dataset to pass to `after`.
        after: called with the prefix of each checkpoint and `images`; may be None.
    """

    def __init__(
        self,
        folder: Path,
        optimizer: Optimizer,
        say: Say,
        images: Dataset,
        after: After | None,
        *,
        object_based: bool,
    ) -> None:
        self._folder, self._optimizer, self._say = folder, optimizer, say
        self._images, self._after, self._object_based = images, after, object_based

    def __call__(self, event: Event) -> None:
        from boxwright.tfod import checkpoint

        if not isinstance(event, Evaluated):
            return
        snapshot = event.snapshot
        slots = {**snapshot.slots, **checkpoint.companions(snapshot, self._optimizer)}
        prefix = checkpoint.save(
            self._folder,
            snapshot.model.network,
            snapshot.step,
            slots,
            object_based=self._object_based,
        )
        self._say(f"saved {prefix}")
        if self._after:
            self._after(prefix, self._images)


def train_by(
    config: Config,
    folder: Path,
    say: Say,
    *,
    steps: int | None = None,
    after: After | None = None,
    resources: Resources = ONE_DEVICE,
    control: Control | None = None,
) -> None:
    """Train and write `model.ckpt-N` into a folder, which is also a Boxwright run.

    If the folder has a checkpoint already, training resumes from the latest.

    Args:
        config: the pipeline.config.
        folder: training folder, for checkpoints and all other files.
        say: prints a line.
        steps: number of training steps; None takes the config's.
        after: called with the prefix of each checkpoint and all images. If given, the images of
            the eval_input_reader are the validation set, which selects the best weights of the
            run. If None, they are not read.
        resources: devices and processes. In other processes than process 0 it takes part in the
            steps and writes nothing.
        control: stops and pauses the training from another thread.

    Raises:
        TfodError, DataError, WeightsError: the config or one of its files is invalid.
        KeyboardInterrupt: after Ctrl-C, when everything is written.
    """
    from boxwright.models.weights.checkpoint import STATE
    from boxwright.tfod import checkpoint
    from boxwright.tfod.mapping import start

    for line in report(config):
        say(line)
    ready = checked(config, evaluate=after is not None)
    recipe = recipe_of(ready.pipeline, steps)
    images = read_images(ready, [Split.TRAIN] + [Split.VAL] * (after is not None))
    for finding in images.findings:
        say(str(finding))
    if not resources.processes.leads:
        done, _ = follow(lambda source: images, resources, StepLog(say))
        say(f"The training has ended after step {done}. Process 0 writes it.")
        return
    latest = checkpoint.latest(folder)
    if latest and not (folder / STATE).is_file():
        say(f"{folder} has no file named {STATE}: training goes on from the newest, {latest.name}")

    def begin(recipe: Recipe, precision: str, training: Cache) -> Start:
        begun = (
            start.again(config, recipe, latest)
            if latest
            else start.first(config, ready, recipe, training, say)
        )
        if not _same(folder / WRITTEN, config.path):
            write_text(folder / WRITTEN, write(config.tree))
        return begun

    wanted = "until Ctrl-C" if recipe.steps == FOREVER else f"{recipe.steps} steps"
    learnt = images.split(Split.TRAIN)
    others = f", {len(images) - len(learnt)} to evaluate on" if after else ""
    say(f"{len(learnt)} images with {len(learnt.boxes)} boxes to train on{others}")
    say(f"batch size {recipe.batch_size}, {wanted}")
    record = quoted(ready.train_records[0])
    short_way = f"boxwright train {record} --budget {MINUTES}m --out run"
    outcome = train_by_recipe(
        Plan(recipe, images, Run(folder), begin, ready.train_records[0]),
        on_event=(
            CheckpointsOfTheApi(
                folder,
                recipe.optimizer,
                say,
                images,
                after,
                object_based=ready.pipeline.model.feature_extractor.is_keras,
            ),
            StepLog(say, endless=recipe.steps == FOREVER, short_way=short_way),
        ),
        control=control,
        tools=Tools(resources=resources),
    )
    if outcome.interrupted:
        say("Stopped. Run the same command to resume from the last checkpoint.")
        raise KeyboardInterrupt


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

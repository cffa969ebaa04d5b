"""Training by a pipeline.config: a recipe for the one trainer, and checkpoints as the API's."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from boxwright.inference.run import Run
from boxwright.io.files import write_text
from boxwright.io.protobuf_text import write
from boxwright.structures.dataset import Dataset, Split
from boxwright.tfod.commands import Say
from boxwright.tfod.config import Config, checked, report
from boxwright.tfod.mapping.recipe import FOREVER, recipe_of
from boxwright.tfod.readers import read_photos
from boxwright.training.best_weights import Snapshot
from boxwright.training.cache import Cache
from boxwright.training.loop import follow
from boxwright.training.recipe import Recipe
from boxwright.training.reporter import Progress
from boxwright.training.run_folder import only_training
from boxwright.training.start import Start

SAID_EVERY = 5.0  # seconds
WRITTEN = "pipeline.config"


@dataclass
class Steps:
    """A reporter that says the step and the loss, as the original's log does."""

    tell: Say
    endless: bool = False
    said: float = 0.0

    def say(self, text: str) -> None:
        self.tell(text)

    def progress(self, progress: Progress) -> None:
        done = progress.fraction >= 1
        if time.monotonic() - self.said < SAID_EVERY and not done:
            return
        self.said = time.monotonic()
        parts = [f"global step {progress.step}: loss = {progress.loss:.4f}"]
        if progress.photos_per_second:
            parts.append(f"{progress.photos_per_second:.1f} photos/s")
            if progress.seconds_left is not None and not self.endless:
                parts.append(f"{_time(progress.seconds_left)} left")
        self.tell(", ".join(parts))


def train_by(
    config: Config,
    folder: Path,
    say: Say,
    *,
    steps: int | None = None,
    after: Callable[[Path, Dataset], None] | None = None,
) -> None:
    """Train, and write `model.ckpt-N` into a folder, which is a run of Boxwright's too.

    Where the folder has a checkpoint already, training goes on with the latest.

    Args:
        config: what to train, and with which photos.
        folder: for checkpoints and all else.
        say: takes a line.
        steps: how many; None takes the config's.
        after: what to do with each checkpoint; it takes the prefix and all photos. With it those
            of the eval_input_reader are needed, marked for validation, and choose the weights that
            the run keeps; without it they are not looked at.

    Raises:
        TfodError, DataError, WeightsError: what is wrong with the config and its files.
        KeyboardInterrupt: after Ctrl-C, when everything is written.
    """
    from boxwright.models.weights.checkpoint import STATE, find_prefix
    from boxwright.tfod import checkpoint
    from boxwright.tfod.mapping import start

    for line in report(config):
        say(line)
    ready = checked(config, evaluate=after is not None)
    recipe = recipe_of(ready.pipeline, steps)
    photos = read_photos(ready, [Split.TRAIN] + [Split.VAL] * (after is not None))
    for finding in photos.findings:
        say(str(finding))
    latest = find_prefix(folder) if (folder / STATE).is_file() else None

    def begin(recipe: Recipe, precision: str, training: Cache) -> Start:
        begun = (
            start.again(config, recipe, latest)
            if latest
            else start.first(config, ready, recipe, say)
        )
        if not _same(folder / WRITTEN, config.path):
            write_text(folder / WRITTEN, write(config.tree))
        return begun

    def keep(snapshot: Snapshot) -> None:
        slots = {**snapshot.slots, **checkpoint.companions(snapshot, recipe.optimiser)}
        prefix = checkpoint.save(folder, snapshot.model, snapshot.step, slots)
        say(f"saved {prefix}")
        if after:
            after(prefix, photos)

    wanted = "until Ctrl-C" if recipe.steps == FOREVER else f"{recipe.steps} steps"
    learnt = photos.split(Split.TRAIN)
    others = f", {len(photos) - len(learnt)} to evaluate on" if after else ""
    say(f"{len(learnt)} photos with {len(learnt.boxes)} boxes to train on{others}")
    say(f"batches of {recipe.batch_size} photos, {wanted}")
    run = Run(folder)
    with only_training(run):
        outcome = follow(
            recipe,
            photos,
            run,
            begin,
            reporter=Steps(say, endless=recipe.steps == FOREVER),
            started=time.monotonic(),
            on_keep=keep,
            source=ready.train_records[0],
        )
    if outcome.interrupted:
        say("Stopped. The same command goes on from the last checkpoint.")
        raise KeyboardInterrupt


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

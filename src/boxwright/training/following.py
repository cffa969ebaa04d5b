"""A training in the other processes than process 0: they take part in its steps.

What process 0 tells them, in this order: an invitation, with the recipe and where the images are;
the state before the first step, a checkpoint; the number and learning rate of each step; and that
there are no more, or that somebody stopped it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from boxwright.backend import framework
from boxwright.datasets.source import DataSource, choice_of, known_paths, options_of
from boxwright.formats import ReadOptions
from boxwright.inference.artifact import Artifact
from boxwright.structures.dataset import Dataset
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.data import images_to_cache, prepare
from boxwright.training.events import Note, Subscriber
from boxwright.training.placement import placement_of
from boxwright.training.processes import Processes
from boxwright.training.recipe import Recipe
from boxwright.training.resources import Resources
from boxwright.training.sampler import Sampler

NO_MORE, STOPPED = b"", b"stopped"


class Followed(NamedTuple):
    """The number of steps of a training, and True if somebody stopped it."""

    steps: int
    stopped: bool


def invitation(recipe: Recipe, source: str | Path | DataSource, devices: int | None) -> bytes:
    """Return the first message; `devices` as in `Resources`."""
    known = DataSource.of(source).to_provenance("")
    message = {"recipe": recipe.to_json(), "source": known, "devices": devices}
    return json.dumps(message).encode()


def order(number: int, learning_rate: float) -> bytes:
    """Return the message before a step."""
    return json.dumps([number, learning_rate]).encode()


def lead(processes: Processes, state: Callable[[], Checkpoint]) -> None:
    """Send the state before the first step."""
    if processes.count > 1:
        stream = io.BytesIO()
        state().write(stream)
        processes.broadcast(stream.getvalue())


def follow(
    images_of: Callable[[Mapping[str, Any]], Dataset], resources: Resources, tell: Subscriber
) -> Followed:
    """Take part in a training that process 0 leads, until it ends.

    Args:
        images_of: returns the training and validation images, from an artifact's provenance with
            their source as process 0 sees it.
        resources: processes and storage; process 0 decides the number of devices.
        tell: called with notes.

    Raises:
        DataError: the images cannot be read.
        TrainingError: BW303, BW314 as `Session.step`, BW316 there are not so many devices, BW317
            the images differ from those of process 0, BW318 another process has ended.
    """
    processes = resources.processes
    importing = framework.importing()  # while process 0 looks at the images
    invited = json.loads(processes.broadcast())
    recipe = Recipe.from_json(invited["recipe"])
    resources = replace(resources, devices=invited["devices"])
    placement = placement_of(resources, recipe.batch_size)
    data = prepare(images_of(invited["source"]), recipe, resources)
    checkpoint = Checkpoint.read(io.BytesIO(processes.broadcast()))

    importing.join()
    from boxwright.training import start
    from boxwright.training.session import Session
    from boxwright.training.step import engine_module

    artifact = Artifact.from_json(checkpoint.artifact or {})
    begun = start.from_checkpoint(artifact, recipe, checkpoint)
    session = Session(begun, recipe, engine_module(), data.training, placement)
    sampler = Sampler(data.training.dataset, recipe)
    tell(Note(f"process {processes.index} of {processes.count} takes part from here on"))
    done = checkpoint.step
    while (told := processes.broadcast()) not in (NO_MORE, STOPPED):
        number, learning_rate = json.loads(told)
        rows, draws = sampler.batch(number)
        session.expect(sampler.rows(number + 1))
        session.step(rows, draws, number=number, learning_rate=learning_rate)
        done = number + 1
    return Followed(done, told == STOPPED)


def images_of(
    provenance: Mapping[str, Any], paths: tuple[Path, ...] = (), options: ReadOptions | None = None
) -> Dataset:
    """Return the training and validation images from the source in a provenance, or from where
    they are here.

    Raises:
        DataError: as `load`.
    """
    own = options_of(provenance) if options is None else options
    there = paths or known_paths(provenance)
    return images_to_cache(DataSource(there, choice_of(provenance), own).load(strict=False))

"""Trainings on squares, with JAX on one device and on several: a program, since a process has one
engine and a fixed number of devices.

    devices_on_jax.py DATA OUT local            one device; permuted rows; two devices
    devices_on_jax.py DATA OUT ADDRESS I        the I-th of two processes, of which one is killed
    devices_on_jax.py DATA OUT resume           goes on with that run on one device
    devices_on_jax.py DATA OUT ADDRESS I stop   `boxwright train`, the I-th of two that Ctrl-C stops

Each writes `NAME-STEP.npz` into OUT: weights, statistics of batch norm and slots.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from boxwright import ranks
from boxwright.models import registry
from boxwright.training import following
from boxwright.training.events import Event, Step
from boxwright.training.loop import train
from boxwright.training.placement import Placement
from boxwright.training.processes import Cluster
from boxwright.training.recipe import Recipe
from boxwright.training.resources import ONE_DEVICE, Resources
from boxwright.training.tools import Tools

if TYPE_CHECKING:
    from boxwright.training.session import Snapshot

FAMILY = "normed_centers"
STEPS = 60
WRITTEN = (1, 50, STEPS)  # steps after which arrays are written
KILLED_AT = 52  # step at which process 0 of two is killed
TOLD_AT, MANY = 5, 100_000  # step after which a training is stopped, and its planned steps
RECIPE = Recipe(
    64,
    model=FAMILY,
    batch_size=4,
    frozen_through=-1,
    train_depthwise=True,
    train_norm=True,
    cache_side=80,
    steps=STEPS,
)


def written(out: Path, name: str, event: Event) -> None:
    """Write the state after some steps."""
    if isinstance(event, Step) and event.step in WRITTEN:
        np.savez(out / f"{name}-{event.step}.npz", **named(event.snapshot))


def killed(event: Event) -> None:
    if isinstance(event, Step) and event.step == KILLED_AT:
        os.kill(os.getpid(), signal.SIGKILL)


def named(snapshot: Snapshot) -> dict[str, Any]:
    """The state, with the names of the network's variables."""
    names = [variable.name for variable in snapshot.model.network.weights]
    weights = {f"weight/{i}": f"weight/{i}/{name}" for i, name in enumerate(names)}
    return {weights.get(key, key): value for key, value in snapshot.arrays.items()}


def trained(
    data: Path,
    out: Path,
    name: str,
    *,
    engines: Any = None,
    recipe: Recipe = RECIPE,
    **options: Any,
) -> Any:
    from boxwright.api import load
    from boxwright.training import step_jax

    usual = SimpleNamespace(Engine=step_jax.Engine, faster_precision=lambda: "float32")
    resources = options.pop("resources", ONE_DEVICE)
    on_event = [partial(written, out, name), *options.pop("on_event", ())]
    return train(
        load(data),
        out=out / name,
        weights=None,
        recipe=None if options.get("resume") else recipe,
        on_event=on_event,
        source=data,
        tools=Tools(engines=engines or usual, max_lost=0.0, resources=resources),
        **options,
    )


def permuting() -> Any:
    """The engine, which gets the rows of each batch in another order."""
    from boxwright.training import step_jax

    class Permuting(step_jax.Engine):
        def _step(self, batch: tuple[Any, ...], *others: Any) -> Any:
            images, *others_of_batch = batch
            order = np.random.default_rng(len(images.rows)).permutation(len(images.rows))
            images = images._replace(rows=images.rows[order])
            return super()._step((images, *(each[order] for each in others_of_batch)), *others)

    return SimpleNamespace(Engine=Permuting, faster_precision=lambda: "float32")


def local(data: Path, out: Path) -> None:
    trained(data, out, "one")
    trained(data, out, "permuted", engines=permuting())
    trained(data, out, "two", resources=Resources(2))


def member(data: Path, out: Path, address: str, index: str) -> None:
    with ranks.connected(Cluster(address, 2, int(index))) as (processes, control):
        registry.family(FAMILY)
        resources = Resources(1, processes)
        own = Placement(resources, RECIPE.batch_size).own(np.arange(10, 14))
        (out / f"rows-{index}").write_text(str(own.tolist()), "utf-8")
        if processes.leads:
            trained(data, out, "processes", resources=resources, control=control, on_event=[killed])
        else:
            following.follow(following.images_of, resources, print)


def commanded(data: Path, out: Path, address: str, index: str, _: str) -> None:
    """The command line. A file tells that there were some steps."""
    from boxwright.api import Run, load
    from boxwright.cli.main import app

    def stepping(event: Event) -> None:
        if isinstance(event, Step) and event.step == TOLD_AT:
            (out / "stepping").touch()

    def trains(_: Any, **options: Any) -> Run:
        resources = Resources(1, options["processes"])
        recipe = replace(RECIPE, steps=MANY)
        ended = trained(
            data,
            out,
            "stopped",
            recipe=recipe,
            resources=resources,
            control=options["control"],
            on_event=[stepping],
        )
        return Run(out / "stopped", load(data), ended.step, None, ended.interrupted, (data,))

    others = ["--coordinator", address, "--processes", "2", "--process", index]
    app(["train", str(data), *others], obj=trains)


def resume(data: Path, out: Path) -> None:
    trained(data, out, "processes", resume=True)


if __name__ == "__main__":
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # Keras can do without, in 4 s less
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    registry.FAMILIES[FAMILY] = "normed_centers:NormedCenters"  # imported once JAX is connected
    folders, how = list(map(Path, sys.argv[1:3])), sys.argv[3:]
    if len(how) > 2:
        commanded(*folders, *how)
    elif len(how) > 1:
        member(*folders, *how)
    else:
        {"local": local, "resume": resume}[how[0]](*folders)

"""A training in a process that dies where its first argument says.

The other arguments are the photos, the run and, to go on with it, `--resume`. The network is a
small one, and a checkpoint is due after every step.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from boxwright.api import load
from boxwright.models import registry
from boxwright.training.events import Evaluated, Event, Note, Step
from boxwright.training.loop import train
from boxwright.training.tools import Tools

STEPS = 12
KILLED_AT = 3  # steps, where it is killed as it writes its checkpoint


def die() -> None:
    """At once: nothing is tidied up, nothing is flushed."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def never(event: Event) -> None:
    if isinstance(event, Note):
        sys.stdout.write(f"{event.text}\n")


def as_it_starts(event: Event) -> None:
    if isinstance(event, Note) and event.text.startswith("start: "):
        die()


def half_a_checkpoint(event: Event) -> None:
    """In the step before it, for which a checkpoint is written before the step is told of."""

    def half(file: Any, **_: Any) -> None:
        file.write(b"PK" + bytes(5000))
        file.flush()
        die()

    if isinstance(event, Step) and event.step == KILLED_AT - 1:
        np.savez = half  # type: ignore[assignment]


def judged_but_not_written(event: Event) -> None:
    """The best weights are on the disk, the checkpoint is not."""
    if isinstance(event, Evaluated):
        die()


MOMENTS = {
    each.__name__: each for each in (never, as_it_starts, half_a_checkpoint, judged_but_not_written)
}

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from toy_family import CenterModel

    registry.register(CenterModel)
    moment, images, out, *resume = sys.argv[1:]
    wanted: dict[str, Any] = {"steps": STEPS, "input_size": 64, "model": "centers"}
    train(
        load(images),
        out=out,
        weights=None,
        on_event=MOMENTS[moment],
        tools=Tools(max_lost=0.0),
        **{"resume": True} if resume else {"deterministic": True, **wanted},
    )

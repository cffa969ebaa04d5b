"""`boxwright train` in a process that dies where its first argument says.

The network is a small one, and a checkpoint is due after every step.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from boxwright.cli.main import main
from boxwright.models.backbones import mobilenet_v1
from boxwright.training import cache, schedule
from boxwright.training.best_weights import Keeper
from boxwright.training.checkpoint import Checkpoint

KILLED_AT = 3  # steps, where it is killed as it writes its checkpoint


def die() -> None:
    """At once: nothing is tidied up, nothing is flushed."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def as_it_starts() -> None:
    cache.padded_boxes = lambda _: die()  # type: ignore[assignment, return-value]


def half_a_checkpoint() -> None:
    save = Checkpoint.save

    def half(file: Any, **_: Any) -> None:
        file.write(b"PK" + bytes(5000))
        file.flush()
        die()

    def saving(checkpoint: Checkpoint, path: Any) -> None:
        if checkpoint.step == KILLED_AT:
            np.savez = half
        save(checkpoint, path)

    Checkpoint.save = saving  # type: ignore[method-assign]


def judged_but_not_written() -> None:
    consider = Keeper.consider

    def considering(*arguments: Any) -> Any:
        consider(*arguments)
        die()

    Keeper.consider = considering  # type: ignore[method-assign]


MOMENTS: dict[str, Callable[[], None]] = {
    each.__name__: each for each in (as_it_starts, half_a_checkpoint, judged_but_not_written)
}

if __name__ == "__main__":
    mobilenet_v1.BLOCKS = ((64, 2), (128, 2), (128, 2), (256, 2))
    mobilenet_v1.TAPS = (3, 4)
    schedule.MOST_LOST = 0.0
    moment, *arguments = sys.argv[1:]
    MOMENTS.get(moment, lambda: None)()
    sys.argv = ["boxwright", "train", *arguments]
    main()

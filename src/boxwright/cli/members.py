"""`boxwright train` in one of several processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxwright.console import say
from boxwright.errors import ArgumentError
from boxwright.training.processes import ALONE, Cluster, Processes
from boxwright.training.resources import Resources, check_engine

if TYPE_CHECKING:
    from boxwright.formats import ReadOptions
    from boxwright.training.control import Control
    from boxwright.training.events import Subscriber


@contextmanager
def members(
    coordinator: str | None, processes: int | None, process: int | None
) -> Iterator[tuple[Processes, Control | None]]:
    """Run the block connected with the other processes, if there are any; see `ranks.connected`.

    Raises:
        ArgumentError: BW802 some of the options are missing.
        TrainingError: BW315 the Keras backend trains on one device, BW319 the processes cannot be
            connected.
    """
    if coordinator is None:
        if processes is not None or process is not None:
            raise ArgumentError("BW802", "--processes and --process need --coordinator.")
        yield ALONE, None
        return
    from boxwright.ranks import connected

    cluster = Cluster(coordinator, processes, process)
    check_engine()
    with connected(cluster) as own:
        yield own


def take_part(
    processes: Processes,
    data: Sequence[Path],
    options: ReadOptions | None,
    tell: Subscriber,
    *,
    devices: str,
    cache_dir: Path | None,
    cache_size: float | None,
) -> bool:
    """Train with process 0, on its images or on `data` where they are elsewhere here; say how it
    ended, and return True if somebody stopped it."""
    from boxwright.training import following

    resources = Resources.of(devices, processes, cache_dir, cache_size)
    images_of = partial(following.images_of, paths=tuple(data), options=options)
    steps, stopped = following.follow(images_of, resources, tell)
    how = "was stopped" if stopped else "has ended"
    say(f"The training {how} after step {steps}. Process 0 writes the run.")
    return stopped

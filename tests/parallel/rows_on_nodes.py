"""Work for the nodes of a cluster, whose processes import this file: little else comes with it."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from boxwright.parallel.cores import Cores


@dataclass(frozen=True)
class Rows:
    """A unit of numbers, whose work may do something to its process, and the path that it needs."""

    rows: range
    act: str = ""
    path: Path = Path(__file__)

    def name(self) -> str:
        return str(self.rows)

    def paths(self) -> list[Path]:
        return [self.path]

    def __str__(self) -> str:
        return f"{self.rows[0]} to {self.rows[-1]}"


def node_of(part: Rows, cores: Cores) -> bytes:
    """The node that does a unit, after a while."""
    import ray

    if part.act == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.2)
    return ray.get_runtime_context().get_node_id().encode()

"""The part of this process in a training of several: TF_CONFIG and --num_clones.

The Object Detection API's versions read the hosts of a training from the environment variable
TF_CONFIG, as TensorFlow's Estimator does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from boxwright.backend import framework
from boxwright.errors import SystemFaultError
from boxwright.tfod.commands import Say
from boxwright.training.control import Control
from boxwright.training.processes import ALONE, Cluster, Processes
from boxwright.training.resources import Resources, check_engine

VARIABLE = "TF_CONFIG"
CHIEFS = ("chief", "master")
SERVER, EVALUATOR, WORKER = "ps", "evaluator", "worker"
CLONES = "Number of this host's devices that share each batch. Needs JAX."


@dataclass(frozen=True)
class Task:
    """The part of this process.

    Attributes:
        kind: chief, master, worker, ps or evaluator; empty without TF_CONFIG.
        cluster: where the other processes are that train; None if there are none.
    """

    kind: str = ""
    cluster: Cluster | None = None

    @classmethod
    def of_environment(cls) -> Task:
        """Read TF_CONFIG.

        Raises:
            SystemFaultError: BW907 it cannot be read.
        """
        text = os.environ.get(VARIABLE, "")
        if not text:
            return cls()
        try:
            return _read(json.loads(text))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise SystemFaultError(
                "BW907",
                f"the environment variable {VARIABLE} cannot be read ({type(error).__name__}: "
                f"{error}).",
                name=VARIABLE,
            ) from error

    def is_idle(self, say: Say) -> bool:
        """Return True for a parameter server, after saying that none is needed."""
        if self.kind != SERVER:
            return False
        say("This task is a parameter server. The workers do without, so that it ends here.")
        return True

    @property
    def evaluates(self) -> bool:
        """Return True if this process only evaluates the checkpoints of the others."""
        return self.kind == EVALUATOR

    @contextmanager
    def connected(self) -> Iterator[tuple[Processes, Control | None]]:
        """Run the block connected with the other processes, if there are any.

        Raises:
            TrainingError: as `ranks.connected`; BW315 TensorFlow trains on one device.
        """
        if self.cluster is None:
            yield ALONE, None
            return
        from boxwright.ranks import connected

        check_engine()
        with connected(self.cluster) as own:
            yield own


def resources_of(processes: Processes, clones: int | None, say: Say) -> Resources:
    """Return the devices to train on: `clones` of this host's, or as many as it has.

    Raises:
        TrainingError: BW315 TensorFlow trains on one device.
    """
    wanted = Resources(clones or 1, processes)
    if wanted.several:
        check_engine()
        there = framework.jax().local_device_count()
        if there < (wanted.devices or 1):
            say(f"--num_clones is {clones}, and this host has {there}: training takes those")
            return Resources(there, processes)
    return wanted


def _read(config: Mapping[str, Any]) -> Task:
    cluster, task = config.get("cluster", {}), config.get("task", {})
    kind, index = str(task.get("type", WORKER)), int(task.get("index", 0))
    chiefs = [address for name in CHIEFS for address in cluster.get(name, ())]
    training = [*chiefs, *cluster.get(WORKER, ())]
    if kind in (SERVER, EVALUATOR) or len(training) < 2:
        return Task(kind)
    number = index + (len(chiefs) if kind == WORKER else 0)
    return Task(kind, Cluster(training[0], len(training), number))

"""The processes of a training on several hosts, which JAX connects.

Process 0 leads: it decides, evaluates, writes and logs. The others take part in its steps, see
`following`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.errors import ArgumentError, TrainingError

AUTO = "auto"
JOINED_WITHIN = 300  # seconds
SILENT = 20  # seconds after which a process is considered dead
SHUT_DOWN_WITHIN = 20  # seconds in which all processes leave
HEADER = 64  # bytes of a message that arrive at once: enough for that of a step
LENGTH = 8  # bytes of them: the length of the message
# A status of XLA that is not about this process, such as "UNKNOWN: Gloo all-reduce failed".
LOST = re.compile(r"(ABORTED|CANCELLED|DEADLINE_EXCEEDED|INTERNAL|UNAVAILABLE|UNKNOWN): ")


@dataclass(frozen=True)
class Processes:
    """The connection to the other processes; without others it does nothing.

    All of them call the same methods in the same order, or wait for each other forever.

    Attributes:
        index: the number of this process; 0 leads.
        count: the number of all.
    """

    index: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        return self.index == 0

    def broadcast(self, message: bytes = b"") -> bytes:
        """Return the message of process 0; those of the others do not matter."""
        if self.count == 1:
            return message
        first = np.zeros(HEADER, np.uint8)
        first[:LENGTH] = np.frombuffer(len(message).to_bytes(LENGTH, "little"), np.uint8)
        head = np.frombuffer(message[: HEADER - LENGTH], np.uint8)
        first[LENGTH : LENGTH + len(head)] = head
        told = self._broadcast(first).tobytes()
        length = int.from_bytes(told[:LENGTH], "little")
        if length <= HEADER - LENGTH:
            return told[LENGTH : LENGTH + length]
        whole = np.frombuffer(message, np.uint8) if self.leads else np.zeros(length, np.uint8)
        return self._broadcast(whole).tobytes()

    def gather(self, values: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the arrays of all processes, which have the same shape, `(count, *shape)`."""
        if self.count == 1:
            return values[None]
        with self.together():
            return np.asarray(_utilities().process_allgather(values))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Run the block in all processes.

        Raises:
            TrainingError: BW318 another process has ended.
        """
        if self.count == 1:
            yield
            return
        try:
            yield
        except (RuntimeError, ValueError) as error:  # JAX raises both for a lost connection
            if not LOST.match(str(error)):
                raise
            raise ended(str(error).splitlines()[0]) from error

    def _broadcast(self, values: NDArray[np.uint8]) -> NDArray[np.uint8]:
        with self.together():
            return np.asarray(_utilities().broadcast_one_to_all(values, is_source=self.leads))


ALONE = Processes()


@dataclass(frozen=True)
class Cluster:
    """Where to find the other processes of a training.

    Attributes:
        coordinator: host and port of process 0, or AUTO: JAX takes all three from SLURM,
            Kubernetes or MPI.
        processes: the number of processes.
        process: the number of this one, from 0.

    Raises:
        ArgumentError: BW802 some of them are missing.
    """

    coordinator: str
    processes: int | None = None
    process: int | None = None

    def __post_init__(self) -> None:
        numbered = self.processes is not None and self.process is not None
        host, _, port = self.coordinator.rpartition(":")
        problems = {
            "with coordinator auto, leave out processes and process.": (
                self.coordinator == AUTO
                and (self.processes is not None or self.process is not None)
            ),
            "coordinator needs processes and process, or is auto.": (
                self.coordinator != AUTO and not numbered
            ),
            f"coordinator is a host and a port, such as 10.0.0.5:7000, not {self.coordinator!r}.": (
                self.coordinator != AUTO and not (host and port.isdecimal())
            ),
            f"process counts from 0: of {self.processes} processes, none is {self.process}.": (
                numbered and not 0 <= (self.process or 0) < (self.processes or 0)
            ),
        }
        for problem, holds in problems.items():
            if holds:
                raise ArgumentError("BW802", problem)

    @contextmanager
    def joined(self) -> Iterator[Processes]:
        """Connect this process with the others while the block runs. To be called before anything
        is computed.

        Raises:
            TrainingError: BW319 they cannot be connected.
        """
        jax = framework.jax()
        stated = self.coordinator != AUTO
        try:
            jax.distributed.initialize(
                self.coordinator if stated else None,
                self.processes,
                self.process,
                cluster_detection_method="deactivate" if stated else None,
                initialization_timeout=JOINED_WITHIN,
                heartbeat_timeout_seconds=SILENT,
                shutdown_timeout_seconds=SHUT_DOWN_WITHIN,
            )
            processes = Processes(jax.process_index(), jax.process_count())
            with framework.silent_output():
                processes.broadcast()
        except Exception as error:  # of many classes
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise TrainingError(
                "BW319", f"the processes of the training are not connected ({reason})."
            ) from error
        yield processes
        processes.broadcast()  # the others have as long as process 0 still evaluates
        with processes.together():
            jax.distributed.shutdown()


def ended(reason: str) -> TrainingError:
    return TrainingError("BW318", f"another process of the training has ended ({reason}).")


def _utilities() -> Any:
    from importlib import import_module

    return import_module("jax.experimental.multihost_utils")

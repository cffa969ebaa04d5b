"""The executor of a Ray cluster, whose machines see the images under the same paths."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

from boxwright.backend import framework
from boxwright.errors import ArgumentError, BoxwrightError, SystemFaultError
from boxwright.parallel.cores import Cores
from boxwright.parallel.units import Outcome, Part, Results, Trouble, Unit, Work

VERSION = metadata.version("boxwright")
ATTEMPTS = 4  # of a unit
AHEAD = 2  # units for each core of the cluster: one in work, one that waits


@contextmanager
def on_cluster(address: str | None) -> Iterator[Results]:
    """What does units on the Ray cluster at an address, see `Results`.

    The address is that of `ray.init`: None takes the cluster of RAY_ADDRESS or of this machine, and
    starts one on this machine if there is none. A program that is connected stays so.

    Raises:
        ArgumentError: BW815 no cluster answers there.
        SystemFaultError: BW901 Ray is not installed.
    """
    ray = framework.ray()
    if ray.is_initialized():
        yield _Cluster(ray).results
        return
    try:
        with _own_signals():
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray raises many different classes
        reason = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
        where = address or "this machine"
        raise ArgumentError("BW815", f"no Ray cluster answers: {reason}.", where=where) from error
    try:
        yield _Cluster(ray).results
    finally:
        ray.shutdown()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what a shutdown of this process does, which `ray.init` changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Cluster:
    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def results(
        self, units: Iterator[Unit], work: Work, done: Callable[[int], None], told: list[Trouble]
    ) -> Generator[tuple[Unit, Outcome], None, None]:
        """Do units on all machines, each on one core, or on several if there are more cores than
        units. A unit that fails is begun again."""
        room = self._cores()
        first = list(islice(units, room))
        if not first:
            return
        self._check_nodes(first[0].part.paths())
        cores = max(1, min(self._smallest(), room // len(first)))
        options = {"num_cpus": cores, "max_retries": 0, "scheduling_strategy": "SPREAD"}
        task, folder = self._ray.remote(do).options(**options), Path.cwd()
        running: dict[Any, tuple[Unit, int]] = {}

        def begin(unit: Unit, attempt: int) -> None:
            running[task.remote(work, unit.part, cores, folder)] = unit, attempt

        try:
            for unit in first:
                begin(unit, 1)
            while running:
                for unit in islice(units, max(0, AHEAD * self._cores() - len(running))):
                    begin(unit, 1)
                (ready,), _ = self._ray.wait(list(running), num_returns=1)
                unit, attempt = running.pop(ready)
                outcome = self._outcome(ready, unit, attempt)
                if isinstance(outcome, Trouble):
                    told.append(outcome)
                    if not outcome.lost:
                        begin(unit, attempt + 1)
                        continue
                done(len(unit.rows))
                yield unit, outcome
        finally:
            for each in running:
                self._ray.cancel(each, force=True)

    def _outcome(self, task: Any, unit: Unit, attempt: int) -> Outcome:
        """The result of a task that has ended, or why there is none."""
        try:
            result: bytes = self._ray.get(task)
        except Exception as error:  # of the work, or of Ray for a machine that has gone
            cause = getattr(error, "cause", None) or error
            if not isinstance(cause, BoxwrightError):
                cause = SystemFaultError("BW906", f"{_reason(cause)}.", where=str(unit.part))
            lost = attempt == ATTEMPTS
            return Trouble(str(unit.part), len(unit.rows), attempt, cause, lost=lost)
        return result

    def _nodes(self) -> list[dict[str, Any]]:
        """The machines that can work now."""
        return [each for each in self._ray.nodes() if each["Alive"] and _cores_of(each)]

    def _cores(self) -> int:
        return max(1, sum(map(_cores_of, self._nodes())))

    def _smallest(self) -> int:
        return min(map(_cores_of, self._nodes()), default=1)

    def _check_nodes(self, paths: Sequence[Path]) -> None:
        """Ask each machine for its version of Boxwright and for what it sees of some paths.

        Raises:
            SystemFaultError: BW906 one cannot run Boxwright, or does not see a path.
        """
        sizes = [_size(path) for path in paths]
        on_node = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        probe = self._ray.remote(seen)
        asked = []
        for node in self._nodes():
            strategy = on_node(node["NodeID"], soft=False)
            task = probe.options(num_cpus=0, scheduling_strategy=strategy).remote(paths, Path.cwd())
            asked.append((node["NodeManagerAddress"], task))
        for address, task in asked:
            try:
                version, there = self._ray.get(task)
            except self._ray.exceptions.TaskUnschedulableError:
                continue  # the machine has gone, without having been missed yet
            except Exception as error:  # Ray raises many different classes
                message = f"cannot run Boxwright: {_reason(error)}."
                raise SystemFaultError("BW906", message, where=address) from error
            if version != VERSION:
                message = f"has Boxwright {version} instead of {VERSION}."
                raise SystemFaultError("BW906", message, where=address, version=VERSION)
            for path, size, found in zip(paths, sizes, there, strict=True):
                if found != size:
                    what = "does not see" if found is None else "sees another file as"
                    message = f"{what} {path}."
                    raise SystemFaultError("BW906", message, where=address, path=path.parent)


def _cores_of(node: dict[str, Any]) -> int:
    return int(node["Resources"].get("CPU", 0))


def _reason(error: BaseException) -> str:
    """The first sentence of the last line of a message, which names the cause; or the kind of the
    error."""
    lines = str(error).strip().splitlines()
    return lines[-1].strip().partition(". ")[0].rstrip(".") if lines else type(error).__name__


def _size(path: Path) -> int | None:
    """The size of a file in bytes, 0 for a folder; None if it is not there."""
    try:
        return 0 if path.is_dir() else path.stat().st_size
    except OSError:
        return None


# What the machines of the cluster call:


def do(work: Work, part: Part, cores: int, folder: Path) -> bytes:
    """The result of a unit, whose paths may be relative to the driver's folder."""
    _enter(folder)
    return work(part, Cores(cores))


def seen(paths: Sequence[Path], folder: Path) -> tuple[str, list[int | None]]:
    """The version of Boxwright on this machine, and the sizes of the files that it sees."""
    _enter(folder)
    return VERSION, list(map(_size, paths))


def _enter(folder: Path) -> None:
    with suppress(OSError):  # paths that are not relative need none
        os.chdir(folder)

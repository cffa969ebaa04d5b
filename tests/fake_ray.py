"""A Ray that does everything in this process, and work to do with it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from boxwright.parallel import cluster
from boxwright.parallel.cores import Cores


class UnschedulableError(Exception):
    """What Ray raises for work that can only be done on a machine that has gone."""


class FakeRay:
    """Functions of Ray that the driver calls. Tasks are done when they are waited for, the last
    one first; `failures` are raised by the next tasks."""

    def __init__(self, cores: Sequence[int] = (1, 1), failures: Sequence[Exception] = ()) -> None:
        self.cores, self.failures = cores, list(failures)
        self.asked: list[dict[str, Any]] = []
        self.initialized = False
        self.cancelled = 0
        self.seen: dict[str, Callable[..., Any]] = {}  # what a machine answers instead
        strategy = SimpleNamespace(NodeAffinitySchedulingStrategy=lambda node, soft: node)
        self.exceptions = SimpleNamespace(TaskUnschedulableError=UnschedulableError)
        self.util = SimpleNamespace(scheduling_strategies=strategy)

    def init(self, address: str | None, **options: object) -> None:
        if address == "nowhere":
            raise ConnectionError("cannot connect\nto it")
        self.address, self.initialized = address, True

    def is_initialized(self) -> bool:
        return self.initialized

    def shutdown(self) -> None:
        self.initialized = False

    def nodes(self) -> list[dict[str, Any]]:
        alive = [
            {"Alive": True, "NodeID": str(i), "NodeManagerAddress": f"10.0.0.{i}"}
            | {"Resources": {"CPU": float(cores)}}
            for i, cores in enumerate(self.cores)
        ]
        return [*alive, {"Alive": False, "Resources": {"CPU": 99.0}}]

    def remote(self, function: Callable[..., Any]) -> Any:
        def options(**options: Any) -> Any:
            def begin(*arguments: Any) -> Any:
                self.asked.append(options)
                return Task(function, pickle.loads(pickle.dumps(arguments)), options)  # noqa: S301

            return SimpleNamespace(remote=begin)

        return SimpleNamespace(options=options)

    def wait(self, tasks: list[Any], num_returns: int) -> tuple[list[Any], list[Any]]:
        return tasks[-num_returns:], tasks[:-num_returns]

    def get(self, task: Any) -> Any:
        if task.function is cluster.seen:
            node = task.options["scheduling_strategy"]
            if node in self.seen:
                return self.seen[node](task.arguments[0])
        elif self.failures:
            raise self.failures.pop()
        return task.function(*task.arguments)

    def cancel(self, task: Any, force: bool) -> None:
        self.cancelled += 1


@dataclass(eq=False)
class Task:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any]


class Numbers:
    def __init__(self, rows: range) -> None:
        self.rows = rows

    def name(self) -> str:
        return str(self.rows)

    def paths(self) -> list[Path]:
        return [Path(__file__)]

    def __str__(self) -> str:
        return f"{self.rows[0]} to {self.rows[-1]}"


def doubled(part: Numbers, cores: Cores) -> bytes:
    return repr(list(cores.map(lambda number: 2 * number, part.rows))).encode()

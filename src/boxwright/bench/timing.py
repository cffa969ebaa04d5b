"""Latency of detectors for one image, in total and by part."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.images.files import ImageFile
from boxwright.inference.detector import Detector
from boxwright.inference.engines import network_of

IN_A_ROW = 3  # after one warm-up run, since the other detectors evict caches


@dataclass(frozen=True)
class Latency:
    """Median and p95 in milliseconds."""

    median: float
    p95: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latency:
        median, p95 = np.percentile(np.asarray(seconds) * 1e3, [50, 95]).tolist()
        return cls(median, p95)


@dataclass(frozen=True)
class Timing:
    """Latency from the network's input to detections.

    Attributes:
        threads: number of threads of a .tflite; None if the engine decides.
        whole: network and post-processing.
        network: network only; None if it cannot run separately.
        postprocess: median difference between `whole` and `network` in the same turn, in
            milliseconds; None without `network`.
    """

    threads: int | None
    whole: Latency
    network: Latency | None
    postprocess: float | None


@dataclass
class Subject:
    """A detector with a number of threads, and its times so far in seconds."""

    detector: Detector
    whole: list[float] = field(default_factory=list)
    network: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine: Any = self.detector.engine
        self._network = network_of(self.engine)

    def turn(self, inputs: NDArray[np.uint8]) -> None:
        """Run on `(1, S, S, 3)` a few times."""
        self.whole += _seconds(partial(self.engine, inputs))
        if self._network is not None:
            self.network += _seconds(partial(self._network, inputs))

    def timing(self) -> Timing:
        whole, threads = Latency.of(self.whole), getattr(self.engine, "threads", None)
        if not self.network:
            return Timing(threads, whole, None, None)
        longer = np.median(np.subtract(self.whole, self.network)) * 1e3
        return Timing(threads, whole, Latency.of(self.network), max(float(longer), 0.0))


def take_turns(
    subjects: Sequence[Sequence[Subject]],
    images: Sequence[ImageFile],
    rounds: int,
    step: Callable[[], None],
) -> tuple[list[Latency], list[tuple[Timing, ...]]]:
    """Time every detector file in every round, on the same image.

    Args:
        subjects: for each file, its detector with different numbers of threads.
        images: one is used per round, cyclically.
        rounds: number of rounds.
        step: called after each round.

    Returns:
        For each file the time to prepare an image, and its timings.
    """
    prepares: list[list[float]] = [[] for _ in subjects]
    for number in range(rounds):
        image = images[number % len(images)]
        for i in _rotated(len(subjects), number):  # so the order of files varies
            detector = subjects[i][0].detector
            prepares[i] += _seconds(partial(detector.prepare, image))
            inputs = detector.prepare(image).pixels[None]
            for subject in subjects[i]:
                subject.turn(inputs)
        step()
    timings = [tuple(subject.timing() for subject in some) for some in subjects]
    return [Latency.of(each) for each in prepares], timings


def _seconds(work: Callable[[], object]) -> list[float]:
    work()
    took = []
    for _ in range(IN_A_ROW):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return took


def _rotated(count: int, by: int) -> list[int]:
    return [(i + by) % count for i in range(count)]

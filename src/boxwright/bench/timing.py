"""How long a detector looks at one photo, its parts apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.images.decoding import ImageFile
from boxwright.inference.detector import Detector
from boxwright.inference.engines import network_of

IN_A_ROW = 3  # after one that warms the caches which the others' turn has cooled


@dataclass(frozen=True)
class Latency:
    """Milliseconds that half of the photos, and 95 % of them, take at most."""

    median: float
    p95: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latency:
        median, p95 = np.percentile(np.asarray(seconds) * 1e3, [50, 95]).tolist()
        return cls(median, p95)


@dataclass(frozen=True)
class Timing:
    """How long the network's input takes to become detections.

    Attributes:
        threads: of a .tflite; None where the engine decides.
        whole: network and post-processing.
        network: that alone; None where it cannot be run without the rest.
        postprocess: milliseconds, the median of what `whole` took longer than `network` in the
            same turn; None as `network`.
    """

    threads: int | None
    whole: Latency
    network: Latency | None
    postprocess: float | None


@dataclass
class Subject:
    """A detector on so many threads, and the seconds that it took until now."""

    detector: Detector
    whole: list[float] = field(default_factory=list)
    network: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine: Any = self.detector.engine
        self._network = network_of(self.engine)

    def turn(self, inputs: NDArray[np.uint8]) -> None:
        """Look at `(1, S, S, 3)` a few times."""
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
    """Time every detector file in every round, on the same photo.

    Args:
        subjects: for each file, its detector on different numbers of threads.
        images: shown one a round, again from the start when there are no more.
        rounds: turns of each.
        step: called after each round.

    Returns:
        For each file how long a photo takes to become its input, and its timings.
    """
    prepares: list[list[float]] = [[] for _ in subjects]
    for number in range(rounds):
        image = images[number % len(images)]
        for i in _rotated(len(subjects), number):  # nobody always comes after the same one
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

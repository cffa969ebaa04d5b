"""Throughput of detectors in images per second, from files to detections."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from boxwright.images.files import ImageFile
from boxwright.inference.detector import Detector

TURNS = 3


def take_turns(
    detectors: Sequence[Detector], images: Sequence[ImageFile], step: Callable[[], None]
) -> list[float]:
    """Images per second of each detector on all threads; `step` is called after each round."""
    seconds: list[list[float]] = [[] for _ in detectors]
    for _ in range(TURNS):
        for took, detector in zip(seconds, detectors, strict=True):
            start = time.perf_counter()
            for _ in detector.predict_many(images, threshold=0):
                pass
            took.append(time.perf_counter() - start)
        step()
    return [len(images) / statistics.median(took) for took in seconds]

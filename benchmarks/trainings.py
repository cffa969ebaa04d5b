"""Detections of several trainings on a dataset, for benchmarks that need no new training each time.

All images that are not for training are test images here, validation images too: the trainings do
not use them. The run folder of each training is kept, and its detections in them as an .npz file
beside it. Those that are there are not made again.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

import boxwright
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections

LOWEST = 0.05  # score; detections below change AP little and take most of the time
Training = list[Detections]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--trainings", type=int, default=10)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--weights", help="to start from; the default ones if not given")
    parser.add_argument("--input-size", type=int, default=320)


def detections_of(given: argparse.Namespace) -> tuple[Dataset, list[Training]]:
    """The test images, and the detections of each training in them."""
    data = boxwright.load(given.data)
    trained = data.splits == Split.TRAIN
    data = replace(data, splits=np.where(trained, Split.TRAIN, Split.TEST).astype(np.int8))
    return data.split("test"), [cached(given, data, seed) for seed in range(given.trainings)]


def cached(given: argparse.Namespace, data: Dataset, seed: int) -> Training:
    """The detections of a training in the test images, from the cache if they are there."""
    path = given.cache / f"{given.steps}-steps-seed-{seed}.npz"

    def detect() -> Training:
        run = boxwright.train(
            data,
            out=path.with_suffix(""),
            weights=given.weights,
            input_size=given.input_size,
            steps=given.steps,
            seed=seed,
        )
        return list(run.detector().detections_in(data.split("test")))

    return kept(path, data.classes, detect)


def kept(path: Path, classes: tuple[str, ...], detect: Callable[[], Training]) -> Training:
    """The detections in a file, which is written first if it is not there."""
    if not path.is_file():
        detections = detect()
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            path,
            counts=[len(one) for one in detections],
            **{
                name: np.concatenate([getattr(one, name) for one in detections])
                for name in ("boxes", "scores", "labels")
            },
        )
    with np.load(path) as file:
        ends = np.cumsum(file["counts"])[:-1]
        columns = zip(*(np.split(file[name], ends) for name in ("boxes", "scores", "labels")),
                      strict=True)  # fmt: skip
        return [Detections(*one, classes).above(LOWEST) for one in columns]

"""The cost of a model's exported file, measured before it is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from boxwright.bench.limits import Cost
from boxwright.bench.timing import Subject
from boxwright.export.tflite import write_tflite
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.io.scratch import scratch_folder
from boxwright.models.registry import family
from boxwright.models.weights import zoo
from boxwright.models.weights.published import Published

TURNS = 6


def cost_of(weights: Published, size: int | None, threads: int) -> Cost:
    """The cost of a float .tflite of the model with one class and an input of `size` pixels; of
    the published .tflite itself without a size.

    Raises:
        WeightsError: the weights cannot be had.
    """
    path = zoo.fetch(weights)
    if size is None:
        return _measured(path, threads)
    kind = family(weights.family)
    pretrained = kind.read_pretrained(path)
    model = kind.build(kind.spec_for(1, size, like=pretrained.spec))
    preprocessing = replace(pretrained.preprocessing, size=size)
    with scratch_folder() as folder:
        file = folder / "untrained.tflite"
        write_tflite(file, model, Artifact(model.to_json(), ("object",), preprocessing))
        return _measured(file, threads)


def _measured(file: Path, threads: int) -> Cost:
    """Time a file on a gray image."""
    subject = Subject(Detector.load(file, threads=threads, unnamed=True))
    size = subject.detector.artifact.preprocessing.size
    gray = np.full((1, size, size, 3), 127, np.uint8)
    for _ in range(TURNS):
        subject.turn(gray)
    return Cost(subject.timing().whole.median, file.stat().st_size / 1e6)

"""Trains on the photos of a folder, exports the run and says where to: a program, to be run where
Keras is on JAX."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from boxwright.api import load
from boxwright.backend import framework
from boxwright.export.export import export
from boxwright.structures.dataset import Split
from boxwright.training.loop import train
from boxwright.training.recipe import Recipe

RECIPE = Recipe(
    64, depth_multiplier=0.1, batch_size=4, frozen_through=11, cache_side=96, steps=2
)  # most of it frozen: what trains takes long to compile

if __name__ == "__main__":
    data, out = map(Path, sys.argv[1:])
    dataset = load(data)
    marks = np.full(len(dataset), Split.TRAIN, np.int8)
    marks[-2:] = Split.VAL
    outcome = train(replace(dataset, splits=marks), out=out, weights=None, recipe=RECIPE)
    path, comparison = export(out, "tflite", data=data)
    evaluation = outcome.evaluation
    assert evaluation is not None
    sys.stdout.write(f"{framework.engine()} {evaluation.images} {comparison.passed} {path.name}\n")

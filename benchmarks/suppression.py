"""Time suppression in TensorFlow: one operator for all classes and images, as in SavedModels, or
one for each class in a loop over the images, as in frozen graphs.

    python benchmarks/suppression.py --classes 2 20 90 --images 1 8
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from boxwright.backend.framework import tensorflow
from boxwright.export import api_graph, graph
from boxwright.export.frozen import frozen_graph
from boxwright.ops.postprocess import NmsConfig

ANCHORS, ROUNDS = 1917, 30  # those of an SSD of 300 px
OUTPUT = "detection_scores"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--classes", type=int, nargs="+", default=[2, 20, 90])
    parser.add_argument("--images", type=int, nargs="+", default=[1, 8])
    given = parser.parse_args()
    print("classes images  one operator  one per class  ms per image")
    for classes in given.classes:
        for images in given.images:
            both = [
                measured(way, classes, images) for way in (graph.detections, api_graph.suppressed)
            ]
            print(f"{classes:7} {images:6}  {both[0]:12.2f}  {both[1]:13.2f}")


def measured(suppress: Callable[..., dict[str, Any]], classes: int, images: int) -> float:
    """The median time of an image in ms."""
    tf, random = tensorflow(), np.random.default_rng(0)
    corners = random.uniform(0, 0.7, (images, ANCHORS, 2))
    boxes = np.concatenate([corners, corners + random.uniform(0.05, 0.3, corners.shape)], -1)
    scores = 1 / (1 + np.exp(4 - random.normal(0, 1.5, (images, ANCHORS, classes))))
    columns = 4 + classes

    def compute(candidates: Any) -> list[Any]:
        found = suppress(tf, candidates[..., :4], candidates[..., 4:], NmsConfig())
        return [tf.identity(found[OUTPUT], name=OUTPUT)]

    signature = tf.TensorSpec((None, ANCHORS, columns), tf.float32)
    definition = frozen_graph(tf, compute, signature, "candidates", [OUTPUT])
    v1, times = tf.compat.v1, []
    with v1.Graph().as_default(), v1.Session() as session:
        v1.import_graph_def(definition, name="")
        feed = {"candidates:0": np.concatenate([boxes, scores], -1)}
        for _ in range(ROUNDS):
            started = time.perf_counter()
            session.run(f"{OUTPUT}:0", feed)
            times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e3 / images


if __name__ == "__main__":
    main()

"""Inference with frozen TensorFlow 1 graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.inference import litert
from boxwright.inference.artifact import damaged
from boxwright.inference.engines.engine import first_line, images, no_detector, running
from boxwright.inference.golden import Network
from boxwright.ops.postprocess import RawDetections

INPUT = "image_tensor"
NMS = "CombinedNonMaxSuppression"  # of SavedModels, and of frozen graphs until version 0.1.0
CANDIDATES = ("Postprocessor/boxes", "Postprocessor/convert_scores")  # nodes before other NMS
ARTIFACT_NODE = "boxwright"  # a constant: the artifact in JSON


class FrozenEngine:
    """A frozen_inference_graph.pb with the interface of the Object Detection API: `image_tensor` to
    boxes, scores, 1-based classes, and the number of detections.

    Attributes:
        description: the artifact in JSON, if Boxwright wrote the file.
        num_classes: unknown; the file does not contain it.

    Raises:
        DetectorError: BW502 the file is damaged, BW505 it is not a detector.
    """

    def __init__(self, path: Path) -> None:
        tf = framework.tensorflow()
        self.where = path
        try:
            definition = tf.compat.v1.GraphDef.FromString(path.read_bytes())
        except Exception as error:  # protobuf's error class is not public
            raise damaged(f"it is not a frozen graph ({first_line(error)})", path) from error
        nodes = {node.name: node for node in definition.node}
        if missing := {INPUT, *litert.OUTPUT_NAMES} - nodes.keys():
            raise no_detector(path, f"it has no node {', '.join(sorted(missing))}")
        said = nodes[ARTIFACT_NODE].attr["value"].tensor if ARTIFACT_NODE in nodes else None
        self.description = bytes(said.string_val[0]) if said and said.string_val else None
        try:
            with framework.hushed():
                graph = tf.compat.v1.wrap_function(
                    lambda: tf.import_graph_def(definition, name=""), []
                )
                outputs = {name: f"{name}:0" for name in litert.OUTPUT_NAMES}
                tensors = tf.nest.map_structure(graph.graph.as_graph_element, outputs)
                self._input = graph.graph.as_graph_element(f"{INPUT}:0")
                self._run = graph.prune(self._input, tensors)
        except Exception as error:  # TensorFlow raises many different classes
            raise damaged(f"TensorFlow cannot load it ({first_line(error)})", path) from error
        self._graph, self._constant = graph, tf.constant

    def network(self) -> Network | None:
        """A function that runs only the network; None if the graph cannot be split."""
        return cut_before_nms(self._graph, self._input, self._constant)

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        with running(self.where):
            outputs = {name: np.asarray(v) for name, v in self._run(self._constant(inputs)).items()}
            outputs["detection_classes"] = outputs["detection_classes"] - 1
            return images(outputs, len(inputs))


def cut_before_nms(graph: Any, pixels: Any, constant: Any) -> Network | None:
    """A function that computes the inputs of a graph's NMS: boxes and scores.

    Args:
        graph: a wrapped function without external variables or calls.
        pixels: its input.
        constant: `tf.constant`.
    """
    operations = {op.name: op for op in graph.graph.get_operations()}
    ends = [list(op.inputs)[:2] for op in operations.values() if op.type == NMS]
    if operations.keys() >= set(CANDIDATES):
        ends.append([operations[name].outputs[0] for name in CANDIDATES])
    if len(ends) != 1:
        return None
    run = graph.prune(pixels, ends[0])
    return lambda inputs: [tensor.numpy() for tensor in run(constant(inputs))]

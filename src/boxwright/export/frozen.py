"""Export to frozen TensorFlow 1 graphs with the node names of the Object Detection API."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxwright.backend import framework
from boxwright.export import api_graph, graph
from boxwright.export.targets import Target
from boxwright.inference.artifact import Artifact
from boxwright.inference.engines.frozen import ARTIFACT_NODE, INPUT

if TYPE_CHECKING:
    from boxwright.models.ssd.detector import SsdModel

INLINED = re.compile(r"(?<=^\^)Func/|^Func/")  # TensorFlow puts it before the ends of a loop's body
OUTPUTS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")


def write_frozen(path: Path, model: SsdModel, artifact: Artifact) -> None:
    """Write a detector as a frozen_inference_graph.pb, as the API's tutorials use it.

    Input: `image_tensor` `(B, H, W, 3)` uint8, RGB images of any size. Outputs, float32, best first
    and padded with zeros to N = `artifact.max_detections` rows: `detection_boxes` `(B, N, 4)`
    normalized yxyx within [0, 1]; `detection_scores` and `detection_classes`, 1-based, `(B, N)`;
    `num_detections` `(B,)`. They equal the results of `ops.postprocess`; the constant `boxwright`
    contains the artifact. Nodes have the API's names, see `export.api_graph`.

    Args:
        path: the file to write.
        model: an SSD, also one with a feature pyramid.
        artifact: description to store in the file.
    """
    tf, side = graph.tensorflow_for(model), artifact.preprocessing.size

    def detect(inputs: Any) -> list[Any]:
        with tf.name_scope("Preprocessor/map/"):  # nodes that OpenCV's program leaves out
            images = stretched(tf, inputs, side)
        decoded = api_graph.candidates(tf, model, artifact.preprocessing, images)
        found = api_graph.suppressed(tf, *decoded, artifact.nms_config)
        return [tf.identity(found[name], name=name) for name in OUTPUTS]

    signature = tf.TensorSpec((None, None, None, 3), tf.uint8)
    path.write_bytes(_saying(frozen_graph(tf, detect, signature, INPUT, OUTPUTS), artifact))


def stretched(tf: Any, images: Any, side: int) -> Any:
    """Images `(B, H, W, 3)` of any size as squares `(B, side, side, 3)` float32.

    As `tf.image.resize(..., antialias=True)`, in operators that other programs have too: a product
    of matrices for the rows, and one for the columns.
    """
    batch, height, width, _ = tf.unstack(tf.shape(images))
    rows = tf.reshape(tf.cast(images, tf.float32), (batch, height, width * 3))
    rows = tf.matmul(_triangles(tf, height, side)[None], rows)
    columns = tf.reshape(rows, (batch * side, width, 3))
    columns = tf.matmul(_triangles(tf, width, side)[None], columns)
    return tf.reshape(columns, (batch, side, side, 3))


def _triangles(tf: Any, length: Any, side: int) -> Any:
    """The weights `(side, length)` of the old pixels in the new ones."""
    pixels = tf.cast(tf.range(length), tf.float32) + 0.5
    step = tf.cast(length, tf.float32) / side
    centers = (tf.range(side, dtype=tf.float32) + 0.5) * step
    distances = tf.abs(centers[:, None] - pixels[None]) / tf.maximum(step, 1.0)
    weights = tf.maximum(1.0 - distances, 0.0)
    return weights / tf.reduce_sum(weights, axis=1, keepdims=True)


def describe_frozen(path: Path, artifact: Artifact) -> None:
    """Replace the artifact in a file that `write_frozen` wrote."""
    frozen = framework.tensorflow().compat.v1.GraphDef.FromString(path.read_bytes())
    path.write_bytes(_saying(frozen, artifact))


def _saying(frozen: Any, artifact: Artifact) -> bytes:
    tf = framework.tensorflow()
    others = [node for node in frozen.node if node.name != ARTIFACT_NODE]
    del frozen.node[:]
    frozen.node.extend(others)
    said = frozen.node.add(name=ARTIFACT_NODE, op="Const")
    said.attr["dtype"].type = tf.string.as_datatype_enum
    said.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(artifact.to_text()))
    return bytes(frozen.SerializeToString(deterministic=True))


def frozen_graph(
    tf: Any,
    compute: Callable[[Any], list[Any]],
    signature: Any,
    name: str,
    outputs: Collection[str],
) -> Any:
    """The GraphDef of `compute` with input `name` and the nodes `outputs`."""
    signature = tf.TensorSpec(signature.shape, signature.dtype, name=name)
    with framework.hushed():
        function = tf.function(compute, input_signature=[signature], autograph=False)
        traced = function.get_concrete_function()
        definition = framework.with_constants(traced).graph.as_graph_def()
        _tidy(tf, definition)
        return tf.compat.v1.graph_util.extract_sub_graph(definition, list(outputs))


def _tidy(tf: Any, definition: Any) -> None:
    """Make nodes what OpenCV expects: those of a loop have its scope, and wait for what a `NoOp`
    waits for instead of for the `NoOp`; and a size is two numbers, even if they are equal."""
    resizing = {node.input[1] for node in definition.node if node.op == "ResizeNearestNeighbor"}
    barriers = {f"^{node.name}": node.input for node in definition.node if node.op == "NoOp"}

    def awaited(name: str) -> Iterator[str]:
        inner = barriers.get(name)
        yield from (each for one in inner for each in awaited(one)) if inner is not None else [name]

    for node in definition.node:
        values = [name for name in node.input if not name.startswith("^")]
        order = (each for name in node.input[len(values) :] for each in awaited(name))
        inputs = [*values, *dict.fromkeys(order)]
        node.input[:] = [INLINED.sub("", name) for name in inputs]
        node.name = INLINED.sub("", node.name)
        if node.name in resizing:
            size = node.attr["value"].tensor
            size.CopyFrom(tf.make_tensor_proto(tf.make_ndarray(size)))


TARGET = Target(
    "frozen_inference_graph.pb",
    write_frozen,
    describe_frozen,
    families=frozenset({"ssd", "ssd_fpn"}),
    label_map=True,
)

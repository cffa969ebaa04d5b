"""Export to frozen TensorFlow 1 graphs with the node names of the Object Detection API."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxwright.backend import framework
from boxwright.export import api_graph, graph
from boxwright.export.targets import Target
from boxwright.inference.artifact import Artifact
from boxwright.inference.engines.frozen import ARTIFACT_NODE, INPUT

if TYPE_CHECKING:
    from boxwright.models.ssd.detector import SsdModel

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
        model: an SSD.
        artifact: description to store in the file.
    """
    tf, side = graph.tensorflow_for(model), artifact.preprocessing.size

    def detect(inputs: Any) -> list[Any]:
        images = tf.image.resize(tf.cast(inputs, tf.float32), (side, side), antialias=True)
        decoded = api_graph.candidates(tf, model, artifact.preprocessing, images)
        found = graph.as_api(tf, graph.detections(tf, *decoded, artifact.nms_config))
        return [tf.identity(found[name], name=name) for name in OUTPUTS]

    signature = tf.TensorSpec((None, None, None, 3), tf.uint8)
    path.write_bytes(_saying(frozen_graph(tf, detect, signature, INPUT, OUTPUTS), artifact))


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
        return tf.compat.v1.graph_util.extract_sub_graph(definition, list(outputs))


TARGET = Target(
    "frozen_inference_graph.pb",
    write_frozen,
    describe_frozen,
    families=frozenset({"ssd"}),
    label_map=True,
)

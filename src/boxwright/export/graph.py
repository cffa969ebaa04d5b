"""The computation of all TensorFlow exports: from uint8 pixels to boxes and scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from boxwright.backend import framework
from boxwright.errors import ExportError
from boxwright.images.preprocessing import Preprocessing
from boxwright.models.model import Candidates, DetectionModel
from boxwright.ops.operations import Method
from boxwright.ops.postprocess import NmsConfig

INPUT_NAME = "images"


def tensorflow_for(model: DetectionModel) -> Any:
    """The `tensorflow` module, for a model that TensorFlow can export.

    Raises:
        ExportError: BW408 the model was built on another backend.
        SystemFaultError: BW901 TensorFlow is not installed.
    """
    engine = framework.keras().backend.backend()
    if engine != "tensorflow":
        raise ExportError(
            "BW408",
            f"the network was built on {engine}, but only TensorFlow can write its file formats.",
        )
    return framework.tensorflow()


class TensorFlowOperations:
    """`ops.operations.Operations` in TensorFlow."""

    def __init__(self, tf: Any) -> None:
        self._tf = tf
        self.constant, self.exp, self.log, self.sigmoid = (
            tf.constant,
            tf.exp,
            tf.math.log,
            tf.sigmoid,
        )
        self.softmax, self.maximum, self.minimum = tf.nn.softmax, tf.maximum, tf.minimum
        self.clip, self.transpose = tf.clip_by_value, tf.transpose
        self.concat, self.stack = tf.concat, tf.stack

    def sum(self, x: Any, axis: int, keepdims: bool = False) -> Any:
        return self._tf.reduce_sum(x, axis=axis, keepdims=keepdims)

    def reshape(self, x: Any, shape: Sequence[int]) -> Any:
        images = self._tf.shape(x)[0] if x.shape[0] is None else x.shape[0]
        return self._tf.reshape(x, (images, *shape))

    def resize(self, x: Any, factor: int, method: Method = "bilinear") -> Any:
        size = [factor * side for side in x.shape[1:3]]
        return self._tf.image.resize(x, size, method=method)

    def max_pool(self, x: Any, size: int) -> Any:
        return self._tf.nn.max_pool2d(x, size, strides=1, padding="SAME")


def raw_outputs(
    tf: Any, model: DetectionModel, preprocessing: Preprocessing | None, images: Any
) -> dict[str, Any]:
    """The network's outputs for pixels `(B, S, S, 3)` uint8, or for scaled pixels without
    `preprocessing`."""
    if preprocessing:
        images = tf.cast(images, tf.float32) * preprocessing.scale + preprocessing.offset
    outputs: dict[str, Any] = model.network(images, training=False)
    return outputs


def candidates(
    tf: Any, model: DetectionModel, preprocessing: Preprocessing, images: Any
) -> Candidates:
    """Decoded boxes `(B, A, 4)` and scores `(B, A, C)` for pixels `(B, S, S, 3)`."""
    outputs = raw_outputs(tf, model, preprocessing, images)
    return model.decode(outputs, TensorFlowOperations(tf))


def detections(tf: Any, boxes: Any, scores: Any, how: NmsConfig) -> dict[str, Any]:
    """The results of `ops.postprocess` for decoded boxes `(B, A, 4)` and scores `(B, A, C)`, padded
    with zeros to `how.max_total` rows, by name; classes and counts are int32."""
    boxes, scores, labels, counts = tf.image.combined_non_max_suppression(
        boxes[:, :, None],
        scores,
        max_output_size_per_class=how.max_per_class,
        max_total_size=how.max_total,
        iou_threshold=how.iou_threshold,
        score_threshold=how.score_threshold,
        clip_boxes=False,  # overlaps are measured before clipping
    )
    return {
        "detection_boxes": tf.clip_by_value(boxes, 0.0, 1.0),
        "detection_scores": scores,
        "detection_classes": tf.cast(labels, tf.int32),
        "num_detections": counts,
    }


def as_api(tf: Any, found: dict[str, Any]) -> dict[str, Any]:
    """`detections` in the format of the Object Detection API: all float32, classes 1-based."""
    return {
        **found,
        "detection_classes": tf.cast(found["detection_classes"], tf.float32) + 1.0,
        "num_detections": tf.cast(found["num_detections"], tf.float32),
    }


class Signature(NamedTuple):
    """A function of one tensor, with outputs by name, and its input's name, shape and type."""

    serve: Callable[[Any], dict[str, Any]]
    shape: tuple[int | None, ...]
    input_name: str = INPUT_NAME
    dtype: str = "uint8"


def save(tf: Any, folder: Path, model: DetectionModel, signatures: Mapping[str, Signature]) -> None:
    """Write functions of `model` as signatures of a SavedModel."""
    module = tf.Module(name="detector")
    module.weights = [
        variable.value for variable in model.network.variables
    ]  # so that they are saved
    module.functions = {}
    for name, (serve, shape, input_name, dtype) in signatures.items():
        spec = tf.TensorSpec(shape, dtype, name=input_name)
        # Without AutoGraph here and in all exports: their Python needs no rewriting.
        module.functions[name] = tf.function(serve, input_signature=[spec], autograph=False)
    save_module(tf, folder, module, dict(module.functions))


def save_module(tf: Any, folder: Path, module: Any, signatures: Any) -> None:
    """Write a TensorFlow module with its signatures as a SavedModel."""
    with framework.hushed(), framework.signatures_as_they_are():
        tf.saved_model.save(module, str(folder), signatures=signatures)

"""What every exported file computes: uint8 pixels in, raw boxes and scores out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from boxwright.backend import framework
from boxwright.errors import ExportError
from boxwright.images.preprocessing import Preprocessing
from boxwright.ops.postprocess import Suppression

INPUT_NAME = "images"


def tensorflow_for(model: Any) -> Any:
    """The `tensorflow` module, for a Keras model that TensorFlow can write.

    Raises:
        ExportError: BW408 the model was built on another engine.
        SystemFaultError: BW901 TensorFlow is not installed.
    """
    engine = framework.keras().backend.backend()
    if engine != "tensorflow":
        raise ExportError(
            "BW408",
            f"the network was built on {engine}, but only TensorFlow writes TensorFlow's files.",
        )
    return framework.tensorflow()


def raw_outputs(
    tf: Any, model: Any, preprocessing: Preprocessing | None, images: Any
) -> tuple[Any, Any]:
    """Box encodings `(B, A, 4)` and class scores `(B, A, C)` for pixels `(B, S, S, 3)` uint8, or
    for what these are scaled to where there is no `preprocessing`."""
    if preprocessing:
        images = tf.cast(images, tf.float32) * preprocessing.scale + preprocessing.offset
    raw = model(images, training=False)
    return raw["box_encodings"], tf.sigmoid(raw["class_logits"])


def detections(tf: Any, boxes: Any, scores: Any, how: Suppression) -> dict[str, Any]:
    """What `ops.postprocess` gives of decoded boxes `(B, A, 4)` and scores `(B, A, C)`, padded
    with zeros to `how.max_total` rows, by name; classes and counts are int32."""
    boxes, scores, labels, counts = tf.image.combined_non_max_suppression(
        boxes[:, :, None],
        scores,
        max_output_size_per_class=how.max_per_class,
        max_total_size=how.max_total,
        iou_threshold=how.iou_threshold,
        score_threshold=how.score_threshold,
        clip_boxes=False,  # overlaps are measured on whole boxes, which are clipped afterwards
    )
    return {
        "detection_boxes": tf.clip_by_value(boxes, 0.0, 1.0),
        "detection_scores": scores,
        "detection_classes": tf.cast(labels, tf.int32),
        "num_detections": counts,
    }


def as_api(tf: Any, found: dict[str, Any]) -> dict[str, Any]:
    """`detections` as the Object Detection API has them: all float32, classes 1-based."""
    return {
        **found,
        "detection_classes": tf.cast(found["detection_classes"], tf.float32) + 1.0,
        "num_detections": tf.cast(found["num_detections"], tf.float32),
    }


class Signature(NamedTuple):
    """A function of one tensor: the outputs by name, and the name, shape and type of the input."""

    serve: Callable[[Any], dict[str, Any]]
    shape: tuple[int | None, ...]
    input_name: str = INPUT_NAME
    dtype: str = "uint8"


def save(tf: Any, folder: Path, model: Any, signatures: Mapping[str, Signature]) -> None:
    """Write functions of `model` as a SavedModel's signatures."""
    module = tf.Module(name="detector")
    module.weights = [variable.value for variable in model.variables]  # so that they are saved
    module.functions = {}
    for name, (serve, shape, input_name, dtype) in signatures.items():
        spec = tf.TensorSpec(shape, dtype, name=input_name)
        module.functions[name] = tf.function(serve, input_signature=[spec])
    with framework.hushed():
        tf.saved_model.save(module, str(folder), signatures=dict(module.functions))

"""TFLite export: one file for phones and small boards, run by ai-edge-litert."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from boxwright.errors import ExportError
from boxwright.export import graph
from boxwright.export.conversion import LayerError, Quantization, converted, layer_errors
from boxwright.export.labels import labels_text
from boxwright.export.metadata import add_metadata
from boxwright.export.targets import Target
from boxwright.inference import litert
from boxwright.inference.artifact import Artifact
from boxwright.io.files import json_text
from boxwright.io.scratch import scratch_folder
from boxwright.models.model import DetectionModel
from boxwright.ops.box_coder import centered
from boxwright.ops.operations import NUMPY

DECODING = "decoding"  # the scope of names of what follows the network's outputs
# On T > 1 threads the operator skips class T: its workers start on classes 0 to T - 1, share a
# counter that starts at T, and advance it before they read it (TensorFlow issue 56058). A detector
# of three or more classes therefore starts with unused classes.
SPARE_COLUMNS = 65  # enough for 64 threads


def write_tflite(
    path: Path,
    model: DetectionModel,
    artifact: Artifact,
    how: Quantization | None = None,
) -> None:
    """Write a detector as a .tflite with builtin operators and `TFLite_Detection_PostProcess`.

    Input: `images` `(1, S, S, 3)` uint8, an RGB image resized as in `artifact.preprocessing`.
    Outputs, in this order, float32, best first, padded with zeros to N =
    `artifact.max_detections` rows: `detection_boxes` `(1, N, 4)` normalized yxyx, within the image;
    `detection_classes` `(1, N)` 0-based; `detection_scores` `(1, N)`; `num_detections` `(1,)`.
    It has TFLite metadata, and a zip at its end contains `labels.txt` and `boxwright.json`.

    Args:
        path: the file to write.
        model: of any family.
        artifact: description to store in the file.
        how: quantization; None for float32.

    Raises:
        ExportError: BW403 the network needs an operator that phones lack, BW404 TensorFlow
            cannot convert it.
    """
    tf = graph.tensorflow_for(model)
    if how and model.decodes_exactly:
        how = replace(how, exact_parts=(DECODING, *how.exact_parts))
    with _saved(tf, model, artifact, how) as saved:
        content = converted(tf, saved, path, how)
    refuse_foreign_operators(content, path)
    path.write_bytes(_described(content, artifact) + _attached_files(artifact))


def describe_tflite(path: Path, artifact: Artifact) -> None:
    """Replace the artifact in a .tflite that `write_tflite` wrote."""
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as attached:
        start = min(each.header_offset for each in attached.infolist())
    path.write_bytes(content[:start] + _attached_files(artifact))


def quantization_errors(
    model: DetectionModel, artifact: Artifact, how: Quantization
) -> list[LayerError]:
    """The int8 error of each layer, largest first; arguments as in `write_tflite`."""
    tf = graph.tensorflow_for(model)
    with _saved(tf, model, artifact, how) as saved:
        errors = layer_errors(tf, saved, how)
    exact = f"{DECODING}/" if model.decodes_exactly else None
    return [error for error in errors if exact is None or exact not in error.tensor]


@contextmanager
def _saved(
    tf: Any, model: DetectionModel, artifact: Artifact, how: Quantization | None
) -> Iterator[Path]:
    """A temporary SavedModel for TFLite's converter."""
    side, scaled = artifact.preprocessing.size, bool(how and how.takes_scaled)
    calibration = None if how is None or model.decodes_exactly else how.calibration
    box_range = calibration.box_range(model) if calibration else None
    with scratch_folder() as scratch:
        saved = scratch / "saved_model"
        serve = _serving(tf, model, artifact, scaled, box_range)
        signature = graph.Signature(
            serve, (1, side, side, 3), dtype="float32" if scaled else "uint8"
        )
        graph.save(tf, saved, model, {"serving_default": signature})
        yield saved


def refuse_foreign_operators(content: bytes, path: Path) -> None:
    """Raise ExportError BW403 if a .tflite needs operators that phones lack."""
    foreign = {op.name for op in litert.custom_operators(content)} - {litert.POSTPROCESS}
    if foreign:
        raise ExportError(
            "BW403",
            f"needs operators that are not part of TFLite: {', '.join(sorted(foreign))}.",
            where=path,
        )


def _serving(
    tf: Any,
    model: DetectionModel,
    artifact: Artifact,
    scaled: bool,
    box_range: tuple[float, float] | None,
) -> Any:
    """A function from pixels, or from scaled pixels if `scaled`, to detections. The converter
    replaces a stub in it by the post-processing operator, and takes the int8 `box_range` from the
    graph."""
    classes = len(artifact.classes)
    spare = SPARE_COLUMNS if classes > 2 else 0
    nms_config = artifact.nms_config
    head = model.export_head(model.blank_outputs(), NUMPY)
    options = {
        "max_detections": f"i: {nms_config.max_total}",
        "max_classes_per_detection": "i: 1",
        "detections_per_class": f"i: {nms_config.max_per_class}",
        # For one class the fast NMS gives the same result without starting threads (1 ms).
        "use_regular_nms": "b: true" if classes > 1 else "b: false",
        "nms_score_threshold": f"f: {nms_config.score_threshold}",
        "nms_iou_threshold": f"f: {nms_config.iou_threshold}",
        "num_classes": f"i: {spare + classes}",
        **dict(zip(_SCALE_NAMES, (f"f: {scale}" for scale in head.scales), strict=True)),
    }
    attributes = " ".join(
        f'attr {{ key: "{key}" value {{ {value} }} }}' for key, value in options.items()
    )

    @tf.function(  # type: ignore[untyped-decorator]
        experimental_implements=f'name: "{litert.POSTPROCESS}" {attributes}', autograph=False
    )
    def detect(encodings: Any, scores: Any, references: Any) -> tuple[Any, ...]:
        n = nms_config.max_total
        return tf.zeros((1, n, 4)), tf.zeros((1, n)), tf.zeros((1, n)), tf.zeros((1,))

    def serve(images: Any) -> dict[str, Any]:
        how = None if scaled else artifact.preprocessing
        outputs = graph.raw_outputs(tf, model, how, images)
        with tf.name_scope(DECODING):
            encodings, scores, *_ = model.export_head(outputs, graph.TensorFlowOperations(tf))
        if box_range:
            encodings = tf.quantization.fake_quant_with_min_max_args(encodings, *box_range)
        if spare:
            scores = tf.pad(scores, [[0, 0], [0, 0], [spare, 0]])
        boxes, labels, scores, count = detect(
            encodings, scores, tf.constant(centered(head.references))
        )
        if spare:
            whole = tf.cast(labels, tf.int32) - spare  # integers stay exact in a quantized file
            labels = tf.cast(tf.maximum(whole, 0), tf.float32)
        return dict(zip(litert.OUTPUT_NAMES, (boxes, labels, scores, count), strict=True))

    return serve


_SCALE_NAMES = ("y_scale", "x_scale", "h_scale", "w_scale")


def _described(content: bytes, artifact: Artifact) -> bytes:
    """Name the input and the outputs, restore the usual order of outputs, and add metadata.

    The converter chooses arbitrary names and order.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    (network,), (signature,) = model.subgraphs, model.signatureDefs
    outputs = {output.name.decode(): output for output in signature.outputs}
    boxes = outputs[litert.OUTPUT_NAMES[0]]
    boxes.tensorIndex = _clipped(model, boxes.tensorIndex)
    network.outputs = [outputs[name].tensorIndex for name in litert.OUTPUT_NAMES]
    network.tensors[network.inputs[0]].name = graph.INPUT_NAME
    for index, name in zip(network.outputs, litert.OUTPUT_NAMES, strict=True):
        network.tensors[index].name = name
    add_metadata(model, artifact)
    builder = _AligningBuilder(len(content))
    builder.Finish(model.Pack(builder), litert.MAGIC)
    return bytes(builder.Output())


def _clipped(model: schema.ModelT, boxes: int) -> int:
    """Clip boxes to the image with basic TFLite operators; return the index of the result.

    MediaPipe shifts boxes that start outside of the image instead of clipping them. Here, unlike in
    `_serving`, the clipping stays in float even in quantized files.
    """
    (network,) = model.subgraphs
    for activation in (schema.BuiltinOperator.RELU_N1_TO_1, schema.BuiltinOperator.RELU):
        clipped, code = len(network.tensors), len(model.operatorCodes)
        tensor = copy(network.tensors[boxes])
        tensor.name = f"clipped_{activation}"
        network.tensors.append(tensor)
        model.operatorCodes.append(
            schema.OperatorCodeT(deprecatedBuiltinCode=activation, builtinCode=activation)
        )
        network.operators.append(
            schema.OperatorT(opcodeIndex=code, inputs=[boxes], outputs=[clipped])
        )
        boxes = clipped
    return boxes


class _AligningBuilder(flatbuffers.Builder):  # type: ignore[misc]
    """Aligns vectors to 16 bytes, as the schema requires for weights."""

    def CreateNumpyVector(self, x: NDArray[Any]) -> int:  # noqa: N802
        self.Prep(16, x.nbytes)
        return int(super().CreateNumpyVector(x))


def _attached_files(artifact: Artifact) -> bytes:
    files = {
        litert.LABELS_NAME: labels_text(artifact.classes),
        litert.ARTIFACT_NAME: json_text(artifact.to_json()) + "\n",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text.encode())  # ZipInfo: reproducible bytes
    return packed.getvalue()


TARGET = Target("detector.tflite", write_tflite, describe_tflite, quantized=True)

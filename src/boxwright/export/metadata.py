"""TFLite metadata of exported files, for MediaPipe and other programs."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from boxwright.inference import litert, tflite_metadata
from boxwright.inference.artifact import Artifact
from boxwright.models.weights.published import MODELS

RGB = 1  # a ColorSpaceType
BOUNDARIES = 1  # a BoundingBoxType: left, top, right, bottom
YXYX = (1, 0, 3, 2)  # positions of those four in our boxes
PARSER = "1.2.0"  # schema version that introduced groups of tensors


def add_metadata(model: schema.ModelT, artifact: Artifact) -> None:
    """Add `TFLITE_METADATA` to a model with the inputs and outputs of `export.tflite`.

    Args:
        model: the unpacked flatbuffer; changed in place.
        artifact: the description in the file.
    """
    (network,) = model.subgraphs
    mean, std = _normalization(network.tensors[network.inputs[0]].quantization)
    packed = tflite_metadata.pack(description(artifact, mean, std))
    model.metadata = [
        *(model.metadata or ()),
        schema.MetadataT(name=tflite_metadata.ENTRY, buffer=len(model.buffers)),
    ]
    model.buffers.append(schema.BufferT(data=np.frombuffer(packed, np.uint8)))


def description(artifact: Artifact, mean: float, std: float) -> dict[str, Any]:
    """The `ModelMetadata` of a detector whose input is `(pixel - mean) / std`, then quantized."""
    network = {
        "input_tensor_metadata": [_image(artifact, mean, std)],
        "output_tensor_metadata": _results(artifact),
        "output_tensor_groups": [
            {"name": "detection_result", "tensor_names": ["location", "category", "score"]}
        ],
    }
    described = {
        "name": str(artifact.model.get("name", "detector")),
        "description": _origin(artifact),
        "subgraph_metadata": [network],
        "min_parser_version": PARSER,
    }
    if "step" in artifact.provenance:
        described["version"] = f"step {artifact.provenance['step']}"
    licenses = {published.name: published.license for published in MODELS}
    weights = artifact.provenance.get("weights")
    if weights in licenses:
        described["license"] = f"{licenses[weights]} (the weights {weights})"
    return described


def _normalization(quantization: schema.QuantizationParametersT | None) -> tuple[float, float]:
    """The mean and std for which a quantized pixel equals the pixel."""
    if quantization is None or quantization.scale is None or not len(quantization.scale):
        return 0.0, 1.0
    return float(quantization.zeroPoint[0]), 1 / float(quantization.scale[0])


def _image(artifact: Artifact, mean: float, std: float) -> dict[str, Any]:
    side = artifact.preprocessing.size
    return {
        "name": "image",
        "description": f"An RGB image, stretched to {side} x {side} pixels; values 0 to 255.",
        "content": {
            "content_properties": (
                "ImageProperties",
                {"color_space": RGB, "default_size": {"width": side, "height": side}},
            )
        },
        "process_units": [
            {"options": ("NormalizationOptions", {"mean": [mean], "std": [std]})},
        ],
        "stats": {"max": [255.0], "min": [0.0]},
    }


def _results(artifact: Artifact) -> list[dict[str, Any]]:
    """The four outputs, under the names that MediaPipe expects."""
    one_each = {"min": 2, "max": 2}  # in the schema: one value per detection
    labels = {
        "name": litert.LABELS_NAME,
        "description": "The class names, one per line, in id order.",
        "type": litert.VALUE_LABELS,
    }
    threshold = {"global_score_threshold": artifact.threshold}
    return [
        {
            "name": "location",
            "description": "Boxes, best first: top, left, bottom, right in fractions of the image.",
            "content": {
                "content_properties": (
                    "BoundingBoxProperties",
                    {"index": YXYX, "type": BOUNDARIES},
                ),
                "range": one_each,
            },
        },
        {
            "name": "category",
            "description": "Class ids, from 0.",
            "content": {"content_properties": ("FeatureProperties", {}), "range": one_each},
            "associated_files": [labels],
        },
        {
            "name": "score",
            "description": "Scores from 0 to 1.",
            "content": {"content_properties": ("FeatureProperties", {}), "range": one_each},
            "process_units": [{"options": ("ScoreThresholdingOptions", threshold)}],
            "stats": {"max": [1.0], "min": [0.0]},
        },
        {
            "name": "number of detections",
            "description": "Number of detections; the rows after them are zero.",
            "content": {"content_properties": ("FeatureProperties", {})},
        },
    ]


def _origin(artifact: Artifact) -> str:
    """A summary for people: classes, training data and origin."""
    known = artifact.provenance
    sentences = [f"Detects {', '.join(artifact.classes)}."]
    if artifact.data_name:
        images = f"{artifact.data_name} (fingerprint {artifact.fingerprint})"
        sentences.append(f"Trained on the images of {images}.")
    if known.get("weights"):
        sentences.append(f"Training started from {known['weights']}.")
    if known.get("boxwright"):
        sentences.append(f"Written by Boxwright {known['boxwright']}.")
    sentences.append("For details, see the zip at the end of this file.")
    return " ".join(sentences)

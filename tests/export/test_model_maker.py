"""A .tflite as MediaPipe Model Maker exports it: raw outputs, and the anchors in the metadata.
MediaPipe reads it and finds what we find."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray
from PIL import Image

from boxwright.backend.framework import tensorflow
from boxwright.inference import litert, tflite_metadata
from boxwright.inference.detector import Detector
from boxwright.inference.inspection import inspect
from boxwright.inference.litert import read_metadata
from boxwright.ops.box_coder import centered

NAMES = ["background", "kite", "dog"]


def raw_tflite(model: Any) -> bytes:
    """The network alone: box encodings and scores."""
    tf = tensorflow()

    def serve(images: Any) -> Any:
        outputs = model.network(images, training=False)
        return outputs["box_encodings"], tf.sigmoid(outputs["class_logits"])

    spec = tf.TensorSpec((1, 64, 64, 3), tf.float32)
    function = tf.function(serve, input_signature=[spec], autograph=False)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    content: bytes = converter.convert()
    return content


def described(anchors: NDArray[np.float32], scales: tuple[float, ...]) -> dict[str, Any]:
    """The metadata that Model Maker writes, in the fields of its two schemas."""
    sides = ("y_center", "x_center", "height", "width")
    options = {
        "ssd_anchors_options": {
            "fixed_anchors_schema": {
                "anchors": [dict(zip(sides, each, strict=True)) for each in anchors.tolist()]
            }
        },
        "tensors_decoding_options": {
            "num_classes": len(NAMES),
            "num_boxes": len(anchors),
            "num_coords": 4,
            "num_values_per_keypoint": 2,
            **{f"{side}_scale": scale for side, scale in zip("yxhw", scales, strict=True)},
            "apply_exponential_on_box_size": True,
        },
    }
    packed = tflite_metadata.pack(options, "ObjectDetectorOptions")
    image = {
        "name": "image",
        "content": {"content_properties": ("ImageProperties", {"color_space": 1})},
        "process_units": [{"options": ("NormalizationOptions", {"mean": [128.0], "std": [128.0]})}],
    }
    labels = {"name": "labels.txt", "type": 2}
    boxes = ("BoundingBoxProperties", {"index": [0, 1, 2, 3], "type": 1})
    network = {
        "input_tensor_metadata": [image],
        "output_tensor_metadata": [
            {"name": "location", "content": {"content_properties": boxes}},
            {"name": "score", "associated_files": [labels]},
        ],
        "custom_metadata": [{"name": "DETECTOR_METADATA", "data": packed}],
    }
    return {"name": "ObjectDetector", "subgraph_metadata": [network]}


@pytest.fixture(scope="module")
def model_maker(
    tiny_detector: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    tiny = tiny_detector(3)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(raw_tflite(tiny.model)))
    (network,) = model.subgraphs
    network.outputs = sorted(network.outputs, key=lambda i: network.tensors[i].shape[2] != 4)
    fields = described(centered(tiny.model.anchors), tiny.model.spec.box_scales)
    packed = np.frombuffer(tflite_metadata.pack(fields), np.uint8)
    model.metadata = [schema.MetadataT(name=tflite_metadata.ENTRY, buffer=len(model.buffers))]
    model.buffers.append(schema.BufferT(data=packed))
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), litert.MAGIC)
    path = tmp_path_factory.mktemp("model maker") / "model.tflite"
    path.write_bytes(builder.Output())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.txt", "\n".join(NAMES))
    return path


def test_its_anchors_are_read(model_maker: Path, tiny_detector: Callable[..., Any]) -> None:
    metadata = read_metadata(model_maker.read_bytes())
    assert metadata is not None
    assert metadata.ssd is not None
    np.testing.assert_allclose(metadata.ssd.anchors, centered(tiny_detector(3).model.anchors))
    assert (metadata.ssd.scales, metadata.ssd.exponential) == ((10, 10, 5, 5), True)
    assert list(metadata.labels) == ["kite", "dog"]  # its first line may be no class
    described = inspect(model_maker)
    assert described.head is not None
    assert described.head.family.startswith("SSD of MediaPipe Model Maker")
    assert described.contract is not None
    assert "(pixel - 128) / 128" in described.contract.pixels


def test_it_finds_what_its_network_finds(
    model_maker: Path, tiny_detector: Callable[..., Any], random_inputs: NDArray[np.uint8]
) -> None:
    detector = Detector.load(model_maker)
    assert detector.classes == ("background", "kite", "dog")  # here it is one, of three
    expected = tiny_detector(3).detector.engine(random_inputs)
    for (boxes, scores, labels), (others, other_scores, other_labels) in zip(
        expected, detector.engine(random_inputs), strict=True
    ):
        np.testing.assert_allclose(scores, other_scores, atol=1e-4)
        np.testing.assert_allclose(boxes[:5], others[:5], atol=1e-4)
        assert labels[:5].tolist() == other_labels[:5].tolist()


def test_mediapipe_finds_the_same(model_maker: Path, random_inputs: NDArray[np.uint8]) -> None:
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    base = BaseOptions(model_asset_buffer=model_maker.read_bytes())
    options = vision.ObjectDetectorOptions(base, score_threshold=0.5)
    ours = Detector.load(model_maker).predict(Image.fromarray(random_inputs[0]), threshold=0.5)
    assert len(ours) > 0
    with vision.ObjectDetector.create_from_options(options) as detector:
        found = detector.detect(
            mediapipe.Image(mediapipe.ImageFormat.SRGB, random_inputs[0].copy())
        ).detections
    best = max(found, key=lambda each: each.categories[0].score)
    box = best.bounding_box
    corners = [box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height]
    assert best.categories[0].category_name == ours[:1].classes[ours.labels[0]]
    assert best.categories[0].score == pytest.approx(ours.scores[0], abs=0.02)
    np.testing.assert_allclose(corners, ours.boxes[0], atol=1.5)


def test_decoding_options_survive_packing() -> None:
    options = {
        "ssd_anchors_options": {
            "fixed_anchors_schema": {"anchors": [{"x_center": 0.5, "width": 0.25}]}
        },
        "tensors_decoding_options": {"num_classes": 3, "sigmoid_score": True},
    }
    packed = tflite_metadata.pack(options, "ObjectDetectorOptions")
    assert tflite_metadata.unpack(packed, "ObjectDetectorOptions") == options
    with pytest.raises(ValueError, match="does not begin"):
        tflite_metadata.unpack(packed)

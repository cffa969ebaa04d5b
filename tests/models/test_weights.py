"""Pretrained weights: the same network as the file's, under Boxwright's names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxwright.backend import framework
from boxwright.errors import WeightsError
from boxwright.images.decoding import read_image
from boxwright.ops import box_coder
from boxwright.ops.boxes import clip, iou

pytestmark = pytest.mark.shared

STEP = 0.07902787625789642  # of the file's quantised box encodings: 1/13 of a tenth of an anchor


@pytest.fixture(scope="module")
def pretrained(shared: Path) -> Any:
    framework.keras()
    from boxwright.models.weights.loading import read_pretrained

    return read_pretrained(shared / "weights/ssd_mobilenet_v1_coco_quant.tflite")


@pytest.fixture(scope="module")
def coco_model(pretrained: Any) -> Any:
    from boxwright.models.ssd.network import build
    from boxwright.models.weights import loading

    model = build(pretrained.spec)
    report = loading.load(model, pretrained, keep_class_head=True)
    assert (len(report.loaded), report.reset, report.ignored) == (47, {}, {})
    return model


def test_the_file_is_described_as_it_is(pretrained: Any) -> None:
    spec = pretrained.spec
    assert (spec.depth_multiplier, spec.input_size, spec.num_classes) == (0.75, 300, 90)
    assert pretrained.classes[0] == "person"
    assert pretrained.classes[89] == "toothbrush"
    assert pretrained.preprocessing.scale == 1 / 128


@pytest.mark.parametrize("image", ["image1.jpg", "image2.jpg"])
def test_keras_and_tflite_see_the_same(
    shared: Path, pretrained: Any, coco_model: Any, image: str
) -> None:
    """Same class, IoU at least 0.95, score within 0.06, for all that scores above 0.4.

    The file keeps its anchors and box encodings in 8 bits, whose steps are wider than 5 % of the
    kites and people on these photos. So both sides are decoded on the file's anchors, and Keras'
    encodings are rounded to the file's steps; and because near-equal scores let suppression
    prefer either of two neighbours, each of the file's boxes may be any of Keras' candidates.
    """
    inputs = pretrained.preprocessing.resize(read_image(shared / "images" / image))[None]
    boxes, labels, scores, anchors = run_tflite(pretrained.source, inputs)
    raw = coco_model(inputs.astype(np.float32) / 128 - 1)
    encodings = np.round(np.asarray(raw["box_encodings"][0]) / STEP) * STEP
    candidates = clip(box_coder.decode(encodings, anchors), 1, 1)
    likely = 1 / (1 + np.exp(-np.asarray(raw["class_logits"][0])))
    strong = scores > 0.4
    assert strong.sum() >= 5
    for box, label, score in zip(boxes[strong], labels[strong], scores[strong], strict=True):
        overlap = iou(clip(box[None], 1, 1), candidates)[0]
        same = (np.abs(likely[:, label] - score) <= 0.06) & (overlap >= 0.95)
        assert same.any(), (pretrained.classes[label], score, box * 300, overlap.max())


def run_tflite(path: Path, inputs: Any) -> tuple[Any, Any, Any, Any]:
    """Boxes, labels and scores of the file's own detections, and its own anchors as yxyx."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    # The reference kernels: the faster ones round otherwise, and give boxes that overlap with
    # these by only 0.91 on the same photos.
    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    with framework.hushed():
        interpreter = Interpreter(str(path), experimental_op_resolver_type=kernels)
        interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], inputs)
    interpreter.invoke()
    found = [interpreter.get_tensor(d["index"])[0] for d in interpreter.get_output_details()]
    details = {d["name"]: d for d in interpreter.get_tensor_details()}
    scale, zero = details["anchors"]["quantization"]
    stored = interpreter.get_tensor(details["anchors"]["index"]).astype(np.float32)
    y, x, height, width = ((stored - zero) * scale).T
    anchors = np.stack([y - height / 2, x - width / 2, y + height / 2, x + width / 2], axis=1)
    return found[0], found[1].astype(int), found[2], anchors


def test_a_file_of_half_precision_floats_is_read_whole(shared: Path) -> None:
    """MobileNet v2, with the raw outputs of its heads and the API's background column."""
    from boxwright.models.ssd.network import build
    from boxwright.models.weights import loading

    path = shared / "weights/ssd_mobilenet_v2_oidv4"
    path /= "object_detection_ssd_mobilenetv2_oidv4_fp16.tflite"
    pretrained = loading.read_pretrained(path)
    spec = pretrained.spec
    assert (spec.name, spec.input_size, spec.num_classes) == ("ssd_mobilenet_v2", 300, 23)
    model = build(spec)
    report = loading.load(model, pretrained, keep_class_head=True)
    assert (report.reset, report.ignored) == ({}, {})
    inputs = pretrained.preprocessing.resize(read_image(shared / "images/image1.jpg"))[None]
    inputs = inputs.astype(np.float32) * np.float32(2 / 255) - 1
    ours = model(inputs)
    boxes, logits = raw_outputs(path, inputs)
    np.testing.assert_allclose(ours["box_encodings"], boxes, atol=1e-4)
    np.testing.assert_allclose(ours["class_logits"], logits[..., 1:], atol=1e-4)


def raw_outputs(path: Path, inputs: Any) -> list[Any]:
    """The outputs of a file without post-processing, by their names."""
    from ai_edge_litert.interpreter import Interpreter

    with framework.hushed():
        interpreter = Interpreter(str(path))
        interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], inputs)
    interpreter.invoke()
    outputs = sorted(interpreter.get_output_details(), key=lambda each: each["name"])
    return [interpreter.get_tensor(each["index"]) for each in outputs]


def test_another_depth_multiplier_is_refused(pretrained: Any) -> None:
    from dataclasses import replace

    from boxwright.models.ssd.network import build
    from boxwright.models.weights import loading

    model = build(replace(pretrained.spec, depth_multiplier=0.25, input_size=64))
    with pytest.raises(WeightsError, match=r"BW202.*Conv2d_0/kernel is \(3, 3, 3, 24\)"):
        loading.load(model, pretrained)


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("weights/nowhere.tflite", "BW201"),
        ("weights/README.md", "BW202"),  # not a .tflite
        ("weights/mobilenet_v1_0.25_128_quant.tflite", "BW202"),  # a classifier
    ],
)
def test_files_that_are_no_such_network(shared: Path, file: str, code: str) -> None:
    from boxwright.models.weights.loading import read_pretrained

    with pytest.raises(WeightsError, match=code):
        read_pretrained(shared / file)


def test_statistics_come_from_images_and_change_nothing(shared: Path, pretrained: Any) -> None:
    from boxwright.models.layers.conv_norm import ConvNorm
    from boxwright.models.ssd.network import build
    from boxwright.models.weights import loading
    from boxwright.models.weights.statistics import estimate_statistics

    images = sorted((shared / "data/raccoon/images").glob("*.jpg"))[:6]
    inputs = np.stack([pretrained.preprocessing.resize(read_image(image)) for image in images])
    batch = inputs.astype(np.float32) / 128 - 1
    model = build(pretrained.spec)
    loading.load(model, pretrained, keep_class_head=True)
    before = model(batch)
    estimate_statistics(model, batch)
    after = model(batch)
    for name in before:
        np.testing.assert_allclose(after[name], before[name], atol=1e-4)

    layer = model.get_layer("Conv2d_11_pointwise")
    assert np.asarray(layer.moving_mean).std() > 0.05  # real ones, not zeros
    for layer in model.layers:
        if isinstance(layer, ConvNorm):
            layer.norm_frozen = False
    live = model(batch, training=True)  # the same photos' own statistics: the same outputs
    for name in before:
        np.testing.assert_allclose(live[name], before[name], atol=5e-3)

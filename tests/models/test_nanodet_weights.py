"""NanoDet-Plus weights: files of ncnn and ONNX, and what ncnn itself computes from them.

`benchmarks/ncnn_reference.py` made the numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from network_files import Operation, Recorder, recorded, write_ncnn, write_onnx

from boxwright.backend import framework
from boxwright.errors import WeightsError
from boxwright.images.decoding import read_image
from boxwright.images.preprocessing import Preprocessing
from boxwright.models.nanodet_plus.detector import NanoDetModel
from boxwright.models.nanodet_plus.layout import KERNEL_FACTORS
from boxwright.models.nanodet_plus.pretrained import load, read_pretrained
from boxwright.models.nanodet_plus.spec import NanoDetSpec
from boxwright.ops.boxes import iou
from boxwright.ops.operations import NUMPY
from boxwright.ops.postprocess import NmsConfig, postprocess

NUMBERS = Path(__file__).with_name("nanodet_ncnn.npz")
STORED_EVERY, SCORE = 32, 0.4  # of `benchmarks/ncnn_reference.py`
FILES = ("nanodet-plus-m_320", "nanodet-plus-m_416", "nanodet-plus-m-1.5x_416_int8")
CLASSES = 3


@pytest.fixture(scope="module")
def numbers() -> Any:
    return np.load(NUMBERS)


@pytest.fixture(scope="module", params=FILES)
def published(request: pytest.FixtureRequest, shared: Path) -> tuple[str, NanoDetModel]:
    """A file's name among the numbers, and its network."""
    name: str = request.param
    side = int(name.split("_")[1])
    pretrained = read_pretrained(shared / f"weights/nanodet_plus/{name}.ncnn.param")
    assert pretrained.classes[0] == "person"
    assert pretrained.classes[79] == "toothbrush"
    model = NanoDetModel.build(NanoDetModel.spec_for(80, side, like=pretrained.spec))
    report = load(model.network, pretrained, keep_class_head=True)
    assert (len(report.loaded), report.reset, report.ignored) == (114, {}, {})
    return name.replace("int8", "int8-dequantized"), model


@pytest.mark.shared
@pytest.mark.parametrize("image", ["image1", "image2"])
def test_keras_computes_what_ncnn_does(
    shared: Path, numbers: Any, published: tuple[str, NanoDetModel], image: str
) -> None:
    """Raw outputs within a thousandth of the largest, and the same detections."""
    name, model = published
    side = model.spec.input_size
    pixels = Preprocessing(side).resize(read_image(shared / f"images/{image}.jpg"))
    outputs = model.network.predict_on_batch(pixels[None].astype(np.float32) / 128 - 1)
    raw = np.concatenate([outputs["class_logits"][0], outputs["side_logits"][0]], axis=1)
    expected = numbers[f"{name}/{image}/raw"]
    assert np.abs(raw[::STORED_EVERY] - expected).max() <= 1e-3 * np.abs(expected).max()
    candidates = model.decode(outputs, NUMPY)
    boxes, scores, labels = postprocess(*candidates, NmsConfig(SCORE))[0]
    boxes = boxes[:, [1, 0, 3, 2]] * side
    found = numbers[f"{name}/{image}/found"]
    assert len(found) == len(boxes) > 1
    for *box, label, score in found:
        same = (labels == label) & (iou(np.array([box], np.float32), boxes)[0] >= 0.95)
        assert np.abs(scores[same] - score).min(initial=1) < 1e-3


def test_int8_in_ncnn_is_another_matter(numbers: Any) -> None:
    """The same weights in float32 and, by ncnn, with activations in int8 as well: the difference
    is in how it computes, not in what Boxwright reads."""
    for image in ("image1", "image2"):
        exact = numbers[f"{FILES[2]}-dequantized/{image}/raw"]
        rounded = numbers[f"{FILES[2]}/{image}/raw"]
        assert 0.6 < np.corrcoef(exact.ravel(), rounded.ravel())[0, 1] < 0.7


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return recorded(NanoDetSpec(CLASSES))


@pytest.mark.parametrize("stored", ["float32", "float16", "int8"])
def test_every_kernel_of_ncnn_is_found(tmp_path: Path, recorder: Recorder, stored: str) -> None:
    path = write_ncnn(tmp_path / "net.param", recorder.operations, stored)
    check(read_pretrained(path), recorder, 1 / 254 if stored == "int8" else 0)
    assert read_pretrained(path.with_suffix(".bin")).source == path


def test_every_kernel_of_onnx_is_found(tmp_path: Path, recorder: Recorder) -> None:
    """With batch norm, which is folded."""
    check(read_pretrained(write_onnx(tmp_path / "net.onnx", recorder.operations)), recorder, 1e-6)


def check(pretrained: Any, recorder: Recorder, tolerance: float) -> None:
    assert pretrained.spec == NanoDetSpec(CLASSES)
    assert pretrained.layers.keys() == recorder.kernels.keys()
    for name, kernel in recorder.kernels.items():
        stored = pretrained.layers[name]["kernel"]
        depthwise = name.endswith(("depthwise", "cheap"))
        expected = kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
        if name == "stem":
            expected = expected[:, :, ::-1] * np.array(KERNEL_FACTORS)[:, None]
        largest = np.abs(expected).max()
        np.testing.assert_allclose(stored, expected, rtol=1e-6, atol=tolerance * largest)


Damage = Callable[[Path], object]


def replaced(old: str, new: str) -> Damage:
    def damage(param: Path) -> None:
        text = param.read_text(encoding="utf-8")
        assert old in text
        param.write_text(text.replace(old, new, 1), encoding="utf-8")

    return damage


def cut(param: Path) -> None:
    weights = param.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[:-4])


def longer(param: Path) -> None:
    with param.with_suffix(".bin").open("ab") as file:
        file.write(b"1234")


def tag(param: Path) -> None:
    with param.with_suffix(".bin").open("r+b") as file:
        file.write(b"\xff\xff\xff\xff")


def not_a_number(param: Path) -> None:
    with param.with_suffix(".bin").open("r+b") as file:
        file.seek(4)
        file.write(b"\xff\x7f")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(cut, "net.bin.*is shorter than", id="short"),
        pytest.param(longer, "net.bin.*has 4 bytes more", id="long"),
        pytest.param(tag, "net.bin.*begin with the unknown tag 0xffffffff", id="tag"),
        pytest.param(not_a_number, "net.bin.*weights of l0 are not finite", id="not finite"),
        pytest.param(replaced("7767517", "7767516"), "does not begin with", id="magic"),
        pytest.param(replaced("\n", "\nx"), "line that is no layer", id="count"),
        pytest.param(replaced("\nInput", "\nInput 1"), "line that is no layer", id="no count"),
        pytest.param(replaced("Concat", "Gelu"), "is of the unknown kind Gelu", id="layer"),
        pytest.param(replaced("0=24 1=3", "0=25 1=3"), "do not fit", id="shape"),
        pytest.param(replaced("0=24 1=3", "0=24 1=1e9"), "line that|do not fit", id="side"),
        pytest.param(replaced("6=648", "6=999999999999"), "do not fit|shorter", id="size"),
        pytest.param(replaced("6=648", "6=1e309"), "parameter 6 of l0 is no whole", id="infinite"),
        pytest.param(replaced("6=648", "6=6,48"), "parameter 6 of l0 is no whole", id="a list"),
        pytest.param(lambda param: param.write_bytes(bytes(5 << 20)), "more than 4 MB", id="large"),
        pytest.param(replaced("9=2", "9=1"), "another activation", id="activation"),
        pytest.param(replaced(" 3=2", " 3=1"), "lacks stem, a 3x3 convolution", id="stride"),
        pytest.param(replaced(" b0 ", " b999 "), "'b0' is used before", id="blob"),
        pytest.param(replaced("l1 1 1 b0", "l1 0 1"), "l1 has no input", id="no input"),
        pytest.param(lambda param: param.write_bytes(b""), "does not begin with", id="empty"),
    ],
)
def test_damage_is_named(tmp_path: Path, recorder: Recorder, damage: Damage, reason: str) -> None:
    path = write_ncnn(tmp_path / "net.param", recorder.operations)
    damage(path)
    with pytest.raises(WeightsError, match=f"BW202.*{reason}"):
        read_pretrained(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda graph: setattr(graph.node[0], "op_type", "Constant"), "n0.* is damaged"),
        (lambda graph: graph.node[0].attribute[2].ints.pop(), "n0.* is damaged"),
        (lambda graph: setattr(graph.node[1].attribute[0], "f", -9.0), "of n0 are not finite"),
        (lambda graph: setattr(graph.node[1].attribute[0], "type", 0), "n0.* is damaged"),
    ],
)
def test_damage_of_a_node_is_named(
    tmp_path: Path, recorder: Recorder, change: Callable[[Any], object], reason: str
) -> None:
    onnx = framework.onnx()
    path = write_onnx(tmp_path / "net.onnx", recorder.operations)
    model = onnx.load_model(path)
    for node in model.graph.node:
        node.name = "n0"
    change(model.graph)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError, match=f"BW202.*{reason}"):
        read_pretrained(path)


def test_files_that_are_no_such_network(tmp_path: Path, recorder: Recorder) -> None:
    alone = tmp_path / "alone.param"
    alone.write_text("7767517", encoding="utf-8")
    noise = tmp_path / "noise.onnx"
    noise.write_bytes(bytes(range(256)))
    narrow = write_ncnn(tmp_path / "narrow.param", recorded(NanoDetSpec(2, 320, 0.5)).operations)
    stub: list[Operation] = recorder.operations[:1]
    headless = write_onnx(tmp_path / "headless.onnx", stub)
    cases = {
        tmp_path / "nowhere.param": "BW201",
        alone: "BW202.*with the other beside it",
        noise: "BW202.*no .onnx file",
        narrow: "BW202.*lacks stage2_0_left_project",
        headless: "BW202.*no heads",
    }
    for path, message in cases.items():
        with pytest.raises(WeightsError, match=message):
            read_pretrained(path)

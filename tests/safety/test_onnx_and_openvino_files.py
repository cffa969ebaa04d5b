"""Files of ONNX and OpenVINO that ask for too much, read other files, or contradict themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from graphs import field

from boxwright.errors import DetectorError
from boxwright.inference.detector import Detector
from boxwright.safety.limits import DefectError, TooLargeError
from boxwright.safety.onnx import check_onnx
from boxwright.safety.openvino import check_openvino

pytestmark = pytest.mark.tiny

RUN = Path(__file__).parents[1] / "earlier" / "files" / "run"
FLOAT = b"\x10\x01"  # the type of a tensor


def sides(*sides: int) -> bytes:
    """A packed list of sides."""
    packed = b""
    for side in sides:
        while side > 127:
            packed += bytes([side & 127 | 128])
            side >>= 7
        packed += bytes([side])
    return field(1, packed)


def model(tensor: bytes, times: int = 1) -> bytes:
    """A model whose graph has a tensor among its weights."""
    return field(7, field(5, tensor) * times)


def nested(depth: int) -> bytes:
    graph = b""
    for _ in range(depth):
        graph = field(1, field(5, field(6, graph)))
    return field(7, graph)


def test_those_of_boxwright_pass() -> None:
    check_onnx(RUN / "detector.onnx")
    check_openvino(RUN / "openvino" / "detector.xml")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (model(sides(2, 3) + FLOAT + field(9, bytes(20))), DefectError),
        (model(sides(1) + FLOAT + field(13, b"")), DefectError),
        (model(sides(1) + FLOAT + b"\x70\x01"), DefectError),  # where its data are: elsewhere
        (model(sides(1) + b"\x10\x63" + field(9, b"")), DefectError),
        (model(sides(1 << 33) + FLOAT), TooLargeError),
        (model(sides(1 << 63) + FLOAT), DefectError),
        (model(sides(1 << 27) + FLOAT, times=9), TooLargeError),
        (model(field(1, b"\x01" * 99) + FLOAT), DefectError),
        (nested(40), DefectError),
        (b"\x3a\x7f", DefectError),
        (b"\x38\x01", DefectError),
    ],
)
def test_an_onnx_is_refused(content: bytes, kind: type[DefectError], tmp_path: Path) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(kind):
        check_onnx(path)
    with pytest.raises(DetectorError) as caught:
        Detector.load(path)
    assert caught.value.code == ("BW515" if kind is TooLargeError else "BW502")


Change = Callable[[str], str]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda text: text.replace('offset="0"', 'offset="99999999"', 1), DefectError),
        (lambda text: text.replace('offset="0"', 'offset="-1"', 1), DefectError),
        (lambda text: text.replace("<dim>64</dim>", "<dim>999999999</dim>"), TooLargeError),
        (lambda text: text.replace("<dim>64</dim>", "<dim>many</dim>", 1), DefectError),
        (lambda text: text[: len(text) // 2], DefectError),
        (lambda text: f'<!DOCTYPE a [<!ENTITY b "c">]>{text[text.index("<net") :]}', DefectError),
    ],
)
def test_an_openvino_is_refused(change: Change, kind: type[DefectError], tmp_path: Path) -> None:
    text = (RUN / "openvino" / "detector.xml").read_text("utf-8")
    assert change(text) != text
    (tmp_path / "detector.xml").write_text(change(text), encoding="utf-8")
    (tmp_path / "detector.bin").write_bytes((RUN / "openvino" / "detector.bin").read_bytes())
    with pytest.raises(kind):
        check_openvino(tmp_path / "detector.xml")

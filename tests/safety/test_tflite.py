"""A .tflite that LiteRT might not survive is refused in Python."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from boxwright.errors import DetectorError
from boxwright.inference.detector import Detector
from boxwright.inference.inspection import inspect
from boxwright.safety.limits import DefectError, TooLargeError
from boxwright.safety.tflite import MAGIC, verify

pytestmark = pytest.mark.tiny

RUN = Path(__file__).parents[1] / "earlier" / "files" / "run"
FILES = sorted(RUN.glob("*.tflite"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_of_boxwright_pass(path: Path) -> None:
    verify(path.read_bytes())


@pytest.mark.shared
def test_files_of_others_pass(shared: Path) -> None:
    for path in sorted((shared / "weights").rglob("*.tflite")):
        verify(path.read_bytes())


@pytest.mark.shared
def test_the_flip_that_killed_the_process(shared: Path, tmp_path: Path) -> None:
    content = bytearray((shared / "weights" / "ssd_mobilenet_v1_coco_quant.tflite").read_bytes())
    content[10] ^= 1 << 3
    path = tmp_path / "flipped.tflite"
    path.write_bytes(content)
    for load in (inspect, Detector.load):
        with pytest.raises(DetectorError) as caught:
            load(path)
        assert caught.value.code == "BW502"


Change = Callable[[Any, Any], object]  # of the model and its first network


def operator(network: Any) -> Any:
    """An operator with a constant among its inputs."""
    return next(each for each in network.operators if len(each.inputs) > 2)


def constant(model: Any, network: Any) -> Any:
    return next(each for each in network.tensors if model.buffers[each.buffer].data is not None)


def setting(find: Callable[[Any, Any], Any], name: str, value: Any) -> Change:
    return lambda model, network: setattr(find(model, network), name, value)


def first(parts: str) -> Callable[[Any, Any], Any]:
    return lambda model, network: getattr(network, parts)[0]


CHANGES: dict[str, tuple[Change, type[DefectError]]] = {
    "no network": (lambda model, _: model.subgraphs.clear(), DefectError),
    "buffer of a tensor": (setting(first("tensors"), "buffer", 99_999), DefectError),
    "type of a tensor": (setting(first("tensors"), "type", 99), DefectError),
    "rank": (setting(first("tensors"), "shape", [1] * 9), DefectError),
    "negative side": (setting(first("tensors"), "shape", [1, -7]), DefectError),
    "constant without its bytes": (setting(constant, "shape", [3, 3, 3, 999]), DefectError),
    "large tensor": (setting(constant, "shape", [1 << 16, 1 << 16]), TooLargeError),
    "input": (lambda _, network: setattr(network, "inputs", [-1]), DefectError),
    "output": (lambda _, network: setattr(network, "outputs", [99_999]), DefectError),
    "operator code": (setting(first("operators"), "opcodeIndex", 99), DefectError),
    "operator's input": (setting(first("operators"), "inputs", [99_999]), DefectError),
    "operator's output": (setting(first("operators"), "outputs", [-1]), DefectError),
    "order of operators": (lambda _, network: network.operators.reverse(), DefectError),
    "missing operator": (lambda _, network: network.operators.pop(0), DefectError),
    "settings elsewhere": (setting(first("operators"), "largeCustomOptionsSize", 9), DefectError),
    "written constant": (
        lambda model, network: setattr(
            network.operators[0], "outputs", [operator(network).inputs[1]]
        ),
        DefectError,
    ),
    "large input": (
        lambda _, network: setattr(
            network.tensors[network.inputs[0]], "shape", [1, 20_000, 20_000, 3]
        ),
        TooLargeError,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def content() -> bytes:
    return (RUN / "detector-int8.tflite").read_bytes()


def packed(content: bytes, change: Change) -> bytes:
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    change(model, model.subgraphs[0])
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), MAGIC)
    return bytes(builder.Output())


def test_unchanged_it_passes(content: bytes) -> None:
    verify(packed(content, lambda model, network: None))


@pytest.mark.parametrize("name", CHANGES)
def test_what_contradicts_itself_is_refused(name: str, content: bytes) -> None:
    change, kind = CHANGES[name]
    with pytest.raises(kind):
        verify(packed(content, change))


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\x00" * 4 + MAGIC,
        struct.pack("<I4s", 1 << 31, MAGIC),
        struct.pack("<I4si", 8, MAGIC, 9) + b"\x00" * 8,
        struct.pack("<I4si", 8, MAGIC, -4) + struct.pack("<HH", 65_534, 65_535),
    ],
)
def test_bytes_that_are_no_flatbuffer_are_refused(bad: bytes) -> None:
    with pytest.raises(DefectError):
        verify(bad)


def test_damage_anywhere_is_a_defect_or_nothing(content: bytes) -> None:
    """A small part of what benchmarks/fuzz_models.py does."""
    random_ = np.random.default_rng(0)
    damaged = np.frombuffer(content, np.uint8).copy()
    for place in random_.integers(0, len(content), 40):
        kept = damaged[place]
        damaged[place] = random_.integers(256)
        with suppress(DefectError):
            verify(damaged.tobytes())
        damaged[place] = kept

"""Writes networks as ncnn and PyTorch do, with random weights: BGR input, one convolution for both
heads, and names that say nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.models.nanodet_plus.layout import heads
from boxwright.models.nanodet_plus.spec import NanoDetSpec

TAGS = {"float32": 0, "float16": 0x01306B47, "int8": 0x000D4B38}


class Blob(NamedTuple):
    name: str
    channels: int


@dataclass
class Operation:
    """An operation of a file: its kind, inputs and outputs; a convolution also has weights of
    PyTorch's shape, a stride, and whether an activation follows."""

    kind: str
    inputs: list[str]
    outputs: list[str]
    kernel: Any = None
    bias: Any = None
    strides: int = 1
    leaky: bool = False

    @property
    def depthwise(self) -> bool:
        return self.kernel.shape[1] == 1 and self.kernel.shape[0] > 1


@dataclass
class Recorder:
    """A `layers.builder.Builder` that remembers operations, with random weights."""

    rng: np.random.Generator
    operations: list[Operation] = field(default_factory=list)
    kernels: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def channels(self, x: Blob) -> int:
        return x.channels

    def convolution(
        self, x: Blob, name: str, filters: int, kernel_size: int, strides: int = 1,
        *, linear: bool = False, block: int | None = None,
    ) -> Blob:  # fmt: skip
        return self._convolution(x, name, (filters, x.channels, kernel_size), strides, linear)

    def depthwise(
        self, x: Blob, name: str, kernel_size: int, strides: int = 1,
        *, linear: bool = False, block: int | None = None,
    ) -> Blob:  # fmt: skip
        return self._convolution(x, name, (x.channels, 1, kernel_size), strides, linear)

    def predictor(self, x: Blob, name: str, filters: int) -> Blob:
        last = self.operations[-1]
        if last.kind == "conv" and last.inputs == [x.name]:  # both heads are one convolution
            kernel, bias = self._weights(name, (filters, x.channels, 1))
            last.kernel = np.concatenate([last.kernel, kernel])
            last.bias = np.concatenate([last.bias, bias])
            return Blob(last.outputs[0], filters)
        return self._convolution(x, name, (filters, x.channels, 1), 1, True)

    def concat(self, *parts: Blob) -> Blob:
        channels = sum(part.channels for part in parts)
        return self._after("concat", channels, *parts)

    def add(self, x: Blob, y: Blob) -> Blob:
        return self._after("add", x.channels, x, y)

    def halves(self, x: Blob) -> tuple[Blob, Blob]:
        first = self._after("halves", x.channels // 2, x)
        second = Blob(f"{first.name}_2", x.channels // 2)
        self.operations[-1].outputs.append(second.name)
        return first, second

    def shuffled(self, x: Blob) -> Blob:
        return self._after("shuffle", x.channels, x)

    def pooled(self, x: Blob) -> Blob:
        return self._after("pool", x.channels, x)

    def doubled(self, x: Blob) -> Blob:
        return self._after("double", x.channels, x)

    def _after(self, kind: str, channels: int, *inputs: Blob) -> Blob:
        name = f"b{len(self.operations)}"
        self.operations.append(Operation(kind, [each.name for each in inputs], [name]))
        return Blob(name, channels)

    def _convolution(
        self, x: Blob, name: str, shape: tuple[int, int, int], strides: int, linear: bool
    ) -> Blob:
        after = self._after("conv", shape[0], x)
        own = self.operations[-1]
        own.kernel, own.bias = self._weights(name, shape)
        own.strides, own.leaky = strides, not linear
        return after

    def _weights(self, name: str, shape: tuple[int, int, int]) -> tuple[Any, Any]:
        outputs, inputs, side = shape
        kernel = self.rng.normal(size=(outputs, inputs, side, side)).astype(np.float16)
        self.kernels[name] = kernel = kernel.astype(np.float32)
        return kernel, self.rng.normal(size=outputs).astype(np.float32)


def recorded(spec: NanoDetSpec) -> Recorder:
    recorder = Recorder(np.random.default_rng(0))
    heads(Blob("data", 3), recorder, spec)
    return recorder


NCNN = {
    "concat": "Concat",
    "add": "BinaryOp",
    "halves": "Slice",
    "shuffle": "ShuffleChannel",
    "pool": "Pooling",
    "double": "Interp",
}


def write_ncnn(path: Path, operations: list[Operation], stored: str = "float16") -> Path:
    """Write a .param and a .bin; return the path of the first."""
    lines, content = ["Input data 0 1 data"], b""
    for i, each in enumerate(operations):
        blobs = [str(len(each.inputs)), str(len(each.outputs)), *each.inputs, *each.outputs]
        if each.kind != "conv":
            lines.append(" ".join([NCNN[each.kind], f"l{i}", *blobs]))
            continue
        outputs, side = each.kernel.shape[0], each.kernel.shape[2]
        kind = "ConvolutionDepthWise" if each.depthwise else "Convolution"
        values = {0: outputs, 1: side, 3: each.strides, 5: 1, 6: each.kernel.size}
        values |= {7: outputs} if each.depthwise else {}
        values |= {8: 101 if each.depthwise else 2} if stored == "int8" else {}
        values |= {9: 2} if each.leaky else {}
        slope = " -23310=1,1.0e-01" if each.leaky else ""
        given = " ".join(f"{key}={value}" for key, value in values.items())
        lines.append(" ".join([kind, f"l{i}", *blobs, given]) + slope)
        content += TAGS[stored].to_bytes(4, "little") + _kernel(each, stored)
    path.write_text(f"7767517\n{len(lines)} {len(lines)}\n" + "\n".join(lines), encoding="utf-8")
    path.with_suffix(".bin").write_bytes(content)
    return path


def _kernel(each: Operation, stored: str) -> bytes:
    bias = each.bias.astype("<f4").tobytes()
    if stored == "float32":
        return bytes(each.kernel.astype("<f4").tobytes() + bias)
    scales = 127 / np.abs(each.kernel).max(axis=(1, 2, 3))
    whole = np.round(each.kernel * scales[:, None, None, None])
    kernel = (each.kernel.astype("<f2") if stored == "float16" else whole.astype("i1")).tobytes()
    ranges = [*scales, 1.0, *([1.0] if each.depthwise else [])] if stored == "int8" else []
    return bytes(kernel + bytes(-len(kernel) % 4) + bias + np.array(ranges, "<f4").tobytes())


def write_onnx(path: Path, operations: list[Operation]) -> Path:
    """Write an .onnx file; a batch norm follows each convolution."""
    import onnx
    from onnx import helper

    nodes, constants = [], []

    def constant(name: str, values: Any) -> str:
        constants.append(onnx.numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        nodes.append(helper.make_node(kind, inputs, outputs, **attributes))

    for i, each in enumerate(operations):
        name, (out, *_) = f"n{i}", each.outputs
        match each.kind:
            case "conv":
                side, groups = each.kernel.shape[2], len(each.kernel) if each.depthwise else 1
                kernel = constant(f"{name}.kernel", each.kernel * 2)
                how = {"group": groups, "strides": [each.strides] * 2, "pads": [side // 2] * 4}
                node("Conv", [each.inputs[0], kernel], [f"{out}.raw"], **how)
                count = len(each.kernel)
                norm = {"scale": np.full(count, 0.5), "shift": each.bias + 0.25}
                norm |= {"mean": np.full(count, 0.5), "variance": np.full(count, 1 - 1e-5)}
                given = [constant(f"{name}.{key}", np.float32(v)) for key, v in norm.items()]
                normed = f"{out}.norm" if each.leaky else out
                node("BatchNormalization", [f"{out}.raw", *given], [normed], epsilon=1e-5)
                if each.leaky:
                    node("LeakyRelu", [normed], [out], alpha=0.1)
            case "concat":
                node("Concat", each.inputs, [out], axis=1)
            case "add":
                node("Add", each.inputs, [out])
            case "halves":
                node("Split", each.inputs, each.outputs, axis=1)
            case "pool":
                node("MaxPool", each.inputs, [out], kernel_shape=[3, 3], strides=[2, 2])
            case "double":
                sizes = constant(f"{name}.sizes", np.array([1, 1, 2, 2], np.float32))
                node("Resize", [each.inputs[0], "", sizes], [out], mode="linear")
            case "shuffle":
                node("Shape", each.inputs, [f"{out}.shape"])
                node("Reshape", [each.inputs[0], f"{out}.shape"], [f"{out}.pairs"])
                node("Transpose", [f"{out}.pairs"], [f"{out}.turned"], perm=[0, 2, 1, 3, 4])
                node("Reshape", [f"{out}.turned", f"{out}.shape"], [out])
    graph = helper.make_graph(
        nodes, "net", [helper.make_tensor_value_info("data", 1, [1, 3, 320, 320])], [], constants
    )
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path

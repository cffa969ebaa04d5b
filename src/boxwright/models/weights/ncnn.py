"""Networks in ncnn's format: a .param with the layers as text, and a .bin with their weights.

Source: the loaders of github.com/Tencent/ncnn (BSD-3-Clause): net.cpp, modelbin.cpp and
convolution.cpp.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.io.text import read_text
from boxwright.models.weights.graph import (
    INPUT,
    MAX_LAYERS,
    Convolution,
    NetworkFile,
    Position,
    UnreadableError,
    check_finite,
    check_size,
    damaged,
)

SUFFIXES = (".param", ".bin")
MAGIC = "7767517"
FLOAT16, INT8, FLOAT32 = 0x01306B47, 0x000D4B38, (0, 0x0002C056)  # what a kernel's tag means
ALIGNMENT = 4
MAX_TEXT = 1 << 22  # bytes of a .param; the largest published one has a hundredth of that
MAX_SIDE = 15  # of a kernel
LEAKY_RELU = 2  # an activation's number; its slope is the parameter
# Layers without weights that keep the position, and those whose inputs are joined.
PASSING = {
    "Crop", "Interp", "Noop", "Permute", "Pooling", "ReLU", "Reshape", "ShuffleChannel", "Sigmoid",
    "Slice", "Split",
}  # fmt: skip
ADDITION = 0  # of a BinaryOp


@dataclass(frozen=True)
class _Layer:
    """A line of a .param file: parameters by their number, those of lists from -23300 downwards."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    values: Mapping[int, tuple[float, ...]]

    def integer(self, number: int, default: int) -> int:
        given = self.values.get(number, (float(default),))
        if len(given) != 1 or not given[0].is_integer():
            raise UnreadableError(f"parameter {number} of {self.name} is no whole number")
        return int(given[0])


def is_ncnn(path: Path) -> bool:
    """True if the path is one of the two files of a network, and the other one is beside it."""
    return path.suffix in SUFFIXES and all(path.with_suffix(each).is_file() for each in SUFFIXES)


def read_ncnn(path: Path) -> NetworkFile:
    """Read the convolutions of a network, with kernels in float32, float16 or int8.

    Args:
        path: the .param or the .bin file; the other one is beside it.

    Raises:
        WeightsError: BW202 a file is damaged, or has a layer with weights that is no convolution.
    """
    described, weights = (path.with_suffix(each) for each in SUFFIXES)
    check_size(described, MAX_TEXT)
    check_size(weights)
    try:
        layers = _layers(read_text(described))
    except UnreadableError as error:
        raise damaged(described, str(error)) from error
    file = NetworkFile(described)
    content = _Content(weights.read_bytes())
    try:
        positions: dict[str, Position] = {}
        with np.errstate(all="ignore"):  # what is not finite is refused
            for layer in layers:
                position = _position_after(
                    layer, file, [positions[name] for name in layer.inputs], content
                )
                positions.update(dict.fromkeys(layer.outputs, position))
        content.end()
    except KeyError as error:
        raise damaged(described, f"{error} is used before it is computed") from error
    except UnreadableError as error:
        raise damaged(weights, str(error)) from error
    return file


def _layers(text: str) -> list[_Layer]:
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if not lines or lines[0] != [MAGIC]:
        raise UnreadableError(f"does not begin with ncnn's {MAGIC}")
    try:
        count = int(lines[1][0])
        layers = [_layer(words) for words in lines[2 : 2 + MAX_LAYERS]]
    except (IndexError, ValueError) as error:
        raise UnreadableError(f"has a line that is no layer ({error})") from error
    if len(layers) != count:
        raise UnreadableError(f"has {len(layers)} layers instead of the {count} that it states")
    return layers


def _layer(words: list[str]) -> _Layer:
    kind, name, *rest = words
    inputs, outputs = int(rest[0]), int(rest[1])
    names, values = rest[2 : 2 + inputs + outputs], rest[2 + inputs + outputs :]
    if min(inputs, outputs) < 0 or len(names) != inputs + outputs:
        raise ValueError(f"{name} lacks the names of its blobs")
    pairs = (value.split("=") for value in values)
    known = {int(number): tuple(map(float, value.split(","))) for number, value in pairs}
    lists = {number: value[1:] if number <= -23300 else value for number, value in known.items()}
    return _Layer(kind, name, tuple(names[:inputs]), tuple(names[inputs:]), lists)


def _position_after(
    layer: _Layer, file: NetworkFile, before: list[Position], content: _Content
) -> Position:
    if layer.kind == "Input":
        return INPUT
    if not before:
        raise UnreadableError(f"the layer {layer.name} has no input")
    if layer.kind in ("Convolution", "ConvolutionDepthWise"):
        return file.add(_convolution(layer, content), before[0])
    if layer.kind == "Concat":
        return file.join("concat", before)
    if layer.kind == "BinaryOp" and layer.integer(0, 0) == ADDITION:
        return file.join("add", before)
    if layer.kind not in PASSING:
        raise UnreadableError(f"the layer {layer.name} is of the unknown kind {layer.kind}")
    return before[0]


def _convolution(layer: _Layer, content: _Content) -> Convolution:
    """Read the weights of a layer."""
    outputs, size = layer.integer(0, 0), layer.integer(1, 0)
    count, strides = layer.integer(6, 0), layer.integer(3, 1)
    depthwise = layer.kind == "ConvolutionDepthWise"
    inputs, rest = divmod(count, max(outputs * size**2, 1))
    square = (layer.integer(11, size), layer.integer(13, strides)) == (size, strides)
    if min(outputs, inputs) < 1 or not 1 <= size <= MAX_SIDE or rest or not square:
        raise UnreadableError(
            f"the layer {layer.name} has a kernel of {count} numbers, which do not fit"
        )
    if depthwise and (inputs != 1 or layer.integer(7, 1) != outputs):
        raise UnreadableError(f"the layer {layer.name} is grouped, but not depthwise")
    if layer.integer(9, 0) not in (0, LEAKY_RELU):
        raise UnreadableError(f"the layer {layer.name} has another activation than leaky ReLU")
    kernel = content.kernel(count, layer.name).reshape(outputs, inputs, size, size)
    bias = content.floats(outputs) if layer.integer(5, 0) else np.zeros(outputs, np.float32)
    if scaled := layer.integer(8, 0):
        by_channel = not depthwise or scaled % 100 == 1
        scales = content.floats(outputs if by_channel else 1)
        content.floats(2 if scaled > 100 else 1)  # of the inputs, and of the outputs
        scales[scales == 0] = 1
        kernel /= scales.reshape(-1, 1, 1, 1)
    axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
    kernel = np.ascontiguousarray(kernel.transpose(axes), np.float32)
    check_finite(layer.name, kernel, bias)
    return Convolution(kernel, bias, strides, depthwise)


class _Content:
    """The content of a .bin file, read from its beginning to its end."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def kernel(self, count: int, name: str) -> NDArray[np.float32]:
        """The next tagged array, as float32."""
        tag = int(np.frombuffer(self._next(4), "<u4")[0])
        if tag in FLOAT32:
            return self.floats(count)
        if tag not in (FLOAT16, INT8):
            raise UnreadableError(f"the weights of {name} begin with the unknown tag {tag:#010x}")
        kind = np.dtype("<f2") if tag == FLOAT16 else np.dtype("i1")
        length = count * kind.itemsize
        content = self._next(length)
        self._next(-length % ALIGNMENT)
        return np.frombuffer(content, kind).astype(np.float32)

    def floats(self, count: int) -> NDArray[np.float32]:
        """The next numbers, which have no tag."""
        return np.frombuffer(self._next(4 * count), "<f4").astype(np.float32)

    def end(self) -> None:
        """Refuse content after the last layer's."""
        if left := len(self._content) - self._at:
            raise UnreadableError(f"has {left} bytes more than its .param describes")

    def _next(self, length: int) -> bytes:
        taken = self._content[self._at : self._at + length]
        if len(taken) < length:
            raise UnreadableError("is shorter than its .param describes")
        self._at += length
        return taken

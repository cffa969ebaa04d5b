"""The convolutions of a network file, and the layers that they are.

Files name their layers arbitrarily. A convolution is therefore recognized by its position: its
shape, and the convolutions before it. Operations without weights leave the position unchanged,
except for those that join maps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import WeightsError

MAX_LAYERS = 20_000
MAX_BYTES = 1 << 26  # of a file; float32 kernels of the largest published one have 10 MB
LONGEST = 300  # characters of a reason, which may quote a name from the file
INPUT = 0  # the position of the network's input

Position = int


class UnreadableError(Exception):
    """The reason why a file cannot be read, a phrase."""


def check_finite(name: str, *weights: NDArray[Any]) -> None:
    """Raises:
    UnreadableError: the weights of the layer `name` are not finite.
    """
    if not all(np.isfinite(each).all() for each in weights):
        raise UnreadableError(f"the weights of {name} are not finite")


class Convolution(NamedTuple):
    """A convolution as our layers store it.

    `kernel (k, k, in, out)`, or `(k, k, in, 1)` if depthwise; `bias (out,)`.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    strides: int
    depthwise: bool

    @property
    def shape(self) -> Shape:
        size, _, inputs, outputs = self.kernel.shape
        return Shape(
            size, inputs, inputs if self.depthwise else outputs, self.strides, self.depthwise
        )


class Shape(NamedTuple):
    """The shape of a convolution: side of the kernel, channels, stride."""

    size: int
    inputs: int
    outputs: int
    strides: int
    depthwise: bool

    def __str__(self) -> str:
        kind = "depthwise " if self.depthwise else ""
        return (
            f"{kind}{self.size}x{self.size} convolution from {self.inputs} to {self.outputs} "
            f"channels with stride {self.strides}"
        )


@dataclass
class Positions:
    """Numbers of positions: equal ones have equal numbers, in the file and in our network."""

    _known: dict[tuple[object, ...], Position] = field(default_factory=dict)

    def after(self, shape: Shape, before: Position) -> Position:
        """The position after a convolution."""
        return self._number("convolution", shape, before)

    def joined(self, kind: str, parts: Iterable[Position]) -> Position:
        """The position after maps are concatenated or added."""
        return self._number(kind, *(parts if kind == "concat" else sorted(parts)))

    def _number(self, *what: object) -> Position:
        return self._known.setdefault(what, len(self._known) + 1)


@dataclass
class NetworkFile:
    """The convolutions of a file by their position.

    Attributes:
        path: the file.
        positions: numbers of the positions.
        convolutions: by the position after them.
        before: the position before each.
    """

    path: Path
    positions: Positions = field(default_factory=Positions)
    convolutions: dict[Position, Convolution] = field(default_factory=dict)
    before: dict[Position, Position] = field(default_factory=dict)
    parts: dict[Position, tuple[Position, ...]] = field(default_factory=dict)

    def add(self, convolution: Convolution, before: Position) -> Position:
        """Add a convolution; return the position after it."""
        position = self.positions.after(convolution.shape, before)
        self.convolutions[position], self.before[position] = convolution, before
        return position

    def rescale(
        self, position: Position, factor: NDArray[np.float32], shift: NDArray[np.float32]
    ) -> Position:
        """Fold a batch norm into the convolution before it."""
        kernel, bias, strides, depthwise = self.convolutions[position]
        kernel = kernel * factor.reshape((-1, 1) if depthwise else (1, -1)).astype(np.float32)
        bias = (bias * factor + shift).astype(np.float32)
        self.convolutions[position] = Convolution(kernel, bias, strides, depthwise)
        return position

    def join(self, kind: str, parts: Sequence[Position]) -> Position:
        """Concatenate or add maps; return the position after it."""
        position = self.positions.joined(kind, parts)
        self.parts[position] = tuple(parts)
        return position

    def last(self) -> list[Convolution]:
        """The convolutions whose outputs no other one takes."""
        waiting, seen = list(self.before.values()), set()
        while waiting:
            position = waiting.pop()
            if position not in seen:
                seen.add(position)
                waiting += self.parts.get(position, ())
        return [each for position, each in self.convolutions.items() if position not in seen]


class Traced(NamedTuple):
    """A map while our network is traced: its position and its number of channels."""

    position: Position
    channels: int


class Tracer:
    """The `layers.builder.Builder` that assigns a file's convolutions to our layers.

    Attributes:
        layers: convolutions by our layer names.
        missing: our layers without one in the file, with their shape.
        predictors: layer names and filters of the predictors of each position.
    """

    def __init__(self, file: NetworkFile) -> None:
        self._file = file
        self.layers: dict[str, Convolution] = {}
        self.missing: dict[str, Shape] = {}
        self._predictors: dict[Traced, dict[str, int]] = {}

    def channels(self, x: Traced) -> int:
        return x.channels

    def convolution(
        self,
        x: Traced,
        name: str,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        *,
        linear: bool = False,
        block: int | None = None,
    ) -> Traced:
        return self._take(x, name, Shape(kernel_size, x.channels, filters, strides, False))

    def depthwise(
        self,
        x: Traced,
        name: str,
        kernel_size: int,
        strides: int = 1,
        *,
        linear: bool = False,
        block: int | None = None,
    ) -> Traced:
        return self._take(x, name, Shape(kernel_size, x.channels, x.channels, strides, True))

    def predictor(self, x: Traced, name: str, filters: int) -> Traced:
        self._predictors.setdefault(x, {})[name] = filters
        return Traced(INPUT, filters)

    def concat(self, *parts: Traced) -> Traced:
        position = self._file.positions.joined("concat", [part.position for part in parts])
        return Traced(position, sum(part.channels for part in parts))

    def add(self, x: Traced, y: Traced) -> Traced:
        return Traced(self._file.positions.joined("add", [x.position, y.position]), x.channels)

    def halves(self, x: Traced) -> tuple[Traced, Traced]:
        half = Traced(x.position, x.channels // 2)
        return half, half

    def shuffled(self, x: Traced) -> Traced:
        return x

    def pooled(self, x: Traced) -> Traced:
        return x

    def doubled(self, x: Traced) -> Traced:
        return x

    def finish(self) -> None:
        """Assign the predictors: the file computes all of a position with one convolution."""
        for x, predictors in self._predictors.items():
            shape = Shape(1, x.channels, sum(predictors.values()), 1, False)
            found = self._file.convolutions.get(self._file.positions.after(shape, x.position))
            start = 0
            for name, filters in predictors.items():
                end = start + filters
                if found is None:
                    self.missing[name] = shape
                else:
                    kernel, bias = found.kernel[..., start:end], found.bias[start:end]
                    self.layers[name] = Convolution(kernel, bias, 1, False)
                start = end

    def _take(self, x: Traced, name: str, shape: Shape) -> Traced:
        position = self._file.positions.after(shape, x.position)
        found = self._file.convolutions.get(position)
        if found is None:
            self.missing[name] = shape
        else:
            self.layers[name] = found
        return Traced(position, shape.outputs)


def check_size(path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Raises:
    WeightsError: BW202 the file has more than `max_bytes` bytes.
    """
    if path.stat().st_size > max_bytes:
        raise damaged(path, f"has more than {max_bytes >> 20} MB")


def damaged(path: Path, reason: str) -> WeightsError:
    """The error about a file that cannot be read."""
    return WeightsError("BW202", f"{reason[:LONGEST]}.", where=path)

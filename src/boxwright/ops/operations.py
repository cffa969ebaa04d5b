"""The operations for the decoding of a detector family, and their NumPy implementation.

A family writes `decode` once, with array arithmetic (`+ - * /` and slices of the last axis,
`x[..., 1:3]`) and these operations. Every export target implements them: `export.graph` for
TensorFlow, `export.onnx_graph` for ONNX and OpenVINO.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Method = Literal["nearest", "bilinear"]


class Operations(Protocol):
    """The interface that every export target implements. Maps are `(B, H, W, C)`."""

    def constant(self, values: NDArray[np.float32]) -> Any:
        """An array of the graph's own kind."""

    def exp(self, x: Any) -> Any: ...

    def log(self, x: Any) -> Any: ...

    def sigmoid(self, x: Any) -> Any: ...

    def softmax(self, x: Any) -> Any:
        """Over the last axis."""

    def maximum(self, x: Any, y: Any) -> Any: ...

    def minimum(self, x: Any, y: Any) -> Any: ...

    def clip(self, x: Any, low: float, high: float) -> Any: ...

    def sum(self, x: Any, axis: int, keepdims: bool = False) -> Any: ...

    def reshape(self, x: Any, shape: Sequence[int]) -> Any:
        """Reshape all but the batch dimension, which `shape` omits."""

    def transpose(self, x: Any, axes: Sequence[int]) -> Any: ...

    def concat(self, parts: Sequence[Any], axis: int) -> Any: ...

    def stack(self, parts: Sequence[Any], axis: int) -> Any: ...

    def resize(self, x: Any, factor: int, method: Method = "bilinear") -> Any:
        """Enlarge a map by `factor`, with half-pixel centers."""

    def max_pool(self, x: Any, size: int) -> Any:
        """The largest value of the `size` x `size` cells around each cell; `size` is odd."""


class NumpyOperations:
    """The reference implementation."""

    def constant(self, values: NDArray[np.float32]) -> Any:
        return values

    def exp(self, x: Any) -> Any:
        return np.exp(x)

    def log(self, x: Any) -> Any:
        return np.log(x)

    def sigmoid(self, x: Any) -> Any:
        return 1 / (1 + np.exp(-x))

    def softmax(self, x: Any) -> Any:
        shares = np.exp(x - x.max(axis=-1, keepdims=True))
        return shares / shares.sum(axis=-1, keepdims=True)

    def maximum(self, x: Any, y: Any) -> Any:
        return np.maximum(x, np.float32(y))

    def minimum(self, x: Any, y: Any) -> Any:
        return np.minimum(x, np.float32(y))

    def clip(self, x: Any, low: float, high: float) -> Any:
        return np.clip(x, np.float32(low), np.float32(high))

    def sum(self, x: Any, axis: int, keepdims: bool = False) -> Any:
        return np.sum(x, axis=axis, keepdims=keepdims)

    def reshape(self, x: Any, shape: Sequence[int]) -> Any:
        return np.reshape(x, (len(x), *shape))

    def transpose(self, x: Any, axes: Sequence[int]) -> Any:
        return np.transpose(x, axes)

    def concat(self, parts: Sequence[Any], axis: int) -> Any:
        return np.concatenate(parts, axis=axis)

    def stack(self, parts: Sequence[Any], axis: int) -> Any:
        return np.stack(parts, axis=axis)

    def resize(self, x: Any, factor: int, method: Method = "bilinear") -> Any:
        if method == "nearest":
            return x.repeat(factor, axis=1).repeat(factor, axis=2)
        for axis in (1, 2):
            side = x.shape[axis]
            positions = np.clip((np.arange(side * factor) + 0.5) / factor - 0.5, 0, side - 1)
            near = np.floor(positions).astype(int)
            shape = [-1 if i == axis else 1 for i in range(x.ndim)]
            share = (positions - near).astype(np.float32).reshape(shape)
            far = np.minimum(near + 1, side - 1)
            x = x.take(near, axis) * (1 - share) + x.take(far, axis) * share
        return x

    def max_pool(self, x: Any, size: int) -> Any:
        edge = size // 2
        padded = np.pad(x, [(0, 0), (edge, edge), (edge, edge), (0, 0)], constant_values=-np.inf)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
        return windows.max(axis=(-2, -1))


NUMPY = NumpyOperations()

"""Layers without weights that rearrange or pool feature maps `(B, H, W, C)`."""

from __future__ import annotations

from typing import Any

import numpy as np

from boxwright.backend import framework

keras: Any = framework.keras()
ops: Any = keras.ops


class ChannelOffset(keras.layers.Layer):  # type: ignore[misc]
    """Adds a constant to each channel."""

    def __init__(self, offsets: tuple[float, ...], **options: Any) -> None:
        super().__init__(**options)
        self.offsets = np.array(offsets, np.float32)

    def call(self, inputs: Any) -> Any:
        return inputs + ops.convert_to_tensor(self.offsets, inputs.dtype)


class ChannelShuffle(keras.layers.Layer):  # type: ignore[misc]
    """Interleaves the two halves of the channels (Zhang et al. 2018, "ShuffleNet", section 3.1)."""

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return input_shape

    def call(self, inputs: Any) -> Any:
        _, height, width, channels = inputs.shape
        halves = ops.reshape(inputs, (-1, 2, channels // 2))  # few axes: 3 times as fast to turn
        paired = ops.transpose(halves, (0, 2, 1))
        return ops.reshape(paired, (-1, height, width, channels))


class HalvingPool(keras.layers.Layer):  # type: ignore[misc]
    """The largest of 3x3 cells with a stride of 2, centered on every other cell, for maps with an
    even number of rows and columns.

    The first row and column are repeated, which changes no maximum. Padding with a very small
    number instead would ruin the range of an int8 file.
    """

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        batch, height, width, channels = input_shape
        return (batch, height // 2, width // 2, channels)

    def call(self, inputs: Any) -> Any:
        x = ops.concatenate([inputs[:, :1], inputs], axis=1)
        x = ops.concatenate([x[:, :, :1], x], axis=2)
        return ops.max_pool(x, 3, 2, padding="valid")

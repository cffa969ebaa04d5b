"""Batch-norm statistics from images, for files that contain none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.models.layers.conv_norm import ConvNorm

keras: Any = framework.keras()
ops: Any = keras.ops

BATCH = 4  # all activations of a batch are in memory at once


def estimate_statistics(model: Any, images: NDArray[np.float32]) -> None:
    """Set every batch norm's mean and variance to those of its real inputs.

    Gamma and beta are adjusted so that the model's outputs do not change.

    Args:
        model: Keras network.
        images: `(n, S, S, 3)` in the network's input range; 16 images suffice, because
            each has thousands of values per channel.
    """
    layers = [layer for layer in model.layers if isinstance(layer, ConvNorm)]
    probe = keras.Model(model.input, [layer.input for layer in layers])
    sums = [np.zeros((2, layer.moving_mean.shape[0])) for layer in layers]
    counts = [0] * len(layers)
    for start in range(0, len(images), BATCH):
        inputs = probe(images[start : start + BATCH], training=False)
        for i, (layer, activation) in enumerate(zip(layers, inputs, strict=True)):
            outputs = ops.cast(layer.convolve(activation, layer.kernel), "float32")
            channels = ops.reshape(outputs, (-1, outputs.shape[-1]))
            sums[i][0] += ops.convert_to_numpy(ops.sum(channels, axis=0))
            sums[i][1] += ops.convert_to_numpy(ops.sum(ops.square(channels), axis=0))
            counts[i] += channels.shape[0]
    for layer, (total, squares), count in zip(layers, sums, counts, strict=True):
        mean = total / count
        variance = np.maximum(squares / count - mean**2, 0)
        layer.set_statistics(mean.astype(np.float32), variance.astype(np.float32))

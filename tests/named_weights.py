"""Weights as a function of a variable's name, for golden outputs of networks without their weights:
`benchmarks/odapi_reference.py` puts them into the Object Detection API's, the tests into ours."""

from __future__ import annotations

import math
import zlib

import numpy as np
from numpy.typing import NDArray


def weights(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Values of the variable `name` of Keras or TensorFlow 1, with which activations stay near one.

    Args:
        name: such as `block_1_expand/kernel`, without the scopes before the layer's.
        shape: its shape.
    """
    noise = np.random.default_rng(zlib.crc32(name.encode())).normal(size=shape)
    match name.rpartition("/")[2]:
        case "gamma":
            values = 1 + 0.1 * noise
        case "moving_variance":
            values = np.exp(0.2 * noise)
        case "bias" | "biases" | "beta" | "moving_mean":
            values = 0.1 * noise
        case "depthwise_kernel" | "depthwise_weights":
            values = noise * math.sqrt(2 / math.prod(shape[:2]))
        case _:
            values = noise * math.sqrt(2 / math.prod(shape[:-1]))
    if name.split("/")[-2].endswith("Predictor"):
        values *= 0.3  # else many scores are 1 in float32, and their order is of no meaning
    return values.astype(np.float32)

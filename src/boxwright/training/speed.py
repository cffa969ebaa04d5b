"""The speed of this machine, measured on representative kernels of convolutional networks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from boxwright.backend import framework
from boxwright.models.tuning import Work
from boxwright.training.candidates import Speed
from boxwright.training.tools import EngineModule

keras: Any = framework.keras()
ops: Any = keras.ops

BATCH, SIDE, CHANNELS = 8, 20, 128  # of the kernels: the middle of a network
DEPTHWISE_SIDE = 5  # of a depthwise kernel
ROUNDS = 6


def measured(engines: EngineModule) -> Speed:
    """Time each kernel several times, in turns, and take the fastest: other load slows down some
    of them. A machine that is always busy has slow kernels and slow steps."""
    began = time.perf_counter()
    kernels = [_kernel(engines, *kind) for kind in _KINDS]
    for kernel, _ in kernels:
        kernel()
    compiling = time.perf_counter() - began
    seconds = [math.inf] * len(kernels)
    for _ in range(ROUNDS):
        for i, (kernel, _) in enumerate(kernels):
            began = time.perf_counter()
            kernel()
            seconds[i] = min(seconds[i], time.perf_counter() - began)
    return Speed(
        Work(*(1e6 * each / count for each, (_, count) in zip(seconds, kernels, strict=True))),
        compiling,
    )


def _convolution(images: Any, kernel: Any) -> Any:
    return ops.conv(images, kernel, padding="same")


def _depthwise(images: Any, kernel: Any) -> Any:
    return ops.depthwise_conv(images, kernel, padding="same")


def _elementwise(images: Any, kernel: Any) -> Any:
    return ops.leaky_relu(images + kernel[0, 0, 0])


_POINT = (1, 1, CHANNELS, CHANNELS)
_SQUARE = (DEPTHWISE_SIDE, DEPTHWISE_SIDE, CHANNELS, 1)
# Function, shape of the kernel, and the arguments with a gradient, in the order of `Work`.
_KINDS: tuple[tuple[Callable[[Any, Any], Any], tuple[int, ...], tuple[int, ...]], ...] = (
    (_convolution, _POINT, ()),
    (_convolution, _POINT, (0, 1)),
    (_depthwise, _SQUARE, ()),
    (_depthwise, _SQUARE, (1,)),
    (_elementwise, _POINT, ()),
    (_elementwise, _POINT, (0,)),
)


def _kernel(
    engines: EngineModule,
    function: Callable[[Any, Any], Any],
    shape: tuple[int, ...],
    gradients: tuple[int, ...],
) -> tuple[Callable[[], object], float]:
    """A function that runs a kernel once, and the number of its operations."""
    side = 2 * SIDE if function is _elementwise else SIDE  # else calling it takes most of the time
    images = ops.ones((BATCH, side, side, CHANNELS))
    kernel = ops.ones(shape)
    compiled = engines.gradient(function, gradients) if gradients else engines.compiled(function)
    inputs = 1 if function is _elementwise else int(np.prod(shape[:3]))
    each = inputs // CHANNELS if function is _depthwise else inputs

    def run() -> object:
        results = compiled(images, kernel)
        last = results[-1] if gradients else results
        return ops.convert_to_numpy(last[:1])  # waits for all of it

    return run, float(BATCH * side * side * CHANNELS * each)

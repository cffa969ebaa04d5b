"""Compiled networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework


def compiled(network: Any) -> Callable[[NDArray[np.float32]], Any]:
    """A function that computes the outputs of a Keras network for a batch `(B, S, S, 3)`.

    On TensorFlow, Keras' `predict` would convert Python code first, for which TensorFlow writes
    temporary files that a killed process leaves behind.
    """
    if framework.engine() != "tensorflow":
        run: Callable[[NDArray[np.float32]], Any] = network.predict_on_batch
        return run
    graph = framework.tensorflow().function(
        lambda images: network(images, training=False), autograph=False, reduce_retracing=True
    )
    return lambda images: graph(framework.tensorflow().constant(images))


def outputs_of(
    network: Any, images: NDArray[np.float32], batch_size: int
) -> dict[str, NDArray[np.float32]]:
    """The outputs, by name, of a Keras network for all images, computed in batches."""
    run = compiled(network)
    starts = range(0, len(images), batch_size)
    batches = [run(images[start : start + batch_size]) for start in starts]
    return {
        name: np.concatenate([np.asarray(outputs[name]) for outputs in batches])
        for name in batches[0]
    }

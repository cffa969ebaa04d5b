"""TensorFlow without graphs, where what is tested is not the graph."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from boxwright.backend import framework


@contextmanager
def op_by_op() -> Iterator[None]:
    """Each operation runs as it comes: to make a graph of a training step takes longer than a few
    steps, and `tests/training` has it made."""
    config = framework.tensorflow().config
    config.run_functions_eagerly(True)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Even though the .* does not apply to tf.data")
            yield
    finally:
        config.run_functions_eagerly(False)

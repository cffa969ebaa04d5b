"""The ranges of a QAT network, which its frozen graphs have as FakeQuant nodes.

TFLite's converter takes the ranges of tensors from these nodes
(Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-
only inference", section 3).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from boxwright.models.layers.quantized import Addition


class Range(NamedTuple):
    """The smallest and the largest value of a tensor, and the number of bits."""

    low: float
    high: float
    bits: int = 8


class Ranges(NamedTuple):
    """The ranges of a layer: of its kernel with folded batch norm, and of its outputs. An addition
    has no kernel."""

    kernel: Range | None
    outputs: Range


def ranges_in(network: Any) -> dict[str, Ranges]:
    """The ranges of the outputs of a network's layers, by layer name; none of a float network.

    The layers round their kernels themselves.
    """
    found = {}
    for layer in network.layers:
        quant = getattr(layer, "output_quant" if isinstance(layer, Addition) else "act_quant", None)
        if quant is None:
            continue
        low, high = float(quant.min.numpy()), float(quant.max.numpy())
        if high > low:  # else it is not rounded
            found[layer.name] = Ranges(None, Range(low, high, quant.quantizer.spec.activations))
    return found


def fake_quantized(tf: Any, values: Any, limits: Range, name: str, *, narrow: bool = False) -> Any:
    """Values, rounded by a FakeQuant node in the scope `name`.

    Args:
        tf: TensorFlow.
        values: a kernel or a map.
        limits: its range.
        name: the scope.
        narrow: as in `models.layers.quantized.fake_quant`.
    """
    with tf.name_scope(name):
        return tf.quantization.fake_quant_with_min_max_vars(
            values,
            tf.constant(limits.low, tf.float32, name="min"),
            tf.constant(limits.high, tf.float32, name="max"),
            num_bits=limits.bits,
            narrow_range=narrow,
            name="FakeQuantWithMinMaxVars",
        )

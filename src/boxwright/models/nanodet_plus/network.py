"""The network of a NanoDet-Plus: ShuffleNet v2, Ghost PAN, and a head for each of its four maps.

Source: Lyu 2021, "NanoDet-Plus"; the head and its distributions after Li et al. 2020, "Generalized
Focal Loss".
"""

from __future__ import annotations

import math
from typing import Any

from boxwright.backend import framework
from boxwright.models.layers.conv_norm import LayerSpec
from boxwright.models.layers.keras_builder import KerasBuilder
from boxwright.models.layers.maps import ChannelOffset
from boxwright.models.nanodet_plus.layout import OFFSETS, heads
from boxwright.models.nanodet_plus.spec import NanoDetSpec

keras: Any = framework.keras()
ops: Any = keras.ops

PRIOR_PROBABILITY = 0.01  # initial probability of an object (Lin et al. 2017, 4.1)
PRIOR_BIAS = -math.log((1 - PRIOR_PROBABILITY) / PRIOR_PROBABILITY)
CONVOLUTIONS = LayerSpec(activation="leaky_relu", explicit_padding=True)


def build(spec: NanoDetSpec, *, precision: str = "float32", frozen_through: int = -1) -> Any:
    """The network: `(B, S, S, 3)` scaled pixels to `class_logits (B, A, C)` and `side_logits
    (B, A, 32)`, float32; the latter are 8 bins for each of left, top, right and bottom.

    Args:
        spec: the architecture.
        precision: Keras dtype policy of the convolutions; variables are float32 in any case.
        frozen_through: backbone blocks up to this one do not train; -1 trains all.
    """
    inputs = keras.Input((spec.input_size, spec.input_size, 3), name="images")
    builder = KerasBuilder(precision, frozen_through, CONVOLUTIONS, PRIOR_BIAS)
    x = ChannelOffset(OFFSETS, name="offset")(inputs)
    outputs = {
        f"{name}_logits": ops.concatenate([_rows(part) for part in parts], axis=1)
        for name, parts in heads(x, builder, spec).items()
    }
    return keras.Model(inputs, outputs, name=spec.name)


def _rows(x: Any) -> Any:
    """A map as a row for each cell, `(B, H * W, C)` float32."""
    _, height, width, channels = x.shape
    return ops.reshape(ops.cast(x, "float32"), (-1, height * width, channels))

"""The builder that makes Keras layers."""

from __future__ import annotations

import functools
from typing import Any

from boxwright.backend import framework
from boxwright.models.layers.conv_norm import ConvNorm, LayerSpec
from boxwright.models.layers.maps import ChannelShuffle, HalvingPool
from boxwright.models.layers.quantized import Predictor

keras: Any = framework.keras()


class KerasBuilder:
    """Builds Keras layers; a `layers.builder.Builder`.

    Args:
        precision: Keras dtype policy of the convolutions.
        frozen_through: blocks up to this one do not train; -1 trains all.
        spec: settings of the convolutions.
        class_bias: initial bias of predictors whose name ends in `classes`.
    """

    def __init__(
        self, precision: str, frozen_through: int, spec: LayerSpec, class_bias: float
    ) -> None:
        self._precision, self._frozen_through = precision, frozen_through
        self._layer = functools.partial(ConvNorm, dtype=precision, spec=spec)
        small = keras.initializers.RandomNormal(stddev=0.01)
        self._predictor = functools.partial(
            Predictor, quantizer=None, dtype=precision, kernel_initializer=small
        )
        self._class_bias = keras.initializers.Constant(class_bias)

    def channels(self, x: Any) -> int:
        return int(x.shape[-1])

    def convolution(
        self,
        x: Any,
        name: str,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        *,
        linear: bool = False,
        block: int | None = None,
    ) -> Any:
        how = {"linear": linear, "name": name}
        return self._applied(x, block, filters, kernel_size, strides, **how)

    def depthwise(
        self,
        x: Any,
        name: str,
        kernel_size: int,
        strides: int = 1,
        *,
        linear: bool = False,
        block: int | None = None,
    ) -> Any:
        how = {"linear": linear, "name": name, "depthwise": True}
        return self._applied(x, block, 0, kernel_size, strides, **how)

    def predictor(self, x: Any, name: str, filters: int) -> Any:
        bias = {"bias_initializer": self._class_bias} if name.endswith("classes") else {}
        return self._predictor(filters, 1, name=name, **bias)(x)

    def concat(self, *parts: Any) -> Any:
        return keras.ops.concatenate(parts, axis=-1)

    def add(self, x: Any, y: Any) -> Any:
        return keras.layers.Add(dtype=self._precision)([x, y])

    def halves(self, x: Any) -> tuple[Any, Any]:
        first, second = keras.ops.split(x, 2, axis=-1)
        return first, second

    def shuffled(self, x: Any) -> Any:
        return ChannelShuffle(dtype=self._precision)(x)

    def pooled(self, x: Any) -> Any:
        return HalvingPool(dtype=self._precision)(x)

    def doubled(self, x: Any) -> Any:
        how = {"interpolation": "bilinear", "dtype": self._precision}
        return keras.layers.UpSampling2D(2, **how)(x)

    def _applied(self, x: Any, block: int | None, *shape: int, **how: Any) -> Any:
        trains = block is None or block > self._frozen_through
        return self._layer(*shape, trainable=trains, **how)(x)

"""Convolutions of a feature pyramid and of its heads, separable or not, with shared kernels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from boxwright.models.layers.conv_norm import ConvNorm, Initializer, LayerSpec
from boxwright.models.layers.depthwise import Depthwise
from boxwright.models.layers.quantized import Predictor


class Kernels(NamedTuple):
    """Initializers of the first kernel of a block, and of the pointwise one of a separable."""

    first: Initializer
    pointwise: Initializer


@dataclass(frozen=True)
class Blocks:
    """Creates convolutions, separable ones as a depthwise and a pointwise convolution without a
    batch norm between them.

    Convolutions with the same `shared` name have the same kernels. As in the Object Detection API,
    a separable one is regularized in its depthwise kernel only, a separable head not at all.

    Attributes:
        separable: True for separable convolutions.
        kernel_size: of the convolutions.
        spec: settings of the convolutions with batch norm.
        precision: Keras dtype policy of the pointwise convolutions. Larger kernels stay in float32;
            see `extra_maps` for the reason.
        kernels: initializers.
    """

    separable: bool
    kernel_size: int
    spec: LayerSpec
    precision: str
    kernels: Kernels
    _first: dict[str, Any] = field(default_factory=dict)

    def __call__(
        self, x: Any, name: str, filters: int, strides: int = 1, *, shared: str = ""
    ) -> Any:
        """A convolution with a batch norm of its own, and an activation.

        Args:
            x: the map.
            name: name of its last layer.
            filters: number of filters.
            strides: its strides.
            shared: name of its kernels; by default it has its own.
        """
        x, shape = self._separated(x, name, strides, shared, self.kernels.first)
        layer = ConvNorm(
            filters,
            *shape,
            name=name,
            spec=self.spec,
            initializer=self.kernels.pointwise if self.separable else self.kernels.first,
            kernel_of=self._first.get(shared),
            dtype=self._precision(shape[0]),
        )
        layer.regularized = not self.separable
        return self._remembered(shared, layer)(x)

    def head(
        self, x: Any, name: str, filters: int, *, shared: str, kernels: Kernels, bias: Any
    ) -> Any:
        """A convolution with bias and without activation; `kernels` and `bias` initialize it."""
        x, shape = self._separated(x, name, 1, shared, kernels.first, regularized=False)
        layer = Predictor(
            filters,
            shape[0],
            name=name,
            kernel_initializer=kernels.pointwise if self.separable else kernels.first,
            bias_initializer=bias,
            weights_of=self._first.get(shared),
            dtype=self._precision(shape[0]),
        )
        layer.regularized = not self.separable
        return self._remembered(shared, layer)(x)

    def _separated(
        self,
        x: Any,
        name: str,
        strides: int,
        shared: str,
        kernel: Initializer,
        regularized: bool = True,
    ) -> tuple[Any, tuple[int, int]]:
        """The input, size and strides of the last convolution."""
        if not self.separable:
            return x, (self.kernel_size, strides)
        shared = shared and f"{shared}_depthwise"
        layer = Depthwise(
            self.kernel_size,
            strides,
            name=f"{name}_depthwise",
            initializer=kernel,
            kernel_of=self._first.get(shared),
        )
        layer.regularized = regularized
        return self._remembered(shared, layer)(x), (1, 1)

    def _precision(self, size: int) -> str:
        return self.precision if size == 1 else "float32"

    def _remembered(self, shared: str, layer: Any) -> Any:
        """The layer, whose kernel the next ones of that name share."""
        if shared:
            self._first.setdefault(shared, layer)
        return layer

"""A depthwise convolution alone: the first half of a separable convolution."""

from __future__ import annotations

from typing import Any

from boxwright.backend import framework

keras: Any = framework.keras()


class Depthwise(keras.layers.DepthwiseConv2D):  # type: ignore[misc]
    """A depthwise convolution without bias, batch norm and activation; with `kernel_of`, its kernel
    is that of another one.

    It computes in float32: see `models.ssd.extra_maps` for the reason.

    Variable: kernel `(k, k, in, 1)`.
    """

    depthwise = True

    def __init__(
        self,
        kernel_size: int,
        strides: int = 1,
        *,
        initializer: Any,
        kernel_of: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(
            kernel_size,
            strides,
            padding="same",
            use_bias=False,
            depthwise_initializer=initializer,
            dtype="float32",
            **options,
        )
        self._other_kernel = (lambda: kernel_of.kernel) if kernel_of else None  # else tracked

    def build(self, input_shape: tuple[int, ...]) -> None:
        if self._other_kernel:
            self.kernel, self.bias = self._other_kernel(), None
        else:
            super().build(input_shape)

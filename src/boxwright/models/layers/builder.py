"""Builder: the operations that a network's parts are written with.

Written once, a part builds the Keras network, and tells a reader of weight files how the network's
convolutions are connected (`models.weights.graph`).
"""

from __future__ import annotations

from typing import Protocol, TypeVar

Map = TypeVar("Map")


class Builder(Protocol[Map]):
    """Operations on feature maps."""

    def channels(self, x: Map) -> int:
        """The number of channels."""

    def convolution(
        self,
        x: Map,
        name: str,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        *,
        linear: bool = False,
        block: int | None = None,
    ) -> Map:
        """A convolution with batch norm, and an activation unless `linear`.

        `block` is the part of the backbone that it belongs to.
        """

    def depthwise(
        self,
        x: Map,
        name: str,
        kernel_size: int,
        strides: int = 1,
        *,
        linear: bool = False,
        block: int | None = None,
    ) -> Map:
        """A depthwise `convolution`."""

    def predictor(self, x: Map, name: str, filters: int) -> Map:
        """A 1x1 convolution with bias and without activation."""

    def concat(self, *parts: Map) -> Map:
        """Concatenate channels."""

    def add(self, x: Map, y: Map) -> Map: ...

    def halves(self, x: Map) -> tuple[Map, Map]:
        """The first and the second half of the channels."""

    def shuffled(self, x: Map) -> Map:
        """Interleave the two halves of the channels."""

    def pooled(self, x: Map) -> Map:
        """The 3x3 maximum with a stride of 2."""

    def doubled(self, x: Map) -> Map:
        """Enlarge by two, bilinear with half-pixel centers."""

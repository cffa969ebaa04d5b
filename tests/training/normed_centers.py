"""The family of `toy_family`, with batch norm: JAX compiles it in a fifth of SSD's time."""

from __future__ import annotations

from typing import Any

from boxwright.backend import framework
from boxwright.models.layers.conv_norm import ConvNorm
from toy_family import CenterModel, CenterSpec

keras: Any = framework.keras()


class NormedCenters(CenterModel):
    family = "normed_centers"

    @classmethod
    def build_network(cls, spec: CenterSpec, *, precision: str = "float32", **_: Any) -> Any:
        x = images = keras.Input((spec.input_size, spec.input_size, 3), name="images")
        for filters, stride in ((16, 2), (16, 2), (16, 2), (16, 1)):
            x = ConvNorm(filters, 3, stride, dtype=precision)(x)
        heat = keras.layers.Conv2D(spec.num_classes, 1, dtype="float32")(x)
        places = keras.layers.Conv2D(4, 1, dtype="float32")(x)
        return keras.Model(images, {"heat": heat, "places": places}, name=cls.family)

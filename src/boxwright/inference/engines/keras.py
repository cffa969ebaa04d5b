"""Runs a Keras model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.golden import Network
from boxwright.ops.operations import NUMPY
from boxwright.ops.postprocess import NmsConfig, RawDetections, postprocess

if TYPE_CHECKING:
    from boxwright.models.model import DetectionModel


class KerasEngine:
    """A detection model on the engine that Keras is on.

    Args:
        model: of any family.
        preprocessing: how pixels are scaled.
        nms_config: how its boxes become detections; with the usual thresholds if not given.
    """

    def __init__(
        self,
        model: DetectionModel,
        preprocessing: Preprocessing,
        nms_config: NmsConfig | None = None,
    ) -> None:
        if framework.keras().backend.backend() == "tensorflow":
            model.network.jit_compile = False  # XLA on a CPU is several times slower than a graph
        self._model = model
        self._nms_config = nms_config or NmsConfig()
        self._scale = np.float32(preprocessing.scale)
        self._offset = np.float32(preprocessing.offset)

    def network(self) -> Network:
        """What computes raw outputs of images `(B, S, S, 3)`, without post-processing."""
        return lambda inputs: list(self._raw(inputs).values())

    def _raw(self, inputs: NDArray[np.uint8]) -> Any:
        pixels = inputs.astype(np.float32) * self._scale + self._offset
        return self._model.network.predict_on_batch(pixels)

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        raw = {name: np.asarray(values) for name, values in self._raw(inputs).items()}
        return postprocess(*self._model.decode(raw, NUMPY), self._nms_config)

"""Inference with Keras models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.engines.engine import running
from boxwright.inference.golden import Network
from boxwright.ops.operations import NUMPY
from boxwright.ops.postprocess import NmsConfig, RawDetections, postprocess

if TYPE_CHECKING:
    from boxwright.models.model import Candidates, DetectionModel


class KerasEngine:
    """A detection model on the Keras backend in use.

    Args:
        model: of any family.
        preprocessing: scaling of the pixels.
        nms_config: settings of the NMS; the default ones if None.
    """

    def __init__(
        self,
        model: DetectionModel,
        preprocessing: Preprocessing,
        nms_config: NmsConfig | None = None,
    ) -> None:
        self._model = model
        self._nms_config = nms_config or NmsConfig()
        self._scale = np.float32(preprocessing.scale)
        self._offset = np.float32(preprocessing.offset)

    def scaled(self, preprocessing: Preprocessing) -> KerasEngine:
        """The same model with another scaling of the pixels."""
        return KerasEngine(self._model, preprocessing, self._nms_config)

    def network(self) -> Network:
        """A function that computes raw outputs of images `(B, S, S, 3)`."""
        return lambda inputs: list(self._raw(inputs).values())

    def _raw(self, inputs: NDArray[np.uint8]) -> Any:
        pixels = inputs.astype(np.float32) * self._scale + self._offset
        return self._model.compiled(pixels)

    def candidates(self, inputs: NDArray[np.uint8]) -> Candidates:
        """Boxes and scores of images `(B, S, S, 3)` before NMS."""
        raw = {name: np.asarray(values) for name, values in self._raw(inputs).items()}
        return self._model.decode(raw, NUMPY)

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        with running(None):
            return postprocess(*self.candidates(inputs), self._nms_config)

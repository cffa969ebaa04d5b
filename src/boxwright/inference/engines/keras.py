"""Runs a Keras model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.images.preprocessing import Preprocessing
from boxwright.ops.postprocess import Found, Suppression, box_scales, postprocess


class KerasEngine:
    """A Keras model of `models.ssd.build`'s interface.

    Args:
        model: scaled pixels `(B, S, S, 3)` to `box_encodings` and `class_logits`.
        anchors: `(A, 4)` normalised yxyx.
        preprocessing: how pixels are scaled.
        suppression: how its outputs become detections; with the usual thresholds if not given.
    """

    def __init__(
        self,
        model: Any,
        anchors: NDArray[np.float32],
        preprocessing: Preprocessing,
        suppression: Suppression | None = None,
    ) -> None:
        if framework.keras().backend.backend() == "tensorflow":
            model.jit_compile = False  # XLA on a CPU is several times slower than a plain graph
        self._model = model
        self._anchors = anchors
        self._suppression = suppression or Suppression(box_scales(model))
        self._scale = np.float32(preprocessing.scale)
        self._offset = np.float32(preprocessing.offset)

    def network(self) -> Callable[[NDArray[np.uint8]], Any]:
        """What computes raw outputs of photos `(B, S, S, 3)`, without post-processing."""
        return self._raw

    def _raw(self, inputs: NDArray[np.uint8]) -> Any:
        return self._model.predict_on_batch(inputs.astype(np.float32) * self._scale + self._offset)

    def __call__(self, inputs: NDArray[np.uint8]) -> list[Found]:
        raw = self._raw(inputs)
        return postprocess(
            np.asarray(raw["box_encodings"]),
            np.asarray(raw["class_logits"]),
            self._anchors,
            self._suppression,
        )

"""Inference with SavedModels by TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.inference import litert
from boxwright.inference.artifact import damaged
from boxwright.inference.engines.engine import first_line, images, no_detector, running
from boxwright.inference.engines.frozen import cut_before_nms
from boxwright.inference.golden import Network
from boxwright.ops.postprocess import RawDetections

SAVED_ARTIFACT = Path("assets.extra") / litert.ARTIFACT_NAME  # inside the folder
CLASSES = "detection_classes"
BATCHED = "batched"  # the signature for a batch of resized images


class SavedModelEngine:
    """A SavedModel folder written by `export.savedmodel`, run by TensorFlow.

    Raises:
        DetectorError: BW502 the folder is damaged, BW505 it is not a detector.
    """

    def __init__(self, folder: Path) -> None:
        tf = framework.tensorflow()
        self.where = folder
        try:
            with framework.hushed():
                self._loaded = tf.saved_model.load(str(folder))
        except Exception as error:  # TensorFlow raises many different classes
            raise damaged(f"TensorFlow cannot load it ({first_line(error)})", folder) from error
        run = self._loaded.signatures.get(BATCHED)
        if run is None or not set(litert.OUTPUT_NAMES) <= set(run.structured_outputs):
            raise no_detector(folder, f"it has no signature {BATCHED!r} with detection outputs")
        self._run = run
        self._constant = tf.constant

    def network(self) -> Network | None:
        """A function that runs only the network; None if the model cannot be split."""
        with framework.hushed():
            frozen = framework.with_constants(self._run)  # inlines the functions that it calls
        return cut_before_nms(frozen, frozen.inputs[0], self._constant)

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        with running(self.where):
            outputs = self._run(images=self._constant(inputs))
            found = {name: outputs[name].numpy() for name in litert.OUTPUT_NAMES}
            if found[CLASSES].dtype == np.float32:  # 1-based; 0-based integers in older files
                found[CLASSES] = found[CLASSES] - 1
            return images(found, len(inputs))

"""Inference with OpenVINO folders, without TensorFlow."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.inference import litert
from boxwright.inference.artifact import damaged
from boxwright.inference.engines.engine import (
    batch_side,
    cores,
    images,
    no_detector,
    running,
)
from boxwright.inference.golden import Network
from boxwright.inference.heads.raw import CANDIDATES
from boxwright.ops.postprocess import RawDetections

NETWORK_NAME, WEIGHTS_NAME = "detector.xml", "detector.bin"


class OpenVinoEngine:
    """A folder written by `export.openvino`.

    Args:
        folder: contains `detector.xml` and `detector.bin`.
        threads: number of threads; None uses all cores, up to four.

    Attributes:
        input_size: side of the square input, pixels.

    Raises:
        DetectorError: BW502 the folder is damaged, BW505 it is not a detector.
        SystemFaultError: BW901 OpenVINO is not installed.
    """

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        openvino = framework.openvino()
        self.where = folder
        self._settings = {
            "INFERENCE_NUM_THREADS": threads or cores(),
            "INFERENCE_PRECISION_HINT": "f32",  # otherwise bfloat16 on processors that support it
        }
        try:
            with framework.hushed():
                self._core = core = openvino.Core()
                core.set_property({"ENABLE_MMAP": False})  # Windows cannot move a mapped folder
                self._model = core.read_model(folder / NETWORK_NAME)
                self._run = core.compile_model(self._model, "CPU", self._settings)
        except Exception as error:  # OpenVINO does not document its error classes
            reason = f"OpenVINO cannot load it ({_reason(error)})"
            if "Unsupported operation" in reason:  # written by a later version
                raise no_detector(folder, reason) from error
            raise damaged(reason, folder) from error
        self._lock = threading.Lock()  # a compiled network is not thread-safe
        names = {name for output in self._run.outputs for name in output.get_names()}
        if not set(litert.OUTPUT_NAMES) <= names:
            raise no_detector(folder, f"its outputs are {', '.join(sorted(names))}")
        if len(self._run.inputs) != 1:
            raise no_detector(folder, f"it has {len(self._run.inputs)} inputs")
        taken = self._run.inputs[0]
        shape = [
            side.get_length() if side.is_static else None for side in taken.get_partial_shape()
        ]
        kind = np.dtype(taken.get_element_type().to_dtype()).name
        self.input_size = batch_side(kind, shape, folder)

    def network(self) -> Network | None:
        """A function that runs only the network; None if the file does not name its raw tensors."""
        ends = {
            name: output
            for node in self._model.get_ops()
            for output in node.outputs()
            for name in output.get_names()
            if name in CANDIDATES
        }
        if len(ends) < len(CANDIDATES):
            return None
        raw = [ends[name] for name in CANDIDATES]
        cut = framework.openvino().Model(raw, self._model.get_parameters())
        run = self._core.compile_model(cut, "CPU", self._settings)
        return lambda inputs: [np.array(tensor) for tensor in run([inputs]).values()]

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        with running(self.where), self._lock:
            outputs = self._run([inputs])
            found = {name: np.array(outputs[name]) for name in litert.OUTPUT_NAMES}
            return images(found, len(inputs))


def _reason(error: Exception) -> str:
    """The error's reason, without the positions in OpenVINO's source files."""
    lines = (line.strip() for line in str(error).splitlines())
    said = (line for line in lines if line and not line.startswith(("Exception from", "Check '")))
    return next(said, type(error).__name__)[:200]

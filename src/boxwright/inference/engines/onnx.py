"""Inference with .onnx files by ONNX Runtime, without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.inference import litert
from boxwright.inference.artifact import damaged
from boxwright.inference.engines.engine import (
    CANDIDATES,
    batch_side,
    cores,
    first_line,
    images,
    no_detector,
    running,
)
from boxwright.inference.golden import Network
from boxwright.ops.postprocess import RawDetections

ARTIFACT_KEY = "boxwright"  # of the file's metadata
FATAL = 4  # the only log level at which ONNX Runtime prints nothing

MODEL_GRAPH, GRAPH_OUTPUT, VALUE_NAME = 7, 12, 1  # numbers of fields, from ONNX's schema

# ONNX Runtime's messages for an operator that is unknown or too new.
FOREIGN = ("is not a registered function/op", "No Op registered for", "No opset import for")


class OnnxEngine:
    """An .onnx file with detection post-processing; inputs and outputs as in `export.onnx`.

    Args:
        content: the file's bytes.
        where: path for error messages.
        threads: number of threads; None uses all cores, up to four.

    Attributes:
        input_size: side of the square input, pixels.
        description: the JSON text that `export.onnx` wrote; None in other files.

    Raises:
        DetectorError: BW502 the file is damaged, BW505 it is not a detector, or it needs an
            operator that ONNX Runtime lacks.
        SystemFaultError: BW901 ONNX Runtime is not installed.
    """

    def __init__(self, content: bytes, *, where: Path, threads: int | None = None) -> None:
        self.where = where
        self._onnxruntime = framework.onnxruntime()
        self._content, self._threads = content, threads or cores()
        try:
            self._session = self._start(content)
        except Exception as error:  # ONNX Runtime's errors have no common class
            if any(sign in str(error) for sign in FOREIGN):
                reason = f"it needs an operator that ONNX Runtime lacks ({first_line(error)})"
                raise no_detector(where, reason) from error
            raise damaged(f"it cannot be loaded ({first_line(error)})", where) from error
        inputs = self._session.get_inputs()
        names = [output.name for output in self._session.get_outputs()]
        if not set(litert.OUTPUT_NAMES) <= set(names):
            raise no_detector(where, f"its outputs are {', '.join(names)}")
        if len(inputs) != 1:
            raise no_detector(where, f"it has {len(inputs)} inputs")
        kind = inputs[0].type.removeprefix("tensor(").removesuffix(")")
        self.input_size = batch_side(kind, inputs[0].shape, where)
        self._input = inputs[0].name
        try:
            metadata = self._session.get_modelmeta().custom_metadata_map
        except UnicodeDecodeError as error:
            raise damaged("its metadata is not text", where) from error
        self.description: str | None = metadata.get(ARTIFACT_KEY)

    def _start(self, content: bytes) -> Any:
        options = self._onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = FATAL
        self._onnxruntime.set_default_logger_severity(FATAL)
        return self._onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], enable_fallback=0
        )

    def network(self) -> Network | None:
        """A function that runs only the network; None if the file does not name its raw tensors."""
        if not all(name.encode() in self._content for name in CANDIDATES):
            return None
        session = self._start(_also_giving(self._content, CANDIDATES))
        alone = self._onnxruntime.RunOptions()
        alone.only_execute_path_to_fetches = True

        def run(inputs: NDArray[np.uint8]) -> list[NDArray[Any]]:
            found: list[NDArray[Any]] = session.run(CANDIDATES, {self._input: inputs}, alone)
            return found

        return run

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        names = litert.OUTPUT_NAMES
        with running(self.where):
            outputs = self._session.run(names, {self._input: inputs})
            return images(dict(zip(names, outputs, strict=True)), len(inputs))


def _also_giving(content: bytes, names: Sequence[str]) -> bytes:
    """The model with more tensors as outputs.

    Concatenated protocol buffers are merged into one message: the second graph extends the first.
    """
    outputs = b"".join(_field(GRAPH_OUTPUT, _field(VALUE_NAME, name.encode())) for name in names)
    return content + _field(MODEL_GRAPH, outputs)


def _field(number: int, content: bytes) -> bytes:
    """An encoded field of fewer than 128 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content

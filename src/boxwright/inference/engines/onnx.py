"""Inference with .onnx files by ONNX Runtime, without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.inference import litert
from boxwright.inference.artifact import damaged
from boxwright.inference.engines.engine import (
    batch_side,
    cores,
    first_line,
    images,
    no_detector,
    not_run,
    running,
)
from boxwright.inference.engines.pixels import Pixels
from boxwright.inference.golden import Network
from boxwright.inference.heads import Facts, Head, recognized
from boxwright.inference.heads.raw import CANDIDATES
from boxwright.inference.onnx_file import OnnxFile, read_onnx
from boxwright.inference.tflite_graph import Tensor
from boxwright.ops.postprocess import RawDetections

FATAL = 4  # the only log level at which ONNX Runtime prints nothing
FLOATS = {"float32", "float16"}

MODEL_GRAPH, GRAPH_OUTPUT, VALUE_NAME = 7, 12, 1  # numbers of fields, from ONNX's schema

# ONNX Runtime's messages for an operator that is unknown or too new.
FOREIGN = ("is not a registered function/op", "No Op registered for", "No opset import for")


class OnnxEngine:
    """An .onnx file with detection post-processing, as `export.onnx` writes it, or with a head of
    `heads`, which takes one image `(1, 3, S, S)` or `(1, S, S, 3)` at a time.

    Args:
        content: the file's bytes.
        where: path for error messages.
        threads: number of threads; None uses all cores, up to four.
        classes: the number of classes, if it is known from elsewhere.

    Attributes:
        input_size: side of the square input, pixels.
        labels: the class names in the metadata of other tools; empty without.
        head: the head whose outputs are decoded here; None with post-processing inside.
        num_classes: number of classes of the head; None if unknown.

    Raises:
        DetectorError: BW502 the file is damaged, BW505 it is not a detector, or it needs an
            operator that ONNX Runtime lacks.
        SystemFaultError: BW901 ONNX Runtime is not installed.
    """

    def __init__(
        self,
        content: bytes,
        *,
        where: Path,
        threads: int | None = None,
        classes: int | None = None,
    ) -> None:
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
        file = read_onnx(content, where=where)
        self._input = file.inputs[0].name if file.inputs else ""
        self._names = [each.name for each in file.outputs]
        self.labels = file.labels
        self.num_classes: int | None = None
        self.head = self._find_head(file, classes)

    def _find_head(self, file: OnnxFile, classes: int | None) -> Head | None:
        """Find the input, and the head unless there is post-processing."""
        finished = set(litert.OUTPUT_NAMES) <= set(self._names)
        if finished and len(file.inputs) == 1:
            (source,) = file.inputs
            self.input_size = batch_side(
                source.dtype, [s if s > 0 else None for s in source.shape], self.where
            )
            return None
        outputs = file.outputs if finished else self._with_shapes(file)
        head = recognized(Facts(outputs, file.side or 0, len(file.labels) or None, classes))
        if head is None or head.detect is None:
            raise not_run(self.where, head, outputs)
        if not file.side:
            raise no_detector(self.where, f"its inputs are {file.described_inputs}")
        (source,) = file.inputs
        first = source.shape[3] != 3
        self._pixels = Pixels(source.dtype, head.mean, head.std, head.bgr, channels_first=first)
        self.input_size, self.num_classes = file.side, head.num_classes or None
        return head

    def _with_shapes(self, file: OnnxFile) -> Sequence[Tensor]:
        """The outputs, with the shapes that they have where the file leaves them open."""
        if not file.side or all(min(each.shape[1:], default=-1) > 0 for each in file.outputs):
            return file.outputs
        (source,) = file.inputs
        sides = [1, *(side if side > 0 else file.side for side in source.shape[1:])]
        with running(self.where):
            found = self._session.run(self._names, {source.name: np.zeros(sides, source.dtype)})
        pairs = zip(file.outputs, found, strict=True)
        return [each._replace(shape=values.shape) for each, values in pairs]

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
        if self.head:
            return lambda inputs: [
                np.concatenate(each) for each in zip(*self._raw(inputs), strict=True)
            ]
        if not all(name.encode() in self._content for name in CANDIDATES):
            return None
        session = self._start(_also_giving(self._content, CANDIDATES))
        alone = self._onnxruntime.RunOptions()
        alone.only_execute_path_to_fetches = True

        def run(inputs: NDArray[np.uint8]) -> list[NDArray[Any]]:
            found: list[NDArray[Any]] = session.run(CANDIDATES, {self._input: inputs}, alone)
            return found

        return run

    def _raw(self, inputs: NDArray[np.uint8]) -> Iterator[list[NDArray[Any]]]:
        """The outputs for each image."""
        for image in inputs:
            yield self._session.run(self._names, {self._input: self._pixels(image)})

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        with running(self.where):
            if self.head and self.head.detect:
                found = []
                for outputs in self._raw(inputs):
                    found += self.head.detect([np.asarray(each, np.float32) for each in outputs])
                return found
            names = litert.OUTPUT_NAMES
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

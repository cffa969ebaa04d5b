"""Inference with .tflite files by LiteRT, without TensorFlow."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.inference import litert, tflite_graph
from boxwright.inference.artifact import damaged
from boxwright.inference.engines.engine import cores, first_line, no_detector, rows, running
from boxwright.inference.golden import Network
from boxwright.ops.postprocess import RawDetections


class TFLiteEngine:
    """A .tflite with detection post-processing, run by ai-edge-litert.

    The input is uint8 pixels, or float32 pixels scaled as the metadata says ([-1, 1] without
    metadata). A single image is processed by all threads; in a batch, each thread processes its
    own images, so threads do not wait for each other.

    Args:
        content: the file's bytes.
        where: path for error messages.
        threads: number of threads; None uses all cores, up to four.
        at_once: number of images of a batch to process in parallel; `threads` if None.

    Attributes:
        input_size: side of the square input, pixels.
        metadata: the file's TFLite metadata; None if it has none.
        num_classes: number of classes in the post-processing; None if unknown.
        loses_a_class: True if the post-processing never detects one of the classes with this
            number of threads (TensorFlow issue 56058). Files from `export.tflite` avoid that.

    Raises:
        DetectorError: BW502 the file is damaged, BW505 it is not a detector with a square
            input.
    """

    def __init__(
        self,
        content: bytes,
        *,
        where: Path,
        threads: int | None = None,
        at_once: int | None = None,
    ) -> None:
        self.threads = threads or cores()
        self.at_once = at_once or self.threads
        self._content, self.where = content, where
        try:
            self._interpreter = litert.interpreter(content, self.threads)
        except (ValueError, RuntimeError) as error:
            if "custom op" in str(error) or "Flex" in str(error):
                reason = f"it needs an operator that LiteRT lacks ({first_line(error)})"
                raise no_detector(where, reason) from error
            raise damaged(f"it cannot be loaded ({first_line(error)})", where) from error
        self._lock = threading.Lock()  # an interpreter is not thread-safe
        self._idle: SimpleQueue[Any] | None = None  # single-threaded interpreters for batches
        self.input_size = self._find_input(where)
        self.metadata = litert.read_metadata(content)
        self._mean, self._std = _scaling(self.metadata)
        options = self._find_outputs(content, where)
        self.num_classes: int | None = options.get("num_classes")
        self.loses_a_class = bool(options.get("use_regular_nms")) and self.threads > 1
        if self.num_classes is not None and self.num_classes <= self.threads:
            self.loses_a_class = False

    def _find_input(self, where: Path) -> int:
        inputs = self._interpreter.get_input_details()
        shape = tuple(int(side) for side in inputs[0]["shape"])
        square = len(inputs) == 1 and len(shape) == 4 and shape[1] == shape[2] and shape[3] == 3
        if not square or inputs[0]["dtype"] not in (np.uint8, np.float32):
            kind = np.dtype(inputs[0]["dtype"]).name
            raise no_detector(where, f"its input is {kind} {shape}, not one square RGB image")
        self._input = inputs[0]["index"]
        self._takes_float = inputs[0]["dtype"] == np.float32
        return shape[1]

    def _find_outputs(self, content: bytes, where: Path) -> dict[str, Any]:
        """Find the indices of the outputs; return the post-processing's settings."""
        by_name = {d["name"]: d["index"] for d in self._interpreter.get_output_details()}
        last = [op for op in litert.custom_operators(content) if op.name == litert.POSTPROCESS]
        options = last[-1].options if last else {}
        if set(litert.OUTPUT_NAMES) <= set(by_name):
            self._outputs = tuple(by_name[name] for name in litert.OUTPUT_NAMES)
        elif last and len(last[-1].outputs) == 4:
            self._outputs = last[-1].outputs
        else:
            raise no_detector(where, f"its outputs are {', '.join(by_name)}")
        return options

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        if len(inputs) > 1 and self.at_once > 1:
            with running(self.where), ThreadPoolExecutor(self.at_once) as pool:
                return list(pool.map(self._detect_beside_others, inputs))
        with running(self.where), self._lock:
            return [self._detect(self._interpreter, image) for image in inputs]

    def _detect_beside_others(self, image: NDArray[np.uint8]) -> RawDetections:
        interpreters = self._one_for_each()
        interpreter = interpreters.get()
        try:
            return self._detect(interpreter, image)
        finally:
            interpreters.put(interpreter)

    def _one_for_each(self) -> SimpleQueue[Any]:
        """The interpreters for batches, created lazily because each copies the network."""
        with self._lock:
            if self._idle is None:
                self._idle = SimpleQueue()
                for _ in range(self.at_once):
                    self._idle.put(litert.interpreter(self._content, 1))
            return self._idle

    def _detect(self, interpreter: Any, image: NDArray[np.uint8]) -> RawDetections:
        interpreter.set_tensor(self._input, self.scaled(image))
        interpreter.invoke()
        boxes, labels, scores, count = (interpreter.get_tensor(index) for index in self._outputs)
        return rows(boxes[0], labels[0], scores[0], count.reshape(-1)[0])

    def network(self) -> Network | None:
        """A function that runs only the network; None if the file cannot be split."""
        cut = tflite_graph.without_postprocessing(self._content)
        if cut is None:
            return None
        interpreter = litert.interpreter(cut, self.threads)

        outputs = [each["index"] for each in interpreter.get_output_details()]

        def run(inputs: NDArray[np.uint8]) -> list[NDArray[Any]]:
            found = []
            for image in inputs:
                interpreter.set_tensor(self._input, self.scaled(image))
                interpreter.invoke()
                found.append([interpreter.get_tensor(output) for output in outputs])
            return [np.concatenate(each) for each in zip(*found, strict=True)]

        return run

    def scaled(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        """An image `(S, S, 3)` as the network's input `(1, S, S, 3)`, uint8 or float32."""
        pixels: NDArray[Any] = image[None]
        return (pixels - self._mean) / self._std if self._takes_float else pixels

    def on_one_thread(self) -> TFLiteEngine:
        """The same engine with one thread per image."""
        return TFLiteEngine(self._content, where=self.where, threads=1, at_once=self.at_once)


def _scaling(metadata: litert.Metadata | None) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and std for RGB pixels, each `(1,)` or `(3,)`."""
    if metadata and len(metadata.mean) in (1, 3) and len(metadata.std) in (1, 3):
        mean, std = np.array(metadata.mean, np.float32), np.array(metadata.std, np.float32)
        if np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all():
            return mean, std
    half = np.array([127.5], np.float32)
    return half, half

"""Inference with .tflite files by LiteRT, without TensorFlow."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.inference import litert, tflite_graph
from boxwright.inference.artifact import damaged
from boxwright.inference.class_names import NO_NAMES
from boxwright.inference.engines.engine import (
    cores,
    first_line,
    no_detector,
    not_run,
    rows,
    running,
)
from boxwright.inference.engines.pixels import Pixels
from boxwright.inference.golden import Network
from boxwright.inference.heads import Facts, Head, recognized
from boxwright.ops.postprocess import RawDetections


class TFLiteEngine:
    """A .tflite with detection post-processing or a head of `heads`, run by ai-edge-litert.

    The input is uint8 or int8 pixels, or float32 pixels scaled as the metadata says (as is usual
    for the head, or [-1, 1], without metadata). A single image is processed by all threads; in a
    batch, each thread processes its own images, so threads do not wait for each other.

    Args:
        content: the file's bytes.
        where: path for error messages.
        threads: number of threads; None uses all cores, up to four.
        at_once: number of images of a batch to process in parallel; `threads` if None.
        classes: the number of classes, if it is known from elsewhere.

    Attributes:
        input_size: side of the square input, pixels.
        metadata: the file's TFLite metadata; None if it has none.
        head: the head whose outputs are decoded here; None with post-processing inside.
        num_classes: number of classes in the post-processing or the head; None if unknown.
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
        classes: int | None = None,
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
        (self._source, *others) = self._interpreter.get_input_details()
        self.input_size = self._find_input(others)
        self.metadata = litert.read_metadata(content)
        self.labels = self.metadata.labels if self.metadata else NO_NAMES
        self._outputs = self._interpreter.get_output_details()
        self._indices = tuple(each["index"] for each in self._outputs)
        options = self._find_outputs(classes)
        self._pixels = _pixels(self._source["dtype"], self.metadata, self.head)
        self.loses_a_class = bool(options.get("use_regular_nms")) and self.threads > 1
        if self.num_classes is not None and self.num_classes <= self.threads:
            self.loses_a_class = False

    def _find_input(self, others: list[Any]) -> int:
        shape, dtype = tuple(map(int, self._source["shape"])), self._source["dtype"]
        square = not others and len(shape) == 4 and shape[1] == shape[2] and shape[3] == 3
        if not square or dtype not in (np.uint8, np.int8, np.float32):
            kind = np.dtype(dtype).name
            reason = f"its input is {kind} {shape}, not one square RGB image"
            raise no_detector(self.where, reason)
        return shape[1]

    def _find_outputs(self, classes: int | None) -> dict[str, Any]:
        """Find what the outputs are; return the post-processing's settings."""
        by_name = {each["name"]: each["index"] for each in self._outputs}
        custom = litert.custom_operators(self._content)
        last = [op for op in custom if op.name == litert.POSTPROCESS]
        options = last[-1].options if last else {}
        self.head: Head | None = None
        self.num_classes: int | None = options.get("num_classes")
        if set(litert.OUTPUT_NAMES) <= set(by_name):
            self._indices = tuple(by_name[name] for name in litert.OUTPUT_NAMES)
        elif last and len(last[-1].outputs) == 4:
            self._indices = last[-1].outputs
        else:
            outputs = [
                tflite_graph.Tensor(each["name"], tuple(map(int, each["shape"])), "")
                for each in self._outputs
            ]
            ssd = self.metadata.ssd if self.metadata else None
            facts = Facts(outputs, self.input_size, len(self.labels) or None, classes, ssd)
            self.head = recognized(facts)
            if self.head is None or self.head.detect is None:
                raise not_run(self.where, self.head, outputs)
            self.num_classes = self.head.num_classes or None
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
        found = self._invoked(interpreter, self._indices, image)
        if self.head and self.head.detect:
            floats = [_real(*each) for each in zip(found, self._outputs, strict=True)]
            (detections,) = self.head.detect(floats)
            return detections
        boxes, labels, scores, count = found
        return rows(boxes[0], labels[0], scores[0], count.reshape(-1)[0])

    def _invoked(
        self, interpreter: Any, outputs: Sequence[int], image: NDArray[np.uint8]
    ) -> list[NDArray[Any]]:
        interpreter.set_tensor(self._source["index"], self._pixels(image))
        interpreter.invoke()
        return [interpreter.get_tensor(index) for index in outputs]

    def network(self) -> Network | None:
        """A function that runs only the network; None if the file cannot be split."""
        content = self._content if self.head else tflite_graph.without_postprocessing(self._content)
        if content is None:
            return None
        interpreter = litert.interpreter(content, self.threads)
        outputs = [each["index"] for each in interpreter.get_output_details()]

        def run(inputs: NDArray[np.uint8]) -> list[NDArray[Any]]:
            found = [self._invoked(interpreter, outputs, image) for image in inputs]
            return [np.concatenate(each) for each in zip(*found, strict=True)]

        return run

    def on_one_thread(self) -> TFLiteEngine:
        """The same engine with one thread per image."""
        return TFLiteEngine(self._content, where=self.where, threads=1, at_once=self.at_once)


def _pixels(dtype: Any, metadata: litert.Metadata | None, head: Head | None) -> Pixels:
    """The conversion of an image to the input."""
    mean, std = (head.mean, head.std) if head else ((127.5,), (127.5,))
    if metadata and len(metadata.mean) in (1, 3) and len(metadata.std) in (1, 3):
        given = np.array([*metadata.mean, *metadata.std], np.float32)
        if np.isfinite(given).all() and min(metadata.std) > 0:
            mean, std = metadata.mean, metadata.std
    return Pixels(np.dtype(dtype).name, mean, std, bgr=bool(head and head.bgr))


def _real(values: NDArray[Any], tensor: dict[str, Any]) -> NDArray[np.float32]:
    """An output as float32, whatever its quantization."""
    scale, zero = tensor["quantization"]
    real = values.astype(np.float32)
    return (real - np.float32(zero)) * np.float32(scale) if scale else real

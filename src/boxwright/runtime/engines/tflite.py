"""Runs a .tflite, by LiteRT and without TensorFlow."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.models import framework
from boxwright.models.postprocess import Found
from boxwright.runtime import litert
from boxwright.runtime.artifact import damaged
from boxwright.runtime.engines.engine import cores, first_line, no_detector, rows


class TFLiteEngine:
    """A .tflite with detection post-processing, run by ai-edge-litert photo by photo.

    It takes uint8 pixels as photos have them, or float32 pixels scaled as its metadata says, to
    [-1, 1] if that says nothing.

    Args:
        content: the file's bytes.
        where: names the file in errors.
        threads: None uses every core, up to four.

    Attributes:
        input_size: side of the square input, pixels.
        input_range: what the darkest and the brightest pixel are to a network of 8 bits; None to
            one whose file scales them itself.
        metadata: what the file says about itself in TFLite's own way; None if it does not.
        num_classes: how many classes the post-processing is told of; None if that is not known.
        loses_a_class: whether its kind of post-processing never finds one of the classes on this
            many threads (TensorFlow issue 56058); files from `export.tflite` allow for that.

    Raises:
        DetectorError: BW502 the file is damaged, BW505 it is no detector, or not one that takes
            square photos.
    """

    def __init__(self, content: bytes, *, where: Path, threads: int | None = None) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._lock = threading.Lock()  # an interpreter serves one caller at a time
        threads = threads or cores()
        try:
            with framework.hushed():
                self._interpreter = Interpreter(model_content=content, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            if "custom op" in str(error) or "Flex" in str(error):
                reason = f"it needs an operator that is not here ({first_line(error)})"
                raise no_detector(where, reason) from error
            raise damaged(f"it cannot be loaded ({first_line(error)})", where) from error
        self.input_range: tuple[float, float] | None = None
        self.input_size = self._find_input(where)
        self.metadata = litert.read_metadata(content)
        self._mean, self._std = _scaling(self.metadata)
        options = self._find_outputs(content, where)
        self.num_classes: int | None = options.get("num_classes")
        self.loses_a_class = bool(options.get("use_regular_nms")) and threads > 1
        if self.num_classes is not None and self.num_classes <= threads:
            self.loses_a_class = False

    def _find_input(self, where: Path) -> int:
        inputs = self._interpreter.get_input_details()
        shape = tuple(int(side) for side in inputs[0]["shape"])
        square = len(inputs) == 1 and len(shape) == 4 and shape[1] == shape[2] and shape[3] == 3
        if not square or inputs[0]["dtype"] not in (np.uint8, np.float32):
            kind = np.dtype(inputs[0]["dtype"]).name
            raise no_detector(where, f"its input is {kind} {shape}, not one square RGB photo")
        self._input = inputs[0]["index"]
        self._takes_float = inputs[0]["dtype"] == np.float32
        scale, zero_point = inputs[0]["quantization"]
        if scale:
            self.input_range = (-zero_point * scale, (255 - zero_point) * scale)
        return shape[1]

    def _find_outputs(self, content: bytes, where: Path) -> dict[str, Any]:
        """Set where the results are; return the post-processing's settings."""
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

    def __call__(self, inputs: NDArray[np.uint8]) -> list[Found]:
        return [self._detect(photo) for photo in inputs]

    def _detect(self, photo: NDArray[np.uint8]) -> Found:
        pixels: NDArray[Any] = photo[None]
        if self._takes_float:
            pixels = (pixels - self._mean) / self._std
        with self._lock:
            self._interpreter.set_tensor(self._input, pixels)
            self._interpreter.invoke()
            outputs = [self._interpreter.get_tensor(index) for index in self._outputs]
        boxes, labels, scores, count = outputs
        return rows(boxes[0], labels[0], scores[0], int(count.reshape(-1)[0]))


def _scaling(metadata: litert.Metadata | None) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What to subtract from RGB pixels, and then to divide them by, each `(1,)` or `(3,)`."""
    if metadata and len(metadata.mean) in (1, 3) and len(metadata.std) in (1, 3):
        mean, std = np.array(metadata.mean, np.float32), np.array(metadata.std, np.float32)
        if np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all():
            return mean, std
    half = np.array([127.5], np.float32)
    return half, half

"""The engines: each runs one kind of detector behind the same small interface."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from boxwright.data.geometry import clip
from boxwright.data.preprocessing import Preprocessing
from boxwright.errors import DetectorError
from boxwright.models import framework
from boxwright.models.postprocess import Found, Suppression, box_scales, postprocess
from boxwright.runtime import flatbuffer, litert
from boxwright.runtime.artifact import damaged


class Engine(Protocol):
    """Runs a network and its post-processing.

    One that can run the network alone has a method `network` for `boxwright bench`.
    """

    def __call__(self, inputs: NDArray[np.uint8]) -> list[Found]:
        """Detect in resized photos `(B, S, S, 3)`.

        Returns:
            For each photo boxes `(n, 4)` normalised yxyx within [0, 1], scores `(n,)` and class
            ids `(n,)`, best first.
        """
        ...


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


class SavedModelEngine:
    """A SavedModel folder written by `export.savedmodel`, run by TensorFlow.

    Raises:
        DetectorError: BW502 the folder is damaged, BW505 it is no detector.
    """

    def __init__(self, folder: Path) -> None:
        tf = framework.tensorflow()
        try:
            with framework.hushed():
                self._loaded = tf.saved_model.load(str(folder))
        except Exception as error:  # TensorFlow raises a different class for every way to break
            raise damaged(f"TensorFlow cannot load it ({_first_line(error)})", folder) from error
        run = self._loaded.signatures.get("serving_default")
        if run is None or not set(litert.OUTPUT_NAMES) <= set(run.structured_outputs):
            raise _no_detector(folder, "its serving signature has no detection outputs")
        self._run = run
        self._constant = tf.constant

    def __call__(self, inputs: NDArray[np.uint8]) -> list[Found]:
        outputs = self._run(images=self._constant(inputs))
        boxes, labels, scores, counts = (outputs[name].numpy() for name in litert.OUTPUT_NAMES)
        return [
            _found(*photo) for photo in zip(boxes, labels, scores, counts.astype(int), strict=True)
        ]


class TFLiteEngine:
    """A .tflite with detection post-processing, run by ai-edge-litert.

    It takes uint8 pixels as photos have them, or float32 pixels in [-1, 1]. One photo is looked
    at by all threads; of several, each thread looks at its own, which wastes none of their time
    on waiting for each other.

    Args:
        content: the file's bytes.
        where: names the file in errors.
        threads: None uses every core, up to four.
        at_once: how many photos of a batch are looked at together; `threads` if not given.

    Attributes:
        input_size: side of the square input, pixels.
        num_classes: how many classes the post-processing is told of; None if that is not known.
        loses_a_class: whether its kind of post-processing never finds one of the classes on this
            many threads (TensorFlow issue 56058); files from `export.tflite` allow for that.

    Raises:
        DetectorError: BW502 the file is damaged, BW505 it is no detector, or not one that takes
            square photos.
    """

    def __init__(
        self,
        content: bytes,
        *,
        where: Path,
        threads: int | None = None,
        at_once: int | None = None,
    ) -> None:
        self.threads = threads or min(4, os.cpu_count() or 1)
        self.at_once = at_once or self.threads
        self._content = content
        try:
            self._interpreter = litert.interpreter(content, self.threads)
        except (ValueError, RuntimeError) as error:
            if "custom op" in str(error) or "Flex" in str(error):
                reason = f"it needs an operator that is not here ({_first_line(error)})"
                raise _no_detector(where, reason) from error
            raise damaged(f"it cannot be loaded ({_first_line(error)})", where) from error
        self._lock = threading.Lock()  # an interpreter serves one caller at a time
        self._idle: SimpleQueue[Any] | None = None  # those with one thread, once there is a batch
        self.input_size = self._find_input(where)
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
            raise _no_detector(where, f"its input is {kind} {shape}, not one square RGB photo")
        self._input = inputs[0]["index"]
        self._takes_float = inputs[0]["dtype"] == np.float32
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
            raise _no_detector(where, f"its outputs are {', '.join(by_name)}")
        return options

    def __call__(self, inputs: NDArray[np.uint8]) -> list[Found]:
        if len(inputs) > 1 and self.at_once > 1:
            with ThreadPoolExecutor(self.at_once) as pool:
                return list(pool.map(self._detect_beside_others, inputs))
        with self._lock:
            return [self._detect(self._interpreter, photo) for photo in inputs]

    def _detect_beside_others(self, photo: NDArray[np.uint8]) -> Found:
        interpreters = self._one_for_each()
        interpreter = interpreters.get()
        try:
            return self._detect(interpreter, photo)
        finally:
            interpreters.put(interpreter)

    def _one_for_each(self) -> SimpleQueue[Any]:
        """The interpreters of a batch; each holds the network once more, so they come late."""
        with self._lock:
            if self._idle is None:
                self._idle = SimpleQueue()
                for _ in range(self.at_once):
                    self._idle.put(litert.interpreter(self._content, 1))
            return self._idle

    def _detect(self, interpreter: Any, photo: NDArray[np.uint8]) -> Found:
        interpreter.set_tensor(self._input, self.scaled(photo))
        interpreter.invoke()
        boxes, labels, scores, count = (interpreter.get_tensor(index) for index in self._outputs)
        return _found(boxes[0], labels[0], scores[0], int(count.reshape(-1)[0]))

    def network(self) -> Callable[[NDArray[np.uint8]], Any] | None:
        """What runs photos `(B, S, S, 3)` through the network alone; None if it cannot be cut."""
        cut = flatbuffer.without_postprocessing(self._content)
        if cut is None:
            return None
        interpreter = litert.interpreter(cut, self.threads)

        def run(inputs: NDArray[np.uint8]) -> None:
            for photo in inputs:
                interpreter.set_tensor(self._input, self.scaled(photo))
                interpreter.invoke()

        return run

    def scaled(self, photo: NDArray[np.uint8]) -> NDArray[Any]:
        """A photo `(S, S, 3)` as the network's input `(1, S, S, 3)`, uint8 or float32."""
        pixels: NDArray[Any] = photo[None]
        return pixels / np.float32(127.5) - np.float32(1) if self._takes_float else pixels


def _found(
    boxes: NDArray[np.float32], labels: NDArray[Any], scores: NDArray[np.float32], count: int
) -> Found:
    """The first `count` rows of a padded result."""
    return clip(boxes[:count], 1, 1), scores[:count], labels[:count].astype(np.int64)


def _no_detector(where: Path, reason: str) -> DetectorError:
    return DetectorError(
        "BW505",
        f"is not a detector that can be run here: {reason}.",
        where=where,
        remedy="Give a file that ends in detection post-processing (boxes, classes, scores, "
        "count), such as one written by `boxwright export`.",
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]

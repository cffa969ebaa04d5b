"""The kinds of files that a detector is exported to: how each is written, and told what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from boxwright.export.frozen import describe_frozen, write_frozen
from boxwright.export.onnx import describe_onnx, write_onnx
from boxwright.export.openvino import describe_openvino, write_openvino
from boxwright.export.savedmodel import describe_savedmodel, write_savedmodel
from boxwright.export.tflite import describe_tflite, write_tflite
from boxwright.runtime.artifact import Artifact
from boxwright.runtime.engines.openvino import NETWORK_NAME


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        default_name: of the file or folder, inside a run.
        write: writes a detector: `(path, model, anchors, artifact)`, and for kinds that can be
            `quantised` how.
        describe: `(path, artifact)` replaces what a written file says about itself.
        quantised: whether its numbers can have fewer than 32 bits.
        marker: of a folder, a file inside that tells the kind.
    """

    default_name: str
    write: Callable[..., None]
    describe: Callable[[Path, Artifact], None]
    quantised: bool = False
    marker: str | None = None


KINDS: dict[str, Kind] = {
    "tflite": Kind("detector.tflite", write_tflite, describe_tflite, quantised=True),
    "savedmodel": Kind(
        "saved_model", write_savedmodel, describe_savedmodel, marker="saved_model.pb"
    ),
    "frozen": Kind("frozen_inference_graph.pb", write_frozen, describe_frozen),
    "onnx": Kind("detector.onnx", write_onnx, describe_onnx),
    "openvino": Kind("openvino", write_openvino, describe_openvino, marker=NETWORK_NAME),
}

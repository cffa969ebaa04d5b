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
from boxwright.inference.artifact import Artifact
from boxwright.inference.engines.openvino import NETWORK_NAME
from boxwright.inference.litert import ARTIFACT_NAME


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        default_name: of the file or folder, inside a run.
        write: writes a detector: `(path, model, artifact)`, and for kinds that can be
            `quantised` how.
        describe: `(path, artifact)` replaces what a written file says about itself.
        quantised: whether its numbers can have fewer than 32 bits.
        inside: of a folder, the names that it holds.
    """

    default_name: str
    write: Callable[..., None]
    describe: Callable[[Path, Artifact], None]
    quantised: bool = False
    inside: frozenset[str] = frozenset()

    def is_own(self, folder: Path) -> bool:
        """Whether a folder is of this kind and holds nothing else, so that it can be replaced."""
        names = {path.name for path in folder.iterdir()}
        return bool(self.inside) and bool(names) and names <= self.inside


SAVED_MODEL_FILES = frozenset(
    {"saved_model.pb", "variables", "assets", "assets.extra", "fingerprint.pb"}
)
OPENVINO_FILES = frozenset(
    {NETWORK_NAME, Path(NETWORK_NAME).with_suffix(".bin").name, ARTIFACT_NAME}
)
KINDS: dict[str, Kind] = {
    "tflite": Kind("detector.tflite", write_tflite, describe_tflite, quantised=True),
    "savedmodel": Kind(
        "saved_model",
        write_savedmodel,
        describe_savedmodel,
        inside=frozenset(
            {"saved_model.pb", "variables", "assets", "assets.extra", "fingerprint.pb"}
        ),
    ),
    "frozen": Kind("frozen_inference_graph.pb", write_frozen, describe_frozen),
    "onnx": Kind("detector.onnx", write_onnx, describe_onnx),
    "openvino": Kind("openvino", write_openvino, describe_openvino, inside=OPENVINO_FILES),
}

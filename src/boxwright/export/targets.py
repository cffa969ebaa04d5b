"""Export targets: the file formats that a detector can be exported to.

Importing this module is cheap; the module of a target is imported when the target is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from boxwright.structures.registry import Registry

if TYPE_CHECKING:
    from boxwright.inference.artifact import Artifact

Quantized = Literal["int8", "fp16", "dynamic"]


@dataclass(frozen=True)
class Target:
    """An export target.

    Attributes:
        default_name: name of the file or folder inside a run.
        write: `(path, model, artifact)` writes a detector; `quantized` targets also take a
            `Quantization`.
        describe: `(path, artifact)` replaces the artifact in a written file.
        quantized: True if the target supports quantization.
        inside: names of the entries of a folder.
        families: the detector families that it is for; None for all.
        write_raw: as `write`, but the file ends before suppression; None if the target has no such
            form.
        label_map: True if programs that run it expect a label map beside it.
        labels_inside: True if the folder has the class names itself.
        versions: True if a server takes a folder of numbered ones.
    """

    default_name: str
    write: Callable[..., None]
    describe: Callable[[Path, Artifact], None]
    quantized: bool = False
    inside: frozenset[str] = frozenset()
    families: frozenset[str] | None = None
    write_raw: Callable[..., None] | None = None
    label_map: bool = False
    labels_inside: bool = False
    versions: bool = False

    def is_own(self, folder: Path) -> bool:
        """True if a folder contains nothing but this kind of export, so it can be replaced."""
        names = {path.name for path in folder.iterdir()}
        return bool(self.inside) and bool(names) and names <= self.inside


TARGETS: Registry[Target] = Registry(
    {
        "tflite": "boxwright.export.tflite:TARGET",
        "savedmodel": "boxwright.export.savedmodel:TARGET",
        "frozen": "boxwright.export.frozen:TARGET",
        "onnx": "boxwright.export.onnx:TARGET",
        "openvino": "boxwright.export.openvino:TARGET",
        "triton": "boxwright.export.triton:TARGET",
    }
)

"""The targets: the kinds of files that a detector is exported to, a row for each.

This module is imported for the names of the targets alone; a row's own module is imported when
the row is used.
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
    """A kind of file.

    Attributes:
        default_name: of the file or folder, inside a run.
        write: writes a detector: `(path, model, artifact)`, and for targets that can be
            `quantized` how.
        describe: `(path, artifact)` replaces what a written file says about itself.
        quantized: whether its numbers can have fewer than 32 bits.
        inside: of a folder, the names that it holds.
    """

    default_name: str
    write: Callable[..., None]
    describe: Callable[[Path, Artifact], None]
    quantized: bool = False
    inside: frozenset[str] = frozenset()

    def is_own(self, folder: Path) -> bool:
        """Whether a folder is of this kind and holds nothing else, so that it can be replaced."""
        names = {path.name for path in folder.iterdir()}
        return bool(self.inside) and bool(names) and names <= self.inside


TARGETS: Registry[Target] = Registry(
    {
        "tflite": "boxwright.export.tflite:TARGET",
        "savedmodel": "boxwright.export.savedmodel:TARGET",
        "frozen": "boxwright.export.frozen:TARGET",
        "onnx": "boxwright.export.onnx:TARGET",
        "openvino": "boxwright.export.openvino:TARGET",
    }
)

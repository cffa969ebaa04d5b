"""What a detector file says about itself, whatever kind it is, without running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from boxwright.runtime import flatbuffer, litert
from boxwright.runtime.artifact import Artifact, damaged
from boxwright.runtime.detector import SAVED_ARTIFACT, begins_as_tflite, not_a_detector
from boxwright.runtime.run import Run


@dataclass(frozen=True)
class Description:
    """A detector file as it describes itself.

    Attributes:
        path: the file or folder.
        kind: what it is, such as `.tflite`.
        size: bytes, of all files together if it is a folder.
        artifact: what Boxwright wrote into it; None in a file from elsewhere.
        graph: a .tflite's tensors and operators.
        postprocessing: the settings of a .tflite's last operator.
    """

    path: Path
    kind: str
    size: int
    artifact: Artifact | None
    graph: flatbuffer.Graph | None = None
    postprocessing: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"path": str(self.path), "kind": self.kind, "bytes": self.size}
        said["detector"] = self.artifact.to_json() if self.artifact else None
        if self.graph:
            tensors = {"inputs": self.graph.inputs, "outputs": self.graph.outputs}
            said |= {name: [each._asdict() for each in some] for name, some in tensors.items()}
            said["operators"] = [asdict(each) for each in self.graph.operators]
            said["arithmetic"] = self.graph.arithmetic
            said["weight_bytes"] = self.graph.weights
            said["postprocessing"] = self.postprocessing
        return said


class Kind(NamedTuple):
    """A kind of detector file: its name, how it is known, and how it is read."""

    name: str
    fits: Callable[[Path], bool]
    read: Callable[[Path], dict[str, Any]]


def inspect(path: str | Path) -> Description:
    """Describe a detector file or folder; one from elsewhere, without class names, too.

    Raises:
        DetectorError: BW501 there is no detector, BW502 it is damaged, BW503 a newer Boxwright
            wrote it.
    """
    path = Path(path)
    for kind in KINDS:
        if kind.fits(path):
            return Description(path, kind.name, _size(path), **kind.read(path))
    raise not_a_detector(path)


def _run(path: Path) -> dict[str, Any]:
    return {"artifact": Run(path).artifact}


def _saved_model(path: Path) -> dict[str, Any]:
    described = path / SAVED_ARTIFACT
    if not described.is_file():
        return {"artifact": None}
    return {"artifact": Artifact.from_text(described.read_bytes(), where=described)}


def _tflite(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    if reason := litert.defect(content):
        raise damaged(reason, path)
    custom = litert.custom_operators(content)
    last = [each.options for each in custom if each.name == litert.POSTPROCESS]
    return {
        "artifact": litert.read_artifact(content, where=path),
        "graph": flatbuffer.read_graph(content),
        "postprocessing": last[-1] if last else {},
    }


def _is_tflite(path: Path) -> bool:
    return path.is_file() and (path.suffix.lower() == ".tflite" or begins_as_tflite(path))


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


KINDS = (
    Kind("run folder", lambda path: Run(path).exists(), _run),
    Kind("SavedModel", lambda path: (path / "saved_model.pb").is_file(), _saved_model),
    Kind(".tflite", _is_tflite, _tflite),
)

"""Descriptions of detector files of every kind."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from boxwright.images.preprocessing import Preprocessing
from boxwright.inference import litert, tflite_graph
from boxwright.inference.artifact import Artifact
from boxwright.inference.engines.engine import loading
from boxwright.inference.file_kinds import FILE_KINDS, admit, kind_of
from boxwright.io.files import size_of

RANGE_SLACK = 0.05  # of the range
API_NETWORKS = ("ssd_mobile", "FeatureExtractor")  # parts of tensor names


@dataclass(frozen=True)
class Description:
    """The description of a detector file.

    Attributes:
        path: the file or folder.
        kind: the file format, such as `.tflite`.
        size: in bytes; of a folder, the total of all files.
        artifact: what Boxwright stored in it; None in files of other programs.
        graph: tensors and operators of a .tflite.
        postprocessing: settings of a .tflite's last operator.
        metadata: the TFLite metadata of a .tflite; None without.
        slower: the operators of a .tflite that XNNPACK leaves to slower kernels on this machine,
            and their numbers; None if unknown.
    """

    path: Path
    kind: str
    size: int
    artifact: Artifact | None
    graph: tflite_graph.Graph | None = None
    postprocessing: dict[str, Any] = field(default_factory=dict)
    metadata: litert.Metadata | None = None
    slower: dict[str, int] | None = None

    @property
    def input_range(self) -> tuple[float, float] | None:
        """The values that pixels 0 and 255 have in an int8 network."""
        if self.graph is None or len(self.graph.inputs) != 1:
            return None
        (pixels,) = self.graph.inputs
        return pixels.range if pixels.dtype == "uint8" else None

    @property
    def mismatch(self) -> str | None:
        """The problem with the input range, as a clause; None if none is known.

        Networks of the Object Detection API expect [-1, 1], whichever program converted them.
        """
        known = self.artifact.preprocessing if self.artifact else None
        if known is None and self.graph and self.graph.names_any(API_NETWORKS):
            known = Preprocessing()
        return _input_mismatch(self.input_range, known) if self.input_range and known else None

    def to_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"path": str(self.path), "kind": self.kind, "bytes": self.size}
        said["detector"] = self.artifact.to_json() if self.artifact else None
        if self.graph:
            tensors = {"inputs": self.graph.inputs, "outputs": self.graph.outputs}
            said |= {name: [each._asdict() for each in some] for name, some in tensors.items()}
            said["operators"] = [asdict(each) for each in self.graph.operators]
            said["slower_operators"] = self.slower
            said["arithmetic"] = self.graph.arithmetic
            said["weight_bytes"] = self.graph.weights
            said |= {"input_range": self.input_range, "mismatch": self.mismatch}
            said["postprocessing"] = self.postprocessing
            said["metadata"] = self.metadata.fields if self.metadata else None
        return said


def inspect(path: str | Path, *, trust: bool = False) -> Description:
    """Describe a detector file or folder, including files of other programs without class names.

    Args:
        path: the file or folder.
        trust: as in `Detector.load`.

    Raises:
        DetectorError: BW501 there is no detector, BW502 it is damaged, BW503 a newer Boxwright
            wrote it, BW512 it has operators that are not allowed, BW515 it asks for too much.
    """
    path = Path(path)
    kind = kind_of(path)
    admit(path, trust=trust)
    with loading(path):
        graph = _graph(path) if kind == ".tflite" else {}
        artifact = FILE_KINDS[kind].read_artifact(path, None)
    return Description(path, kind, size_of(path), artifact, **graph)


def _input_mismatch(range_: tuple[float, float], preprocessing: Preprocessing) -> str | None:
    """The problem with the input range of a quantized file, as a clause; None if it is the range
    that the network was trained with.

    Args:
        range_: values of pixels 0 and 255 in the file.
        preprocessing: the preprocessing in training.
    """
    low, high = preprocessing.offset, 255 * preprocessing.scale + preprocessing.offset
    slack = RANGE_SLACK * (high - low)
    if abs(range_[0] - low) <= slack and abs(range_[1] - high) <= slack:
        return None
    return (
        f"it was calibrated on images scaled to [{range_[0]:.2g}, {range_[1]:.2g}], but the "
        f"network expects [{low:.2g}, {high:.2g}]"
    )


def _graph(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    custom = litert.custom_operators(content)
    last = [each.options for each in custom if each.name == litert.POSTPROCESS]
    return {
        "graph": tflite_graph.read_graph(content),
        "postprocessing": last[-1] if last else {},
        "metadata": litert.read_metadata(content),
        "slower": litert.slower_operators(content),
    }

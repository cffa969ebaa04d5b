"""Descriptions of detector files of every kind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from boxwright.errors import DetectorError, SystemFaultError
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference import contract, litert, tflite_graph
from boxwright.inference.artifact import Artifact
from boxwright.inference.class_names import NO_NAMES, ClassNames
from boxwright.inference.contract import Contract
from boxwright.inference.engines import OnnxEngine
from boxwright.inference.engines.engine import loading
from boxwright.inference.file_kinds import FILE_KINDS, admit, kind_of
from boxwright.inference.heads import Facts, Head, recognized
from boxwright.inference.onnx_file import read_onnx
from boxwright.inference.triton_folder import NETWORK
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
        metadata: what a .tflite of any origin says of itself; None without.
        labels: the class names in a file of another tool; empty without.
        head: the head of another tool's .tflite or .onnx without post-processing; None if it is
            unknown or there is none.
        contract: what programs that run the file need to know; None of a run, and of files that
            are not understood.
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
    labels: ClassNames = field(default_factory=lambda: NO_NAMES)
    head: Head | None = None
    contract: Contract | None = None
    slower: dict[str, int] | None = None

    @property
    def runs(self) -> bool:
        """True if Boxwright runs the file."""
        decoded = self.head is not None and self.head.detect is not None
        return self.artifact is not None or bool(self.postprocessing) or decoded

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
        said["contract"] = self.contract.to_json() if self.contract else None
        said["head"] = self.head.family if self.head else None
        said["labels"] = list(self.labels)
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
        artifact = FILE_KINDS[kind].read_artifact(path, None)
        more = _MORE[kind](path, artifact) if kind in _MORE else {}
    return Description(path, kind, size_of(path), artifact, **more)


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


def _of_tflite(path: Path, artifact: Artifact | None) -> dict[str, Any]:
    content = path.read_bytes()
    custom = litert.custom_operators(content)
    last = [each.options for each in custom if each.name == litert.POSTPROCESS]
    graph, metadata = tflite_graph.read_graph(content), litert.read_metadata(content)
    labels, head = metadata.labels if metadata else NO_NAMES, None
    if not last and len(graph.inputs) == 1 and len(graph.inputs[0].shape) == 4:
        ssd = metadata.ssd if metadata else None
        side = graph.inputs[0].shape[1]
        head = recognized(Facts(graph.outputs, side, len(labels) or None, ssd=ssd))
    understood = bool(last) or head is not None
    return {
        "graph": graph,
        "postprocessing": last[-1] if last else {},
        "metadata": metadata,
        "labels": labels,
        "head": head,
        "contract": contract.of_tflite(graph, head, metadata) if understood else None,
        "slower": litert.slower_operators(content),
    }


def _of_onnx(path: Path, artifact: Artifact | None) -> dict[str, Any]:
    file = read_onnx(path.read_bytes(), where=path)
    finished = set(litert.OUTPUT_NAMES) <= {each.name for each in file.outputs}
    facts = Facts(file.outputs, file.side or 0, len(file.labels) or None)
    head = None if finished else recognized(facts) or _head_of_engine(path)
    understood = finished or head is not None
    return {
        "labels": file.labels,
        "head": head,
        "contract": contract.of_onnx(file, head) if understood else None,
    }


def _head_of_engine(path: Path) -> Head | None:
    """The head of a file that leaves the shapes of its outputs open."""
    with suppress(DetectorError, SystemFaultError):
        return OnnxEngine(path.read_bytes(), where=path).head
    return None


_MORE: dict[str, Callable[[Path, Artifact | None], dict[str, Any]]] = {
    ".tflite": _of_tflite,
    ".onnx": _of_onnx,
    "Triton model": lambda folder, artifact: _of_onnx(folder / NETWORK, artifact),
    "OpenVINO": lambda _, artifact: (
        {"contract": contract.of_openvino(artifact)} if artifact else {}
    ),
    "frozen graph": lambda _, artifact: {"contract": contract.of_frozen(artifact)},
    "SavedModel": lambda path, _: {"contract": contract.of_saved_model(path)},
}

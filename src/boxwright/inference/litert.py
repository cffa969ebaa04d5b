"""Content of a .tflite file, read without running it.

A .tflite is a flatbuffer, optionally followed by a zip of associated files; phones and `zipfile`
both read such a file. Boxwright stores `boxwright.json` and `labels.txt` in the zip.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.inference import tflite_metadata
from boxwright.inference.artifact import Artifact, damaged
from boxwright.inference.class_names import NO_NAMES, ClassNames, names_in
from boxwright.ops.box_coder import Scales

MAGIC = b"TFL3"  # bytes 4 to 8 of every .tflite
ARTIFACT_NAME, LABELS_NAME = "boxwright.json", "labels.txt"
POSTPROCESS = "TFLite_Detection_PostProcess"
OUTPUT_NAMES = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")
AXIS_LABELS, VALUE_LABELS = 2, 3  # values of AssociatedFileType
DESCRIPTIONS = (".txt", ".json", ".yaml")  # files that may describe the whole detector
LARGEST_TEXT = 1 << 22  # bytes of an attached file; a zip can declare any size
MAX_ENTRIES = 100  # in the metadata, and in the zip
DETECTOR = "DETECTOR_METADATA"  # MediaPipe's entry with the anchors
ANCHOR = {"y_center": 0.0, "x_center": 0.0, "height": 1.0, "width": 1.0}


class CustomOperator(NamedTuple):
    """A custom operator, which is not built into TFLite.

    Attributes:
        name: its custom code, such as `TFLite_Detection_PostProcess` or `FlexErf`.
        outputs: indices of the tensors it writes.
        options: its settings; empty if their encoding is unknown.
    """

    name: str
    outputs: tuple[int, ...]
    options: dict[str, Any]


class RawSsd(NamedTuple):
    """How the raw outputs of an SSD are decoded.

    Attributes:
        anchors: `(A, 4)` center y, center x, height, width, as fractions of the image.
        scales: scales of the box coder: y, x, height, width.
        exponential: True if sizes are logarithms.
        sigmoid: True if scores are logits.
    """

    anchors: NDArray[np.float32]
    scales: Scales
    exponential: bool = True
    sigmoid: bool = False


class Metadata(NamedTuple):
    """What a .tflite of any origin says of itself.

    Attributes:
        fields: its TFLite metadata, as `tflite_metadata.unpack` returns it.
        mean, std: a float input is `(pixel - mean) / std`, one value or one per channel; empty if
            missing.
        labels: the class names, in id order; empty if missing.
        threshold: the score threshold; None if missing.
        ssd: how its raw outputs are decoded; None if missing.
    """

    fields: dict[str, Any]
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    labels: ClassNames = NO_NAMES
    threshold: float | None = None
    ssd: RawSsd | None = None

    @property
    def name(self) -> str:
        return str(self.fields.get("name", ""))

    @property
    def description(self) -> str:
        return str(self.fields.get("description", ""))


def interpreter(content: bytes, threads: int) -> Any:
    """A LiteRT interpreter with allocated tensors.

    Raises:
        ValueError, RuntimeError: the file cannot be loaded.
    """
    api = framework.litert()
    with framework.hushed():
        made = api.Interpreter(model_content=content, num_threads=threads)
        made.allocate_tensors()
    return made


def slower_operators(content: bytes) -> dict[str, int] | None:
    """The operators that XNNPACK leaves to LiteRT's own kernels on this machine, by name, the most
    frequent first; None if LiteRT cannot load the file, or does not tell.

    LiteRT lists the operators of the file, and each part that XNNPACK runs as one more, which
    states its inputs and outputs: what lies between them is XNNPACK's.
    """
    try:
        nodes = interpreter(content, 1)._get_ops_details()
    except (AttributeError, RuntimeError, ValueError):
        return None
    parts = [node for node in nodes if node["op_name"] == "DELEGATE"]
    own = {node["index"]: node for node in nodes if node["op_name"] != "DELEGATE"}
    made_by = {int(tensor): i for i, node in own.items() for tensor in node["outputs"]}
    for part in parts:
        inputs, waiting = set(part["inputs"].tolist()), part["outputs"].tolist()
        while waiting:
            tensor = waiting.pop()
            node = own.pop(made_by.get(tensor, -1), None) if tensor not in inputs else None
            waiting += node["inputs"].tolist() if node else []
    return dict(Counter(node["op_name"] for node in own.values()).most_common())


def defect(content: bytes) -> str | None:
    """The defect of a .tflite's flatbuffer, or None; the file need not be runnable here."""
    api = framework.litert()
    if content[4:8] != MAGIC:
        return "it has no .tflite header"
    try:
        with framework.hushed():
            api.Interpreter(model_content=content)
    except (ValueError, RuntimeError) as error:
        return f"it cannot be loaded ({str(error).splitlines()[0][:200]})"
    return None


def custom_operators(content: bytes) -> list[CustomOperator]:
    """The custom operators of a valid .tflite."""
    model = schema.Model.GetRootAs(content)
    found = []
    for graph in (model.Subgraphs(i) for i in range(model.SubgraphsLength())):
        for operator in (graph.Operators(i) for i in range(graph.OperatorsLength())):
            code = model.OperatorCodes(operator.OpcodeIndex()).CustomCode()
            if code:
                outputs = tuple(operator.Outputs(i) for i in range(operator.OutputsLength()))
                found.append(CustomOperator(code.decode(), outputs, _options(operator)))
    return found


def read_artifact(content: bytes, *, where: str | Path) -> Artifact | None:
    """The artifact in the attached zip; None if another program wrote the file.

    Raises:
        DetectorError: BW502, BW503 or BW504, as `Artifact.from_json`.
    """
    text = _attached(content, ARTIFACT_NAME)
    if text is None and ARTIFACT_NAME.encode() in content:
        raise damaged("its end, which contains the class names, is missing", where)
    return None if text is None else Artifact.from_text(text, where=where)


def read_metadata(content: bytes) -> Metadata | None:
    """The metadata of a .tflite, and the class names in its attached files; None if it has neither
    or they are unreadable."""
    try:
        fields = tflite_metadata.unpack(_metadata_buffer(content))
    except Exception:  # invalid bytes can raise any exception
        labels = _described_labels(content)
        return Metadata({}, labels=labels) if labels else None
    networks = fields.get("subgraph_metadata") or [{}]
    inputs = networks[0].get("input_tensor_metadata") or [{}]
    outputs = networks[0].get("output_tensor_metadata", [])
    scaling = _process_unit(inputs[:1], "NormalizationOptions")
    return Metadata(
        fields,
        tuple(scaling.get("mean", ())),
        tuple(scaling.get("std", ())),
        _labels(content, outputs) or _described_labels(content),
        _process_unit(outputs, "ScoreThresholdingOptions").get("global_score_threshold"),
        _raw_ssd(networks[0].pop("custom_metadata", [])),
    )


def _raw_ssd(entries: list[dict[str, Any]]) -> RawSsd | None:
    """The decoding that MediaPipe Model Maker describes."""
    packed = (each.get("data", b"") for each in entries)
    names = [each.get("name") for each in entries]
    try:
        content = next(data for data, name in zip(packed, names, strict=True) if name == DETECTOR)
        options = tflite_metadata.unpack(content, "ObjectDetectorOptions")
        anchors = [
            [each.get(side, usual) for side, usual in ANCHOR.items()]
            for each in options["ssd_anchors_options"]["fixed_anchors_schema"]["anchors"]
        ]
        how = options["tensors_decoding_options"]
        y, x, height, width = (float(how.get(f"{side}_scale", 0)) or 1.0 for side in "yxhw")
    except (KeyError, StopIteration, ValueError):  # missing, or damaged
        return None
    exponential = bool(how.get("apply_exponential_on_box_size"))
    sigmoid = bool(how.get("sigmoid_score"))
    known = np.array(anchors, np.float32).reshape(-1, 4)
    return RawSsd(known, (y, x, height, width), exponential, sigmoid)


def _metadata_buffer(content: bytes) -> bytes:
    model = schema.Model.GetRootAs(content)
    entries = (model.Metadata(i) for i in range(min(model.MetadataLength(), MAX_ENTRIES)))
    index = next(entry.Buffer() for entry in entries if entry.Name() == tflite_metadata.ENTRY)
    return bytes(model.Buffers(index).DataAsNumpy().tobytes())


def _process_unit(tensors: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The tensors' first process unit of a kind; empty if there is none."""
    units = (unit.get("options") for tensor in tensors for unit in tensor.get("process_units", ()))
    return next((unit[1] for unit in units if unit and unit[0] == kind), {})


def _labels(content: bytes, tensors: list[dict[str, Any]]) -> ClassNames:
    """The names in the tensors' first file of labels that has any."""
    files = (file for tensor in tensors for file in tensor.get("associated_files", ()))
    names = (
        file.get("name", "") for file in files if file.get("type") in (AXIS_LABELS, VALUE_LABELS)
    )
    found = (names_in(_text(content, name)) for name in islice(names, MAX_ENTRIES))
    return next(filter(None, found), NO_NAMES)


def _described_labels(content: bytes) -> ClassNames:
    """The names in an attached description, as Ultralytics writes it, or in an attached file that
    is named like a list of labels."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as attached:
            names = attached.namelist()[:MAX_ENTRIES]
    except Exception:  # no zip, or a damaged one
        return NO_NAMES
    texts = ((name, _text(content, name)) for name in names if name.endswith(DESCRIPTIONS))
    found = (
        names_in(text)
        for name, text in texts
        if text.lstrip().startswith("{") or "label" in name.lower()
    )
    return next(filter(None, found), NO_NAMES)


def _text(content: bytes, name: str) -> str:
    return (_attached(content, name) or b"").decode("utf-8-sig", errors="replace")


def _attached(content: bytes, name: str) -> bytes | None:
    """A file in the attached zip; None if it is missing or unreadable."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as attached:
            if attached.getinfo(name).file_size > LARGEST_TEXT:
                return None
            return attached.read(name)
    except Exception:  # as above: encrypted, unknown compression, truncated
        return None


def _options(operator: Any) -> dict[str, Any]:
    """Numbers and texts of the settings. Vectors are not read: nested ones could be endless."""
    raw = operator.CustomOptionsAsNumpy()
    try:
        root = flexbuffers.GetRoot(raw.tobytes()).AsMap
        pairs = islice(zip(root.Keys, root.Values, strict=True), MAX_ENTRIES)
        found = {key.AsKey: each.Value for key, each in pairs if _is_plain(each)}
    except Exception:  # unknown encodings can raise any exception
        return {}
    return {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in found.items()}


def _is_plain(value: Any) -> bool:
    return bool(value.IsNumeric or value.IsBool or value.IsString)

"""What a .tflite says about itself, without running it.

A .tflite is a flatbuffer, and a zip of associated files may follow it: phones and `zipfile` both
read such a file as it is. Boxwright puts `boxwright.json` and `labels.txt` there.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from boxwright.models import framework
from boxwright.runtime.artifact import Artifact, damaged

MAGIC = b"TFL3"  # bytes 4 to 8 of every .tflite
ARTIFACT_NAME, LABELS_NAME = "boxwright.json", "labels.txt"
POSTPROCESS = "TFLite_Detection_PostProcess"
OUTPUT_NAMES = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")


class CustomOperator(NamedTuple):
    """An operator that is not one of TFLite's builtins.

    Attributes:
        name: its custom code, such as `TFLite_Detection_PostProcess` or `FlexErf`.
        outputs: indices of the tensors it writes.
        options: its settings; empty if they are not in the usual encoding.
    """

    name: str
    outputs: tuple[int, ...]
    options: dict[str, Any]


def interpreter(content: bytes, threads: int) -> Any:
    """LiteRT's interpreter, ready to be given an input.

    Raises:
        ValueError, RuntimeError: the file cannot be loaded.
    """
    from ai_edge_litert.interpreter import Interpreter

    with framework.hushed():
        made = Interpreter(model_content=content, num_threads=threads)
        made.allocate_tensors()
    return made


def defect(content: bytes) -> str | None:
    """What is wrong with a .tflite's flatbuffer, whether or not it could be run here."""
    from ai_edge_litert.interpreter import Interpreter

    if content[4:8] != MAGIC:
        return "it does not begin as a .tflite does"
    try:
        with framework.hushed():
            Interpreter(model_content=content)
    except (ValueError, RuntimeError) as error:
        return f"it cannot be loaded ({str(error).splitlines()[0][:200]})"
    return None


def custom_operators(content: bytes) -> list[CustomOperator]:
    """Every operator of a valid .tflite that is not a builtin."""
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
    """What Boxwright packed behind the flatbuffer; None if another program wrote the file.

    Raises:
        DetectorError: BW502, BW503 or BW504, as `Artifact.from_json`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as attached:
            text = attached.read(ARTIFACT_NAME)
    except (zipfile.BadZipFile, KeyError) as error:
        if ARTIFACT_NAME.encode() in content:
            raise damaged("its end, which holds the class names, is cut off", where) from error
        return None
    return Artifact.from_text(text, where=where)


def _options(operator: Any) -> dict[str, Any]:
    raw = operator.CustomOptionsAsNumpy()
    try:
        options = flexbuffers.Loads(raw.tobytes())
    except Exception:  # any other encoding; the reader raises whatever it stumbles over
        return {}
    if not isinstance(options, dict):
        return {}
    return {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in options.items()}

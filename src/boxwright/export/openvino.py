"""OpenVINO export: a folder for Intel processors."""

from __future__ import annotations

from pathlib import Path

from boxwright.backend import framework
from boxwright.export.onnx import onnx_content
from boxwright.export.targets import Target
from boxwright.inference.artifact import Artifact
from boxwright.inference.engines.openvino import NETWORK_NAME, WEIGHTS_NAME
from boxwright.inference.litert import ARTIFACT_NAME
from boxwright.io.files import write_json
from boxwright.models.model import DetectionModel


def write_openvino(folder: Path, model: DetectionModel, artifact: Artifact) -> None:
    """Write a detector as a float32 OpenVINO folder with `detector.xml`, the weights in
    `detector.bin`, and `boxwright.json`.

    Input and outputs are those of `export.onnx.write_onnx`.

    Args:
        folder: the folder to write, which must not exist yet.
        model: of any family.
        artifact: description to store in the folder.

    Raises:
        ExportError: BW404 the network has a layer that cannot be exported.
        SystemFaultError: BW901 the package `openvino` or `onnx` is not installed.
    """
    openvino = framework.openvino()
    # Not `openvino.convert_model`: it does the same but sends telemetry to Intel.
    network = openvino.Core().read_model(onnx_content(model, artifact))
    folder.mkdir()
    openvino.save_model(network, folder / NETWORK_NAME, compress_to_fp16=False)
    describe_openvino(folder, artifact)


def describe_openvino(folder: Path, artifact: Artifact) -> None:
    """Write or replace the artifact in an OpenVINO folder."""
    write_json(folder / ARTIFACT_NAME, artifact.to_json())


TARGET = Target(
    "openvino",
    write_openvino,
    describe_openvino,
    inside=frozenset({NETWORK_NAME, WEIGHTS_NAME, ARTIFACT_NAME}),
)

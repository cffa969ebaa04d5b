"""What a process that may die does with a detector file of each kind: load it and run it once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from boxwright.backend import framework
from boxwright.inference import litert
from boxwright.inference.artifact import Artifact
from boxwright.inference.engines import (
    FrozenEngine,
    OnnxEngine,
    OpenVinoEngine,
    SavedModelEngine,
)
from boxwright.inference.engines.engine import first_line
from boxwright.inference.engines.savedmodel import SAVED_ARTIFACT
from boxwright.inference.run import Run
from boxwright.inference.triton_folder import NETWORK
from boxwright.safety import trial
from boxwright.safety.hdf5 import try_weights
from boxwright.safety.limits import DefectError

# ONNX Runtime says itself which operator it lacks, and needs no stated shapes of outputs.
TOLERATED = ("No Op registered", "Field 'shape' of 'type' is required")
USUAL_SIDE = 300  # pixels, of a frozen graph


def try_tflite(path: Path) -> None:
    """A .tflite of any kind of network. Raises DefectError if LiteRT refuses it."""
    framework.litert()
    trial.limit()
    content = path.read_bytes()
    if reason := litert.defect(content):
        raise DefectError(reason)
    interpreter = litert.interpreter(content, 1)
    for each in interpreter.get_input_details():
        interpreter.set_tensor(each["index"], np.zeros(each["shape"], each["dtype"]))
    interpreter.invoke()
    for each in interpreter.get_output_details():
        interpreter.get_tensor(each["index"])


def try_onnx(path: Path) -> None:
    """An .onnx file. Raises DefectError if ONNX's checker refuses it."""
    framework.onnxruntime()
    onnx = framework.onnx()
    trial.limit()
    content = path.read_bytes()
    try:
        onnx.checker.check_model(content)
    except onnx.checker.ValidationError as error:
        if not any(sign in str(error) for sign in TOLERATED):
            raise DefectError(f"ONNX's checker refuses it ({first_line(error)})") from error
    engine = OnnxEngine(content, where=path)
    _run(engine, engine.input_size)


def try_openvino(folder: Path) -> None:
    """An OpenVINO folder."""
    framework.openvino()
    trial.limit()
    engine = OpenVinoEngine(folder)
    _run(engine, engine.input_size)


def try_triton(folder: Path) -> None:
    """A model's folder of Triton; as `try_onnx`."""
    try_onnx(folder / NETWORK)


def try_saved_model(folder: Path) -> None:
    """A SavedModel folder."""
    framework.tensorflow()
    trial.limit()
    artifact = Artifact.from_text((folder / SAVED_ARTIFACT).read_bytes())
    _run(SavedModelEngine(folder), artifact.preprocessing.size)


def try_frozen(path: Path) -> None:
    """A frozen graph."""
    framework.tensorflow()
    trial.limit()
    _run(FrozenEngine(path), USUAL_SIDE)


def try_run(folder: Path) -> None:
    """The weights of a run folder. Raises DefectError if they refer to other files."""
    try_weights(Run(folder).weights)


def _run(engine: Any, side: int) -> None:
    engine(np.zeros((1, side, side, 3), np.uint8))
